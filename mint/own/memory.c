// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: this node's memory.
 *
 * Owns mint.mem= and the rewriting of the memory map, what of it is this
 * node's, and what drivers may map.
 *
 * A node has two sorts of memory: that with which it boots, which stays for as
 * long as it lives, and that which comes and goes (hotplug.c).
 */

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memblock.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <asm/e820/api.h>
#include <asm/sections.h>
#include <asm/setup.h>

#include "../area/area.h"
#include "own.h"

/*
 * The memory with which this node has booted. The record in the common area says
 * the same, for the other nodes, and has what came later, too; it is not asked
 * what this kernel may touch.
 */
struct mint_range mint_own_mem[MINT_RANGES_MAX] __ro_after_init;
u32 mint_own_mem_count __ro_after_init;

/*
 * What came later. Whoever asks may have interrupted who changes it, in a panic,
 * too: there are two copies, one of which is whole at any time.
 */
struct added {
	struct mint_range	mem[MINT_RANGES_MAX];
	u32			count;
};

static struct added added[2];
static seqcount_latch_t added_latch = SEQCNT_LATCH_ZERO(added_latch);

/* What /proc/iomem calls memory of others; and entries that are left over */
struct foreign {
	struct list_head	list;
	struct resource		res;
};

static LIST_HEAD(foreign);
static LIST_HEAD(foreign_spare);

/* mint.mem= leaves room for what the boot loader put elsewhere */
#define MINT_MEM_PARAM_MAX	(MINT_RANGES_MAX - 6)

/*
 * What the firmware calls usable and node 0 reserved when it booted: memmap=,
 * tables of the firmware that lie in usable memory, whatever else.
 */
static struct mint_range withheld[E820_MAX_ENTRIES] __initdata;
static u32 withheld_count __initdata;

/**
 * mint_ranges_overlap() - do two ranges share a byte?
 * @a:	a range
 * @b:	another one
 *
 * Context: any.
 * Return: true if they do; an empty range has none.
 */
bool mint_ranges_overlap(const struct mint_range *a, const struct mint_range *b)
{
	/* Without sums: a range may end with the last byte there is */
	return a->start < b->start ? b->size && b->start - a->start < a->size :
				     a->size && a->start - b->start < b->size;
}

/**
 * mint_range_inside() - does one range lie within one of several?
 * @inner:	the range
 * @outer:	the ranges, none of which touch each other
 * @count:	how many there are
 *
 * Context: any.
 * Return: true if it does.
 */
bool mint_range_inside(const struct mint_range *inner,
		       const struct mint_range *outer, u32 count)
{
	for (; count; count--, outer++)
		if (inner->start >= outer->start &&
		    inner->start - outer->start < outer->size &&
		    inner->size <= outer->size - (inner->start - outer->start))
			return true;
	return false;
}

/**
 * mint_range_border() - is an address in a range?
 * @range:	the range
 * @addr:	physical address
 * @end:	cut down to the next border of @range above @addr
 *
 * Context: any.
 * Return: true if it is.
 */
bool mint_range_border(const struct mint_range *range, u64 addr, u64 *end)
{
	u64 stop = range->start + range->size;

	if (addr < range->start) {
		*end = min(*end, range->start);
		return false;
	}
	if (addr >= stop)
		return false;
	*end = min(*end, stop);
	return true;
}

/**
 * mint_ranges_add() - add a range to a list
 * @list:	ranges that do not touch each other
 * @count:	how many there are; changed
 * @max:	room for so many
 * @range:	to be added; it overlaps none of them
 *
 * It becomes one with those that it touches.
 *
 * Context: any.
 * Return: false if there is no room; nothing is changed then.
 */
bool mint_ranges_add(struct mint_range *list, u32 *count, u32 max,
		     const struct mint_range *range)
{
	struct mint_range *below = NULL, *above = NULL;
	u32 i, at = *count;

	for (i = 0; i < *count; i++) {
		if (list[i].start + list[i].size == range->start)
			below = &list[i];
		if (range->start + range->size == list[i].start)
			above = &list[i];
		if (at == *count && list[i].start > range->start)
			at = i;
	}
	if (below && above) {
		below->size += range->size + above->size;
		i = above - list;
		memmove(above, above + 1, (*count - i - 1) * sizeof(*list));
		(*count)--;
	} else if (below) {
		below->size += range->size;
	} else if (above) {
		above->start = range->start;
		above->size += range->size;
	} else if (*count < max) {
		memmove(&list[at + 1], &list[at], (*count - at) * sizeof(*list));
		list[at] = *range;
		(*count)++;
	} else {
		return false;
	}
	return true;
}

