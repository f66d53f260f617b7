// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what giver and receiver of a thing do.
 *
 * Owns a node's turns in the records of moves: a successor that is asked to give
 * does so, and begins to use what it is given. Node 0, which is party by itself,
 * does the same without a record (transfer.c). One transfer at a time: a thing
 * that goes may be in the way of one that comes.
 *
 * A record is copied before it is looked at, and what a kind does with it checks
 * what it says: another node may have scribbled it. A turn is changed by
 * compare-and-exchange, so that nobody goes on with what was called off.
 *
 * Kernels with one CPU patch LOCK prefixes out: shared words are changed by
 * sync_cmpxchg().
 */

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "rcu/rcu.h"

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "move.h"

/* This kernel gives or takes: bit 0. A mutex cannot be waited for with a bound */
static unsigned long local_busy;
static DECLARE_WAIT_QUEUE_HEAD(local_wait);

static void look(struct work_struct *work);
static DECLARE_WORK(look_work, look);

#ifdef CONFIG_MINT_PROVOKE
static void (*turn_listener)(u32 turn);

/**
 * mint_turn_listen() - be called before this kernel changes a turn
 * @fn:	gets the MINT_TURN_* that follows; for tests
 *
 * Context: any.
 */
void mint_turn_listen(void (*fn)(u32 turn))
{
	WRITE_ONCE(turn_listener, fn);
}

static void tell_listener(u32 turn)
{
	void (*listener)(u32 turn) = READ_ONCE(turn_listener);

	if (listener)
		listener(turn);
}
#else
static void tell_listener(u32 turn)
{
}
#endif

/**
 * mint_turn_change() - a move goes on
 * @move:	its record
 * @seq:	its number
 * @from:	MINT_TURN_* in which it has to be
 * @to:		MINT_TURN_* that follows
 *
 * Context: any. What was written before is seen by who sees the new turn.
 * Return: false if it was not there, because somebody else has changed it.
 */
bool mint_turn_change(struct mint_move *move, u32 seq, u32 from, u32 to)
{
	u32 old = MINT_TURN(seq, from);

	tell_listener(to);
	return sync_cmpxchg(&move->turn, old, MINT_TURN(seq, to)) == old;
}

/**
 * mint_move_local() - do this kernel's part in a transfer
 * @t:		transfer
 * @what:	operation of its kind: give, keep or take
 *
 * Context: process; may sleep.
 * Return: what @what says; -EOPNOTSUPP if the kind has no such operation; -EBUSY
 * if another transfer is in the way for longer than a move may take.
 */
int mint_move_local(struct mint_transfer *t, int (*what)(struct mint_transfer *t))
{
	int err;

	if (!what)
		return mint_transfer_refuse(t, -EOPNOTSUPP,
					    "such things do not move by node %u",
					    mint_self);
	/* keep() is not given up: nobody else would undo what was begun */
	if (what == t->kind->keep)
		wait_event(local_wait, !test_and_set_bit_lock(0, &local_busy));
	else if (!wait_event_timeout(local_wait,
				     !test_and_set_bit_lock(0, &local_busy),
				     mint_move_bound()))
		return mint_transfer_refuse(t, -EBUSY,
					    "node %u is busy with another move: see its log",
					    mint_self);
	t->bound = jiffies + mint_move_bound();
	t->begun = true;
	/* Hotplug waits for grace periods, one after the other */
	rcu_expedite_gp();
	err = what(t);
	rcu_unexpedite_gp();
	clear_bit_unlock(0, &local_busy);
	wake_up(&local_wait);
	return err;
}

static bool is_party(u32 n)
{
	return n == MINT_NODE_FREE || mint_node(n);
}

/* What is known of a move, checked as far as all kinds are alike */
static bool read_move(const struct mint_move *move, struct mint_transfer *t)
{
	*t = (struct mint_transfer) {
		.kind	= mint_kind_moving(READ_ONCE(move->kind)),
		.from	= READ_ONCE(move->from),
		.to	= READ_ONCE(move->to),
		.start	= READ_ONCE(move->start),
		.size	= READ_ONCE(move->size),
	};
	return t->kind && t->size && t->from != t->to && is_party(t->from) &&
	       is_party(t->to);
}

/*
 * Node 0 is dead, and the receiver goes on alone. It has looked when it saw that,
 * which may have been before this turn: one of the two sees what the other wrote.
 */
static void ring_receiver(const struct mint_transfer *t)
{
	if (mint_state(0) == MINT_STATE_PANICKED && t->to != mint_self)
		mint_bell_try_ring_node(t->to, MINT_BELL_MOVE);
}

/* The end of a turn: @done, or @failed with the reason */
static bool end_turn(struct mint_move *move, u32 seq, u32 now, int err,
		     const struct mint_transfer *t, u32 done, u32 failed)
{
	bool changed;

	/* Called off: the record may be another move's by now */
	if (READ_ONCE(move->turn) != MINT_TURN(seq, now))
		return false;
	if (err) {
		WRITE_ONCE(move->error, err);
		memcpy(move->reason, t->reason, sizeof(move->reason));
	}
	changed = mint_turn_change(move, seq, now, err ? failed : done);
	mint_bell_ring_node0(MINT_BELL_MOVE);
	if (changed && !err)
		ring_receiver(t);
	return changed;
}

/* Node 0 is dead, so nobody proves it at rest, unless its kind lets the receiver do so */
static bool lost_in_flight(const struct mint_transfer *t)
{
	return mint_state(0) == MINT_STATE_PANICKED &&
	       (!t->kind->proves || !t->to || t->to == MINT_NODE_FREE ||
		READ_ONCE(mint_node(t->to)->state) != MINT_STATE_RUNNING);
}

