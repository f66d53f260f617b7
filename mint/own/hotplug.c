// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: memory that comes to this node while it runs, and leaves again.
 *
 * Owns the way of whole blocks into this kernel and out of it. They are online
 * in ZONE_MOVABLE, so that what lies there can be moved away, and hold the
 * memory map of their own pages, so that they need none of the memory with which
 * the node has booted. That memory never leaves.
 *
 * Out of it they go as in big-block mode of virtio-mem: the block is emptied by
 * alloc_contig_range(), which can fail and has an end, and not by
 * offline_pages(), which tries for ever. Its pages, free and held here, are then
 * PageOffline; the notifier below gives up the references when the block goes
 * offline, and takes them again when that is called off.
 */

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/page-flags.h>
#include <linux/slab.h>

#include "../area/area.h"
#include "../core/core.h"
#include "own.h"

#define RESOURCE_NAME	"System RAM (mint)"

/* With more memory than that a node 0 keeps the larger blocks of stock code */
#define SMALL_BLOCKS	(256ULL << 30)

#define RETRY_MS	20

/* Blocks that are empty and on their way out; under the hotplug lock */
struct emptied {
	unsigned long	pfn;
	unsigned long	nr;
};

static struct emptied *emptied;
static u32 emptied_count;

/* Memory comes or leaves: one range at a time */
static DEFINE_MUTEX(hotplug_mutex);

/* What the node had when it booted, beside what its map calls RAM */
static struct mint_range later[MINT_RANGES_MAX] __initdata;
static u32 later_count __initdata;

/**
 * mint_hotplug_setup() - set this kernel up for memory that comes and goes
 *
 * Sets defaults of parameters of stock code. The command line, which is read later,
 * may say otherwise.
 *
 * Context: setup_arch(), before anything asks how large a block is; in a
 *	    predecessor with mint.mem= applied.
 */
void __init mint_hotplug_setup(void)
{
	char params[] = "memory_hotplug.memmap_on_memory=1";
	u64 own = 0;
	u32 i;

	for (i = 0; i < mint_own_mem_count; i++)
		own += mint_own_mem[i].size;
	if (own <= SMALL_BLOCKS)
		set_memory_block_size_order(MINT_BLOCK_SHIFT);
	/* By the kernel: udev would be late, or would make it ZONE_NORMAL */
	mhp_set_default_online_type(MMOP_ONLINE_MOVABLE);
	parse_args("mint", params, __start___param,
		   __stop___param - __start___param, -1, -1, NULL, NULL);
}

/**
 * mint_hotplug_adopt() - take what this node has as its own
 * @node:	its record
 *
 * What it got after it was launched is added later in its boot.
 *
 * Context: successor, once, after mint_common_map().
 */
void __init mint_hotplug_adopt(const struct mint_node *node)
{
	later_count = mint_memory_adopt(node, later, ARRAY_SIZE(later));
}

static int range_nid(const struct mint_range *range)
{
	int nid = phys_to_target_node(range->start);

	return nid == NUMA_NO_NODE || !node_possible(nid) ? first_online_node :
							    nid;
}

static int add_blocks(const struct mint_range *range)
{
	int err = add_memory_driver_managed(range_nid(range), range->start,
					    range->size, RESOURCE_NAME,
					    MHP_MERGE_RESOURCE |
					    MHP_MEMMAP_ON_MEMORY);

	/* A new entry at the top is not in the copies that Mint has */
	mint_cpu_map_changed();
	return err;
}

/**
 * mint_memory_add() - begin to use memory
 * @range:	whole blocks that nobody uses
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL if it is not whole blocks; -EEXIST if this kernel knows
 * some of it; -ENOSPC if there are too many ranges; or what stock code says,
 * then nothing has changed.
 */
int mint_memory_add(const struct mint_range *range)
{
	unsigned long pfn;
	int err;

	if (!range->size || (range->start | range->size) & (MINT_BLOCK - 1))
		return -EINVAL;
	/* Stock code would warn */
	for (pfn = PHYS_PFN(range->start);
	     pfn < PHYS_PFN(range->start + range->size); pfn += PAGES_PER_SECTION)
		if (pfn_in_present_section(pfn))
			return -EEXIST;

	guard(mutex)(&hotplug_mutex);
	err = mint_memory_open(range);
	if (err)
		return err;
	err = add_blocks(range);
	if (err) {
		mint_memory_close(range);
		return err;
	}
	pr_info("memory %#llx-%#llx added\n", range->start,
		range->start + range->size - 1);
	return 0;
}