/**
 * mint_ranges_cut() - cut a range out of a list
 * @list:	ranges that do not touch each other
 * @count:	how many there are; changed
 * @max:	room for so many
 * @range:	to be cut out
 *
 * Context: any.
 * Return: false if it is not within one of them, or if there is no room for
 * what is left on both sides; nothing is changed then.
 */
bool mint_ranges_cut(struct mint_range *list, u32 *count, u32 max,
		     const struct mint_range *range)
{
	u64 before, after;
	u32 i;

	for (i = 0; i < *count; i++)
		if (mint_range_inside(range, &list[i], 1))
			break;
	if (i == *count || !range->size)
		return false;
	before = range->start - list[i].start;
	after = list[i].size - before - range->size;
	if (before && after) {
		if (*count == max)
			return false;
		memmove(&list[i + 1], &list[i], (*count - i) * sizeof(*list));
		list[i].size = before;
		list[i + 1].start = range->start + range->size;
		list[i + 1].size = after;
		(*count)++;
	} else if (before || after) {
		if (after)
			list[i].start = range->start + range->size;
		list[i].size = before + after;
	} else {
		memmove(&list[i], &list[i + 1],
			(*count - i - 1) * sizeof(*list));
		(*count)--;
	}
	return true;
}

/**
 * mint_map_cut() - cut ranges out of an entry of the memory map
 * @entry:	the entry; only usable memory is cut
 * @cut:	ranges in any order, which may overlap
 * @nr_cut:	how many there are
 * @out:	the parts, in ascending order; those cut out are WITHHELD
 * @max:	room there; further parts are counted only
 *
 * Context: any.
 * Return: how many parts there are.
 */
u32 mint_map_cut(const struct mint_map *entry, const struct mint_range *cut,
		 u32 nr_cut, struct mint_map *out, u32 max)
{
	u64 pos = entry->start, end = entry->start + entry->size, next;
	struct mint_map part = {};
	u32 i, count = 0;
	bool in;

	for (; pos < end; pos = next) {
		next = end;
		in = false;
		for (i = 0; i < nr_cut && entry->type == E820_TYPE_RAM; i++)
			in |= mint_range_border(&cut[i], pos, &next);
		/* Borders of ranges that touch or overlap are none of the map */
		if (!count || in != !!(part.flags & MINT_MAP_WITHHELD)) {
			part.start = pos;
			part.size = 0;
			part.type = in ? E820_TYPE_RESERVED : entry->type;
			part.flags = in ? MINT_MAP_WITHHELD : 0;
			count++;
		}
		part.size += next - pos;
		if (count <= max)
			out[count - 1] = part;
	}
	return count;
}

static void __init withhold(u64 start, u64 end)
{
	struct mint_range *range = &withheld[withheld_count];

	if (withheld_count == ARRAY_SIZE(withheld)) {
		pr_err_once("too many reserved ranges to tell what is free: nothing can be lent\n");
		withheld[0].start = 0;
		withheld[0].size = PHYSICAL_PAGE_MASK & PAGE_MASK;
		return;
	}
	range->start = PAGE_ALIGN_DOWN(start);
	range->size = PAGE_ALIGN(end) - range->start;
	withheld_count++;
}

/* Does this kernel's own map call it usable, too? Up to where: *@end */
static bool __init still_usable(u64 addr, u64 *end)
{
	const struct e820_entry *entry = e820_table->entries;
	struct mint_range range;
	u32 i;

	for (i = 0; i < e820_table->nr_entries; i++, entry++) {
		range.start = entry->addr;
		range.size = entry->size;
		if (mint_range_border(&range, addr, end))
			return entry->type == E820_TYPE_RAM ||
			       entry->type == E820_TYPE_RESERVED_KERN;
	}
	return false;
}

