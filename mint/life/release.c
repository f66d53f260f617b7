// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: taking back the resources of a node that has ended.
 *
 * Owns the order in which node 0 does so: devices first, then lines, memory and
 * cores. The claim (own/claim.c) is free for another node last.
 */

#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../device/device.h"
#include "life.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define SCRUB_PIECE	((u64)SZ_16M)

/* mint.scrub=: fill the memory of a node that has ended with zeroes */
static bool scrub;
module_param(scrub, bool, 0644);

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

/**
 * mint_release() - take back all that a node had
 * @claim:	its claim; all of its cores are parked
 *
 * State and reason stay readable.
 *
 * Context: predecessor, process, under the claim's lock; may sleep.
 */
void mint_release(struct mint_claim *claim)
{
	struct mint_node *node = mint_node(claim->n);
	static u64 ended_seq;
	struct mint_core *core;
	unsigned long flags;
	u32 i;

	lockdep_assert_held(&claim->lock);
	/* First the devices, which may have their lines asserted */
	for (i = 0; i < claim->nr_lent; i++) {
		mint_pci_take_back(&claim->node.devices[i]);
		mint_claim_progressed(claim);
	}
	mint_pins_return(claim->n);
	mint_lines_return(claim->n);
	if (READ_ONCE(scrub) && claim->ran)
		for (i = 0; i < claim->node.nr_mem; i++)
			scrub_range(claim, &claim->node.mem[i]);

	mint_claims_lock();
	mint_memory_take_back(claim->n);
	for (i = 0; (core = mint_core(i)); i++)
		mint_core_drop(core, claim->n);
	claim->ended_seq = claim->ran ? ++ended_seq : 0;
	node->nr_mem = 0;
	node->nr_devices = 0;
	node->legacy = 0;
	raw_spin_lock_irqsave(&claim->request_lock, flags);
	claim->request = MINT_REQUEST_NONE;
	WRITE_ONCE(node->request, MINT_REQUEST_NONE);
	/* Pairs with mint_claim() */
	smp_store_release(&claim->used, false);
	raw_spin_unlock_irqrestore(&claim->request_lock, flags);
	mint_claims_unlock();
}

/**
 * mint_claim_forget() - take back all of a node that never ran
 * @claim:	its claim
 *
 * One that was not even loaded leaves the number as it found it, with the last
 * words of the node before.
 *
 * Context: predecessor, process, under the claim's lock.
 */
void mint_claim_forget(struct mint_claim *claim)
{
	lockdep_assert_held(&claim->lock);
	mint_release(claim);
	mint_claim_undo(claim);
}
