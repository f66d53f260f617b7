// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: node 0 moves a thing from one running node to another.
 *
 * Owns each transfer from the request to its end: who is asked when, and at which
 * step the book (own/claim.c, core/cpu.c) says what. At each instant the thing is
 * one node's, free, or in flight:
 *
 *	request		the giver's
 *	given		in flight	node 0 proves that nobody uses it
 *	cleared		the receiver's	which begins to use it
 *	taken		the receiver's
 *
 * What is called off before it is given stays the giver's; a thing that the
 * receiver cannot use becomes free, after another proof. A party that dies in
 * between has the thing, or has not, as the book says, and it comes back with all
 * else that the node had.
 *
 * Transfers of different things run side by side: each is a work of its own. No
 * lock is held while a node is waited for, but that of the giver's claim during
 * the proof, so that nobody else resets its cores meanwhile.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../area/area.h"
#include "../own/own.h"
#include "move.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

/* For somebody who stops, loads or releases a node to come to an end */
#define CLAIM_BOUND_MS		15000

/* How often, and at what distance, a thing that nobody has is brought to rest */
#define FREE_TRIES		60
#define FREE_PAUSE_MS		1000

/* Bounds of mint.move_ms=. In less than the lower one no move is done */
#define MOVE_MS_MIN		1000
#define MOVE_MS_MAX		3600000

/* How long a node may take to give a thing, and to take it, ms */
static unsigned int move_ms = 30000;
static struct mint_param_ms move_param = { &move_ms, MOVE_MS_MIN, MOVE_MS_MAX };
module_param_cb(move_ms, &mint_param_ms_ops, &move_param, 0644);

/**
 * struct job - a transfer under way
 * @t:		what moves from whom to whom
 * @asker:	the node that asked for it
 * @asker_incarnation: mint_incarnation() of @asker when it asked
 * @work:	does it
 * @ref:	held by @work and by who asked for it
 * @done:	who asked for it may read @err
 * @err:	how it ended
 * @refused:	node 0, which was to give, did not, and has all as it was
 * @record:	the record of the move
 * @from_incarnation: of the giver that was meant
 * @to_incarnation: of the receiver that was meant
 * @history:	what is told of it
 * @began:	when it was asked for
 * @step_at:	when its step began
 */
struct job {
	struct mint_transfer	t;
	u32			asker;
	u64			asker_incarnation;
	struct work_struct	work;
	struct kref		ref;
	struct completion	done;
	int			err;
	bool			refused;
	struct mint_move	*record;
	u64			from_incarnation;
	u64			to_incarnation;
	struct mint_history	history;
	ktime_t			began;
	ktime_t			step_at;
};

/* By record; mint_claims_lock() guards it */
static struct job *jobs[MINT_MOVES];
static u32 last_seq;

static DECLARE_WAIT_QUEUE_HEAD(move_wait);

/**
 * mint_move_bound() - how long giver and receiver may take
 *
 * Context: any.
 * Return: jiffies.
 */
unsigned long mint_move_bound(void)
{
	return msecs_to_jiffies(READ_ONCE(move_ms));
}

static void free_job(struct kref *ref)
{
	kfree(container_of(ref, struct job, ref));
}

/* ---- what people are told ---- */

static void set_history(struct job *job, const char *state)
{
	job->history.state = state;
	job->history.from = job->t.from;
	job->history.to = job->t.to;
	job->history.total_us = ktime_us_delta(ktime_get(), job->began);
	strscpy(job->history.reason, job->t.reason, sizeof(job->history.reason));
	mint_history_set(&job->history);
}

/* The first answer counts */
static void answer(struct job *job, int err, const char *failed)
{
	if (completion_done(&job->done))
		return;
	job->err = err;
	set_history(job, err ? failed : "taken");
	if (err)
		pr_warn("move %u, %s: %s\n", job->history.seq, job->history.what,
			job->t.reason);
}

static void step_over(struct job *job, enum mint_step step)
{
	ktime_t now = ktime_get();

	job->history.us[step] = ktime_us_delta(now, job->step_at);
	job->step_at = now;
}

/* ---- parties ---- */

/* Is this still the node that was meant, and not on its way out? */
static bool party_lives(u32 n, u64 incarnation)
{
	u32 state;

	if (!mint_is_successor(n))
		return true;
	state = mint_state(n);
	return mint_incarnation(n) == incarnation && mint_claim(n) &&
	       state != MINT_STATE_ENDING && state != MINT_STATE_QUARANTINE;
}

