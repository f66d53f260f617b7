// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: where a node goes.
 *
 * Cores: whole ones, of the smallest NUMA node that has enough, in it of the
 * smallest last-level cache, there the smallest run of neighbours, the lowest.
 * Memory: of the same NUMA node, one range, above 4 GiB, the smallest that is
 * enough, its start aligned to 128 MiB, the lowest. Each wish that cannot be
 * had is given up in the opposite order. Equal machines and requests give equal
 * placements.
 */

#include <stdlib.h>
#include <string.h>

#include "place.h"

#define MIB		(1ull << 20)
#define ALIGN_GOOD	(128 * MIB)	/* a memory block of Linux */
#define ALIGN_LEAST	(2 * MIB)
#define ANY		UINT32_MAX

/* For devices that reach 4 GiB: twice what swiotlb takes */
#define LOW_SLICE	(128 * MIB)

/* Threads of one core */
struct group {
	size_t	first, nr;		/* in machine->cores */
	bool	free;
};

struct groups {
	const struct place_machine	*machine;
	struct group			*group;
	size_t				nr;
};

static void note(struct placement *placement, const char *text)
{
	char *old = placement->notes;

	placement->notes = old ? xasprintf("%s\n%s", old, text) : xstrdup(text);
	free(old);
}

/* Threads of a core stand next to each other, for APIC IDs ascend */
static void make_groups(struct groups *groups, const struct place_machine *machine,
			bool split)
{
	size_t i;

	groups->machine = machine;
	groups->group = xcalloc(machine->nr_cores, sizeof(*groups->group));
	groups->nr = 0;
	for (i = 0; i < machine->nr_cores; i++) {
		const struct place_core *core = &machine->cores[i];
		struct group *group = groups->group + groups->nr;

		if (!split && i && core->core == core[-1].core) {
			group--;
		} else {
			*group = (struct group){ i, 0, true };
			groups->nr++;
		}
		group->nr++;
		group->free &= core->free;
	}
}

static const struct place_core *first_of(const struct groups *groups, size_t i)
{
	return &groups->machine->cores[groups->group[i].first];
}

/* Is it free, and in this NUMA node and this cache, or in any of them? */
static bool usable(const struct groups *groups, size_t i, u32 numa, u32 llc)
{
	const struct place_core *core = first_of(groups, i);

	return groups->group[i].free && (numa == ANY || core->numa == numa) &&
	       (llc == ANY || core->llc == llc);
}

static u32 count_usable(const struct groups *groups, u32 numa, u32 llc)
{
	u32 count = 0;
	size_t i;

	for (i = 0; i < groups->nr; i++)
		if (usable(groups, i, numa, llc))
			count += groups->group[i].nr;
	return count;
}

/*
 * Take @wanted threads of usable cores in [first, end), the lowest that fit.
 * Without @ids only try. Returns how many are then missing.
 */
static u32 take(const struct groups *groups, size_t first, size_t end, u32 numa,
		u32 llc, u32 wanted, struct ids *ids)
{
	size_t i, j;

	for (i = first; i < end && wanted; i++) {
		const struct group *group = &groups->group[i];

		if (!usable(groups, i, numa, llc) || group->nr > wanted)
			continue;
		wanted -= group->nr;
		for (j = 0; ids && j < group->nr; j++)
			add_id(ids, groups->machine->cores[group->first + j].apic_id);
	}
	return wanted;
}

/* Is this core the next one after that which the list has before it? */
static bool follows(const struct groups *groups, size_t i)
{
	return first_of(groups, i)->core - first_of(groups, i - 1)->core <= 1;
}

/* The smallest run of neighbours that has them; false if there is none */
static bool take_run(const struct groups *groups, u32 numa, u32 llc, u32 wanted,
		     struct ids *ids)
{
	size_t first, end, best_first = 0, best_end = 0;
	u32 count, best = UINT32_MAX;

	for (first = 0; first < groups->nr; first = end) {
		end = first + 1;
		if (!usable(groups, first, numa, llc))
			continue;
		count = groups->group[first].nr;
		while (end < groups->nr && usable(groups, end, numa, llc) &&
		       follows(groups, end))
			count += groups->group[end++].nr;
		if (count >= wanted && count < best &&
		    !take(groups, first, end, numa, llc, wanted, NULL)) {
			best = count;
			best_first = first;
			best_end = end;
		}
	}
	return best_end && !take(groups, best_first, best_end, numa, llc, wanted, ids);
}

static u64 free_memory(const struct place_machine *machine, u32 numa)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < machine->nr_ranges; i++)
		if (machine->ranges[i].numa == numa)
			sum += machine->ranges[i].end - machine->ranges[i].start + 1;
	return sum;
}

