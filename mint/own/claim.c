// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: node 0's book about its successors.
 *
 * Owns what was given to each node and the state it is in, both in private
 * memory. The records in the common area repeat it for people and peers; what
 * a peer writes there changes nothing here before life/watch.c has seen it.
 * Owns, too, what node 0 asks of a node, and who is told what happens to one.
 *
 * Two kinds of locks: mint_claims_lock is held while somebody decides what is
 * free, and for nothing that takes long; the lock of a claim is held by who
 * loads, starts, stops or releases that node. The claim's comes first.
 */

#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../core/core.h"
#include "own.h"

/*
 * How often a record is read before it is used as it is: node 0 changes it so often only
 * if it is broken
 */
#define RECORD_TRIES	100

DECLARE_WAIT_QUEUE_HEAD(mint_state_wait);

/*
 * Claims are never freed. A lockless reader may see stale contents, never freed
 * memory.
 */
static struct mint_claim *claims[MINT_NODE_MAX];

/* Who wants to know of nodes: see mint_node_listen() */
static RAW_NOTIFIER_HEAD(listeners);

/* What node 0 has itself: its record may be scribbled like any other */
static struct mint_node own;

/* Memory that is on its way between nodes */
static struct {
	struct mint_range	mem[MINT_MOVES];
	u32			count;
} flight;

/*
 * Around changes of who has which memory: a reader sees all of the book as it
 * was at one moment.
 */
static DEFINE_SEQLOCK(memory_lock);

/* What a successor says of node 0 while its heart stands still */
static struct mint_node silent_node0;
static bool node0_silent;

/**
 * mint_claim_own() - what node 0 owns
 * @node:	its record, filled
 *
 * Context: predecessor, setup_arch().
 */
void __init mint_claim_own(const struct mint_node *node)
{
	own = *node;
}

/**
 * mint_claim() - what a node owns
 * @n:	number of the node
 *
 * Context: any. In node 0 the answer comes from private memory, that about a
 *	    successor stays valid under its claim's lock; elsewhere it is the
 *	    node's record, whose counts are to be checked.
 * Return: the record, or NULL if there is no such node.
 */
const struct mint_node *mint_claim(u32 n)
{
	const struct mint_node *node = mint_node(n);
	struct mint_claim *claim;

	if (mint_role == MINT_PREDECESSOR) {
		if (n == mint_self)
			return node ? &own : NULL;
		claim = node ? READ_ONCE(claims[n]) : NULL;
		/* Pairs with the releases in mint_claim_use(), mint_release() */
		return claim && smp_load_acquire(&claim->used) ?
		       &claim->node : NULL;
	}
	return node && READ_ONCE(node->state) != MINT_STATE_NONE ? node : NULL;
}

/**
 * mint_record_memory() - which memory does a record say that its node owns?
 * @record:	in the common area; node 0 may change it meanwhile, without a lock
 * @mem:	out: room for MINT_RANGES_MAX ranges
 *
 * Node 0 writes the list without a lock that others could take, and nothing delays it
 * halfway: mint_claim_move_memory(). So the record is read until two reads in a row are
 * alike. A record that never is, is used as it was read last.
 *
 * Context: any.
 * Return: how many ranges there are.
 */
u32 mint_record_memory(const struct mint_node *record, struct mint_range *mem)
{
	int tries = RECORD_TRIES;
	u32 count, size;

	do {
		count = min_t(u32, READ_ONCE(record->nr_mem), MINT_RANGES_MAX);
		size = count * sizeof(*mem);
		/* The count before the ranges; no write barrier of node 0 pairs with it */
		virt_rmb();
		memcpy(mem, record->mem, size);
		/* This read before the one that it is compared with */
		virt_rmb();
	} while (--tries && (memcmp(mem, record->mem, size) ||
			     min_t(u32, READ_ONCE(record->nr_mem),
				   MINT_RANGES_MAX) != count));
	return count;
}

