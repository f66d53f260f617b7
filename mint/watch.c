// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: how nodes are doing.
 *
 * Owns the heartbeat of this node and what it says of itself; and in node 0
 * the watch over the others: it makes their states out of what their records
 * say, of their heartbeats and of their cores, and takes back what is over.
 *
 *	loaded -> starting -> running -> ended
 *			^	|  ^  \-> panicked
 *	  own reboot	\-------/  |
 *				  lost, and back when the heart beats again
 *
 * A state that a node has reached for good is written last: who sees "ended"
 * or "panicked" finds its cores, memory and devices free.
 */

#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/irq.h>

#include "mint.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define BEAT_MS_MIN		10
#define BEAT_MS_MAX		10000
#define WATCH_PERIOD_MS		500
#define WATCH_SOON_MS		20
#define PARK_BOUND_MS		2000
#define RETURNS_MS_MAX		3600000U

/* Period of the heartbeat of all nodes, ms; node 0's counts */
static unsigned int beat_ms __ro_after_init = 100;
module_param(beat_ms, uint, 0444);

/* A node without a heartbeat for so long is lost, ms */
static unsigned int lost_ms = 10000;
module_param(lost_ms, uint, 0644);

/* The same for one that has not come up yet, ms */
static unsigned int start_ms = 60000;
module_param(start_ms, uint, 0644);

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

static void beat(struct timer_list *timer)
{
	struct mint_node *node = mint_own_node();

	WRITE_ONCE(node->heartbeat, node->heartbeat + 1);
	mint_end_poll();
	mint_log_flush();
	mint_tty_poll();
	next_beat();
}

/**
 * mint_tell() - say how this node is doing
 * @state:	MINT_STATE_*
 * @fmt:	why, one line
 *
 * Context: any, NMI included; common area mapped.
 */
void mint_tell(u32 state, const char *fmt, ...)
{
	struct mint_node *node = mint_own_node();
	va_list args;

	va_start(args, fmt);
	vscnprintf(node->reason, sizeof(node->reason), fmt, args);
	va_end(args);
	node->since_ns = ktime_get_real_fast_ns();
	/* Who sees the state sees the reason */
	smp_store_release(&node->state, state);
	/* Node 0 looks now and then; the doorbell makes it look now */
	if (mint_role == MINT_SUCCESSOR)
		mint_doorbell(mint_layout.bsp_apic_id);
}

static void watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(watcher, watch);

/**
 * mint_watch_now() - look after the successors without delay
 *
 * Context: any but NMI.
 */
void mint_watch_now(void)
{
	mod_delayed_work(system_unbound_wq, &watcher, 0);
}

/* What a peer says, as one line that does no harm to a terminal */
static void copy_reason(char *to, const char *from)
{
	int i;

	for (i = 0; i < MINT_REASON_LEN - 1 && from[i]; i++)
		to[i] = isascii(from[i]) && isprint(from[i]) ? from[i] : '?';
	to[i] = '\0';
}

static void check_heart(struct mint_claim *claim, const struct mint_node *record)
{
	u64 count = READ_ONCE(record->heartbeat);
	u32 state = claim->node.state;
	unsigned int limit = state == MINT_STATE_STARTING ? READ_ONCE(start_ms) :
							     READ_ONCE(lost_ms);

	/* No tighter than beats come */
	limit = max(limit, 3 * mint_layout.beat_ms);

	if (count != claim->heartbeat) {
		claim->heartbeat = count;
		claim->beat_at = jiffies;
		if (state == MINT_STATE_LOST) {
			pr_info("node %u is back\n", claim->n);
			mint_set_state(claim, MINT_STATE_RUNNING,
				       "its heart beats again");
		}
		return;
	}
	if (state == MINT_STATE_LOST ||
	    time_before(jiffies, claim->beat_at + msecs_to_jiffies(limit)))
		return;
	pr_warn("node %u is lost: %s for %u ms\n", claim->n,
		state == MINT_STATE_STARTING ? "not up" : "no heartbeat", limit);
	mint_set_state(claim, MINT_STATE_LOST, state == MINT_STATE_STARTING ?
		       "did not come up within %u ms" :
		       "no heartbeat for %u ms", limit);
}

