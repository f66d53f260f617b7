// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: how nodes are doing.
 *
 * Owns the heartbeat of this node; in node 0 the watch over its successors,
 * from what their records say, their heartbeats and their cores, and the end of
 * those that are over; in a successor the watch over node 0's heartbeat. The
 * states are those of own/states.c.
 *
 * A state that a node has reached for good is written last: who sees "ended"
 * or "panicked" finds its cores, memory and devices free.
 */

#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <asm/apic.h>
#include <asm/barrier.h>
#include <asm/hw_irq.h>
#include <asm/irq.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../device/device.h"
#include "../talk/talk.h"
#include "../link/link.h"
#include "life.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define BEAT_MS_MIN		10
#define BEAT_MS_MAX		10000
/*
 * Bounds of mint.lost_ms= and mint.start_ms=. In less than the lower ones no kernel
 * shows up; with the upper one sums of such times fit into 32 bits.
 */
#define LOST_MS_MIN		100
#define START_MS_MIN		1000
#define LOST_MS_MAX		3600000
#define WATCH_PERIOD_MS		500
#define WATCH_SOON_MS		20
#define PARK_BOUND_MS		2000
#define RETURNS_MS_MAX		3600000U

/* Period of the heartbeat of all nodes, ms; node 0's counts */
static unsigned int beat_ms __ro_after_init = 100;
module_param(beat_ms, uint, 0444);

/* A node without a heartbeat for so long is silent, ms */
static unsigned int lost_ms = 10000;
static struct mint_param_ms lost_param = { &lost_ms, LOST_MS_MIN, LOST_MS_MAX };
module_param_cb(lost_ms, &mint_param_ms_ops, &lost_param, 0644);

/* The same for one that has not come up yet, ms */
static unsigned int start_ms = 60000;
static struct mint_param_ms start_param = { &start_ms, START_MS_MIN, LOST_MS_MAX };
module_param_cb(start_ms, &mint_param_ms_ops, &start_param, 0644);

static void beat(struct timer_list *timer);
static DEFINE_TIMER(heartbeat, beat);

/*
 * The next beat comes from the next core: one that hangs with its interrupts
 * off stops the heart, whichever core it is. Cores that are kept free of timers
 * are left alone.
 */