/* The NUMA node with the fewest free threads that are enough; ANY without */
static u32 best_numa(const struct groups *groups, u32 wanted, u64 memory)
{
	u32 best = ANY, least = UINT32_MAX, count, numa;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		numa = first_of(groups, i)->numa;
		count = count_usable(groups, numa, ANY);
		if (count > least || (count == least && numa >= best) ||
		    take(groups, 0, groups->nr, numa, ANY, wanted, NULL) ||
		    free_memory(groups->machine, numa) < memory)
			continue;
		best = numa;
		least = count;
	}
	return best;
}

/* The same for caches of a NUMA node */
static u32 best_llc(const struct groups *groups, u32 wanted, u32 numa)
{
	u32 best = ANY, least = UINT32_MAX, count, llc;
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		if (numa != ANY && first_of(groups, i)->numa != numa)
			continue;
		llc = first_of(groups, i)->llc;
		count = count_usable(groups, numa, llc);
		if (count > least || (count == least && llc >= best) ||
		    take(groups, 0, groups->nr, numa, llc, wanted, NULL))
			continue;
		best = llc;
		least = count;
	}
	return best;
}

static const struct place_core *find_core(const struct place_machine *machine,
					  u32 apic_id)
{
	size_t i;

	for (i = 0; i < machine->nr_cores; i++)
		if (machine->cores[i].apic_id == apic_id)
			return &machine->cores[i];
	return NULL;
}

/* Does one NUMA node have all cores of the placement? */
static void find_numa(const struct place_machine *machine,
		      struct placement *placement)
{
	size_t i;

	placement->one_numa = true;
	for (i = 0; i < placement->apic_ids.nr; i++) {
		const struct place_core *core =
			find_core(machine, placement->apic_ids.id[i]);

		if (core && i && core->numa != placement->numa)
			placement->one_numa = false;
		else if (core)
			placement->numa = core->numa;
	}
}

static int place_cores(const struct place_machine *machine,
		       const struct place_request *request,
		       struct placement *placement, char **why)
{
	struct groups groups, threads;
	u32 wanted = request->cores, numa, llc, whole, single;
	struct ids *ids = &placement->apic_ids;
	int err = 0;

	make_groups(&groups, machine, request->split);
	whole = count_usable(&groups, ANY, ANY);
	if (take(&groups, 0, groups.nr, ANY, ANY, wanted, NULL)) {
		make_groups(&threads, machine, true);
		single = count_usable(&threads, ANY, ANY);
		if (single < wanted)
			*why = xasprintf("%u cores are wanted, %u are free: end a node, or take CPUs of node 0 offline",
					 wanted, single);
		else if (whole >= wanted)
			*why = xasprintf("%u threads are not a number of whole cores: ask for %u, or for single threads by --split",
					 wanted, wanted + 1);
		else
			*why = xasprintf("%u threads of whole cores are wanted, %u are free, and %u of cores that others use, too: --split takes those",
					 wanted, whole, single - whole);
		free(threads.group);
		err = -1;
		goto out;
	}
	numa = best_numa(&groups, wanted, request->memory);
	if (numa == ANY)
		numa = best_numa(&groups, wanted, 0);
	llc = best_llc(&groups, wanted, numa);
	if (!take_run(&groups, numa, llc, wanted, ids))
		take(&groups, 0, groups.nr, numa, llc, wanted, ids);
	if (numa == ANY)
		note(placement, "no NUMA node has so many free cores: they are of several");
out:
	free(groups.group);
	return err;
}

/* Exactly these */
static int place_named_cores(const struct place_machine *machine,
			     const struct place_request *request,
			     struct placement *placement, char **why)
{
	size_t i;

	for (i = 0; i < request->apic_ids.nr; i++) {
		u32 id = request->apic_ids.id[i];
		const struct place_core *core = find_core(machine, id);

		if (!core) {
			*why = xasprintf("APIC ID %u does not exist: 'mintctl list --cores' shows those that do",
					 id);
			return -1;
		}
		if (!core->free) {
			*why = xasprintf("APIC ID %u is not free: 'mintctl list --cores' says whose it is; end that node or choose another",
					 id);
			return -1;
		}
		add_id(&placement->apic_ids, id);
	}
	return 0;
}

/* ---- memory ----------------------------------------------------------------- */

/* Where it is looked for */
struct where {
	u32	numa;		/* or ANY */
	u64	first, last;	/* addresses */
};

static bool clip(const struct place_range *range, const struct where *where,
		 struct place_range *clipped)
{
	*clipped = *range;
	if (clipped->start < where->first)
		clipped->start = where->first;
	if (clipped->end > where->last)
		clipped->end = where->last;
	return (where->numa == ANY || range->numa == where->numa) &&
	       clipped->start <= clipped->end;
}

/* The first aligned address of a range behind which there are @size bytes */
static bool fits(const struct place_range *range, u64 size, u64 align, u64 *start)
{
	*start = (range->start + align - 1) & -align;
	return *start >= range->start && *start <= range->end &&
	       range->end - *start >= size - 1;
}

