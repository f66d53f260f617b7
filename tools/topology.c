// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: which cores and which memory belong together.
 *
 * Cores that node 0 has offline have no topology in sysfs. But an APIC ID is
 * its place in the machine: CPUID says which bits of it name thread, core,
 * cache and package (SDM vol. 2A, CPUID, leaves 04H, 0BH, 1FH; APM vol. 3,
 * appendix E, 8000_001D). The firmware's SRAT says which NUMA node a core and a
 * range belong to.
 *
 * Below --sysroot, the file "cpuid" stands in for the instruction, in the format
 * of "cpuid -1 -r".
 */

#include <cpuid.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "topology.h"

struct cpuid {
	char	*text;		/* of the file, or NULL: ask the processor */
};

struct regs {
	u32	a, b, c, d;
};

static bool leaf_of_text(const char *text, u32 leaf, u32 sub, struct regs *regs)
{
	unsigned int l, s, a, b, c, d;

	for (; text; text = strchr(text, '\n')) {
		while (*text == '\n')
			text++;
		if (sscanf(text, " 0x%x 0x%x: eax=0x%x ebx=0x%x ecx=0x%x edx=0x%x",
			   &l, &s, &a, &b, &c, &d) == 6 && l == leaf && s == sub) {
			*regs = (struct regs){ a, b, c, d };
			return true;
		}
	}
	return false;
}

static bool leaf(const struct cpuid *cpuid, u32 number, u32 sub, struct regs *regs)
{
	*regs = (struct regs){ 0 };
	if (cpuid->text)
		return leaf_of_text(cpuid->text, number, sub, regs);
	return __get_cpuid_count(number, sub, &regs->a, &regs->b, &regs->c, &regs->d);
}

/* How many bits so many IDs take */
static unsigned int bits_for(u32 count)
{
	unsigned int bits = 0;

	while (bits < 31 && 1u << bits < count)
		bits++;
	return bits;
}

/* Leaf 1Fh or 0Bh: a level for each sub-leaf, the widest last */
static bool levels(const struct cpuid *cpuid, u32 number, struct shifts *shifts)
{
	struct regs regs;
	u32 sub, type;

	for (sub = 0; sub < 16 && leaf(cpuid, number, sub, &regs); sub++) {
		type = regs.c >> 8 & 0xff;
		if (!type || !(regs.b & 0xffff))
			break;
		shifts->package = regs.a & 31;
		if (type == 1)
			shifts->core = regs.a & 31;
	}
	return sub;
}

/* Leaf 4, or 8000001Dh of AMD: the last cache, and how many IDs share it */
static void cache(const struct cpuid *cpuid, u32 number, struct shifts *shifts)
{
	unsigned int level, most = 0;
	struct regs regs;
	u32 sub;

	for (sub = 0; sub < 16 && leaf(cpuid, number, sub, &regs); sub++) {
		if (!(regs.a & 31))
			break;
		level = regs.a >> 5 & 7;
		if (level < most)
			continue;
		most = level;
		shifts->llc = bits_for((regs.a >> 14 & 0xfff) + 1);
	}
}

/**
 * topology_shifts() - how APIC IDs of this machine are made
 * @ctl:	where to look
 * @shifts:	filled in; 0, 0 and 31 where the processor does not say
 */
void topology_shifts(const struct ctl *ctl, struct shifts *shifts)
{
	struct cpuid cpuid = {};
	struct regs regs;
	bool amd;

	*shifts = (struct shifts){ 0, 31, 31 };
	if (*ctl->sysroot) {
		cpuid.text = ctl_read(ctl, "/cpuid");
		if (!cpuid.text)
			return;
	}
	leaf(&cpuid, 0, 0, &regs);
	/* "AuthenticAMD", "HygonGenuine" */
	amd = regs.b == 0x68747541 || regs.b == 0x6f677948;
	if (!levels(&cpuid, 0x1f, shifts))
		levels(&cpuid, 0x0b, shifts);
	cache(&cpuid, amd ? 0x8000001d : 4, shifts);
	if (shifts->llc > shifts->package)
		shifts->llc = shifts->package;
	if (shifts->llc < shifts->core)
		shifts->llc = shifts->core;
	free(cpuid.text);
}

/* ---- SRAT ------------------------------------------------------------------- */

#define SRAT_HEADER	48
#define SRAT_ENABLED	1

struct affinity {
	bool	memory;
	u32	numa, apic_id;
	u64	base, length;
};