static bool giver_lives(const struct job *job)
{
	return party_lives(job->t.from, job->from_incarnation);
}

static bool receiver_lives(const struct job *job)
{
	return party_lives(job->t.to, job->to_incarnation);
}

static bool both_live(const struct job *job)
{
	return giver_lives(job) && receiver_lives(job);
}

static u32 turn_of(const struct job *job)
{
	/* Pairs with the change of the turn: error and reason come before it */
	u32 turn = smp_load_acquire(&job->record->turn);

	return MINT_TURN_SEQ(turn) == job->history.seq ? MINT_TURN_STATE(turn) :
							MINT_TURN_NONE;
}

/* What the party says */
static int reason_of(struct job *job)
{
	int err = READ_ONCE(job->record->error);

	mint_copy_line(job->t.reason, job->record->reason,
		       sizeof(job->t.reason));
	/* After EINTR, or what restarts a call, the writer would ask for it once more */
	return err < 0 && err > -ERESTARTSYS && err != -EINTR ? err : -EIO;
}

static void set_turn(struct job *job, u32 state)
{
	/* Pairs with look_at() of the party: all else was written before */
	smp_store_release(&job->record->turn, MINT_TURN(job->history.seq, state));
}

static bool party_is_on_it(const struct job *job, u32 asked, u32 at_it)
{
	u32 turn = turn_of(job);

	return turn == asked || turn == at_it;
}

/*
 * Ask a party for its turn, and wait for it. A record that somebody scribbles is
 * as good as a refusal.
 */
static int ask(struct job *job, u32 party, u32 asked, u32 at_it, u32 done,
	       bool (*lives)(const struct job *job))
{
	set_turn(job, asked);
	mint_bell_ring_node(party, MINT_BELL_MOVE);
	wait_event_timeout(move_wait,
			   !party_is_on_it(job, asked, at_it) || !lives(job),
			   mint_move_bound());
	if (turn_of(job) == done)
		return 0;
	if (!lives(job))
		return mint_transfer_refuse(&job->t, -ESRCH,
					    "node %u has ended meanwhile",
					    lives == both_live && giver_lives(job) ?
					    job->t.to : party);
	if (party_is_on_it(job, asked, at_it))
		return mint_transfer_refuse(&job->t, -ETIMEDOUT,
					    "node %u did not do its part in %u ms: see its state and log",
					    party, READ_ONCE(move_ms));
	return reason_of(job);
}

/* ---- the book ---- */

/* The claim of a successor, locked; NULL if it is not to be had in time */
static struct mint_claim *lock_party(u32 n)
{
	unsigned long bound = jiffies + mint_move_bound();
	struct mint_claim *claim;

	while (!(claim = mint_claim_trylock(n)))
		if (!mint_claim_wait_unlocked(n, CLAIM_BOUND_MS) ||
		    time_after(jiffies, bound))
			break;
	return claim;
}

static bool hand_in_book(struct job *job, u32 from, u32 to)
{
	guard(mint_claims)();
	return job->t.kind->hand(&job->t, from, to);
}

static bool hand(struct job *job, u32 from, u32 to)
{
	bool handed = hand_in_book(job, from, to);

	/* Waits for whoever works on the thing: launches need not wait, too */
	if (handed && job->t.kind->handed)
		job->t.kind->handed(&job->t, to);
	return handed;
}

/*
 * Into the book of a successor, under its claim's lock: it may be over by now,
 * and then the thing is not its own.
 */
static bool hand_to_receiver(struct job *job)
{
	struct mint_claim *claim;
	bool handed;

	if (!mint_is_successor(job->t.to))
		return hand(job, MINT_NODE_FLIGHT, job->t.to);
	claim = lock_party(job->t.to);
	handed = claim && receiver_lives(job) &&
		 hand(job, MINT_NODE_FLIGHT, job->t.to);
	if (claim)
		mint_claim_unlock(claim);
	return handed;
}

/* It is in flight and nobody wants it: if it is at rest, anybody may have it */
static int set_free(struct job *job)
{
	struct mint_transfer t = job->t;
	int err = t.kind->clear ? t.kind->clear(&t) : 0;

	if (err && err != -ENODEV) {
		pr_err("move %u: %s\n", job->history.seq, t.reason);
		return err;
	}
	hand(job, MINT_NODE_FLIGHT, MINT_NODE_FREE);
	return 0;
}

