/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: which cores and which memory belong together.
 */
#ifndef MINTCTL_TOPOLOGY_H
#define MINTCTL_TOPOLOGY_H

#include "place.h"
#include "sysfs.h"

/* By how much an APIC ID is shifted to name a core, a cache, a package */
struct shifts {
	unsigned int	core, llc, package;
};

void topology_shifts(const struct ctl *ctl, struct shifts *shifts);
void topology_machine(const struct ctl *ctl, const struct mint *mint,
		      struct place_machine *machine);

#endif
