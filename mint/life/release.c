// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: taking back the resources of a node that has ended.
 *
 * Owns the order: all kinds by kind/kinds.c, then the claim (own/claim.c), which is
 * free for another node last.
 */

#include <linux/kernel.h>
#include <linux/lockdep.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../kind/kind.h"
#include "../link/link.h"
#include "life.h"

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
	unsigned long flags;

	lockdep_assert_held(&claim->lock);
	mint_kinds_take_back(claim);

	mint_claims_lock();
	mint_kinds_set_free(claim);
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
	mint_share_poll_sync();
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