/**
 * mint_claim_memory() - which memory does a node own?
 * @n:		number of the node
 * @mem:	out: room for MINT_RANGES_MAX ranges
 *
 * Context: any but NMI.
 * Return: how many ranges there are.
 */
u32 mint_claim_memory(u32 n, struct mint_range *mem)
{
	const struct mint_node *node;
	unsigned int seq;
	u32 count;

	if (mint_role == MINT_SUCCESSOR) {
		node = mint_claim(n);
		return node ? mint_record_memory(node, mem) : 0;
	}
	do {
		seq = read_seqbegin(&memory_lock);
		node = mint_claim(n);
		count = node ? min_t(u32, READ_ONCE(node->nr_mem),
				     MINT_RANGES_MAX) : 0;
		if (count)
			memcpy(mem, node->mem, count * sizeof(*mem));
	} while (read_seqretry(&memory_lock, seq));
	return count;
}

/* Node 0 knows what is in flight; a successor is told by the record of a move */
static bool in_flight(u64 addr, u64 *end)
{
	const struct mint_move *record;
	struct mint_range range;
	struct mint_move move;
	bool inside = false;
	u32 i, state;

	if (mint_role == MINT_PREDECESSOR) {
		for (i = 0; i < flight.count; i++)
			inside |= mint_range_border(&flight.mem[i], addr, end);
		return inside;
	}
	for (i = 0; (record = mint_move(i)); i++) {
		/* Node 0 may enter another move there just now */
		mint_move_read(record, &move);
		state = MINT_TURN_STATE(move.turn);
		range.start = move.start;
		range.size = move.size;
		if (move.kind == MINT_MOVE_MEMORY && state >= MINT_TURN_GIVEN &&
		    state <= MINT_TURN_TAKING)
			inside |= mint_range_border(&range, addr, end);
	}
	return inside;
}

/**
 * mint_claim_owner_of_memory() - the node whose memory an address is in
 * @addr:	physical address
 * @end:	cut down to the next border above @addr
 *
 * Context: any but NMI.
 * Return: the node, MINT_NODE_FLIGHT or MINT_NODE_FREE.
 */
u32 mint_claim_owner_of_memory(u64 addr, u64 *end)
{
	const struct mint_node *node;
	struct mint_range range;
	u64 stop = *end;
	u32 owner, count, i, n;
	unsigned int seq;

	do {
		seq = read_seqbegin(&memory_lock);
		*end = stop;
		owner = in_flight(addr, end) ? MINT_NODE_FLIGHT : MINT_NODE_FREE;
		for (n = 0; mint_node(n); n++) {
			node = mint_claim(n);
			if (!node)
				continue;
			count = min_t(u32, READ_ONCE(node->nr_mem), MINT_RANGES_MAX);
			for (i = 0; i < count; i++) {
				/* A peer may change it between two looks */
				range.start = READ_ONCE(node->mem[i].start);
				range.size = READ_ONCE(node->mem[i].size);
				if (mint_range_border(&range, addr, end) &&
				    owner == MINT_NODE_FREE)
					owner = n;
			}
		}
	} while (read_seqretry(&memory_lock, seq));
	return owner;
}

/* Room for the ranges of an owner, while they change */
struct ranges {
	struct mint_range	*mem;
	u32			*count;
	u32			max;
	struct mint_range	now[MINT_MOVES];
	u32			nr;
};

/* What an owner has, by the book; false if there is no such owner */
static bool ranges_of(u32 owner, struct ranges *r)
{
	struct mint_node *node = NULL;

	static_assert(MINT_MOVES >= MINT_RANGES_MAX);
	r->mem = NULL;
	r->nr = 0;
	if (owner == MINT_NODE_FREE)
		return true;
	if (owner == MINT_NODE_FLIGHT) {
		r->mem = flight.mem;
		r->count = &flight.count;
		r->max = MINT_MOVES;
	} else {
		if (owner == mint_self)
			node = &own;
		else if (mint_claim(owner))
			node = &claims[owner]->node;
		if (!node)
			return false;
		r->mem = node->mem;
		r->count = &node->nr_mem;
		r->max = MINT_RANGES_MAX;
	}
	r->nr = *r->count;
	memcpy(r->now, r->mem, r->nr * sizeof(*r->mem));
	return true;
}