/* Its cores get a while to park by themselves; then they are made to */
static bool reap(struct mint_claim *claim, u32 state)
{
	char reason[MINT_REASON_LEN];

	if (!mint_all_parked(claim->n)) {
		if (!claim->end_at)
			claim->end_at = jiffies ?: 1;
		if (time_before(jiffies, claim->end_at +
				msecs_to_jiffies(PARK_BOUND_MS)))
			return false;
	}
	if (mint_prove_parked(claim))
		return true;
	copy_reason(reason, mint_node(claim->n)->reason);
	pr_info("node %u has %s: %s\n", claim->n,
		state == MINT_STATE_ENDED ? "ended" : "panicked", reason);
	mint_release(claim);
	mint_set_state(claim, state, "%s", reason);
	return true;
}

/* A panic that ends in an own reboot: not over, if it comes in time */
static bool returns(struct mint_claim *claim, const struct mint_node *record)
{
	unsigned int limit = min(READ_ONCE(record->returns_ms), RETURNS_MS_MAX);
	char reason[MINT_REASON_LEN];

	if (!limit)
		return false;
	if (claim->node.state != MINT_STATE_PANICKED) {
		copy_reason(reason, record->reason);
		mint_set_state(claim, MINT_STATE_PANICKED, "%s", reason);
		claim->beat_at = jiffies;
	}
	return time_before(jiffies, claim->beat_at +
			   msecs_to_jiffies(limit + READ_ONCE(lost_ms)));
}

/* Node 0 sees only some of the states that a node passes through */
static void count_boots(struct mint_claim *claim, const struct mint_node *record)
{
	u32 boots = READ_ONCE(record->boots);

	if (boots == claim->boots_seen)
		return;
	claim->boots_seen = boots;
	claim->node.boots++;
	/* One that only says so, again and again, does not get more time by it */
	if (claim->node.state != MINT_STATE_STARTING)
		claim->beat_at = jiffies;
	pr_info_ratelimited("node %u reboots by itself\n", claim->n);
	mint_set_state(claim, MINT_STATE_STARTING, "own reboot");
}

/* Return: false to look again soon */
static bool look_at(struct mint_claim *claim)
{
	const struct mint_node *record = mint_node(claim->n);
	/* Pairs with mint_tell() in the successor */
	u32 state = smp_load_acquire(&record->state);
	char reason[MINT_REASON_LEN];

	if (!claim->used || claim->quarantined ||
	    claim->node.state < MINT_STATE_STARTING)
		return true;

	count_boots(claim, record);
	if (state == MINT_STATE_ENDED)
		return reap(claim, state);
	if (state == MINT_STATE_PANICKED)
		return returns(claim, record) || reap(claim, state);
	claim->end_at = 0;
	if (state == MINT_STATE_RUNNING &&
	    claim->node.state == MINT_STATE_STARTING) {
		copy_reason(reason, record->reason);
		mint_set_state(claim, state, "%s", reason);
		claim->beat_at = jiffies;
	}
	check_heart(claim, record);
	return true;
}

/**
 * mint_watch_one() - look after one successor
 * @work:	of its claim
 *
 * One that takes long to be proven or scrubbed keeps nobody waiting.
 *
 * Context: work queue.
 */
void mint_watch_one(struct work_struct *work)
{
	u32 n = container_of(work, struct mint_claim, look)->n;
	struct mint_claim *claim = mint_claim_trylock(n);
	bool done = claim && look_at(claim);

	if (claim)
		mint_claim_unlock(claim);
	if (!done)
		mod_delayed_work(system_unbound_wq, &watcher,
				 msecs_to_jiffies(WATCH_SOON_MS));
}

static void watch(struct work_struct *work)
{
	u32 n;

	for (n = 1; mint_node(n); n++)
		if (mint_claim(n))
			mint_claim_look(n);
	/* Somebody who rang meanwhile has queued it for earlier */
	queue_delayed_work(system_unbound_wq, &watcher,
			   msecs_to_jiffies(WATCH_PERIOD_MS));
}

/* Somebody rang: another node has something to say, or to be asked */
static void doorbell(void)
{
	mint_lines_poll();
	mint_tty_poll();
	if (mint_role == MINT_PREDECESSOR)
		mint_watch_now();
	else
		mint_end_poll();
}

/**
 * mint_watch_start() - begin to beat, and to look after others
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
	x86_platform_ipi_callback = doorbell;
	if (mint_role == MINT_SUCCESSOR)
		WRITE_ONCE(mint_own_node()->boot_apic_id, read_apic_id());
	next_beat();
	mint_tell(MINT_STATE_RUNNING, "up");
	if (mint_role == MINT_PREDECESSOR)
		queue_delayed_work(system_unbound_wq, &watcher,
				   msecs_to_jiffies(WATCH_PERIOD_MS));
}
