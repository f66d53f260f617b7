// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a range of memory is.
 *
 * Owns which ranges a launch asks for and may have, their names in /proc/iomem
 * while they are lent, that they come back empty (mint.scrub=), and which of them
 * move between running nodes: whole blocks that were added to a node, not what
 * it has booted with. How they come into a kernel and leave it: own/hotplug.c.
 */

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swiotlb.h>

#include <asm/e820/types.h>

#include "../area/area.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define SCRUB_PIECE	((u64)SZ_16M)

/* For a block to empty */
#define BLOCK_BOUND_MS		5000

/* How often, and at what distance, to look for what node 0 writes into a record */
#define RECORD_LOOKS		20
#define RECORD_LOOK_MS		5

/* Before a range of mint.mem=: the node is to add it, so that it can leave */
#define MOVABLE		"movable:"

/* mint.scrub=: fill the memory of a node that has ended with zeroes */
static bool scrub;
module_param(scrub, bool, 0644);

/**
 * struct holding - what this kernel keeps of a successor's memory
 * @boot:	the ranges with which it was launched, which never leave it
 * @nr_boot:	how many
 * @name:	in /proc/iomem
 * @res:	all of its ranges there
 */
struct holding {
	struct mint_range	boot[MINT_RANGES_MAX];
	u32			nr_boot;
	char			name[16];
	struct resource		res[MINT_RANGES_MAX];
};

static struct holding *holdings[MINT_NODE_MAX];

static int check_range(struct mint_kexec *rq, const struct mint_range *range,
		       bool movable)
{
	u64 end = range->start + range->size;
	phys_addr_t pos = range->start, next;
	struct mint_node *node = &rq->node;
	const char *what;
	u32 n, i;

	if (end <= range->start)
		return mint_refuse(rq, -EINVAL, "memory range at %#llx wraps or is empty",
				   range->start);
	for (i = 0; i < node->nr_mem + rq->nr_movable; i++)
		if (mint_ranges_overlap(range, i < node->nr_mem ? &node->mem[i] :
					&rq->movable[i - node->nr_mem]))
			return mint_refuse(rq, -EINVAL,
					   "memory %#llx-%#llx is named twice: leave it out of mint.mem=",
					   range->start, end - 1);

	for (; pos < end; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (n == MINT_NODE_FLIGHT)
			return mint_refuse(rq, -EBUSY,
					   "memory %#llx-%#llx overlaps what is moving at %#llx: wait until it has, or use another range",
					   range->start, end - 1, (u64)pos);
		if (n != MINT_NODE_FREE)
			return mint_refuse(rq, -EBUSY,
					   "memory %#llx-%#llx overlaps node %u at %#llx: %s",
					   range->start, end - 1, n, (u64)pos,
					   n != mint_self ?
					   "end that node first or use another range" :
					   "use a range outside of mint.mem= of node 0, see /sys/kernel/mint/memory");
		if (!what || strcmp(what, "free"))
			return mint_refuse(rq, -EADDRNOTAVAIL,
					   "memory %#llx-%#llx overlaps what the machine calls %s at %#llx: use a range that /sys/kernel/mint/memory calls free",
					   range->start, end - 1,
					   what ?: "no memory", (u64)pos);
	}
	if (node->nr_mem + rq->nr_movable == MINT_RANGES_MAX)
		return mint_refuse(rq, -ENOSPC, "more than %u memory ranges",
				   MINT_RANGES_MAX);
	if (movable)
		rq->movable[rq->nr_movable++] = *range;
	else
		node->mem[node->nr_mem++] = *range;
	return 0;
}

/* The range in which the image lies, which is named by itself */
static int begin(struct mint_kexec *rq)
{
	struct mint_handover *h = &rq->handover;
	struct mint_range range = {
		.start	= h->mem_min,
		.size	= h->mem_max - h->mem_min + 1,
	};

	if (h->mem_max <= h->mem_min || h->mem_max >= PHYSICAL_PAGE_MASK ||
	    (range.start | range.size) & ~PAGE_MASK)
		return mint_refuse(rq, -EINVAL,
				   "memory %#llx-%#llx is not a range of whole pages: give --mem-min and --mem-max (inclusive)",
				   h->mem_min, h->mem_max);
	return check_range(rq, &range, false);
}

