// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a range of memory is.
 *
 * Owns which ranges a launch asks for and may have, their names in /proc/iomem
 * while they are lent, and that they come back empty (mint.scrub=).
 */

#include <linux/errno.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "../area/area.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define SCRUB_PIECE	((u64)SZ_16M)

/* mint.scrub=: fill the memory of a node that has ended with zeroes */
static bool scrub;
module_param(scrub, bool, 0644);

static struct resource *resources[MINT_NODE_MAX];
static char resource_names[MINT_NODE_MAX][16];

static int check_range(struct request *rq, const struct mint_range *range)
{
	u64 end = range->start + range->size;
	phys_addr_t pos = range->start, next;
	struct mint_node *node = &rq->node;
	const char *what;
	u32 n, i;

	if (end <= range->start)
		return mint_refuse(rq, -EINVAL, "memory range at %#llx wraps or is empty",
				   range->start);
	for (i = 0; i < node->nr_mem; i++)
		if (mint_ranges_overlap(range, &node->mem[i]))
			return mint_refuse(rq, -EINVAL,
					   "memory %#llx-%#llx is named twice: leave it out of mint.mem=",
					   range->start, end - 1);

	for (; pos < end; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
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
	if (node->nr_mem == MINT_RANGES_MAX)
		return mint_refuse(rq, -ENOSPC, "more than %u memory ranges",
				   MINT_RANGES_MAX);
	node->mem[node->nr_mem++] = *range;
	return 0;
}

/* The range in which the image lies, which is named by itself */
static int begin(struct request *rq)
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
	return check_range(rq, &range);
}

static int parse(struct request *rq, const struct mint_token *word)
{
	struct mint_range range;

	if (mint_token_range(word, &range))
		return MINT_WORD_FOREIGN;
	return check_range(rq, &range);
}

static int check(struct request *rq)
{
	return rq->fits(rq);
}

/* Ranges get their names in /proc/iomem */
static int claim_ranges(struct request *rq, struct mint_claim *claim)
{
	const struct mint_node *node = &claim->node;
	char *name = resource_names[claim->n];
	struct resource *res;
	u32 i;

	res = kcalloc(node->nr_mem, sizeof(*res), GFP_KERNEL);
	if (!res)
		return -ENOMEM;

	snprintf(name, sizeof(resource_names[0]), "Mint node %u", claim->n);
	for (i = 0; i < node->nr_mem; i++) {
		res[i].name = name;
		res[i].start = node->mem[i].start;
		res[i].end = node->mem[i].start + node->mem[i].size - 1;
		res[i].flags = IORESOURCE_MEM | IORESOURCE_BUSY |
			       IORESOURCE_EXCLUSIVE;
		if (insert_resource(&iomem_resource, &res[i]))
			pr_warn("%pR is not named in the resource tree\n", &res[i]);
	}
	resources[claim->n] = res;
	return 0;
}

static void scrub_range(struct mint_claim *claim, const struct mint_range *range)
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
			return;
		}
		memset(addr, 0, len);
		mint_unmap_memory(addr);
		mint_claim_progressed(claim);
		cond_resched();
	}
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
	struct resource *res = resources[claim->n];
	u32 i;

	if (!res)
		return;
	for (i = 0; i < claim->node.nr_mem; i++)
		if (res[i].parent)
			remove_resource(&res[i]);
	kfree(res);
	resources[claim->n] = NULL;
}

/* In the order of addresses, not of owners */
static ssize_t show(char *buf)
{
	phys_addr_t pos = 0, next;
	const char *what;
	int len = 0;
	u32 n;

	for (;; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (!next)
			return len;
		if (!what)
			continue;
		len += sysfs_emit_at(buf, len, "%#018llx-%#018llx ", (u64)pos,
				     (u64)next - 1);
		len += n == MINT_NODE_FREE ?
		       sysfs_emit_at(buf, len, "%s\n", what) :
		       sysfs_emit_at(buf, len, "%snode %u\n",
				     mint_quarantined(n) ? "quarantine of " : "", n);
	}
}

static int show_node(char *buf, int at, u32 n, const char *suffix)
{
	const struct mint_node *node = mint_claim(n);
	int len = 0;
	u32 i;

	for (i = 0; node && i < min_t(u32, node->nr_mem, MINT_RANGES_MAX); i++)
		len += sysfs_emit_at(buf, at + len, "%#018llx-%#018llx%s\n",
				     node->mem[i].start,
				     node->mem[i].start + node->mem[i].size - 1,
				     suffix);
	return len;
}

const struct mint_kind mint_kind_memory = {
	.file		= "memory",
	.node_file	= "memory",
	.param		= "mint.mem=",
	.syntax		= "<size>@<start> in pages",
	.begin		= begin,
	.parse		= parse,
	.check		= check,
	.claim		= claim_ranges,
	.take_back	= take_back,
	.set_free	= set_free,
	.show		= show,
	.show_node	= show_node,
};
