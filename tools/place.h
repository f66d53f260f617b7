/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: where a node goes. Pure: no files, no clock, no chance.
 */
#ifndef MINTCTL_PLACE_H
#define MINTCTL_PLACE_H

#include "mintctl.h"

#define PLACE_RANGES_MAX	4

/**
 * struct place_core - a core of the machine
 * @apic_id:	its name
 * @core:	threads of a core share it
 * @llc:	cores that share a last-level cache share it
 * @numa:	NUMA node
 * @free:	nobody has it
 */
struct place_core {
	u32	apic_id, core, llc, numa;
	bool	free;
};

/* Free memory of one NUMA node, both ends inclusive */
struct place_range {
	u64	start, end;
	u32	numa;
};

/* Cores by ascending APIC IDs, ranges by ascending addresses */
struct place_machine {
	struct place_core	*cores;
	size_t			nr_cores;
	struct place_range	*ranges;
	size_t			nr_ranges;
};

/**
 * struct placement - what a node gets
 * @apic_ids:	its cores; the lowest is the boot core
 * @ranges:	its memory; the image lies in the first
 * @numa:	NUMA node of the cores, if @one_numa
 * @kept:	it is what the node had before
 * @notes:	what is not as it should be, a line each, or NULL
 */
struct placement {
	struct ids		apic_ids;
	struct place_range	ranges[PLACE_RANGES_MAX];
	size_t			nr_ranges;
	u32			numa;
	bool			one_numa;
	bool			kept;
	char			*notes;
};

/**
 * struct place_request - what is asked for
 * @cores:	how many threads, if @apic_ids is empty
 * @split:	single threads of a core will do
 * @apic_ids:	exactly these
 * @memory:	bytes
 * @start:	exactly there, or UINT64_MAX
 * @low:	some of it below 4 GiB, for devices that reach no further
 * @before:	what it had before, or NULL
 */
struct place_request {
	u32			cores;
	bool			split;
	struct ids		apic_ids;
	u64			memory, start;
	bool			low;
	const struct placement	*before;
};

int place(const struct place_machine *machine,
	  const struct place_request *request, struct placement *placement,
	  char **why);

#endif