/* Return: false if it is not as it was, which @t's reason then says, too */
static bool keep(struct mint_transfer *t)
{
	struct mint_transfer undo = *t;

	if (!mint_move_local(&undo, undo.kind->keep))
		return true;
	pr_err("%s\n", undo.reason);
	mint_transfer_add(t, undo.reason);
	return false;
}

static int give_or_keep(struct mint_transfer *t, bool *kept)
{
	int err = mint_move_local(t, t->kind->give);

	if (!err && lost_in_flight(t))
		err = mint_transfer_refuse(t, -EOWNERDEAD, "node 0 is dead");
	if (err && t->begun)
		*kept = keep(t);
	return err;
}

static void give(struct mint_move *move, u32 seq)
{
	struct mint_transfer t;
	bool kept = true;
	int err;

	if (!mint_turn_change(move, seq, MINT_TURN_OFFERED, MINT_TURN_GIVING))
		return;
	if (!read_move(move, &t) || t.from != mint_self)
		err = mint_transfer_refuse(&t, -EINVAL, "node %u finds nonsense in the record",
					   mint_self);
	else
		err = give_or_keep(&t, &kept);
	if (end_turn(move, seq, MINT_TURN_GIVING, err, &t, MINT_TURN_GIVEN,
		     kept ? MINT_TURN_REFUSED : MINT_TURN_DECLINED) || err)
		return;
	/* Called off meanwhile */
	keep(&t);
}

/* @again: this node was at it when it rebooted */
static void take(struct mint_move *move, u32 seq, bool again)
{
	struct mint_transfer t;
	int err;

	if (!read_move(move, &t) || t.to != mint_self) {
		err = mint_transfer_refuse(&t, -EINVAL, "node %u finds nonsense in the record",
					   mint_self);
	} else {
		t.again = again;
		err = mint_move_local(&t, t.kind->take);
	}
	end_turn(move, seq, MINT_TURN_TAKING, err, &t, MINT_TURN_TAKEN,
		 MINT_TURN_DECLINED);
}

/* Node 0 is dead, and of such things the receiver itself proves that they are at rest */
static bool take_alone(struct mint_move *move, u32 seq)
{
	struct mint_transfer t;

	return mint_state(0) == MINT_STATE_PANICKED && read_move(move, &t) &&
	       t.kind->proves &&
	       mint_turn_change(move, seq, MINT_TURN_GIVEN, MINT_TURN_TAKING);
}

/* @first: this kernel's first look: a turn that is under way began before its reboot */
static void look_at(struct mint_move *move, bool first)
{
	/* Pairs with the change of the turn: the rest was written before */
	u32 turn = smp_load_acquire(&move->turn), seq = MINT_TURN_SEQ(turn);
	bool from = READ_ONCE(move->from) == mint_self;
	bool to = READ_ONCE(move->to) == mint_self;
	struct mint_transfer t = {};

	switch (MINT_TURN_STATE(turn)) {
	case MINT_TURN_OFFERED:
		if (from)
			give(move, seq);
		break;
	case MINT_TURN_GIVING:
		if (!from || !first)
			break;
		mint_transfer_refuse(&t, -ECANCELED, "node %u rebooted meanwhile",
				     mint_self);
		end_turn(move, seq, MINT_TURN_GIVING, -ECANCELED, &t,
			 MINT_TURN_GIVEN, MINT_TURN_REFUSED);
		break;
	case MINT_TURN_GIVEN:
		if (to && take_alone(move, seq))
			take(move, seq, false);
		break;
	case MINT_TURN_CLEARED:
		if (to && mint_turn_change(move, seq, MINT_TURN_CLEARED,
					   MINT_TURN_TAKING))
			take(move, seq, false);
		break;
	case MINT_TURN_TAKING:
		if (to && first)
			take(move, seq, true);
		break;
	}
}

static void look(struct work_struct *work)
{
	static bool seen;
	struct mint_move *move;
	u32 i;

	for (i = 0; i < MINT_MOVES && (move = mint_move(i)); i++)
		look_at(move, !seen);
	seen = true;
}

static void move_rung(u32 n)
{
	queue_work(system_unbound_wq, &look_work);
	mint_wishes_rung(mint_self);
}

/* Node 0 may have died in between */
static int on_node(struct notifier_block *nb, unsigned long what, void *data)
{
	if (what == MINT_NODE_STATE && !*(u32 *)data)
		move_rung(0);
	return NOTIFY_DONE;
}

static struct notifier_block node_block = {
	.notifier_call	= on_node,
};

/**
 * mint_move_forget() - this kernel moves nothing any more
 *
 * The next one says so itself, if it can.
 *
 * Context: successor, any; the node ends or reboots.
 */
void mint_move_forget(void)
{
	struct mint_peer *peer = mint_peer(mint_self);

	if (!peer)
		return;
	WRITE_ONCE(peer->can, 0);
	WRITE_ONCE(peer->flags, 0);
}

/*
 * From here on this node gives and takes. A look at once may bring a PCI function,
 * whose files late initcalls of PCI would make at the same time.
 */
static int __init mint_party_init(void)
{
	struct mint_peer *peer = mint_common ? mint_peer(mint_self) : NULL;
	const struct mint_kind *kind;
	u32 i, can = 0;

	if (!peer)
		return 0;
	for (i = 0; (kind = mint_kind(i)); i++)
		if (kind->move)
			can |= 1U << kind->move;
	if (mint_role == MINT_SUCCESSOR) {
		mint_bell_listen(MINT_BELL_MOVE, move_rung);
		mint_node_listen(&node_block);
		move_rung(0);
	}
	WRITE_ONCE(peer->can, can);
	if (mint_role == MINT_SUCCESSOR)
		mint_bell_ring_node0(MINT_BELL_MOVE);
	return 0;
}
late_initcall_sync(mint_party_init);