/*
 * Undo that it is in flight. Where the kind refuses to hand it back, it may be gone, as
 * a card that was unplugged just now: then it is nobody's, so that another card in its
 * place is not taken for it.
 */
static void put_back(struct job *job, u32 n)
{
	if (!hand(job, MINT_NODE_FLIGHT, n) && set_free(job))
		pr_err("move %u: it stays in flight\n", job->history.seq);
}

/*
 * As set_free(), where nobody is left who could have it. Who keeps it from being
 * brought to rest, as root with a reset of the function, tells nobody when that is
 * over: it is tried again.
 */
static int set_free_at_last(struct job *job)
{
	int tries = FREE_TRIES, err;

	while ((err = set_free(job)) && --tries)
		msleep(FREE_PAUSE_MS);
	return err;
}

/*
 * The receiver does not use it. What is not at rest stays its own, and goes into
 * quarantine with it at its end.
 */
static void take_from_receiver(struct job *job)
{
	struct mint_claim *claim = NULL;

	if (mint_is_successor(job->t.to)) {
		claim = lock_party(job->t.to);
		if (!claim)
			return;
	}
	job->t.claim = claim;
	if (receiver_lives(job) && hand(job, job->t.to, MINT_NODE_FLIGHT) &&
	    set_free(job))
		put_back(job, job->t.to);
	job->t.claim = NULL;
	if (claim)
		mint_claim_unlock(claim);
}

/* ---- node 0's own part ---- */

/**
 * struct local - an operation of this kernel, which a driver may hold up
 * @work:	does it
 * @ref:	held by @work and by who waits for it
 * @t:		copy of the transfer
 * @what:	mint_kind.give() or take()
 * @stage:	changed by cmpxchg() only, by whoever comes first
 * @err:	what @what has returned
 * @done:	it has
 */
struct local {
	struct work_struct	work;
	struct kref		ref;
	struct mint_transfer	t;
	int			(*what)(struct mint_transfer *t);
	atomic_t		stage;
	int			err;
	struct completion	done;
};

enum { LOCAL_RUNS, LOCAL_OVER, LOCAL_CALLED_OFF };

static void free_local(struct kref *ref)
{
	kfree(container_of(ref, struct local, ref));
}

/* Nobody waits any more: what was to be given is this kernel's by the book */
static void undo_late(struct local *local)
{
	struct mint_transfer *t = &local->t;

	pr_warn("%s has ended at last (%d)\n", t->kind->word, local->err);
	if (local->what != t->kind->give)
		return;
	/*
	 * Only if it was given: what was not given was never kept from the drivers here,
	 * and another move may keep it from them by now.
	 */
	if (!local->err && t->kind->handed)
		t->kind->handed(t, t->from);
	if (mint_move_local(t, t->kind->keep))
		pr_err("%s\n", t->reason);
}

static void run_local(struct work_struct *work)
{
	struct local *local = container_of(work, struct local, work);

	local->err = mint_move_local(&local->t, local->what);
	if (atomic_cmpxchg(&local->stage, LOCAL_RUNS, LOCAL_OVER) != LOCAL_RUNS)
		undo_late(local);
	complete_all(&local->done);
	kref_put(&local->ref, free_local);
}

/* What a driver of node 0 does is bounded for who waits, as what another node does */
static int do_here(struct mint_transfer *t, int (*what)(struct mint_transfer *t),
		   bool *late)
{
	struct local *local = kzalloc(sizeof(*local), GFP_KERNEL);
	int err;

	*late = false;
	if (!local)
		return mint_transfer_refuse(t, -ENOMEM, "node 0 has no memory left: free some");
	INIT_WORK(&local->work, run_local);
	kref_init(&local->ref);
	kref_get(&local->ref);
	init_completion(&local->done);
	local->t = *t;
	local->what = what;
	queue_work(system_unbound_wq, &local->work);
	/* It may have to wait for another one first */
	if (!wait_for_completion_timeout(&local->done, 2 * mint_move_bound()) &&
	    atomic_cmpxchg(&local->stage, LOCAL_RUNS, LOCAL_CALLED_OFF) == LOCAL_RUNS) {
		*late = true;
		err = mint_transfer_refuse(t, -ETIMEDOUT,
					   "node 0 did not do its part in %u ms, a driver perhaps: see its log",
					   2 * READ_ONCE(move_ms));
	} else {
		wait_for_completion(&local->done);
		*t = local->t;
		err = local->err;
	}
	kref_put(&local->ref, free_local);
	return err;
}