static int parse(struct mint_kexec *rq, const struct mint_token *word)
{
	bool movable = word->len > strlen(MOVABLE) &&
		       !strncmp(word->text, MOVABLE, strlen(MOVABLE));
	struct mint_token rest = *word;
	struct mint_range range;

	if (movable) {
		rest.text += strlen(MOVABLE);
		rest.len -= strlen(MOVABLE);
	}
	if (mint_token_range(&rest, &range))
		return MINT_WORD_FOREIGN;
	if (movable && (range.start | range.size) & (MINT_BLOCK - 1))
		return mint_refuse(rq, -EINVAL,
				   "memory %#llx-%#llx: what is movable is whole blocks of %llu MiB",
				   range.start, range.start + range.size - 1,
				   MINT_BLOCK >> 20);
	return check_range(rq, &range, movable);
}

/* The image lies in what is not movable; all of it is the node's */
static int check(struct mint_kexec *rq)
{
	struct mint_node *node = &rq->node;
	int err = rq->fits(rq);
	u32 i;

	/* There is room: check_range() */
	for (i = 0; !err && i < rq->nr_movable; i++)
		mint_ranges_add(node->mem, &node->nr_mem, MINT_RANGES_MAX,
				&rq->movable[i]);
	return err;
}

static void drop_names(struct holding *h)
{
	u32 i;

	for (i = 0; i < MINT_RANGES_MAX; i++)
		if (h->res[i].parent)
			remove_resource(&h->res[i]);
}

/* All ranges of a node get their names in /proc/iomem */
static void name_ranges(struct holding *h, const struct mint_node *node)
{
	struct resource *res = h->res;
	u32 i;

	for (i = 0; i < node->nr_mem; i++, res++) {
		*res = (struct resource){
			.name	= h->name,
			.start	= node->mem[i].start,
			.end	= node->mem[i].start + node->mem[i].size - 1,
			.flags	= IORESOURCE_MEM | IORESOURCE_BUSY |
				  IORESOURCE_EXCLUSIVE,
		};
		if (insert_resource(&iomem_resource, res))
			pr_warn("%pR is not named in the resource tree\n", res);
	}
}

static int claim_ranges(struct mint_kexec *rq, struct mint_claim *claim)
{
	const struct mint_node *node = &claim->node;
	struct holding *h;
	u32 i;

	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	snprintf(h->name, sizeof(h->name), "Mint node %u", claim->n);
	memcpy(h->boot, node->mem, sizeof(h->boot));
	h->nr_boot = node->nr_mem;
	for (i = 0; i < rq->nr_movable; i++)
		mint_ranges_cut(h->boot, &h->nr_boot, MINT_RANGES_MAX,
				&rq->movable[i]);
	name_ranges(h, node);
	holdings[claim->n] = h;
	return 0;
}

/* @claim: of the node that is taken back, or NULL */
static bool scrub_range(struct mint_claim *claim, const struct mint_range *range)
{
	u64 done, len;
	void *addr;

	for (done = 0; done < range->size; done += len) {
		len = min(range->size - done, SCRUB_PIECE);
		while (!(addr = mint_map_memory(range->start + done, len)) &&
		       len > PAGE_SIZE)
			len = PAGE_ALIGN(len / 2);
		if (!addr) {
			pr_err("no room to map %#llx, not scrubbed\n",
			       range->start + done);
			return false;
		}
		memset(addr, 0, len);
		mint_unmap_memory(addr);
		if (claim)
			mint_claim_inc_progress(claim);
		cond_resched();
	}
	return true;
}

static void take_back(struct mint_claim *claim)
{
	u32 i;

	if (!READ_ONCE(scrub) || !claim->ran)
		return;
	for (i = 0; i < claim->node.nr_mem; i++)
		scrub_range(claim, &claim->node.mem[i]);
}

static void set_free(struct mint_claim *claim)
{
	struct holding *h = holdings[claim->n];

	if (!h)
		return;
	drop_names(h);
	holdings[claim->n] = NULL;
	kfree(h);
}

