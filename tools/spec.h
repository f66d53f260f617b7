/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: what a node shall be, from its file and the command line.
 */
#ifndef MINTCTL_SPEC_H
#define MINTCTL_SPEC_H

#include "place.h"
#include "policy.h"

#define NODE_DIR	"/etc/mint"

/**
 * struct spec - a node as it is wanted
 * @name:	its name
 * @image:	kernel
 * @initrd:	or NULL
 * @command_line: or NULL
 * @devices:	separated by commas, as kexec takes them, or NULL
 * @links:	nodes, separated by commas, as mint.links= takes them, or NULL
 * @shares:	<name>:<size>, separated by commas, as mint.share= takes them, or NULL
 * @cores:	number of threads; 0: nothing was said, so one
 * @apic_ids:	exactly these instead
 * @split:	single threads of cores will do
 * @memory:	bytes
 * @start:	exactly there, or UINT64_MAX
 * @autostart:	starts with the machine
 * @respawn:	a new one is launched when it has failed
 * @lost_sec:	a node that is silent for so long is lost
 * @limits:	what mintd may do with it
 */
struct spec {
	char		*name;
	char		*image, *initrd, *command_line, *devices, *links, *shares;
	u32		cores;
	struct ids	apic_ids;
	bool		split;
	u64		memory, start;
	bool		autostart, respawn;
	unsigned int	lost_sec;
	struct policy_limits limits;
};

void spec_init(struct spec *spec, const char *name);
void spec_free(struct spec *spec);
const char *spec_set(const struct ctl *ctl, struct spec *spec,
		     const char *section, const char *key, const char *value);
int spec_read(const struct ctl *ctl, struct spec *spec, bool must);
int node_names(const struct ctl *ctl, char ***names);
char *interface_function(const struct ctl *ctl, const char *interface);

#endif