/* ---- the steps ---- */

static int clear(struct job *job)
{
	return job->t.kind->clear ? job->t.kind->clear(&job->t) : 0;
}

/* Node 0 gives, or brings what is free to where it can go */
static int give_here(struct job *job)
{
	struct mint_transfer *t = &job->t, undo;
	bool late, back = false;
	int err;

	if (!hand(job, t->from, MINT_NODE_FLIGHT)) {
		job->refused = true;
		return mint_transfer_refuse(t, -EBUSY,
					    "the owner of %s has just changed: try again",
					    job->history.what);
	}
	err = do_here(t, t->kind->give, &late);
	step_over(job, MINT_STEP_GIVE);
	if (err) {
		/*
		 * It was not given, so no driver is to be let in again: the book alone
		 * changes. If @late, undo_late() does the rest.
		 */
		back = hand_in_book(job, MINT_NODE_FLIGHT, t->from);
		if (!back)
			pr_err("move %u: it stays in flight\n", job->history.seq);
		undo = *t;
	} else {
		err = clear(job);
		if (!err)
			return 0;
		undo = *t;
		put_back(job, t->from);
	}
	/* A driver may hold up @keep, too; if it is late, it goes on without a waiter */
	if (!late && t->begun && do_here(&undo, undo.kind->keep, &late)) {
		pr_err("%s\n", undo.reason);
		if (err != -ENODEV)
			mint_transfer_add(t, undo.reason);
		back = false;
	}
	/* Unless node 0 may still be at it, or there is no such thing any more */
	job->refused = back && !late && err != -ENODEV;
	return err;
}

/* Node 0 believes that it was given when it has seen that */
static int clear_of_giver(struct job *job, u32 n)
{
	struct mint_transfer *t = &job->t;
	int err;

	t->claim = lock_party(n);
	if (!t->claim)
		return mint_transfer_refuse(t, -EBUSY,
					    "node %u is being stopped: try again",
					    n);
	if (giver_lives(job) && hand(job, n, MINT_NODE_FLIGHT)) {
		err = clear(job);
		/* What is not proven to be at rest, a core for one, stays with its node */
		if (err)
			put_back(job, n);
	} else {
		err = mint_transfer_refuse(t, -ESRCH,
					   "node %u has ended meanwhile, and what it had is free",
					   n);
	}
	mint_claim_unlock(t->claim);
	t->claim = NULL;
	return err;
}

/* The giver has let go of it, and it is the giver's nevertheless */
static void give_back(struct job *job)
{
	struct mint_move *record = job->record;
	struct mint_transfer t = job->t;

	if (!giver_lives(job))
		return;
	set_turn(job, MINT_TURN_REVOKED);
	WRITE_ONCE(record->from, MINT_NODE_FREE);
	WRITE_ONCE(record->to, t.from);
	if (ask(job, t.from, MINT_TURN_CLEARED, MINT_TURN_TAKING,
		MINT_TURN_TAKEN, giver_lives))
		pr_err("move %u: node %u does not use it again before its own reboot: %s\n",
		       job->history.seq, t.from, job->t.reason);
	job->t = t;
}

/* A successor gives */
static int give_there(struct job *job)
{
	struct mint_transfer *t = &job->t;
	u32 n = t->from;
	int err;

	/* If the receiver ends, the move is called off at once */
	err = ask(job, n, MINT_TURN_OFFERED, MINT_TURN_GIVING, MINT_TURN_GIVEN,
		  both_live);
	/* If it is given in the same instant, that counts */
	if (err && (mint_turn_change(job->record, job->history.seq,
				     MINT_TURN_OFFERED, MINT_TURN_REVOKED) ||
		    mint_turn_change(job->record, job->history.seq,
				     MINT_TURN_GIVING, MINT_TURN_REVOKED) ||
		    turn_of(job) != MINT_TURN_GIVEN))
		return err;
	t->reason[0] = '\0';
	step_over(job, MINT_STEP_GIVE);

	err = clear_of_giver(job, n);
	if (err)
		give_back(job);
	return err;
}