/* References of pages that are held here, while their block goes offline */
static int hotplug_event(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	const struct memory_notify *arg = data;
	unsigned long pfn;
	u32 i;

	if (event != MEM_GOING_OFFLINE && event != MEM_CANCEL_OFFLINE &&
	    event != MEM_OFFLINE)
		return NOTIFY_OK;
	for (i = 0; i < emptied_count; i++) {
		if (emptied[i].pfn != arg->start_pfn)
			continue;
		/* Whoever brings it online again has all of its pages */
		if (event == MEM_OFFLINE)
			emptied[i].nr = 0;
		for (pfn = emptied[i].pfn; pfn < emptied[i].pfn + emptied[i].nr;
		     pfn++) {
			if (event == MEM_CANCEL_OFFLINE)
				page_ref_inc(pfn_to_page(pfn));
			else
				WARN_ON_ONCE(!page_ref_dec_and_test(pfn_to_page(pfn)));
		}
	}
	return NOTIFY_OK;
}

static struct notifier_block hotplug_notifier = {
	.notifier_call = hotplug_event,
};

/* Why a page does not move, or NULL if it is free or may move */
static const char *page_held(struct page *page)
{
	struct folio *folio = page_folio(page);
	const char *why = NULL;

	if (!folio_try_get(folio))
		return NULL;
	if (folio_maybe_dma_pinned(folio))
		why = "pinned for DMA";
	else if (folio_test_hugetlb(folio))
		why = "a huge page";
	else if (folio_test_writeback(folio))
		why = "being written back";
	else if (!folio_test_lru(folio) && !__folio_test_movable(folio))
		why = "the kernel's own, or held by it";
	else if (folio_ref_count(folio) - 1 > folio_expected_ref_count(folio))
		why = "in use by somebody else than its owner";
	folio_put(folio);
	return why;
}

static void find_stuck(const struct emptied *range, struct mint_stuck *stuck)
{
	unsigned long pfn;
	struct page *page;
	const char *why;

	stuck->pages = 0;
	for (pfn = range->pfn; pfn < range->pfn + range->nr; pfn++) {
		page = pfn_to_online_page(pfn);
		why = page ? page_held(page) : NULL;
		if (!why)
			continue;
		if (!stuck->pages++) {
			stuck->first = PFN_PHYS(pfn);
			stuck->why = why;
		}
	}
}

/* The pages of a block that are for use; none if it is offline */
static int block_pages(u64 start, struct emptied *range)
{
	struct memory_block *block;

	lock_device_hotplug();
	block = find_memory_block(pfn_to_section_nr(PHYS_PFN(start)));
	if (!block) {
		unlock_device_hotplug();
		return -ENODEV;
	}
	range->pfn = PHYS_PFN(start) + (block->altmap ? block->altmap->free : 0);
	range->nr = block->state == MEM_ONLINE ?
		    PHYS_PFN(start + memory_block_size_bytes()) - range->pfn : 0;
	put_device(&block->dev);
	unlock_device_hotplug();
	return 0;
}

/* Take all pages of a block, and keep them from everybody */
static int empty_block(u64 start, unsigned long bound, struct mint_stuck *stuck)
{
	struct emptied range;
	unsigned long pfn;
	int err;

	err = block_pages(start, &range);
	if (err || !range.nr)
		return err;
	for (;;) {
		err = alloc_contig_range(range.pfn, range.pfn + range.nr,
					 MIGRATE_MOVABLE, GFP_KERNEL);
		if (!err)
			break;
		if (err != -EBUSY || time_after(jiffies, bound)) {
			stuck->block = start;
			find_stuck(&range, stuck);
			return err;
		}
		/* Pages are held for a moment by many, who tell nobody */
		msleep(RETRY_MS);
	}

	/*
	 * Before lock_device_hotplug(): a write to the block's file in sysfs holds that
	 * lock and tries for ever to move these pages, unless they are marked offline.
	 */
	page_offline_begin();
	for (pfn = range.pfn; pfn < range.pfn + range.nr; pfn++)
		__SetPageOffline(pfn_to_page(pfn));
	page_offline_end();

	lock_device_hotplug();
	adjust_managed_page_count(pfn_to_page(range.pfn), -(long)range.nr);
	emptied[emptied_count++] = range;
	unlock_device_hotplug();
	return 0;
}