static void ranges_enter(const struct ranges *r)
{
	if (!r->mem)
		return;
	memcpy(r->mem, r->now, r->nr * sizeof(*r->mem));
	*r->count = r->nr;
}

/* The others are told what stands in the book */
static void publish_memory(u32 n)
{
	struct mint_node *record = mint_node(n);
	const struct mint_node *node = record ? mint_claim(n) : NULL;

	if (!node)
		return;
	memcpy(record->mem, node->mem, sizeof(record->mem));
	WRITE_ONCE(record->nr_mem, node->nr_mem);
}

/**
 * mint_claim_memory_fits() - is there room in the book for a change?
 * @n:		number of a node, or one of the other owners
 * @range:	of memory
 * @add:	it is to become the node's, else it is to leave the node
 *
 * Context: predecessor, process, under mint_claims_lock().
 * Return: false if the node would have too many ranges, or if there is no such
 * node.
 */
bool mint_claim_memory_fits(u32 n, const struct mint_range *range, bool add)
{
	struct ranges r;

	mint_claims_assert_held();
	if (!ranges_of(n, &r))
		return false;
	if (!r.mem)
		return true;
	return add ? mint_ranges_add(r.now, &r.nr, r.max, range) :
		     mint_ranges_cut(r.now, &r.nr, r.max, range);
}

/**
 * mint_claim_move_memory() - memory changes hands
 * @range:	of memory; if nobody has it, the caller has made sure of that
 * @from:	whose it is
 * @to:		whose it is from now on
 *
 * Context: predecessor, process, under mint_claims_lock() and the locks of the
 *	    claims of both, where these are successors.
 * Return: false if it is not @from's, or if there is no room for it; nothing
 * has changed then.
 */
bool mint_claim_move_memory(const struct mint_range *range, u32 from, u32 to)
{
	struct ranges *old, *new;
	unsigned long flags;
	bool done = false;

	mint_claims_assert_held();
	old = kmalloc_array(2, sizeof(*old), GFP_KERNEL | __GFP_NOFAIL);
	new = old + 1;
	if (ranges_of(from, old) && ranges_of(to, new) &&
	    (!old->mem || mint_ranges_cut(old->now, &old->nr, old->max, range)) &&
	    (!new->mem || mint_ranges_add(new->now, &new->nr, new->max, range))) {
		write_seqlock_irqsave(&memory_lock, flags);
		ranges_enter(old);
		ranges_enter(new);
		/* Interrupts are off: nothing delays this halfway, see mint_record_memory() */
		publish_memory(from);
		publish_memory(to);
		write_sequnlock_irqrestore(&memory_lock, flags);
		done = true;
	}
	kfree(old);
	return done;
}

/* Where a successor finds state, reason and time of node 0 */
static const struct mint_node *node0_status(void)
{
	/* Pairs with mint_node0_set_silent() */
	return smp_load_acquire(&node0_silent) ? &silent_node0 : mint_node(0);
}

/**
 * mint_node0_set_silent() - note whether the heartbeat of node 0 stands still
 * @silent:	it does
 * @reason:	why that is believed, one line; not used if it does not
 *
 * Context: successor, any; one caller at a time.
 */
void mint_node0_set_silent(bool silent, const char *reason)
{
	if (silent && !node0_silent) {
		silent_node0 = *mint_node(0);
		silent_node0.state = MINT_STATE_SILENT;
		silent_node0.since_ns = ktime_get_real_fast_ns();
		strscpy(silent_node0.reason, reason, sizeof(silent_node0.reason));
	}
	/* Pairs with node0_status() */
	smp_store_release(&node0_silent, silent);
}