/* In the order of addresses, not of owners */
static void show(struct seq_file *m)
{
	phys_addr_t pos = 0, next;
	const char *what;
	u32 n;

	for (; !seq_has_overflowed(m); pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (!next)
			return;
		if (!what)
			continue;
		seq_printf(m, "%#018llx-%#018llx ", (u64)pos, (u64)next - 1);
		if (n == MINT_NODE_FREE || n == MINT_NODE_FLIGHT)
			seq_printf(m, "%s\n", what);
		else
			seq_printf(m, "%snode %u\n",
				   mint_quarantined(n) ? "quarantine of " : "", n);
	}
}

static void show_node(struct seq_file *m, u32 n, const char *suffix)
{
	struct mint_range mem[MINT_RANGES_MAX];
	u32 i, count = mint_claim_memory(n, mem);

	for (i = 0; i < count; i++)
		seq_printf(m, "%#018llx-%#018llx%s\n", mem[i].start,
			   mem[i].start + mem[i].size - 1, suffix);
}

static struct mint_range range_of(const struct mint_transfer *t)
{
	return (struct mint_range){ .start = t->start, .size = t->size };
}

static u64 end_of(const struct mint_transfer *t)
{
	return t->start + t->size;
}

/* <size>[@<start>|:<node>]; *@named: with a start */
static int read_word(struct mint_transfer *t, const struct mint_token *word,
		     bool *named)
{
	u32 giver = MINT_NODE_FREE;
	char buf[48], *rest;
	bool good;

	snprintf(buf, sizeof(buf), "%.*s", word->len, word->text);
	rest = strpbrk(buf, "@:");
	*named = rest && *rest == '@';
	if (rest)
		*rest++ = '\0';
	t->start = 0;
	good = !mint_param_size(buf, &t->size);
	if (*named)
		good = good && !mint_param_size(rest, &t->start);
	else if (rest)
		good = good && !kstrtou32(rest, 10, &giver) &&
		       giver < mint_layout.nodes.count;
	if (word->len >= sizeof(buf) || !good || !t->size ||
	    (t->start | t->size) & (MINT_BLOCK - 1) ||
	    t->size > PHYSICAL_PAGE_MASK ||
	    t->start > PHYSICAL_PAGE_MASK - t->size)
		return mint_transfer_refuse(t, -EINVAL,
					    "memory '%.*s': want <size>[@<start>|:<giver>], multiples of %llu MiB, as 256M@0x20000000 or 256M:1",
					    min(word->len, 24), word->text,
					    MINT_BLOCK >> 20);
	if (giver != MINT_NODE_FREE && !mint_claim(giver))
		return mint_transfer_refuse(t, -ESRCH,
					    "node %u is %s: only a node that runs gives and takes",
					    giver, mint_state_name(mint_state(giver)));
	t->from = giver;
	return 0;
}

/* With which ranges has a node booted, as far as node 0 knows? */
static const struct mint_range *boot_ranges(u32 n, u32 *count)
{
	struct holding *h;

	if (n == mint_self) {
		*count = mint_own_mem_count;
		return mint_own_mem;
	}
	h = n < MINT_NODE_MAX ? holdings[n] : NULL;
	*count = h ? h->nr_boot : 0;
	return h ? h->boot : NULL;
}

static bool booted_with(u32 n, const struct mint_range *range)
{
	const struct mint_range *boot;
	u32 i, count;

	boot = boot_ranges(n, &count);
	for (i = 0; i < count; i++)
		if (mint_ranges_overlap(&boot[i], range))
			return true;
	return false;
}

static bool has_functions(const struct mint_node *node)
{
	u32 i;

	for (i = 0; i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++)
		if (node->devices[i].kind == MINT_DEV_PCI)
			return true;
	return false;
}

static bool reaches_above_4g(const struct mint_range *mem, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (mem[i].start + mem[i].size > SZ_4G)
			return true;
	return false;
}

static bool begins_below_4g(const struct mint_range *mem, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (mem[i].start < SZ_4G)
			return true;
	return false;
}

/*
 * Devices that reach no more than 4 GiB have their data bounced. A kernel sets buffers
 * up for that if it boots with memory beyond 4 GiB, and with some below for them.
 */