static int take_here(struct job *job)
{
	bool late;
	int err = do_here(&job->t, job->t.kind->take, &late);

	/* What comes late is node 0's by the book, whether it succeeds or not */
	if (err && !late)
		take_from_receiver(job);
	return err;
}

static int take_there(struct job *job)
{
	int err = ask(job, job->t.to, MINT_TURN_CLEARED, MINT_TURN_TAKING,
		      MINT_TURN_TAKEN, receiver_lives);

	if (!err || !receiver_lives(job))
		return err;
	/* It has not begun, or is back where it was: the receiver lets go of it */
	if (!mint_turn_change(job->record, job->history.seq, MINT_TURN_CLEARED,
			      MINT_TURN_REVOKED) &&
	    turn_of(job) == MINT_TURN_TAKING) {
		/* Late: who asked need not wait, but the book has to be right */
		answer(job, err, "failed");
		complete_all(&job->done);
		wait_event(move_wait, turn_of(job) != MINT_TURN_TAKING ||
			   !receiver_lives(job));
	}
	if (turn_of(job) == MINT_TURN_REVOKED || turn_of(job) == MINT_TURN_DECLINED)
		take_from_receiver(job);
	if (turn_of(job) != MINT_TURN_TAKEN)
		return err;
	/* Taken in the same instant: no reason stands there, unless who asked has it */
	if (!completion_done(&job->done))
		job->t.reason[0] = '\0';
	return 0;
}

static int transfer(struct job *job)
{
	struct mint_transfer *t = &job->t;
	const char *why;
	int err;

	err = mint_is_successor(t->from) ? give_there(job) : give_here(job);
	if (err)
		return err;
	step_over(job, MINT_STEP_CLEAR);
	/*
	 * A successor has said GIVEN itself. A receiver that boots now finds the thing
	 * in its record, and leaves it alone until it is CLEARED: mint_moved_away().
	 */
	if (!mint_is_successor(t->from))
		set_turn(job, MINT_TURN_GIVEN);
	if (!hand_to_receiver(job)) {
		why = receiver_lives(job) ? "can no longer have it" : "has ended meanwhile";
		return mint_transfer_refuse(t, -ESRCH, "node %u %s: it %s", t->to, why,
					    set_free_at_last(job) ? "stays in flight" :
					    "is free now");
	}
	if (t->to == MINT_NODE_FREE)
		return 0;
	err = mint_is_successor(t->to) ? take_there(job) : take_here(job);
	step_over(job, MINT_STEP_TAKE);
	return err;
}

static void run_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	int err = transfer(job);
	const char *failed;
	u32 i;

	failed = job->refused || turn_of(job) == MINT_TURN_REFUSED ? "refused" : "failed";
	set_turn(job, MINT_TURN_NONE);
	scoped_guard(mint_claims)
		for (i = 0; i < MINT_MOVES; i++)
			if (jobs[i] == job)
				jobs[i] = NULL;
	/* Who is told of the end may ask for the next move: this one is in its way no more */
	answer(job, err, failed);
	complete_all(&job->done);
	kref_put(&job->ref, free_job);
}

/* ---- requests ---- */

static int check_party(struct mint_transfer *t, u32 n)
{
	const struct mint_peer *peer;
	u32 state;

	if (!mint_is_successor(n))
		return 0;
	state = mint_state(n);
	if (!mint_claim(n) || state != MINT_STATE_RUNNING)
		return mint_transfer_refuse(t, -ESRCH,
					    "node %u is %s: only a node that runs gives and takes",
					    n, mint_state_name(state));
	peer = mint_peer(n);
	if (peer && !READ_ONCE(peer->can))
		return mint_transfer_refuse(t, -EAGAIN,
					    "the kernel of node %u has not said what it can move: it starts, or is too old",
					    n);
	if (!peer || !(READ_ONCE(peer->can) & 1U << t->kind->move))
		return mint_transfer_refuse(t, -EOPNOTSUPP,
					    "the kernel of node %u moves no %s: end the node to get it back",
					    n, t->kind->word);
	return 0;
}

/* Nor is one waited for that has ended */
static bool party_is_ready(u32 n)
{
	const struct mint_peer *peer = mint_peer(n);

	return !mint_is_successor(n) || !peer || READ_ONCE(peer->can) || !mint_claim(n);
}