/**
 * mint_state() - state of a node
 * @n:	number of the node
 *
 * Context: any.
 * Return: MINT_STATE_*, as this kernel has found it: node 0 the state of its
 * successors, and a successor that of node 0; else what the record says.
 */
u32 mint_state(u32 n)
{
	struct mint_node *node = mint_node(n);

	if (mint_role == MINT_PREDECESSOR && n != mint_self)
		return node && READ_ONCE(claims[n]) ?
		       READ_ONCE(claims[n]->node.state) : MINT_STATE_NONE;
	if (mint_role == MINT_SUCCESSOR && !n && node)
		return READ_ONCE(node0_status()->state);
	return node ? READ_ONCE(node->state) : MINT_STATE_NONE;
}

/**
 * mint_quarantined() - does a node hold what its cores may still write to?
 * @n:	number of the node
 *
 * Context: any. Always false in a successor: node 0 keeps the book.
 * Return: true in quarantine.
 */
bool mint_quarantined(u32 n)
{
	return mint_role == MINT_PREDECESSOR &&
	       mint_state(n) == MINT_STATE_QUARANTINE;
}

/**
 * mint_node_parked() - is it certain that no core of a node runs?
 * @n:	number of a successor
 *
 * Context: any. Always false in a successor: node 0 keeps the book.
 * Return: true if it was not started, or is proven parked.
 */
bool mint_node_parked(u32 n)
{
	return mint_node(n) && READ_ONCE(claims[n]) &&
	       READ_ONCE(claims[n]->parked);
}

/**
 * mint_claim_busy() - is an operation on a node under way?
 * @n:	number of a successor
 *
 * Context: predecessor, any.
 * Return: true while somebody has its claim locked.
 */
bool mint_claim_busy(u32 n)
{
	return mint_node(n) && READ_ONCE(claims[n]) &&
	       mutex_is_locked(&claims[n]->lock);
}

/**
 * mint_incarnation() - which node has a number now?
 * @n:	number of a node
 *
 * Context: predecessor, any.
 * Return: a count that differs once another node has the number.
 */
u64 mint_incarnation(u32 n)
{
	return mint_node(n) && READ_ONCE(claims[n]) ?
	       READ_ONCE(claims[n]->incarnation) : 0;
}

/**
 * mint_incarnation_settled() - how many nodes have had a number, this one included?
 * @n:	number of a node
 *
 * As mint_incarnation(), but a load that fails changes nothing.
 *
 * Context: any.
 * Return: from 1 on; 0 if that is not known.
 */
u64 mint_incarnation_settled(u32 n)
{
	const struct mint_claim *claim;

	if (!n)
		return 1;
	if (mint_role == MINT_SUCCESSOR)
		return mint_life(n) ? READ_ONCE(mint_life(n)->incarnation) : 0;
	claim = mint_node(n) ? READ_ONCE(claims[n]) : NULL;
	return claim ? READ_ONCE(claim->settled) : 0;
}

/**
 * mint_node_status() - what is known of a node, dead or alive
 * @n:	number of the node
 *
 * Context: any.
 * Return: where state, reason and time stand: the book of this kernel, where it
 * keeps one, else the record; NULL if there is none.
 */
const struct mint_node *mint_node_status(u32 n)
{
	if (mint_role == MINT_PREDECESSOR && n != mint_self)
		return mint_node(n) && READ_ONCE(claims[n]) ?
		       &claims[n]->node : NULL;
	if (mint_role == MINT_SUCCESSOR && !n)
		return node0_status();
	return mint_node(n);
}

/**
 * mint_claim_trylock() - begin an operation on a node
 * @n:	number of the node
 *
 * Does not wait: the operation that is under way may be waiting for the caller.
 *
 * Context: predecessor, process.
 * Return: the claim, locked; NULL if there is no such node or another operation
 * on it is under way.
 */
struct mint_claim *mint_claim_trylock(u32 n)
{
	struct mint_claim *claim = mint_node(n) ? READ_ONCE(claims[n]) : NULL;