static bool sets_up_buffers(const struct mint_range *boot, u32 count)
{
	return reaches_above_4g(boot, count) && begins_below_4g(boot, count);
}

/* The node itself says whether it has them. Of an older kernel that is guessed */
static bool bounces(u32 n)
{
	const struct mint_peer *peer = mint_peer(n);
	u32 count, flags = peer ? READ_ONCE(peer->flags) : 0;
	const struct mint_range *boot;

	if (n == mint_self)
		return is_swiotlb_allocated();
	if (flags & MINT_PEER_TOLD)
		return flags & MINT_PEER_BOUNCES;
	boot = boot_ranges(n, &count);
	return sets_up_buffers(boot, count);
}

/* Node 0 has whichever devices no other node has */
static bool bound_to_4g(u32 n)
{
	const struct mint_node *node = mint_claim(n);

	return (n == mint_self || (node && has_functions(node))) && !bounces(n);
}

/**
 * mint_memory_unreached() - has a node memory that devices may not reach?
 * @n:	number of a successor, in node 0; or this one
 *
 * Memory above 4 GiB that came after its kernel had decided that it needs no
 * bounce buffers, or with which it booted without room for them below.
 *
 * Context: process; predecessor under mint_claims_lock(), or successor.
 * Return: true if it has.
 */
bool mint_memory_unreached(u32 n)
{
	struct mint_range mem[MINT_RANGES_MAX];
	u32 count = mint_claim_memory(n, mem);

	return reaches_above_4g(mem, count) && !bounces(n);
}

/**
 * mint_request_unreached() - will a new node have memory that devices may not reach?
 * @rq:		the request, its memory read
 * @below:	out: some of its memory is below 4 GiB, where the buffers would have to be
 *
 * The node has no peer yet that could say so: it is guessed from its memory.
 *
 * Context: predecessor, process, under mint_claims_lock().
 * Return: true if it will have.
 */
bool mint_request_unreached(const struct mint_kexec *rq, bool *below)
{
	struct mint_range boot[MINT_RANGES_MAX];
	u32 i, count = rq->node.nr_mem;

	memcpy(boot, rq->node.mem, sizeof(boot));
	for (i = 0; i < rq->nr_movable; i++)
		mint_ranges_cut(boot, &count, MINT_RANGES_MAX, &rq->movable[i]);
	*below = begins_below_4g(rq->node.mem, rq->node.nr_mem);
	return reaches_above_4g(rq->node.mem, rq->node.nr_mem) &&
	       !sets_up_buffers(boot, count);
}

/* What the receiver can add at all ends here */
static u64 limit_of(u32 n)
{
	struct mint_peer *peer = mint_peer(n);
	u64 end = peer ? READ_ONCE(peer->phys_end) : 0;

	if (n == MINT_NODE_FREE)
		return PHYSICAL_PAGE_MASK;
	return bound_to_4g(n) ? min_t(u64, end, SZ_4G) : end;
}

/* The highest place for it in a piece of memory, or 0 */
static u64 highest(const struct mint_transfer *t, u64 start, u64 end)
{
	u64 at;

	end = min(end, limit_of(t->to));
	if (end < t->size)
		return 0;
	at = ALIGN_DOWN(end - t->size, MINT_BLOCK);
	return at >= start ? at : 0;
}

/* The highest range of that size that is free */
static void choose_free(struct mint_transfer *t)
{
	phys_addr_t pos = 0, next;
	const char *what;
	u32 n;

	for (;; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (!next)
			return;
		if (n == MINT_NODE_FREE && what && !strcmp(what, "free"))
			t->start = max(t->start, highest(t, pos, next));
	}
}

/* The highest range of that size that was added to its owner */
static void choose_added(struct mint_transfer *t)
{
	struct mint_range mem[MINT_RANGES_MAX], range;
	u32 i, count = mint_claim_memory(t->from, mem);

	for (i = 0; i < count; i++) {
		range.size = t->size;
		range.start = highest(t, mem[i].start, mem[i].start + mem[i].size);
		for (; range.start > t->start && range.start >= mem[i].start;
		     range.start -= MINT_BLOCK) {
			if (!booted_with(t->from, &range)) {
				t->start = range.start;
				break;
			}
		}
	}
}