static bool same_node(u32 a, u32 b)
{
	return a == b && a != MINT_NODE_FREE;
}

/* Is a part of it on its way already, or is something in its way? */
static int check_jobs(struct job *job)
{
	const struct mint_transfer *other;
	struct mint_transfer *t = &job->t;
	u32 i;

	for (i = 0; i < MINT_MOVES; i++) {
		other = jobs[i] ? &jobs[i]->t : NULL;
		if (!other || other->kind != t->kind)
			continue;
		if (other->start < t->start + t->size &&
		    t->start < other->start + other->size)
			return mint_transfer_refuse(t, -EBUSY,
						    "move %u has %s: see /sys/kernel/mint/moves",
						    jobs[i]->history.seq,
						    job->history.what);
		if (t->kind->crowded && (same_node(other->to, t->to) ||
					 same_node(other->from, t->from)))
			return mint_transfer_refuse(t, -EBUSY,
						    "move %u of such a thing has the same giver or receiver: wait for it",
						    jobs[i]->history.seq);
	}
	return 0;
}

static int enter_job(struct job *job)
{
	struct mint_move *record;
	u32 i;

	for (i = 0; i < MINT_MOVES && (record = mint_move(i)); i++)
		if (!jobs[i])
			break;
	if (i == MINT_MOVES || !record)
		return mint_transfer_refuse(&job->t, -ENOSPC,
					    "%u moves are under way: wait for one of them",
					    MINT_MOVES);
	job->record = record;
	job->from_incarnation = mint_incarnation(job->t.from);
	job->to_incarnation = mint_incarnation(job->t.to);
	record->kind = job->t.kind->move;
	record->from = job->t.from;
	record->to = job->t.to;
	record->start = job->t.start;
	record->size = job->t.size;
	record->reserved = 0;
	record->error = 0;
	memset(record->reason, 0, sizeof(record->reason));
	jobs[i] = job;
	return 0;
}

static int plan_now(struct job *job, const struct mint_token *thing)
{
	struct mint_transfer *t = &job->t;
	int err;

	guard(mint_claims)();
	/* Told even if it is refused */
	if (!job->history.seq) {
		last_seq = (last_seq + 1) & (U32_MAX >> 8);
		job->history.seq = last_seq;
	}
	/* If the asker has ended, another node may have its number, which has not asked */
	if (mint_incarnation(job->asker) != job->asker_incarnation)
		return mint_transfer_refuse(t, -ESRCH,
					    "node %u has ended meanwhile, which asked for it",
					    job->asker);
	err = check_party(t, t->to) ?: t->kind->plan(t, thing);
	if (!err && t->from == t->to)
		err = t->to == MINT_NODE_FREE ?
		      mint_transfer_refuse(t, -EEXIST, "%s is free already",
					   job->history.what) :
		      mint_transfer_refuse(t, -EEXIST, "%s is node %u's already",
					   job->history.what, t->to);
	return err ?: mint_wish_check(t, job->asker) ?:
	       check_party(t, t->from) ?: check_jobs(job) ?: enter_job(job);
}

/*
 * A node runs before its kernel has all that it takes to move things. The giver is known
 * once the receiver is ready: so there may be one wait for each.
 */
static int plan(struct job *job, const struct mint_token *thing)
{
	u64 to_incarnation = mint_incarnation(job->t.to), from_incarnation;
	int err = plan_now(job, thing), waits;
	u32 from;
	long left;

	for (waits = 0; err == -EAGAIN && waits < 2; waits++) {
		from = job->t.from;
		from_incarnation = mint_incarnation(from);
		left = wait_event_killable_timeout(move_wait,
						   party_is_ready(job->t.from) &&
						   party_is_ready(job->t.to),
						   mint_move_bound());
		if (left < 0)
			return -EINTR;
		if (!left)
			break;
		if (mint_incarnation(job->t.to) != to_incarnation)
			return mint_transfer_refuse(&job->t, -ESRCH,
						    "node %u has ended meanwhile",
						    job->t.to);
		if (mint_incarnation(from) != from_incarnation)
			return mint_transfer_refuse(&job->t, -ESRCH,
						    "node %u has ended meanwhile", from);
		job->t.reason[0] = '\0';
		err = plan_now(job, thing);
	}
	return err;
}