	return claim && mutex_trylock(&claim->lock) ? claim : NULL;
}

/**
 * mint_claim_unlock() - end an operation on a node
 * @claim:	from mint_claim_trylock() or mint_claim_new()
 *
 * Context: predecessor, process.
 */
void mint_claim_unlock(struct mint_claim *claim)
{
	mutex_unlock(&claim->lock);
	/* For mint_claim_wait_unlocked(), mint_claim_wait_number() and mint_stop() */
	wake_up_all(&mint_state_wait);
}

/**
 * mint_claim_progress() - does taking a node back make progress?
 * @n:	number of the node
 *
 * Context: predecessor, any.
 * Return: a count of the steps that are done; it differs after each.
 */
unsigned long mint_claim_progress(u32 n)
{
	return mint_node(n) && READ_ONCE(claims[n]) ?
	       READ_ONCE(claims[n]->progress) : 0;
}

/**
 * mint_claim_inc_progress() - a step of taking a node back is done
 * @claim:	of the node
 *
 * Context: predecessor, under the claim's lock.
 */
void mint_claim_inc_progress(struct mint_claim *claim)
{
	lockdep_assert_held(&claim->lock);
	WRITE_ONCE(claim->progress, claim->progress + 1);
}

/**
 * mint_claim_wait_unlocked() - wait until no operation on a node is under way
 * @n:	number of the node
 * @ms:	bound for one step of that operation, ms
 *
 * Another caller may be quicker to begin the next one.
 *
 * Context: predecessor, process; may sleep. The caller has no claim locked.
 * Return: false if it makes no progress for @ms.
 */
bool mint_claim_wait_unlocked(u32 n, unsigned int ms)
{
	struct mint_claim *claim = mint_node(n) ? READ_ONCE(claims[n]) : NULL;
	unsigned long seen;

	if (!claim)
		return true;
	do {
		seen = mint_claim_progress(n);
		if (wait_event_timeout(mint_state_wait,
				       !mutex_is_locked(&claim->lock),
				       msecs_to_jiffies(ms)))
			return true;
	} while (mint_claim_progress(n) != seen);
	return false;
}

/* Is no number free, but one about to be: not in use any more, and still locked? */
static bool numbers_held(void)
{
	struct mint_claim *claim;
	bool held = false;
	u32 n;

	for (n = 1; mint_node(n); n++) {
		claim = READ_ONCE(claims[n]);
		if (!claim)
			return false;
		if (READ_ONCE(claim->used))
			continue;
		if (!mutex_is_locked(&claim->lock))
			return false;
		held = true;
	}
	return held;
}

/**
 * mint_claim_wait_number() - wait for a number that is about to become free
 *
 * The end of a node is announced while its claim is still locked. A launch that was
 * waiting for that may come here before the unlock, and mint_claim_new() would find no
 * number.
 *
 * Context: predecessor, process; may sleep, for a second at the most. The caller
 *	    has no claim locked.
 */
void mint_claim_wait_number(void)
{
	wait_event_timeout(mint_state_wait, !numbers_held(), HZ);
}

/**
 * mint_claim_new() - find a number for a new node
 * @look:	the work that mint_claim_watch() queues
 *
 * One that was never used, else the one whose last words are the oldest.
 *
 * Context: predecessor, process, under mint_claims_lock.
 * Return: the claim, locked and not in use; NULL if there is none.
 */
struct mint_claim *mint_claim_new(work_func_t look)
{
	struct mint_claim *claim, *best = NULL;
	u32 n;

