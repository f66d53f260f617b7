/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: /sys/kernel/mint, read once.
 */
#ifndef MINTCTL_SYSFS_H
#define MINTCTL_SYSFS_H

#include "mintctl.h"

#define MINT_DIR	"/sys/kernel/mint"
#define OWNER_FREE	(-1)
#define OWNER_IN_FLIGHT	(-2)	/* from one node to another */
#define NODE_NONE	UINT32_MAX

/* Both ends inclusive */
struct range {
	u64	start, end;
	char	*owner;
};

struct core {
	u32	apic_id;
	int	owner;		/* number of a node, or OWNER_.. */
};

/**
 * struct node - what nodes/<n> says
 * @n:		number
 * @since:	since when it is in this state, seconds since 1970
 * @memory:	sum of its ranges, bytes
 * @ranges:	them, one a line
 * @devices:	them, one a line
 * @links:	nodes with which it has one, one a line
 */
struct node {
	u32		n;
	char		*name, *state, *reason;
	double		since;
	u64		boots, heartbeat, memory;
	struct ids	cpus, cpus_up;
	char		*ranges, *devices, *links;
};

/**
 * struct mint - all that /sys/kernel/mint says
 * @self:	number of this node
 * @bsp:	APIC ID of the BSP
 * @cores:	ascending APIC IDs
 * @ranges:	ascending addresses
 * @nodes:	ascending numbers
 * @text:	which owners of ranges point into
 */
struct mint {
	u32		self, bsp;
	struct core	*cores;
	size_t		nr_cores;
	struct range	*ranges;
	size_t		nr_ranges;
	struct node	*nodes;
	size_t		nr_nodes;
	char		*text;
};

/**
 * struct load - nodes/<n>/load
 * @stalls:	its kernel counts what follows
 * Counters wrap at 32 bits; docs/sysfs.md has the rest.
 */
struct load {
	u32	beats, runnable_sum, busy_ms, cpus, mem_mib, available_mib;
	bool	stalls;
	u32	cpu_ms, memory_ms, io_ms;
};

int mint_read(const struct ctl *ctl, struct mint *mint);
void mint_free(struct mint *mint);
struct node *mint_find(struct mint *mint, const char *word);
struct node *mint_number(struct mint *mint, u32 n);
struct node *mint_owner(struct mint *mint, const char *name, size_t *nr);
int mint_absent(struct mint *mint, const char *word);
bool load_read(const struct ctl *ctl, u32 n, struct load *load);
bool node_owns(const struct node *node);
bool node_ended(const char *state);

#endif