/* The next word of a line, between blanks */
static bool next_word(const char **rest, struct mint_token *word)
{
	const char *p = skip_spaces(*rest);

	word->text = p;
	while (*p && !isspace(*p))
		p++;
	word->len = p - word->text;
	*rest = p;
	return word->len;
}

static bool token_is(const struct mint_token *token, const char *word)
{
	return strlen(word) == token->len &&
	       !strncmp(token->text, word, token->len);
}

static const struct mint_kind *kind_named(const struct mint_token *word)
{
	const struct mint_kind *kind;
	u32 i;

	for (i = 0; (kind = mint_kind(i)); i++)
		if (kind->word && token_is(word, kind->word))
			return kind;
	return NULL;
}

static int parse_node(const struct mint_token *token, u32 *n)
{
	char buf[12];

	if (token_is(token, "free")) {
		*n = MINT_NODE_FREE;
		return 0;
	}
	snprintf(buf, sizeof(buf), "%.*s", token->len, token->text);
	return token->len < sizeof(buf) && !kstrtou32(buf, 10, n) &&
	       mint_node(*n) ? 0 : -EINVAL;
}

/* "core 5 2": what, which, and to whom */
static int parse(struct job *job, const char *text, struct mint_token *thing)
{
	struct mint_token words[3], last;
	const char *rest = text;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!next_word(&rest, &words[i]))
			goto bad;
	if (next_word(&rest, &last))
		goto bad;
	job->t.kind = kind_named(&words[0]);
	if (!job->t.kind || parse_node(&words[2], &job->t.to))
		goto bad;
	*thing = words[1];
	return 0;
bad:
	return mint_transfer_refuse(&job->t, -EINVAL,
				    "want '<core|memory|pci> <which> <node|free>', see docs/moving.md");
}

static struct job *new_job(void)
{
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	INIT_WORK(&job->work, run_job);
	kref_init(&job->ref);
	init_completion(&job->done);
	job->began = ktime_get();
	job->step_at = job->began;
	job->t.from = MINT_NODE_FREE;
	job->t.to = MINT_NODE_FREE;
	return job;
}

/**
 * mint_move_request() - move a thing to another node, or set it free
 * @text:	"<kind> <which> <node|free>", which need not end in a newline
 * @asker:	the node that asks
 * @incarnation: mint_incarnation() of @asker when it asked; 0 for node 0
 * @reason:	out: why it was refused or has failed, one line; may be NULL
 * @size:	bytes there
 *
 * Returns when that is settled. Who is killed meanwhile does not stop it: its end
 * stands in /sys/kernel/mint/moves.
 *
 * Context: predecessor, process; may sleep. The caller has no claim locked.
 * Return: 0; a negative error, with its reason but for -ENOMEM and -EINTR.
 */
int mint_move_request(const char *text, u32 asker, u64 incarnation, char *reason,
		      size_t size)
{
	struct mint_token thing;
	struct job *job;
	int err;

	job = new_job();
	if (!job)
		return -ENOMEM;
	job->asker = asker;
	job->asker_incarnation = incarnation;
	err = parse(job, text, &thing);
	if (!err)
		snprintf(job->history.what, sizeof(job->history.what), "%s %.*s",
			 job->t.kind->word, thing.len, thing.text);
	err = err ?: plan(job, &thing);
	if (err) {
		pr_warn("move refused: %s\n", job->t.reason);
		if (job->history.seq)
			set_history(job, "refused");
	} else {
		set_history(job, "moving");
		kref_get(&job->ref);
		queue_work(system_unbound_wq, &job->work);
		err = wait_for_completion_killable(&job->done) ? -EINTR :
								 job->err;
	}
	if (reason && err && err != -EINTR)
		strscpy(reason, job->t.reason, size);
	kref_put(&job->ref, free_job);
	return err;
}

static void move_rung(u32 n)
{
	wake_up_all(&move_wait);
	mint_wishes_rung(n);
}

/* A party may have come to its end */
static int on_node(struct notifier_block *nb, unsigned long what, void *data)
{
	if (what == MINT_NODE_STATE || what == MINT_NODE_GONE)
		wake_up_all(&move_wait);
	return NOTIFY_DONE;
}

static struct notifier_block node_block = {
	.notifier_call	= on_node,
};

static int __init mint_transfer_init(void)
{
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	mint_bell_listen(MINT_BELL_MOVE, move_rung);
	mint_node_listen(&node_block);
	return 0;
}
late_initcall(mint_transfer_init);