	mint_claims_assert_held();
	for (n = 1; mint_node(n); n++) {
		claim = claims[n];
		if (!claim) {
			claim = kzalloc(sizeof(*claim), GFP_KERNEL);
			if (!claim)
				break;
			mutex_init(&claim->lock);
			raw_spin_lock_init(&claim->request_lock);
			INIT_WORK(&claim->look, look);
			claim->n = n;
			WRITE_ONCE(claims[n], claim);
		}
		if (claim->used || !mutex_trylock(&claim->lock))
			continue;
		if (!best || claim->ended_seq < best->ended_seq) {
			if (best)
				mint_claim_unlock(best);
			best = claim;
		} else {
			mint_claim_unlock(claim);
		}
		if (!best->ended_seq)
			break;
	}
	return best;
}

/**
 * mint_claim_use() - enter a node into the book and into its record
 * @claim:	from mint_claim_new()
 * @node:	what it is given
 *
 * What stood there of the node before is put aside, and its rings are left
 * alone: mint_claim_settle() or mint_claim_forget() comes next.
 *
 * Context: predecessor, process, under mint_claims_lock and the claim's lock.
 */
void mint_claim_use(struct mint_claim *claim, const struct mint_node *node)
{
	u32 state = mint_state_next(claim->node.state, MINT_EVENT_CLAIM);
	unsigned long flags;

	lockdep_assert_held(&claim->lock);
	mint_claims_assert_held();
	raw_spin_lock_irqsave(&claim->request_lock, flags);
	claim->last = claim->node;
	claim->last_record = *mint_node(claim->n);
	claim->last_ended_seq = claim->ended_seq;
	claim->node = *node;
	claim->node.state = state;
	bitmap_zero(claim->lent, MINT_DEVICES_MAX);
	claim->ran = false;
	WRITE_ONCE(claim->parked, true);
	claim->request = MINT_REQUEST_NONE;
	claim->incarnation++;
	*mint_node(claim->n) = claim->node;
	/* Pairs with mint_claim() */
	smp_store_release(&claim->used, true);
	raw_spin_unlock_irqrestore(&claim->request_lock, flags);
}

/**
 * mint_claim_settle() - the load has succeeded
 * @claim:	from mint_claim_use()
 *
 * From here on the number is the new node's. Until now the last words of the
 * one before, log and all, were still there for mint_claim_forget().
 *
 * Context: predecessor, process, under the claim's lock; the node does not run.
 */
void mint_claim_settle(struct mint_claim *claim)
{
	lockdep_assert_held(&claim->lock);
	claim->last.state = MINT_STATE_NONE;
	mint_bell_forget(claim->n);
	if (mint_peer(claim->n)) {
		WRITE_ONCE(mint_peer(claim->n)->can, 0);
		WRITE_ONCE(mint_peer(claim->n)->flags, 0);
	}
	WRITE_ONCE(claim->settled, claim->incarnation);
	WRITE_ONCE(mint_life(claim->n)->incarnation, claim->incarnation);
	mint_node_announce(claim->n, MINT_NODE_NEW);
}

/**
 * mint_bell_ring_node() - tell a successor that there is something to look at
 * @n:		number of a successor
 * @cause:	MINT_BELL_*
 *
 * If the interrupt gets lost, the node takes the cause with its next heartbeat. A node
 * that has published no core of its own gets an interrupt without a cause, at its boot
 * core: if that gets lost, requests and terminals are still looked at with the heartbeat,
 * but moves and lines only when it is rung again.
 *
 * Context: predecessor, any.
 */
void mint_bell_ring_node(u32 n, u32 cause)
{
	const struct mint_node *claim = mint_claim(n);
	struct mint_core *core;

	if (!claim || mint_bell_try_ring_node(n, cause))
		return;
	/* After an own reboot it may be another one than at the launch */
	core = mint_core_find(READ_ONCE(mint_node(n)->boot_apic_id));
	mint_doorbell(core && mint_owner_of_core(core) == n ? mint_apic_id(core) :
		      claim->boot_apic_id);
}

/* The claim of a successor's number; NULL if no node ever had that number */
static struct mint_claim *to_ask(u32 n)
{
	return n != mint_self && mint_node(n) ? READ_ONCE(claims[n]) : NULL;
}