static int choose(struct mint_transfer *t)
{
	if (t->from == MINT_NODE_FREE)
		choose_free(t);
	else
		choose_added(t);
	if (t->start)
		return 0;
	if (t->from == MINT_NODE_FREE)
		return mint_transfer_refuse(t, -ENOSPC,
					    "no %llu MiB in whole blocks are free below %#llx: see /sys/kernel/mint/memory, or ask for less",
					    t->size >> 20, limit_of(t->to));
	return mint_transfer_refuse(t, -ENOSPC,
				    "node %u has no %llu MiB in one piece that were added to it: what it has booted with stays; see nodes/%u/memory",
				    t->from, t->size >> 20, t->from);
}

static int refuse_owner(struct mint_transfer *t, u32 n, u64 at, const char *what)
{
	if (n == MINT_NODE_FLIGHT)
		return mint_transfer_refuse(t, -EBUSY,
					    "memory at %#llx is moving: wait until it has",
					    at);
	if (n == MINT_NODE_FREE && (!what || strcmp(what, "free")))
		return mint_transfer_refuse(t, -EADDRNOTAVAIL,
					    "memory at %#llx is what this machine calls %s: name a range of one owner in /sys/kernel/mint/memory",
					    at, what ?: "no memory");
	if (n == MINT_NODE_FREE)
		return mint_transfer_refuse(t, -EBUSY,
					    "memory at %#llx is free, not node %u's: name a range of one owner in /sys/kernel/mint/memory",
					    at, t->from);
	return mint_transfer_refuse(t, -EBUSY,
				    "memory at %#llx is node %u's: name a range of one owner in /sys/kernel/mint/memory",
				    at, n);
}

/* Whose is the range that was named? */
static int find_owner(struct mint_transfer *t)
{
	phys_addr_t pos, next;
	const char *what;
	u32 n;

	for (pos = t->start; pos < end_of(t); pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (pos == t->start && t->from == MINT_NODE_FREE &&
		    n != MINT_NODE_FLIGHT)
			t->from = n;
		if (n != t->from || !what || (n == MINT_NODE_FREE &&
					      strcmp(what, "free")))
			return refuse_owner(t, n, pos, what);
	}
	return 0;
}

static int check_giver(struct mint_transfer *t)
{
	struct mint_range range = range_of(t);

	if (t->from == MINT_NODE_FREE)
		return 0;
	if (booted_with(t->from, &range))
		return mint_transfer_refuse(t, -EPERM,
					    "memory %#llx-%#llx: node %u has booted with some of it, which stays for as long as it lives: name blocks that were added",
					    t->start, end_of(t) - 1, t->from);
	if (!mint_claim_memory_fits(t->from, &range, false))
		return mint_transfer_refuse(t, -ENOSPC,
					    "node %u would have more than %u ranges: name blocks at the end of one",
					    t->from, MINT_RANGES_MAX);
	return 0;
}

static int check_receiver(struct mint_transfer *t)
{
	struct mint_range range = range_of(t);

	if (t->to == MINT_NODE_FREE)
		return 0;
	if (!mint_claim_memory_fits(t->to, &range, true))
		return mint_transfer_refuse(t, -ENOSPC,
					    "node %u would have more than %u ranges: name blocks beside one of its own",
					    t->to, MINT_RANGES_MAX);
	if (end_of(t) <= limit_of(t->to))
		return 0;
	if (bound_to_4g(t->to) && end_of(t) > SZ_4G)
		return mint_transfer_refuse(t, -EADDRNOTAVAIL,
					    "memory %#llx-%#llx is above 4 GiB, node %u has devices and no bounce buffers: name a range below",
					    t->start, end_of(t) - 1, t->to);
	return mint_transfer_refuse(t, -ERANGE,
				    "memory %#llx-%#llx: node %u can map what lies below %#llx: name a lower range",
				    t->start, end_of(t) - 1, t->to,
				    limit_of(t->to));
}

