// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: memory that nodes share.
 *
 * Owns the pool: its making in the predecessor, and how every kernel reads and
 * checks the records of the windows and shares that node 0 has made of it. Which
 * nodes get one is decided by kind/window.c and kind/share.c of node 0; what
 * stands in one is the business of link/.
 *
 * A window is nobody's memory: no node's map calls it RAM, and no node's end has
 * to wait until the others have left it. It is reached by mint_map_memory() only.
 */

#include <kunit/visibility.h>
#include <linux/build_bug.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/barrier.h>
#include <asm/e820/api.h>

#include "area.h"

/* Without mint.shared=: a link for each core, at most 64 MiB and 1/16 of node 0 */
#define SIZE_MAX_DEFAULT	SZ_64M
#define SHARE_DEFAULT		16

static u64 wanted_size __initdata;
static u64 wanted_start __initdata;
static bool wanted __initdata;

static struct resource shared_resource = {
	.name	= "Mint shared memory",
	.flags	= IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE,
};

/* mint.shared=<size>[@<start>]: the pool of windows; 0: none */
static int __init mint_shared_param(char *str)
{
	u64 size = 0, start = 0;
	char buf[48], *at;
	bool fits;

	fits = strscpy(buf, str ?: "", sizeof(buf)) >= 0;
	at = strchr(buf, '@');
	if (at)
		*at++ = '\0';
	if (!fits || mint_param_size(buf, &size) ||
	    (at && mint_param_size(at, &start)) || (size | start) & ~PAGE_MASK ||
	    size % MINT_LINK_SIZE || size >= SZ_4G || start >= SZ_4G - size) {
		pr_err("mint.shared=: '%s' ignored, want <size>[@<start>] in MiB, below 4 GiB\n",
		       str ?: "");
		return 0;
	}
	wanted = true;
	wanted_size = size;
	wanted_start = start;
	return 0;
}
early_param("mint.shared", mint_shared_param);

static u64 __init default_size(u32 cores)
{
	u64 size = min_t(u64, (u64)cores * MINT_LINK_SIZE, SIZE_MAX_DEFAULT);

	size = min_t(u64, size, memblock_phys_mem_size() / SHARE_DEFAULT);
	return round_down(size, MINT_LINK_SIZE);
}

/**
 * mint_shared_create() - take the shared memory out of node 0's
 * @cores:	of the machine
 *
 * Where there is no room for it there are no windows, and all else works.
 *
 * Context: predecessor, setup_arch(), while memblock allocates.
 */
void __init mint_shared_create(u32 cores)
{
	u64 size = wanted ? wanted_size : default_size(cores);
	u64 pa;

	BUILD_BUG_ON(sizeof(struct mint_window) != 64);
	BUILD_BUG_ON(sizeof(struct mint_end) != 192);
	BUILD_BUG_ON(sizeof(struct mint_frame) != 16);
	BUILD_BUG_ON(sizeof(struct mint_share) != 64);

	if (!size)
		return;
	pa = wanted_start ?
	     memblock_phys_alloc_range(size, PAGE_SIZE, wanted_start,
				       wanted_start + size) :
	     memblock_phys_alloc_range(size, PAGE_SIZE, SZ_1M,
				       min_t(u64, SZ_4G, get_max_mapped()));
	if (!pa) {
		pr_err("no %llu KiB below 4 GiB to be shared%s: nodes have no links\n",
		       size >> 10, wanted_start ? " at that address" : "");
		return;
	}
	/* A kernel that kexec starts must not take it while others use it */
	e820__range_update_table(e820_table_kexec, pa, size, E820_TYPE_RAM,
				 E820_TYPE_RESERVED);
	e820__update_table(e820_table_kexec);

	mint_layout.shared.start = pa;
	mint_layout.shared.size = size;
	shared_resource.start = pa;
	shared_resource.end = pa + size - 1;
	insert_resource(&iomem_resource, &shared_resource);
	pr_info("shared memory %llu KiB at %#llx\n", size >> 10, pa);
}

/**
 * mint_window_valid() - can this be a window?
 * @window:	private copy of its record
 * @shared:	where windows lie
 * @nodes:	how many nodes there may be
 *
 * Context: any.
 * Return: true if it may be mapped, and each member has its end there.
 */
VISIBLE_IF_KUNIT bool mint_window_valid(const struct mint_window *window,
					const struct mint_range *shared,
					u32 nodes)
{
	u64 offset = window->start - shared->start;

	return window->member[0] < window->member[1] &&
	       window->member[1] < nodes &&
	       !((window->start | window->size) & ~PAGE_MASK) &&
	       window->size > MINT_WINDOW_MEMBERS * MINT_END_SIZE &&
	       offset < shared->size && window->size <= shared->size - offset;
}
EXPORT_SYMBOL_IF_KUNIT(mint_window_valid);