/**
 * mint_request() - ask something of a successor
 * @n:		number of the node
 * @what:	MINT_REQUEST_*
 * @incarnation: out: mint_incarnation() of the node that was asked
 *
 * The only writer of requests. A request stands until the node has ended, and
 * never replaces a stronger one. Under the lock the number stays with one node,
 * so the next node that gets it cannot be asked by mistake.
 *
 * Context: predecessor, any but NMI.
 * Return: 0; -ESRCH if there is no such node, or if it is to power itself off
 * and neither runs nor starts.
 */
int mint_request(u32 n, u32 what, u64 *incarnation)
{
	struct mint_claim *claim = to_ask(n);
	unsigned long flags;
	int err = -ESRCH;

	if (!claim)
		return err;
	raw_spin_lock_irqsave(&claim->request_lock, flags);
	if (claim->used && (what != MINT_REQUEST_POWEROFF ||
			    mint_state_alive(READ_ONCE(claim->node.state)))) {
		err = 0;
		*incarnation = claim->incarnation;
		claim->request = max(claim->request, what);
		WRITE_ONCE(mint_node(n)->request, claim->request);
		mint_bell_ring_node(n, MINT_BELL_NODE);
	}
	raw_spin_unlock_irqrestore(&claim->request_lock, flags);
	return err;
}

/**
 * mint_request_reboot() - ask a successor to reboot by itself
 * @n:		number of the node
 * @incarnation: mint_incarnation() of the node that is meant
 *
 * A request to end takes precedence, whichever comes first.
 *
 * Context: predecessor, any but NMI.
 * Return: 0, -ESRCH if there is no such node any more, or if it does not run.
 */
int mint_request_reboot(u32 n, u64 incarnation)
{
	struct mint_claim *claim = to_ask(n);
	unsigned long flags;
	int err = -ESRCH;

	if (!claim)
		return err;
	raw_spin_lock_irqsave(&claim->request_lock, flags);
	if (claim->used && claim->incarnation == incarnation &&
	    READ_ONCE(claim->node.state) == MINT_STATE_RUNNING) {
		err = 0;
		claim->reboots++;
		WRITE_ONCE(mint_life(n)->reboots, claim->reboots);
		mint_bell_ring_node(n, MINT_BELL_NODE);
	}
	raw_spin_unlock_irqrestore(&claim->request_lock, flags);
	return err;
}

/**
 * mint_node_listen() - be told what happens to nodes
 * @nb:		its call gets an enum mint_notice and a pointer to the number
 *
 * Listeners come while this kernel boots and never go, so there is no lock.
 *
 * Context: initcall.
 * Return: 0.
 */
int __init mint_node_listen(struct notifier_block *nb)
{
	return raw_notifier_chain_register(&listeners, nb);
}

/**
 * mint_node_announce() - tell those who listen what happens to a node
 * @n:		its number
 * @what:	happens
 *
 * Context: process; in a predecessor under the claim's lock.
 * Return: 0, or the error of a listener that refuses.
 */
int mint_node_announce(u32 n, enum mint_notice what)
{
	return notifier_to_errno(raw_notifier_call_chain(&listeners, what, &n));
}

static void enter_state(struct mint_claim *claim, u32 state, bool publish)
{
	struct mint_node *status = &claim->node;
	struct mint_node *node = mint_node(claim->n);

	lockdep_assert_held(&claim->lock);
	status->since_ns = ktime_get_real_ns();
	WRITE_ONCE(status->state, state);
	if (publish) {
		memcpy(node->reason, status->reason, sizeof(node->reason));
		node->since_ns = status->since_ns;
		WRITE_ONCE(node->state, state);
	}
	mint_node_announce(claim->n, MINT_NODE_STATE);
	wake_up_all(&mint_state_wait);
}

/**
 * mint_claim_event() - something has happened to a successor
 * @claim:	its claim
 * @event:	what
 * @fmt:	why, one line
 *
 * Its state is then what the table of states.c says.
 *
 * Context: predecessor, process, under the claim's lock.
 */