/* What parameters and tables of the firmware have changed so far */
static void __init withhold_changes(void)
{
	const struct e820_entry *entry = e820_table_firmware->entries;
	u64 pos, end, next;
	u32 i;

	for (i = 0; i < e820_table_firmware->nr_entries; i++, entry++) {
		if (entry->type != E820_TYPE_RAM)
			continue;
		end = entry->addr + entry->size;
		for (pos = entry->addr; pos < end; pos = next) {
			next = end;
			if (!still_usable(pos, &next))
				withhold(pos, next);
		}
	}
}

static int range_cmp(const void *a, const void *b)
{
	const struct mint_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void __init own_add(u64 start, u64 size, const char *what)
{
	struct mint_range range = {
		.start	= PAGE_ALIGN_DOWN(start),
		.size	= PAGE_ALIGN(start + size) - PAGE_ALIGN_DOWN(start),
	};

	if (mint_range_inside(&range, mint_own_mem, mint_own_mem_count))
		return;
	if (mint_own_mem_count == MINT_RANGES_MAX) {
		pr_warn("no room to keep %s at %#llx\n", what, start);
		return;
	}
	if (what)
		pr_info("%#llx-%#llx stays with node 0: %s\n", range.start,
			range.start + range.size - 1, what);
	mint_own_mem[mint_own_mem_count++] = range;
}

/* Sort, and make one of those that touch */
static void __init own_merge(void)
{
	u32 i, last = 0;

	sort(mint_own_mem, mint_own_mem_count, sizeof(*mint_own_mem),
	     range_cmp, NULL);
	for (i = 1; i < mint_own_mem_count; i++) {
		struct mint_range *prev = &mint_own_mem[last];
		u64 end = mint_own_mem[i].start + mint_own_mem[i].size;

		if (mint_own_mem[i].start > prev->start + prev->size)
			mint_own_mem[++last] = mint_own_mem[i];
		else
			prev->size = max(end, prev->start + prev->size) - prev->start;
	}
	mint_own_mem_count = last + 1;
}

/* What the boot loader passed stays in use for good: sysfs shows it */
static void __init own_add_setup_data(void)
{
	struct setup_data *data;
	u64 pa, next;

	for (pa = boot_params.hdr.setup_data; pa; pa = next) {
		data = early_memremap(pa, sizeof(*data));
		if (!data)
			return;
		next = data->next;
		own_add(pa, sizeof(*data) + data->len, "setup_data");
		early_memunmap(data, sizeof(*data));
	}
}

static void __init own_apply(void)
{
	u64 pos = 0;
	u32 i;

	for (i = 0; i <= mint_own_mem_count; i++) {
		u64 end = i < mint_own_mem_count ? mint_own_mem[i].start :
						   PHYSICAL_PAGE_MASK + PAGE_SIZE;

		if (end > pos)
			e820__range_update(pos, end - pos, E820_TYPE_RAM,
					   E820_TYPE_RESERVED);
		if (i < mint_own_mem_count)
			pos = end + mint_own_mem[i].size;
	}
	e820__update_table(e820_table);
	pr_info("memory map of node 0:\n");
	e820__print_table("mint");
}

/* mint.mem=<size>@<start>[,..]: the memory that node 0 keeps */
static int __init mint_mem_param(char *str)
{
	const char *list = str;
	struct mint_token token;
	struct mint_range range;

	if (mint_successor())
		return 0;

	while (mint_token_next(&list, &token)) {
		if (mint_token_range(&token, &range))
			pr_err("mint.mem=: '%.*s' ignored, want <size>@<start> in pages\n",
			       token.len, token.text);
		else if (!e820__mapped_any(range.start, range.start + range.size,
					   E820_TYPE_RAM))
			pr_err("mint.mem=: '%.*s' ignored, this machine has no memory there\n",
			       token.len, token.text);
		else if (mint_own_mem_count == MINT_MEM_PARAM_MAX)
			pr_err("mint.mem=: '%.*s' ignored, at most %u ranges\n",
			       token.len, token.text, MINT_MEM_PARAM_MAX);
		else
			own_add(range.start, range.size, NULL);
	}
	if (mint_own_mem_count)
		mint_become_predecessor();
	return 0;
}
early_param("mint.mem", mint_mem_param);

/**
 * mint_memory_apply() - keep what mint.mem= says, and nothing else
 *
 * The rest of what the firmware calls usable can be lent; the map names it
 * reserved, so that nothing in this kernel takes it. What is in use since
 * boot stays. Without mint.mem= all memory stays.
 *
 * Context: predecessor, setup_arch(), after the early parameters and before
 *	    memblock learns of memory.
 */
void __init mint_memory_apply(void)
{
	withhold_changes();
	if (!mint_own_mem_count) {
		mint_own_mem[0].size = PHYSICAL_PAGE_MASK & PAGE_MASK;
		mint_own_mem_count = 1;
		return;
	}
	own_merge();
	own_add(0, SZ_1M, "low memory");
	own_add(__pa_symbol(_text), _end - _text, "kernel image");
	own_add_setup_data();
	own_merge();
	own_apply();
	mint_hotplug_setup();
}

/* Has this kernel's memory map no RAM in a range? */
static bool __init not_booted_with(const struct mint_range *range)
{
	const struct mint_range kept = {
		.start	= mint_given.kept,
		.size	= mint_given.kept_size,
	};

	/* It keeps an image where the map of the node says "reserved" */
	return !mint_ranges_overlap(range, &kept) &&
	       !e820__mapped_raw_any(range->start, range->start + range->size,
				     E820_TYPE_RAM);
}

/**
 * mint_memory_adopt() - take a node's ranges as this kernel's own
 * @node:	record of this node
 * @later:	out: whole blocks that the node has, and that its memory map does
 *		not call RAM: they are to be added
 * @max:	room there
 *
 * Context: successor, once, from mint_common_map().
 * Return: how many ranges there are in @later.
 */
u32 __init mint_memory_adopt(const struct mint_node *node,
			     struct mint_range *later, u32 max)
{
	struct mint_range block = { .size = MINT_BLOCK }, mem[MINT_RANGES_MAX];
	u32 i, nr = mint_record_memory(node, mem), count = 0;
	u64 end;

	mint_own_mem_count = nr;
	memcpy(mint_own_mem, mem, nr * sizeof(*mem));
	for (i = 0; i < nr; i++) {
		end = mem[i].start + mem[i].size;
		for (block.start = ALIGN(mem[i].start, MINT_BLOCK);
		     end > block.start && end - block.start >= MINT_BLOCK;
		     block.start += MINT_BLOCK)
			if (not_booted_with(&block) &&
			    mint_ranges_cut(mint_own_mem, &mint_own_mem_count,
					    MINT_RANGES_MAX, &block) &&
			    !mint_ranges_add(later, &count, max, &block))
				pr_warn("no room to add %#llx\n", block.start);
	}
	return count;
}

/* The first byte at or above @addr that is not in a list, up to @end */
static u64 skip_ranges(const struct mint_range *mem, u32 count, u64 addr, u64 end)
{
	for (; count; count--, mem++)
		if (addr >= mem->start && addr - mem->start < mem->size)
			return min(end, mem->start + mem->size);
	return addr;
}

static void copy_added(struct added *copy)
{
	unsigned int seq;

	do {
		seq = read_seqcount_latch(&added_latch);
		*copy = added[seq & 1];
	} while (read_seqcount_latch_retry(&added_latch, seq));
}

/*
 * The first byte at or above @addr that is not this node's, up to @end; bytes of
 * a second range that follows at once may be this node's nevertheless
 */
static u64 skip_own(u64 addr, u64 end)
{
	u64 next = skip_ranges(mint_own_mem, mint_own_mem_count, addr, end);
	struct added own;

	copy_added(&own);
	return skip_ranges(own.mem, own.count, next, end);
}

/* The first byte of this node's above @addr, or @end */
static u64 next_own(u64 addr, u64 end)
{
	struct added own;
	u32 i;

	for (i = 0; i < mint_own_mem_count; i++)
		if (mint_own_mem[i].start > addr)
			end = min(end, mint_own_mem[i].start);
	copy_added(&own);
	for (i = 0; i < own.count; i++)
		if (own.mem[i].start > addr)
			end = min(end, own.mem[i].start);
	return end;
}

/*
 * What was reserved since then, in memory that this kernel does not use: for it
 * the map says "reserved" already, and nothing else shows a change. On EFI that
 * includes all of the boot services' memory, which nobody gives back there.
 */
static void __init withhold_reserved(void)
{
	phys_addr_t start, end;
	u64 addr, next, i;

	for_each_reserved_mem_range(i, &start, &end) {
		for (addr = skip_own(start, end); addr < end;
		     addr = skip_own(next, end)) {
			next = next_own(addr, end);
			withhold(addr, next);
		}
	}
}

/**
 * mint_memory_describe() - the map of this machine, for all of its nodes
 * @map:	room for it
 * @max:	how many entries; 0 asks how many there are
 *
 * It is the firmware's, less what this kernel reserved when it booted: by
 * parameters (memmap=, mem=), for tables of the firmware that lie in usable
 * memory (EFI: ESRT, BGRT, TPM log and others), or for any other reason.
 *
 * Context: predecessor, setup_arch(), while memblock allocates.
 * Return: entries filled in; with a @max of 0, as many as there are.
 */
u32 __init mint_memory_describe(struct mint_map *map, u32 max)
{
	const struct e820_entry *entry = e820_table_firmware->entries;
	u32 i, kept = withheld_count, count = 0, room;
	struct mint_map whole = {};

	withhold_reserved();
	for (i = 0; i < e820_table_firmware->nr_entries; i++, entry++) {
		whole.start = entry->addr;
		whole.size = entry->size;
		whole.type = entry->type;
		room = max > count ? max - count : 0;
		count += mint_map_cut(&whole, withheld, withheld_count,
				      room ? map + count : NULL, room);
	}
	withheld_count = kept;
	return max ? min(count, max) : count;
}

static struct foreign *foreign_entry(void)
{
	struct foreign *f;

	f = list_first_entry_or_null(&foreign_spare, struct foreign, list);
	if (!f)
		return kzalloc(sizeof(*f), GFP_KERNEL);
	list_del(&f->list);
	return f;
}

/* Entries may be older than the slab: none is freed */
static void foreign_put(struct foreign *f)
{
	list_add(&f->list, &foreign_spare);
}

static void foreign_name(struct foreign *f, u64 start, u64 end)
{
	f->res = (struct resource){
		.name	= "Mint memory of other nodes",
		.flags	= IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE,
		.start	= start,
		.end	= end - 1,
		.desc	= IORES_DESC_RESERVED,
	};
	if (insert_resource(&iomem_resource, &f->res))
		pr_warn("%pR is not free in the resource tree\n", &f->res);
	list_add(&f->list, &foreign);
}

/* Resources below it move up in the tree, and stay */
static void foreign_unname(struct foreign *f)
{
	if (f->res.parent)
		remove_resource(&f->res);
	list_del(&f->list);
}

/*
 * e820__reserve_resources() marks a reserved entry that begins below 1 MiB busy up to its
 * end. Where it goes on with memory of other nodes, add_memory() could not claim that
 * later: only the part below 1 MiB stays busy.
 */
static void __init keep_low_busy(void)
{
	static struct resource low = {
		.name	= "Reserved below 1 MiB",
		.flags	= IORESOURCE_MEM | IORESOURCE_BUSY,
		.desc	= IORES_DESC_RESERVED,
	};
	struct resource *res;

	for (res = iomem_resource.child; res; res = res->sibling) {
		if (res->desc != IORES_DESC_RESERVED || res->start >= SZ_1M ||
		    res->end < SZ_1M)
			continue;
		res->flags &= ~IORESOURCE_BUSY;
		low.start = res->start;
		low.end = SZ_1M - 1;
		if (insert_resource(&iomem_resource, &low))
			pr_warn("%pR is not named in the resource tree\n", &low);
		return;
	}
}

/**
 * mint_memory_register() - name the memory of others in /proc/iomem
 *
 * Every part of the firmware's usable memory that is not this node's becomes
 * a busy, exclusive resource: no driver claims it, no BAR is put there,
 * /dev/mem refuses it.
 *
 * Context: setup_arch() in a predecessor, init_IRQ() in a successor.
 */
void __init mint_memory_register(void)
{
	const struct mint_map *map;
	struct foreign *f;
	u64 addr, end, next;
	u32 i;

	keep_low_busy();
	for (i = 0; (map = mint_firmware_map(i)); i++) {
		if (map->type != E820_TYPE_RAM)
			continue;
		end = map->start + map->size;
		for (addr = skip_own(map->start, end); addr < end;
		     addr = skip_own(next, end)) {
			next = next_own(addr, end);
			f = slab_is_available() ?
			    kzalloc(sizeof(*f), GFP_KERNEL) :
			    memblock_alloc(sizeof(*f), SMP_CACHE_BYTES);
			if (!f)
				return;
			foreign_name(f, addr, next);
		}
	}
}

static void added_change(const struct added *now)
{
	write_seqcount_latch_begin(&added_latch);
	added[0] = *now;
	write_seqcount_latch(&added_latch);
	added[1] = *now;
	write_seqcount_latch_end(&added_latch);
}

/**
 * mint_memory_open() - a range is this node's from now on
 * @range:	whole blocks
 *
 * Context: process; one caller at a time, with mint_memory_close().
 * Return: 0; -ENOSPC if there are too many ranges; -ENOMEM.
 */
int mint_memory_open(const struct mint_range *range)
{
	u64 start, end, stop = range->start + range->size;
	struct foreign *f, *next, *right;
	struct added now = added[0];

	if (!mint_ranges_add(now.mem, &now.count, MINT_RANGES_MAX, range))
		return -ENOSPC;
	/* One more at most: what is in between goes */
	right = foreign_entry();
	if (!right)
		return -ENOMEM;
	foreign_put(right);
	added_change(&now);
	list_for_each_entry_safe(f, next, &foreign, list) {
		start = f->res.start;
		end = f->res.end + 1;
		if (start >= stop || end <= range->start)
			continue;
		foreign_unname(f);
		foreign_put(f);
		if (start < range->start)
			foreign_name(foreign_entry(), start, range->start);
		if (stop < end)
			foreign_name(foreign_entry(), stop, end);
	}
	return 0;
}

/**
 * mint_memory_close() - a range is not this node's any more
 * @range:	of what was opened
 *
 * Context: process; one caller at a time, with mint_memory_open().
 * Return: 0; -ENOENT if it was not opened; -ENOSPC if what is left would be too
 * many ranges; -ENOMEM.
 */
int mint_memory_close(const struct mint_range *range)
{
	u64 start = range->start, end = range->start + range->size;
	struct foreign *f, *next, *entry;
	struct added now = added[0];

	if (!mint_range_inside(range, now.mem, now.count))
		return -ENOENT;
	if (!mint_ranges_cut(now.mem, &now.count, MINT_RANGES_MAX, range))
		return -ENOSPC;
	entry = foreign_entry();
	if (!entry)
		return -ENOMEM;
	list_for_each_entry_safe(f, next, &foreign, list) {
		if (f->res.end + 1 != range->start &&
		    f->res.start != range->start + range->size)
			continue;
		start = min(start, f->res.start);
		end = max(end, f->res.end + 1);
		foreign_unname(f);
		foreign_put(f);
	}
	foreign_name(entry, start, end);
	added_change(&now);
	return 0;
}

/**
 * mint_memory_opened() - has this node had a range added?
 * @range:	the range
 *
 * Context: any.
 * Return: false for memory with which it has booted, too.
 */
bool mint_memory_opened(const struct mint_range *range)
{
	struct added own;

	copy_added(&own);
	return mint_range_inside(range, own.mem, own.count);
}

/**
 * mint_may_ioremap() - may a driver map this memory?
 * @start:	physical address
 * @size:	bytes
 *
 * Memory that the firmware calls usable and that is not this node's belongs
 * to another node, or may do so at any time.
 *
 * Context: any; called by ioremap() and memremap().
 * Return: false for memory of others.
 */
bool mint_may_ioremap(phys_addr_t start, unsigned long size)
{
	u64 end = start + size, from, to;
	const struct mint_map *map;
	u32 i;

	for (i = 0; (map = mint_firmware_map(i)); i++) {
		if (map->type != E820_TYPE_RAM)
			continue;
		from = max_t(u64, start, map->start);
		to = min_t(u64, end, map->start + map->size);
		while (from < to) {
			u64 next = skip_own(from, to);

			if (next == from) {
				pr_err_ratelimited("%#llx-%#llx is memory of another node, not mapped\n",
						   from, next_own(from, to) - 1);
				return false;
			}
			from = next;
		}
	}
	return true;
}