/* Blocks that were emptied and did not leave are in use again */
static void fill_blocks(void)
{
	struct emptied *range;
	unsigned long pfn;
	u32 i;

	lock_device_hotplug();
	for (i = 0; i < emptied_count; i++) {
		range = &emptied[i];
		/* It went offline, by our hand or by that of somebody else */
		if (!range->nr)
			continue;
		for (pfn = range->pfn; pfn < range->pfn + range->nr; pfn++)
			__ClearPageOffline(pfn_to_page(pfn));
		free_contig_range(range->pfn, range->nr);
		adjust_managed_page_count(pfn_to_page(range->pfn), range->nr);
	}
	emptied_count = 0;
	unlock_device_hotplug();
}

/* All blocks are empty. @done: what has left */
static int remove_blocks(const struct mint_range *range, struct mint_range *done)
{
	u64 start, step = memory_block_size_bytes();
	int err;

	done->start = range->start;
	done->size = 0;
	for (start = range->start; start - range->start < range->size;
	     start += step) {
		err = offline_and_remove_memory(start, step);
		if (err)
			return err;
		done->size += step;
	}
	return 0;
}

/**
 * mint_memory_remove() - stop using memory
 * @range:	whole blocks that mint_memory_add() has added
 * @bound:	jiffies after which a block that does not empty is given up
 * @stuck:	out: on failure, what does not empty
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL if it is not whole blocks; -EPERM if this node has booted
 * with it; -EBUSY if it does not empty; -ENOMEM if there is no room for what
 * lies there. Then all is as it was, unless @stuck->lost.
 */
int mint_memory_remove(const struct mint_range *range, unsigned long bound,
		       struct mint_stuck *stuck)
{
	u64 start, step = memory_block_size_bytes();
	struct mint_range done = {};
	int err = 0;

	memset(stuck, 0, sizeof(*stuck));
	if (!range->size || (range->start | range->size) & (MINT_BLOCK - 1) ||
	    (range->start | range->size) & (step - 1))
		return -EINVAL;

	guard(mutex)(&hotplug_mutex);
	if (!mint_memory_opened(range))
		return -EPERM;
	emptied = kvcalloc(range->size >> MINT_BLOCK_SHIFT, sizeof(*emptied),
			   GFP_KERNEL);
	if (!emptied)
		return -ENOMEM;
	for (start = range->start;
	     !err && start - range->start < range->size; start += step)
		err = empty_block(start, bound, stuck);
	err = err ?: remove_blocks(range, &done) ?: mint_memory_close(range);
	fill_blocks();
	kvfree(emptied);
	emptied = NULL;
	stuck->lost = err && done.size && add_blocks(&done);
	if (stuck->lost)
		pr_err("memory %#llx-%#llx is not used until this node reboots\n",
		       done.start, done.start + done.size - 1);
	if (!err)
		pr_info("memory %#llx-%#llx removed\n", range->start,
			range->start + range->size - 1);
	return err;
}

static void __init publish_limit(void)
{
	struct mint_peer *peer = mint_peer(mint_self);

	if (peer)
		WRITE_ONCE(peer->phys_end, mhp_get_pluggable_range(true).end + 1);
}

/*
 * Is a block still this node's? The record was copied a while ago, and moves that
 * were under way then may be over by now. One that is not yet over keeps the block
 * away; one that ends between two looks at the moves shows in the record.
 */
static bool __init still_own(const struct mint_range *block)
{
	struct mint_range mem[MINT_RANGES_MAX];
	u32 count;

	if (mint_moved_away(MINT_MOVE_MEMORY, block->start))
		return false;
	count = mint_claim_memory(mint_self, mem);
	return mint_range_inside(block, mem, count) &&
	       !mint_moved_away(MINT_MOVE_MEMORY, block->start);
}

/*
 * What came to this node before it rebooted, and what a launch gave it to give
 * back.
 */
static void __init add_later(const struct mint_range *range)
{
	struct mint_range block = { .size = MINT_BLOCK };
	u64 end = range->start + range->size;
	int err;

	for (block.start = range->start; block.start < end;
	     block.start += MINT_BLOCK) {
		if (!still_own(&block))
			continue;
		err = mint_memory_add(&block);
		if (err)
			pr_err("memory %#llx-%#llx is this node's and not used (%d)\n",
			       block.start, block.start + MINT_BLOCK - 1, err);
	}
}

static int __init mint_hotplug_init(void)
{
	u32 i;

	if (!mint_own_node())
		return 0;
	register_memory_notifier(&hotplug_notifier);
	publish_limit();
	for (i = 0; i < later_count; i++)
		add_later(&later[i]);
	return 0;
}
subsys_initcall(mint_hotplug_init);