static void next_beat(void)
{
	const struct cpumask *mask = housekeeping_cpumask(HK_TYPE_TIMER);
	unsigned int cpu = cpumask_next_and(smp_processor_id(), cpu_online_mask,
					    mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first_and(cpu_online_mask, mask);
	heartbeat.expires = jiffies + msecs_to_jiffies(mint_layout.beat_ms);
	if (cpu < nr_cpu_ids)
		add_timer_on(&heartbeat, cpu);
	else
		add_timer(&heartbeat);
}

/* The limit must not be shorter than three heartbeat periods */
static unsigned int heart_limit(unsigned int ms)
{
	return max(ms, 3 * mint_layout.beat_ms);
}

/* ---- a successor watches node 0 ---- */

/* What the timer has found of node 0; nobody else reads or writes it */
static struct mint_heart node0_heart;
static bool node0_silent;
static u32 node0_state;

static void node0_changed(struct work_struct *work)
{
	mint_node_announce(0, MINT_NODE_STATE);
}

static DECLARE_WORK(node0_work, node0_changed);

static void watch_node0(void)
{
	const struct mint_node *record = mint_node(0);
	unsigned int limit = heart_limit(READ_ONCE(lost_ms));
	u32 state = READ_ONCE(record->state);
	char reason[MINT_REASON_LEN] = "";
	bool silent;

	mint_heart_poll(&node0_heart, READ_ONCE(record->heartbeat), jiffies,
			mint_layout.beat_ms);
	/* One that has panicked says so itself */
	silent = state == MINT_STATE_RUNNING && node0_heart.still_ms >= limit;
	if (silent == node0_silent && state == node0_state)
		return;
	node0_state = state;
	if (silent && !node0_silent) {
		scnprintf(reason, sizeof(reason), "no heartbeat for %u ms", limit);
		pr_warn("node 0 is silent: no heartbeat for %u ms\n", limit);
	} else if (!silent && node0_silent) {
		pr_info("node 0 is back\n");
	}
	node0_silent = silent;
	mint_node0_set_silent(silent, reason);
	schedule_work(&node0_work);
}

static void beat(struct timer_list *timer)
{
	struct mint_node *node = mint_own_node();

	WRITE_ONCE(node->heartbeat, node->heartbeat + 1);
	if (mint_role == MINT_SUCCESSOR)
		watch_node0();
	mint_bell_poll();
	mint_end_poll();
	mint_clock_poll();
	mint_log_flush();
	mint_tty_poll();
	mint_windows_poll();
	mint_load_beat();
	mint_generation_poll();
	mint_share_poll();
	next_beat();
}

static void watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(watcher, watch);

/*
 * A work of its own: mod_delayed_work() of the watcher would put it off each time that
 * another node asks to be looked at soon.
 */
static void watch_soon(struct work_struct *work);
static DECLARE_DELAYED_WORK(soon, watch_soon);

/**
 * mint_watch_now() - poll the successors without delay
 *
 * Context: any but NMI.
 */
void mint_watch_now(void)
{
	mod_delayed_work(system_unbound_wq, &watcher, 0);
}

static void check_heart(struct mint_claim *claim, const struct mint_node *record)
{
	bool starting = claim->node.state == MINT_STATE_STARTING;
	unsigned int limit = READ_ONCE(lost_ms);

	if (starting)
		limit = READ_ONCE(start_ms);
	limit = heart_limit(limit);
	if (mint_heart_poll(&claim->heart, READ_ONCE(record->heartbeat), jiffies,
			    WATCH_PERIOD_MS)) {
		if (claim->node.state != MINT_STATE_SILENT)
			return;
		pr_info("node %u is back\n", claim->n);
		mint_claim_event(claim, MINT_EVENT_UP, "its heart beats again");
		return;
	}
	if (claim->node.state == MINT_STATE_SILENT ||
	    claim->heart.still_ms < limit)
		return;
	pr_warn("node %u is silent: %s for %u ms\n", claim->n,
		starting ? "not up" : "no heartbeat", limit);
	mint_claim_event(claim, MINT_EVENT_STILL, starting ?
			 "did not come up within %u ms" :
			 "no heartbeat for %u ms", limit);
}

/* It has reported its end, which is final whatever its record says later */
static void begin_end(struct mint_claim *claim, const struct mint_node *record,
		      enum mint_event ends_as)
{
	char reason[MINT_REASON_LEN];

	mint_copy_line(reason, record->reason, sizeof(reason));
	claim->ends_as = ends_as;
	claim->unparked = mint_unparked(claim->n);
	claim->parked_at = jiffies;
	mint_claim_event(claim, MINT_EVENT_END, "%s", reason);
}

/**
 * mint_watch_end() - begin the end of a node if it has said that it is over
 * @claim:	its claim
 *
 * For who stops a node before the watch has looked: the reason that the node itself
 * gives for its end is kept. The node is ENDING then. One that has panicked and will
 * start again is not over.
 *
 * Context: predecessor, process, under the claim's lock; the node was started.
 */
void mint_watch_end(struct mint_claim *claim)
{
	const struct mint_node *record = mint_node(claim->n);
	u32 returns_ms;

	lockdep_assert_held(&claim->lock);
	if (claim->node.state == MINT_STATE_ENDING ||
	    claim->node.state == MINT_STATE_QUARANTINE)
		return;
	/* Pairs with mint_report_state() in the successor */
	if (virt_load_acquire(&record->state) == MINT_STATE_ENDED)
		begin_end(claim, record, MINT_EVENT_ENDED);
	else if (mint_panicked(record, &returns_ms) && !returns_ms)
		begin_end(claim, record, MINT_EVENT_PANICKED);
}

/*
 * Its cores get a while to park by themselves, as long as one after the other
 * does; then they are made to.
 *
 * Return: false to look again soon.
 */
static bool reap(struct mint_claim *claim)
{
	u32 unparked = mint_unparked(claim->n);
	char reason[MINT_REASON_LEN];

	/* Only a new minimum counts: records that change to and fro gain no time */
	if (unparked < claim->unparked) {
		claim->unparked = unparked;
		claim->parked_at = jiffies;
	}
	if (unparked && time_before(jiffies, claim->parked_at +
				    msecs_to_jiffies(PARK_BOUND_MS)))
		return false;
	strscpy(reason, claim->node.reason, sizeof(reason));
	if (mint_prove_parked(claim))
		return true;
	pr_info("node %u has %s: %s\n", claim->n,
		claim->ends_as == MINT_EVENT_ENDED ? "ended" : "panicked", reason);
	mint_release(claim);
	mint_claim_event(claim, claim->ends_as, "%s", reason);
	return true;
}

/* A panic that ends in an own reboot: not over, if it comes in time */
static bool returns(struct mint_claim *claim, const struct mint_node *record,
		    unsigned int limit)
{
	u64 count = READ_ONCE(record->heartbeat);
	char reason[MINT_REASON_LEN];

	if (!limit)
		return false;
	limit = min(limit, RETURNS_MS_MAX);
	if (claim->node.state != MINT_STATE_PANICKED) {
		mint_copy_line(reason, record->reason, sizeof(reason));
		mint_claim_event(claim, MINT_EVENT_PANIC, "%s", reason);
		mint_heart_reset(&claim->heart, count, jiffies);
	}
	/* By the old count: beats of a node that is broken give it no more time */
	mint_heart_poll(&claim->heart, claim->heart.count, jiffies,
			WATCH_PERIOD_MS);
	return claim->heart.still_ms < limit + READ_ONCE(lost_ms);
}

/* Node 0 sees only some of the states that a node passes through */
static void count_boots(struct mint_claim *claim, const struct mint_node *record)
{
	u32 boots = READ_ONCE(record->boots);

	if (boots == claim->boots_seen)
		return;
	claim->boots_seen = boots;
	claim->node.boots++;
	claim->reported_ns = 0;
	/* A node that only counts up, again and again, gains no time by it */
	if (claim->node.state != MINT_STATE_STARTING)
		mint_heart_reset(&claim->heart, READ_ONCE(record->heartbeat),
				 jiffies);
	pr_info_ratelimited("node %u reboots by itself\n", claim->n);
	mint_claim_event(claim, MINT_EVENT_REBOOT, "own reboot");
}

/*
 * It has reported RUNNING: for the first time since its start, or again, because some
 * of its cores did not come up. A node that was late, and so is SILENT, is back by its
 * first report.
 *
 * Return: false to look again soon: the record has changed meanwhile.
 */
static bool look_at_report(struct mint_claim *claim,
			   const struct mint_node *record)
{
	u32 old = claim->node.state;
	bool first = old == MINT_STATE_STARTING || old == MINT_STATE_PANICKED ||
		     (old == MINT_STATE_SILENT && !claim->reported_ns);
	char reason[MINT_REASON_LEN];
	u64 reported_ns;

	if (!mint_reported_up(record, claim->boots_seen, &reported_ns, reason))
		return false;
	if (!first && (old != MINT_STATE_RUNNING ||
		       claim->reported_ns == reported_ns))
		return true;
	claim->reported_ns = reported_ns ?: 1;
	/* Of two reports that come soon after each other only the second may be seen */
	if (!first || strcmp(reason, "up"))
		pr_warn_ratelimited("node %u is %s\n", claim->n, reason);
	else if (old == MINT_STATE_SILENT)
		pr_info("node %u is back\n", claim->n);
	mint_claim_event(claim, MINT_EVENT_UP, "%s", reason);
	if (first)
		mint_heart_reset(&claim->heart, READ_ONCE(record->heartbeat),
				 jiffies);
	return true;
}

/* Does the watch look at a node in this state, as far as it owns something? */
static bool is_watched(u32 state)
{
	return state != MINT_STATE_LOADED && state != MINT_STATE_QUARANTINE;
}

/* Return: false to look again soon */
static bool watch_node(struct mint_claim *claim)
{
	const struct mint_node *record = mint_node(claim->n);
	bool done = true;
	u32 returns_ms;

	if (!claim->used || !is_watched(claim->node.state))
		return true;
	if (claim->node.state == MINT_STATE_ENDING)
		return reap(claim);

	count_boots(claim, record);
	/*
	 * First the count of boots, then the state, or a report of the kernel before a
	 * reboot would be taken for one of the next kernel. A boot that comes after the
	 * count was read is counted by the next look. Pairs with mint_restart().
	 */
	virt_rmb();
	/* Pairs with mint_report_state() in the successor */
	switch (virt_load_acquire(&record->state)) {
	case MINT_STATE_ENDED:
		begin_end(claim, record, MINT_EVENT_ENDED);
		return reap(claim);
	case MINT_STATE_PANICKED:
		/* It has started again meanwhile: look again soon */
		if (!mint_panicked(record, &returns_ms) ||
		    READ_ONCE(record->boots) != claim->boots_seen)
			return false;
		if (returns(claim, record, returns_ms))
			return true;
		begin_end(claim, record, MINT_EVENT_PANICKED);
		return reap(claim);
	case MINT_STATE_RUNNING:
		done = look_at_report(claim, record);
	}
	check_heart(claim, record);
	return done;
}

/**
 * mint_watch_one() - poll one successor
 * @work:	of its claim
 *
 * Each has a work of its own: proof and scrub of one do not delay the others. The
 * claim is locked only in a state that is watched, so that the watch is in the way of
 * nobody who starts or unloads the node, or wants its number for another one.
 *
 * Context: work queue.
 */
void mint_watch_one(struct work_struct *work)
{
	u32 n = container_of(work, struct mint_claim, look)->n;
	struct mint_claim *claim;
	bool done;

	if (!mint_claim(n) || !is_watched(mint_state(n)))
		return;
	claim = mint_claim_trylock(n);
	done = claim && watch_node(claim);
	if (claim)
		mint_claim_unlock(claim);
	if (!done)
		queue_delayed_work(system_unbound_wq, &soon,
				   msecs_to_jiffies(WATCH_SOON_MS));
}

static void watch_soon(struct work_struct *work)
{
	mint_watch_now();
}

static void watch(struct work_struct *work)
{
	u32 n;

	mint_locks_poll();
	for (n = 1; mint_node(n); n++)
		if (mint_claim(n))
			mint_claim_watch(n);
	/* No effect if a doorbell has queued it for earlier meanwhile */
	queue_delayed_work(system_unbound_wq, &watcher,
			   msecs_to_jiffies(WATCH_PERIOD_MS));
}

/* Another node says something of itself, or node 0 asks for something */
static void node_rung(u32 n)
{
	if (mint_role == MINT_SUCCESSOR)
		mint_end_poll();
	else if (n == MINT_BELL_ANYONE)
		mint_watch_now();
	else if (mint_claim(n))
		mint_claim_watch(n);
}

/**
 * mint_watch_start() - start the heartbeat and the watch over others
 *
 * Context: early initcall, common area mapped.
 */
void __init mint_watch_start(void)
{
	if (mint_role == MINT_PREDECESSOR) {
		if (beat_ms < BEAT_MS_MIN || beat_ms > BEAT_MS_MAX) {
			pr_err("mint.beat_ms=%u is not from %u to %u, 100 it is\n",
			       beat_ms, BEAT_MS_MIN, BEAT_MS_MAX);
			beat_ms = 100;
		}
		mint_layout.beat_ms = beat_ms;
		mint_common->beat_ms = beat_ms;
	}
	mint_bell_listen(MINT_BELL_NODE, node_rung);
	if (mint_role == MINT_SUCCESSOR) {
		WRITE_ONCE(mint_own_node()->boot_apic_id, read_apic_id());
		node0_state = READ_ONCE(mint_node(0)->state);
		mint_heart_reset(&node0_heart, READ_ONCE(mint_node(0)->heartbeat),
				 jiffies);
	}
	next_beat();
	mint_report_state(MINT_STATE_RUNNING, "up");
	if (mint_role == MINT_PREDECESSOR)
		queue_delayed_work(system_unbound_wq, &watcher,
				   msecs_to_jiffies(WATCH_PERIOD_MS));
}