void mint_claim_event(struct mint_claim *claim, enum mint_event event,
		      const char *fmt, ...)
{
	u32 old = claim->node.state, state = mint_state_next(old, event);
	va_list args;

	if (WARN_ONCE(!state, "mint: node %u is %s: no event %u then\n", claim->n,
		      mint_state_name(old), event))
		return;
	va_start(args, fmt);
	vscnprintf(claim->node.reason, sizeof(claim->node.reason), fmt, args);
	va_end(args);
	/* The record of a node that runs is its own to write */
	enter_state(claim, state, !claim->used || old == MINT_STATE_LOADED);
}

/**
 * mint_claim_undo() - leave the number as mint_claim_use() found it
 * @claim:	of a node that never ran, and was released
 *
 * The last words of the node before are back, unless mint_claim_settle() has
 * let them go: then nobody has the number.
 *
 * Context: predecessor, process, under the claim's lock.
 */
void mint_claim_undo(struct mint_claim *claim)
{
	lockdep_assert_held(&claim->lock);
	if (claim->last.state != MINT_STATE_NONE) {
		claim->node = claim->last;
		claim->ended_seq = claim->last_ended_seq;
		*mint_node(claim->n) = claim->last_record;
		mint_node_announce(claim->n, MINT_NODE_STATE);
		wake_up_all(&mint_state_wait);
		return;
	}
	enter_state(claim, MINT_STATE_NONE, true);
	mint_node_announce(claim->n, MINT_NODE_GONE);
	memset(mint_node(claim->n), 0, sizeof(struct mint_node));
}

/**
 * mint_device_slot() - where the next device of a node goes
 * @list:	the devices of the node
 * @count:	how many entries it has, those among them that are empty
 * @max:	room there
 *
 * Context: any.
 * Return: index of an empty entry, or @count; -ENOSPC.
 */
int mint_device_slot(const struct mint_device *list, u32 count, u32 max)
{
	u32 i;

	for (i = 0; i < count && list[i].kind; i++)
		;
	return i < max ? i : -ENOSPC;
}

/* Others go by the kind, and by the number of entries: these come last */
static void set_device(struct mint_node *node, u32 i, const struct mint_device *dev)
{
	struct mint_device *entry = &node->devices[i];

	WRITE_ONCE(entry->kind, 0);
	/* Nobody finds another device under the old kind .. */
	virt_wmb();
	entry->id = dev->id;
	entry->gsi = dev->gsi;
	entry->irq_flags = dev->irq_flags;
	/* .. nor half of it under the new one */
	virt_store_release(&entry->kind, dev->kind);
}

/**
 * mint_claim_set_device() - change a device in the book and in the record
 * @n:		number of a successor
 * @i:		index in its devices, from mint_device_slot()
 * @dev:	what it is from now on; of kind 0: nothing
 *
 * All others keep their places: the node goes by them, too.
 *
 * Context: predecessor, under mint_claims_lock() and the claim's lock.
 */
void mint_claim_set_device(u32 n, u32 i, const struct mint_device *dev)
{
	struct mint_claim *claim = claims[n];
	struct mint_node *record = mint_node(n);

	lockdep_assert_held(&claim->lock);
	mint_claims_assert_held();
	set_device(&claim->node, i, dev);
	set_device(record, i, dev);
	assign_bit(i, claim->lent, dev->kind == MINT_DEV_PCI);
	if (i >= claim->node.nr_devices) {
		/* Pairs with whoever walks the devices of a node that runs */
		virt_store_release(&claim->node.nr_devices, i + 1);
		/* The same, in other kernels */
		virt_store_release(&record->nr_devices, i + 1);
	}
}

/**
 * mint_claim_watch() - queue the watch over one successor
 * @n:	number of a node that has a claim
 *
 * Context: predecessor, any but NMI.
 */
void mint_claim_watch(u32 n)
{
	queue_work(system_unbound_wq, &claims[n]->look);
}