/* By the firmware's map; in a successor nothing of a transfer was checked */
static bool is_memory(const struct mint_transfer *t)
{
	u64 pos = t->start, end = end_of(t), next;
	const struct mint_map *map;
	struct mint_range range;
	u32 i;

	while (pos < end) {
		next = end;
		for (i = 0; (map = mint_firmware_map(i)); i++) {
			range.start = map->start;
			range.size = map->size;
			if (map->type == E820_TYPE_RAM &&
			    mint_range_border(&range, pos, &next))
				break;
		}
		if (!map)
			return false;
		pos = next;
	}
	return end > t->start;
}

static int refuse_no_memory(struct mint_transfer *t)
{
	return mint_transfer_refuse(t, -EADDRNOTAVAIL,
				    "memory %#llx-%#llx is not all memory: name a range that /sys/kernel/mint/memory has",
				    t->start, end_of(t) - 1);
}

static int plan(struct mint_transfer *t, const struct mint_token *word)
{
	bool named;
	int err;

	err = read_word(t, word, &named);
	if (err)
		return err;
	err = named ? find_owner(t) : choose(t);
	if (err)
		return err;
	if (!is_memory(t))
		return refuse_no_memory(t);
	/* The caller refuses it */
	if (t->from == t->to)
		return 0;
	/* A node 0 with much memory adds it in larger blocks */
	if ((t->from == mint_self || t->to == mint_self) &&
	    (t->start | t->size) & (memory_block_size_bytes() - 1))
		return mint_transfer_refuse(t, -EINVAL,
					    "memory %#llx-%#llx: node 0 has blocks of %lu MiB: name whole ones",
					    t->start, end_of(t) - 1,
					    memory_block_size_bytes() >> 20);
	return check_giver(t) ?: check_receiver(t);
}

static int refuse_stuck(struct mint_transfer *t, int err,
			const struct mint_stuck *stuck)
{
	switch (err) {
	case -EPERM:
		return mint_transfer_refuse(t, err,
					    "memory %#llx-%#llx was not added to node %u: what it has booted with stays",
					    t->start, end_of(t) - 1, mint_self);
	case -ENOMEM:
		return mint_transfer_refuse(t, err,
					    "node %u has no memory left for what lies in %#llx-%#llx: end programs there, or give it more first",
					    mint_self, t->start, end_of(t) - 1);
	}
	if (stuck->pages)
		return mint_transfer_refuse(t, err,
					    "block %#llx of node %u does not empty: %u pages stay, that at %#llx is %s: end who uses it, or name another block",
					    stuck->block, mint_self, stuck->pages,
					    stuck->first, stuck->why);
	return mint_transfer_refuse(t, err,
				    "memory %#llx-%#llx does not leave node %u in time (%d): try again, or name another block",
				    t->start, end_of(t) - 1, mint_self, err);
}

/* Half of the time that is left, so that the reason comes before that is up */
static unsigned long empty_bound(const struct mint_transfer *t)
{
	unsigned long now = jiffies;
	unsigned long room = time_after(t->bound, now) ? (t->bound - now) / 2 : 0;
	u64 blocks = t->size >> MINT_BLOCK_SHIFT;

	return now + min(room, blocks * msecs_to_jiffies(BLOCK_BOUND_MS));
}

static int give(struct mint_transfer *t)
{
	struct mint_range range = range_of(t);
	struct mint_stuck stuck;
	int err;

	if (t->from != mint_self)
		return 0;
	err = mint_memory_remove(&range, empty_bound(t), &stuck);
	t->memo = stuck.lost;
	return err ? refuse_stuck(t, err, &stuck) : 0;
}

static int use(struct mint_transfer *t)
{
	struct mint_range range = range_of(t);
	int err = mint_memory_add(&range);

	return err ? mint_transfer_refuse(t, err,
					  "node %u cannot add memory %#llx-%#llx (%d): its log says why",
					  mint_self, t->start, end_of(t) - 1, err) : 0;
}

/*
 * Still open: mint_memory_remove() has failed, and all is in use as before, but for what
 * it says is lost (@memo).
 */