/**
 * mint_window_read() - copy a window's record
 * @i:		index of the record
 * @window:	out: the copy; if it is FREE, only @state and @epoch are valid
 *
 * Context: any.
 * Return: false if there is no such record, if it changes just now, or if what it
 * says cannot be.
 */
bool mint_window_read(u32 i, struct mint_window *window)
{
	const struct mint_window *record = mint_window_record(i);

	if (!record)
		return false;
	/* The same before and after the rest: then all of it is of one window */
	window->epoch = virt_load_acquire(&record->epoch);
	/* Pairs with node 0, which writes the state last */
	window->state = virt_load_acquire(&record->state);
	window->kind = READ_ONCE(record->kind);
	window->gone = READ_ONCE(record->gone);
	window->member[0] = READ_ONCE(record->member[0]);
	window->member[1] = READ_ONCE(record->member[1]);
	window->start = READ_ONCE(record->start);
	window->size = READ_ONCE(record->size);
	/* It may be somebody else's by now: open_window() of node 0 */
	virt_rmb();
	if (READ_ONCE(record->state) != window->state ||
	    READ_ONCE(record->epoch) != window->epoch)
		return false;
	return window->state == MINT_WINDOW_FREE ||
	       mint_window_valid(window, &mint_layout.shared,
				 mint_layout.nodes.count);
}

/**
 * mint_windows_changed() - is there anything new about windows?
 * @seen:	what was returned here the last time; becomes what is seen now
 *
 * Context: any.
 * Return: true if node 0 has counted since @seen; false where there are no windows.
 */
bool mint_windows_changed(u32 *seen)
{
	u32 changes;

	if (!mint_layout.windows.count)
		return false;
	/* Pairs with node 0, which counts after a change */
	changes = virt_load_acquire(&mint_common->window_changes);
	if (changes == *seen)
		return false;
	*seen = changes;
	return true;
}

/**
 * mint_window_index() - which member of a window is a node?
 * @window:	private copy of its record
 * @n:		number of the node
 *
 * Context: any.
 * Return: index of the member; MINT_WINDOW_MEMBERS if it is none.
 */
u32 mint_window_index(const struct mint_window *window, u32 n)
{
	u32 i;

	for (i = 0; i < MINT_WINDOW_MEMBERS; i++)
		if (window->member[i] == n)
			break;
	return i;
}

/**
 * mint_share_name_valid() - can this be the name of a share?
 * @name:	ends with a NUL
 *
 * It stands in files of sysfs, between blanks.
 *
 * Context: any.
 * Return: true for letters, digits, "-", "_" and ".", one at the least.
 */
bool mint_share_name_valid(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("-_.", *c)))
			return false;
	return c != name;
}

/**
 * mint_share_valid() - can this be a share?
 * @share:	private copy of its record
 * @shared:	where windows lie
 *
 * Context: any.
 * Return: true if it may be mapped.
 */
VISIBLE_IF_KUNIT bool mint_share_valid(const struct mint_share *share,
				       const struct mint_range *shared)
{
	u64 offset = share->start - shared->start;

	return (share->state == MINT_WINDOW_OPEN ||
		share->state == MINT_WINDOW_CLOSED) &&
	       strnlen(share->name, sizeof(share->name)) < sizeof(share->name) &&
	       mint_share_name_valid(share->name) && share->size &&
	       !((share->start | share->size) & ~PAGE_MASK) &&
	       offset < shared->size && share->size <= shared->size - offset;
}
EXPORT_SYMBOL_IF_KUNIT(mint_share_valid);

/**
 * mint_share_read() - copy a share's record
 * @i:		index of the record
 * @share:	out: the copy
 *
 * Context: any.
 * Return: false if there is no such record, if it is free or changes just now, or
 * if what it says cannot be.
 */
bool mint_share_read(u32 i, struct mint_share *share)
{
	const struct mint_share *record = mint_share_record(i);

	if (!record)
		return false;
	/* Pairs with node 0, which writes the state last */
	share->state = virt_load_acquire(&record->state);
	share->start = READ_ONCE(record->start);
	share->size = READ_ONCE(record->size);
	memcpy(share->name, record->name, sizeof(share->name));
	/* It may be another one by now: open_share() of node 0 */
	virt_rmb();
	return READ_ONCE(record->state) == share->state &&
	       mint_share_valid(share, &mint_layout.shared);
}