/* Best fit, lowest of equals */
static bool one_range(const struct place_machine *machine, const struct where *where,
		      u64 size, u64 align, struct place_range *found)
{
	struct place_range range;
	u64 least = UINT64_MAX, start;
	size_t i;

	for (i = 0; i < machine->nr_ranges; i++)
		if (clip(&machine->ranges[i], where, &range) &&
		    fits(&range, size, align, &start) &&
		    range.end - range.start < least) {
			least = range.end - range.start;
			*found = (struct place_range){ start, start + size - 1, range.numa };
		}
	return least != UINT64_MAX;
}

static bool overlaps(const struct place_range *a, const struct place_range *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/* The largest piece that no range of the placement has yet */
static bool largest(const struct place_machine *machine, const struct where *where,
		    const struct placement *placement, struct place_range *found)
{
	struct place_range range;
	u64 most = 0, start, size;
	size_t i, j;

	for (i = 0; i < machine->nr_ranges; i++) {
		if (!clip(&machine->ranges[i], where, &range))
			continue;
		for (j = 0; j < placement->nr_ranges; j++)
			if (overlaps(&range, &placement->ranges[j]))
				break;
		start = (range.start + ALIGN_LEAST - 1) & -ALIGN_LEAST;
		if (j < placement->nr_ranges || start < range.start || start > range.end)
			continue;
		size = (range.end - start + 1) & -ALIGN_LEAST;
		if (size > most) {
			most = size;
			*found = (struct place_range){ start, start + size - 1, range.numa };
		}
	}
	return most;
}

/* Up to so many ranges in all, the largest first; the last is a best fit */
static bool several_ranges(const struct place_machine *machine,
			   const struct where *where, u64 size,
			   struct placement *placement)
{
	size_t before = placement->nr_ranges;
	struct place_range range;

	while (placement->nr_ranges < PLACE_RANGES_MAX &&
	       largest(machine, where, placement, &range)) {
		if (range.end - range.start >= size - 1)
			range.end = range.start + size - 1;
		placement->ranges[placement->nr_ranges++] = range;
		size -= range.end - range.start + 1;
		if (!size)
			return true;
	}
	placement->nr_ranges = before;
	return false;
}

static bool try_where(const struct place_machine *machine, u32 numa, u64 size,
		      struct placement *placement)
{
	const struct where above = { numa, GIB4, UINT64_MAX };
	const struct where below = { numa, MIB, GIB4 - 1 };
	const struct where all = { numa, MIB, UINT64_MAX };
	struct place_range *next = &placement->ranges[placement->nr_ranges];

	if (one_range(machine, &above, size, ALIGN_GOOD, next) ||
	    one_range(machine, &above, size, ALIGN_LEAST, next) ||
	    one_range(machine, &below, size, ALIGN_GOOD, next) ||
	    one_range(machine, &below, size, ALIGN_LEAST, next)) {
		placement->nr_ranges++;
		return true;
	}
	return several_ranges(machine, &above, size, placement) ||
	       several_ranges(machine, &all, size, placement);
}

/*
 * All lies above 4 GiB, and a device may reach no further: move a slice of it
 * down. The large piece stays first, for the image lies in it.
 */
static void add_low(const struct place_machine *machine, u32 numa, u64 size,
		    struct placement *placement)
{
	const struct where below = { ANY, MIB, GIB4 - 1 };
	struct placement slice = *placement;
	struct place_range low;

	slice.nr_ranges = 0;
	if (!one_range(machine, &below, LOW_SLICE, ALIGN_LEAST, &low) ||
	    !try_where(machine, numa, size - LOW_SLICE, &slice) ||
	    slice.nr_ranges == PLACE_RANGES_MAX) {
		note(placement,
		     "none of it is below 4 GiB: a device that reaches no further will not work");
		return;
	}
	slice.ranges[slice.nr_ranges++] = low;
	*placement = slice;
	note(placement, "128 MiB of it are below 4 GiB, for devices that reach no further");
}

static u64 sum_ranges(const struct place_range *ranges, size_t nr)
{
	u64 sum = 0;

	while (nr--)
		sum += ranges[nr].end - ranges[nr].start + 1;
	return sum;
}

static int place_named_memory(const struct place_machine *machine,
			      const struct place_request *request,
			      struct placement *placement, char **why)
{
	u64 start = request->start, end = start + request->memory - 1;
	size_t i;

	for (i = 0; end > start && i < machine->nr_ranges; i++)
		if (start >= machine->ranges[i].start && end <= machine->ranges[i].end) {
			placement->ranges[placement->nr_ranges++] =
				(struct place_range){ start, end, machine->ranges[i].numa };
			return 0;
		}
	*why = xasprintf("memory 0x%llx-0x%llx is not free: 'mintctl list --memory' says whose it is",
			 (unsigned long long)start, (unsigned long long)end);
	return -1;
}

static int place_memory(const struct place_machine *machine,
			const struct place_request *request,
			struct placement *placement, char **why)
{
	u64 size = (request->memory + ALIGN_LEAST - 1) & -ALIGN_LEAST, lowest = UINT64_MAX, unused;
	u32 numa = placement->one_numa ? placement->numa : ANY;
	size_t i;
	char *free_text, *text;

	if (size < request->memory)
		size = request->memory & -ALIGN_LEAST;
	if (request->start != UINT64_MAX)
		return place_named_memory(machine, request, placement, why);

	if (!try_where(machine, numa, size, placement)) {
		if (!try_where(machine, ANY, size, placement)) {
			unused = sum_ranges(machine->ranges, machine->nr_ranges);
			free_text = exact_size(unused & -ALIGN_LEAST);
			text = exact_size(size);
			*why = xasprintf("%s of memory are wanted, %s are free%s: ask for less or end a node",
					 text, free_text, unused < size ? "" :
					 " in more pieces than a node may have");
			free(free_text);
			free(text);
			return -1;
		}
		if (numa != ANY)
			note(placement, "memory is not on the NUMA node of the cores");
	}
	if (placement->nr_ranges > 1)
		note(placement, "no range is large enough: memory is in pieces");
	for (i = 0; i < placement->nr_ranges; i++)
		if (placement->ranges[i].start < lowest)
			lowest = placement->ranges[i].start;
	if (request->low && lowest >= GIB4 && size >= 2 * LOW_SLICE)
		add_low(machine, numa, size, placement);
	return 0;
}

/* ---- what it had before ----------------------------------------------------- */

static bool still_free(const struct place_machine *machine,
		       const struct placement *before)
{
	size_t i, j;

	for (i = 0; i < before->apic_ids.nr; i++) {
		const struct place_core *core =
			find_core(machine, before->apic_ids.id[i]);

		if (!core || !core->free)
			return false;
	}
	for (i = 0; i < before->nr_ranges; i++) {
		const struct place_range *range = &before->ranges[i];

		for (j = 0; j < machine->nr_ranges; j++)
			if (range->start >= machine->ranges[j].start &&
			    range->end <= machine->ranges[j].end)
				break;
		if (j == machine->nr_ranges)
			return false;
	}
	return true;
}

/* Are all threads of its cores in the list, or none? */
static bool whole_cores(const struct place_machine *machine, const struct ids *ids)
{
	struct groups groups;
	bool whole = true;
	size_t i, j, nr;

	make_groups(&groups, machine, false);
	for (i = 0; whole && i < groups.nr; i++) {
		const struct group *group = &groups.group[i];

		for (j = 0, nr = 0; j < group->nr; j++)
			nr += has_id(ids, machine->cores[group->first + j].apic_id);
		whole = !nr || nr == group->nr;
	}
	free(groups.group);
	return whole;
}

/* Is there anything for devices that reach 4 GiB? Of little memory no slice is taken */
static bool low_enough(const struct placement *before, u64 size)
{
	size_t i;

	for (i = 0; i < before->nr_ranges; i++)
		if (before->ranges[i].start < GIB4)
			return true;
	return size < 2 * LOW_SLICE;
}

/* It is what the request would have now, and free */
static bool serves(const struct place_machine *machine,
		   const struct place_request *request,
		   const struct placement *before)
{
	u64 size = (request->memory + ALIGN_LEAST - 1) & -ALIGN_LEAST;

	if (request->apic_ids.nr || before->apic_ids.nr != request->cores ||
	    request->start != UINT64_MAX || !before->nr_ranges ||
	    sum_ranges(before->ranges, before->nr_ranges) != size)
		return false;
	if (request->low && !low_enough(before, size))
		return false;
	if (!request->split && !whole_cores(machine, &before->apic_ids))
		return false;
	return still_free(machine, before);
}

/**
 * place() - choose cores and memory
 * @machine:	what there is
 * @request:	what is wanted
 * @placement:	filled in
 * @why:	on a failure, what is wanted, what is there and what to do
 *
 * Return: 0 or -1.
 */
int place(const struct place_machine *machine,
	  const struct place_request *request, struct placement *placement,
	  char **why)
{
	int err;

	memset(placement, 0, sizeof(*placement));
	if (request->before && serves(machine, request, request->before)) {
		*placement = *request->before;
		placement->notes = NULL;
		placement->kept = true;
		find_numa(machine, placement);
		return 0;
	}
	err = request->apic_ids.nr ?
		place_named_cores(machine, request, placement, why) :
		place_cores(machine, request, placement, why);
	if (err)
		return err;
	find_numa(machine, placement);
	return place_memory(machine, request, placement, why);
}