static u32 get32(const unsigned char *p)
{
	u32 value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

static u64 get64(const unsigned char *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

/* One structure (ACPI 6.5, 5.2.16); false: it does not count */
static bool decode(const unsigned char *p, size_t len, struct affinity *found)
{
	*found = (struct affinity){};
	switch (p[0]) {
	case 0:		/* local APIC */
		found->numa = p[2] | p[9] << 8 | p[10] << 16 | (u32)p[11] << 24;
		found->apic_id = p[3];
		return len >= 16 && get32(p + 4) & SRAT_ENABLED;
	case 1:		/* memory */
		if (len < 40)
			return false;
		found->memory = true;
		found->numa = get32(p + 2);
		found->base = get64(p + 8);
		found->length = get64(p + 16);
		return get32(p + 28) & SRAT_ENABLED && found->length;
	case 2:		/* local x2APIC */
		if (len < 24)
			return false;
		found->numa = get32(p + 4);
		found->apic_id = get32(p + 8);
		return get32(p + 12) & SRAT_ENABLED;
	}
	return false;
}

/* The structures of the table; none where there is none, or no permission */
static struct affinity *read_srat(const struct ctl *ctl, size_t *nr)
{
	char *path = ctl_path(ctl, "/sys/firmware/acpi/tables/SRAT");
	struct affinity *list = NULL, found;
	unsigned char *table;
	size_t size, at;

	table = (unsigned char *)read_path(path, &size);
	free(path);
	*nr = 0;
	at = SRAT_HEADER;
	while (table && at + 2 <= size) {
		size_t len = table[at + 1];

		if (len < 16 || at + len > size)
			break;
		if (decode(table + at, len, &found)) {
			list = xgrow(list, *nr, sizeof(*list));
			list[(*nr)++] = found;
		}
		at += len;
	}
	free(table);
	return list;
}

static u32 numa_of_core(const struct affinity *list, size_t nr, u32 apic_id)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!list[i].memory && list[i].apic_id == apic_id)
			return list[i].numa;
	return 0;
}

/* NUMA node of an address, and the last one up to @last that has the same */
static u32 numa_of_memory(const struct affinity *list, size_t nr, u64 at, u64 *last)
{
	u32 numa = 0;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!list[i].memory)
			continue;
		if (at >= list[i].base && at - list[i].base < list[i].length) {
			numa = list[i].numa;
			if (*last - list[i].base >= list[i].length)
				*last = list[i].base + list[i].length - 1;
		} else if (list[i].base > at && list[i].base <= *last) {
			*last = list[i].base - 1;
		}
	}
	return numa;
}

static void add_range(struct place_machine *machine, u64 start, u64 end, u32 numa)
{
	struct place_range *last = NULL;

	if (machine->nr_ranges)
		last = &machine->ranges[machine->nr_ranges - 1];
	if (last && last->end + 1 == start && last->numa == numa) {
		last->end = end;
		return;
	}
	machine->ranges = xgrow(machine->ranges, machine->nr_ranges,
				sizeof(*machine->ranges));
	machine->ranges[machine->nr_ranges++] = (struct place_range){ start, end, numa };
}

/**
 * topology_machine() - what place() wants to know
 * @ctl:	where to look
 * @mint:	who owns what
 * @machine:	filled in
 */
void topology_machine(const struct ctl *ctl, const struct mint *mint,
		      struct place_machine *machine)
{
	struct shifts shifts;
	struct affinity *srat;
	size_t nr, i;

	topology_shifts(ctl, &shifts);
	srat = read_srat(ctl, &nr);
	memset(machine, 0, sizeof(*machine));
	machine->cores = xcalloc(mint->nr_cores, sizeof(*machine->cores));
	machine->nr_cores = mint->nr_cores;
	for (i = 0; i < mint->nr_cores; i++) {
		u32 id = mint->cores[i].apic_id;

		machine->cores[i] = (struct place_core){
			id, id >> shifts.core, id >> shifts.llc,
			numa_of_core(srat, nr, id),
			mint->cores[i].owner == OWNER_FREE,
		};
	}
	for (i = 0; i < mint->nr_ranges; i++) {
		u64 start = mint->ranges[i].start, end = mint->ranges[i].end, last;
		u32 numa;

		if (strcmp(mint->ranges[i].owner, "free"))
			continue;
		do {
			last = end;
			numa = numa_of_memory(srat, nr, start, &last);
			add_range(machine, start, last, numa);
			start = last + 1;
		} while (last != end);
	}
	free(srat);
}