static int keep(struct mint_transfer *t)
{
	struct mint_range range = range_of(t);

	if (t->from != mint_self)
		return 0;
	if (!mint_memory_opened(&range))
		return use(t);
	return t->memo ? mint_transfer_refuse(t, -ENOMEM,
					      "node %u does not use a part of memory %#llx-%#llx until it reboots",
					      mint_self, t->start, end_of(t) - 1) : 0;
}

/* The next owner does not see what the last one has left there */
static int clear(struct mint_transfer *t)
{
	struct mint_range range = range_of(t);

	return scrub_range(t->claim, &range) ? 0 :
	       mint_transfer_refuse(t, -ENOMEM,
				    "node 0 has no room to map memory %#llx-%#llx, so it is not scrubbed: free some of its memory",
				    t->start, end_of(t) - 1);
}

static void rename_ranges(u32 n)
{
	const struct mint_node *node = mint_claim(n);
	struct holding *h = n < MINT_NODE_MAX ? holdings[n] : NULL;

	if (!h || !node)
		return;
	drop_names(h);
	name_ranges(h, node);
}

static bool hand(struct mint_transfer *t, u32 from, u32 to)
{
	struct mint_range range = range_of(t);
	phys_addr_t pos, next;
	const char *what;

	for (pos = t->start; from == MINT_NODE_FREE && pos < end_of(t); pos = next)
		if (mint_owner_of_memory(pos, &next, &what) != MINT_NODE_FREE ||
		    !what || strcmp(what, "free"))
			return false;
	if (!mint_claim_move_memory(&range, from, to))
		return false;
	rename_ranges(from);
	rename_ranges(to);
	return true;
}

/*
 * Has node 0 written that it is this node's? Node 0 may be rewriting the list for
 * another move just now, and then a range that stays can be missing in what is read.
 * So a negative answer counts only after several looks.
 */
static bool is_received(const struct mint_transfer *t)
{
	struct mint_range mem[MINT_RANGES_MAX], range = range_of(t);
	u32 tries = RECORD_LOOKS, count;

	do {
		count = mint_claim_memory(mint_self, mem);
		if (mint_range_inside(&range, mem, count))
			return true;
		msleep(RECORD_LOOK_MS);
	} while (--tries);
	return false;
}

static int take(struct mint_transfer *t)
{
	if (t->to != mint_self)
		return 0;
	if (mint_role == MINT_SUCCESSOR && !is_received(t))
		return mint_transfer_refuse(t, -ESRCH,
					    "memory %#llx-%#llx is not node %u's",
					    t->start, end_of(t) - 1, mint_self);
	if (!is_memory(t))
		return refuse_no_memory(t);
	/* A function may have come since node 0 looked; of an older kernel it has guessed */
	if (end_of(t) > SZ_4G && !is_swiotlb_allocated() &&
	    (mint_role == MINT_PREDECESSOR || has_functions(mint_own_node())))
		return mint_transfer_refuse(t, -EADDRNOTAVAIL,
					    "memory %#llx-%#llx is above 4 GiB, node %u has devices and no bounce buffers: name a range below",
					    t->start, end_of(t) - 1, mint_self);
	return use(t);
}

/* Before mint_party_init() says what this kernel can move: nobody looks earlier */
static int __init mint_kind_memory_init(void)
{
	struct mint_peer *peer = mint_common ? mint_peer(mint_self) : NULL;

	if (peer)
		WRITE_ONCE(peer->flags, MINT_PEER_TOLD |
			   (is_swiotlb_allocated() ? MINT_PEER_BOUNCES : 0));
	return 0;
}
late_initcall(mint_kind_memory_init);

const struct mint_kind mint_kind_memory = {
	.file		= "memory",
	.node_file	= "memory",
	.param		= "mint.mem=",
	.syntax		= "[movable:]<size>@<start> in pages",
	.begin		= begin,
	.parse		= parse,
	.check		= check,
	.claim		= claim_ranges,
	.take_back	= take_back,
	.set_free	= set_free,
	.show		= show,
	.show_node	= show_node,
	.move		= MINT_MOVE_MEMORY,
	.crowded	= true,
	.word		= "memory",
	.plan		= plan,
	.give		= give,
	.keep		= keep,
	.clear		= clear,
	.hand		= hand,
	.take		= take,
};
