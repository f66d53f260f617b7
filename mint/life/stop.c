// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: node 0 stops a successor.
 *
 * Owns the three strengths and the proof that cores are parked: "ask" leaves
 * it to the node's user space, "park" to its kernel, by request and then by
 * NMI, "force" to nobody: INIT. A kernel that starts has no entry for an NMI,
 * which would reset the machine: it is parked by request or else by INIT. A
 * core that cannot be proven parked may still write to its node's memory:
 * that, its devices and its cores stay with the node, in quarantine, until
 * another "force" succeeds. "reboot" ends nothing: it is asked of user space, too.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/string.h>
#include <linux/wait.h>

#include <asm/tsc.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "life.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

/* For one more core to park, or to be proven parked, after the one before */
#define REQUEST_BOUND_MS	1000
#define NMI_BOUND_MS		1000
/* For the first heartbeat of a kernel that has come up, after its last core */
#define BEAT_BOUND_MS		2000
#define PROVE_BOUND_MS		12000
/* For the watch to be done with the node; what takes longer is an operation */
#define LOOK_BOUND_MS		200
/* For one more step of taking back, of which 16 MiB of zeroes are one */
#define STEP_BOUND_MS		15000

/*
 * Bounds of mint.ask_ms=. In less no user space ends; and node 0, which waits as long
 * when it leaves, does so one day.
 */
#define ASK_MS_MIN		1000
#define ASK_MS_MAX		3600000

/* systemd gives a service 90 s to stop */
static unsigned int ask_ms = 100000;
static struct mint_param_ms ask_param = { &ask_ms, ASK_MS_MIN, ASK_MS_MAX };
module_param_cb(ask_ms, &mint_param_ms_ops, &ask_param, 0644);

/* The next core of node @n, or NULL */
static struct mint_core *next_core(u32 n, u32 *i)
{
	struct mint_core *core;

	while ((core = mint_core((*i)++)) && mint_owner_of_core(core) != n)
		;
	return core;
}

/* The next core of node @n that has not said that it is parked, or NULL */
static struct mint_core *next_unparked(u32 n, u32 *i)
{
	struct mint_core *core;

	while ((core = next_core(n, i)) && mint_core_parked(core))
		;
	return core;
}

/**
 * mint_unparked() - how many cores of a node have not said that they are parked?
 * @n:	number of the node
 *
 * Context: predecessor, any.
 * Return: how many.
 */
u32 mint_unparked(u32 n)
{
	u32 i = 0, count = 0;

	while (next_unparked(n, &i))
		count++;
	return count;
}

/* As long as one core after the other parks, each within @ms */
static bool wait_parked(u32 n, unsigned int ms)
{
	unsigned long bound = jiffies + msecs_to_jiffies(ms);
	u32 left, last = U32_MAX;

	while ((left = mint_unparked(n))) {
		if (left < last) {
			last = left;
			bound = jiffies + msecs_to_jiffies(ms);
		}
		if (time_after(jiffies, bound))
			return false;
		usleep_range(100, 200);
	}
	return true;
}

/* "APIC ID 3,5" of those that are not where they should be */
static void add_bad(struct seq_buf *bad, const struct mint_core *core)
{
	seq_buf_printf(bad, "%s%u", seq_buf_used(bad) ? "," : "APIC ID ",
		       mint_apic_id(core));
}

static void put_in_quarantine(struct mint_claim *claim, struct seq_buf *bad)
{
	pr_err("node %u: %s cannot be proven parked: its memory, cores and devices stay in quarantine (echo force > /sys/kernel/mint/nodes/%u/stop tries again)\n",
	       claim->n, seq_buf_str(bad), claim->n);
	strscpy(claim->why, claim->node.reason, sizeof(claim->why));
	mint_claim_event(claim, MINT_EVENT_UNPROVEN, "%s not proven parked",
			 seq_buf_str(bad));
}

/**
 * mint_prove_parked() - take the cores of a node from it, by INIT
 * @claim:	claim of the node
 *
 * What a core's record says is the node's own word, which a broken kernel may
 * have scribbled. So every core is reset, and has to show up in the park loop.
 * All are reset before the first is sent there: one that still ran could start
 * another that was proven already.
 *
 * Context: predecessor, process, under the claim's lock, the node ending;
 *	    seconds.
 * Return: 0; -EIO if a core did not show up: the node is then in quarantine.
 */
int mint_prove_parked(struct mint_claim *claim)
{
	DECLARE_SEQ_BUF(bad, 64);
	unsigned long bound;
	struct mint_core *core;
	u32 i;

	lockdep_assert_held(&claim->lock);
	for (i = 0; (core = next_core(claim->n, &i));) {
		if (!mint_core_parked(core))
			pr_warn("APIC ID %u of node %u is reset by INIT\n",
				mint_apic_id(core), claim->n);
		mint_core_reset(core);
	}
	for (i = 0; (core = next_core(claim->n, &i));)
		mint_core_send_to_park(core);
	bound = jiffies + msecs_to_jiffies(PROVE_BOUND_MS);
	for (i = 0; (core = next_core(claim->n, &i));) {
		while (!mint_core_proven(core) && time_before(jiffies, bound))
			usleep_range(20, 50);
		if (mint_core_proven(core)) {
			bound = jiffies + msecs_to_jiffies(PROVE_BOUND_MS);
			mint_claim_inc_progress(claim);
			continue;
		}
		mint_core_reset(core);
		add_bad(&bad, core);
	}
	if (!seq_buf_used(&bad)) {
		WRITE_ONCE(claim->parked, true);
		return 0;
	}
	put_in_quarantine(claim, &bad);
	return -EIO;
}

/*
 * Its cores were stopped: prove that they are parked, take all back. One that was on
 * its way out by itself has said why: mint_watch_end(). One in quarantine has ended
 * before, as it will be told once all is taken back.
 */
static int finish_stop(struct mint_claim *claim, const char *reason)
{
	char why[MINT_REASON_LEN];
	int err;

	if (claim->node.state == MINT_STATE_QUARANTINE) {
		mint_claim_event(claim, MINT_EVENT_END, "%s", claim->why);
	} else if (claim->node.state != MINT_STATE_ENDING) {
		claim->ends_as = MINT_EVENT_ENDED;
		mint_claim_event(claim, MINT_EVENT_END, "%s", reason);
	}
	strscpy(why, claim->node.reason, sizeof(why));
	err = mint_prove_parked(claim);
	if (err)
		return err;
	pr_info("node %u is stopped: %s\n", claim->n, why);
	mint_release(claim);
	mint_claim_event(claim, claim->ends_as, "%s", why);
	return 0;
}

/*
 * The state of a node; NONE once its number is another's, or it owns nothing and its
 * final state is written: that comes last, so a node that is ENDING may own nothing.
 */
static u32 state_of(u32 n, u64 incarnation)
{
	bool owns = mint_claim(n);
	u32 state = mint_state(n);

	return mint_incarnation(n) == incarnation &&
	       (owns || state == MINT_STATE_ENDING) ? state : MINT_STATE_NONE;
}

/* Node 0 takes the node back: wait as long as that makes progress */
static int wait_taken_back(u32 n, u64 incarnation)
{
	unsigned long seen;
	long left;

	do {
		seen = mint_claim_progress(n);
		left = wait_event_killable_timeout(mint_state_wait,
						   state_of(n, incarnation) !=
						   MINT_STATE_ENDING,
						   msecs_to_jiffies(STEP_BOUND_MS));
	} while (!left && mint_claim_progress(n) != seen);
	return min(left, 0L);
}

static int stop_ask(u32 n)
{
	unsigned long began = jiffies;
	u64 incarnation;
	u32 state;
	long left;
	int err;

	err = mint_request(n, MINT_REQUEST_POWEROFF, &incarnation);
	if (err) {
		pr_err("node %u neither runs nor starts, nobody there can be asked\n", n);
		return err;
	}
	left = wait_event_killable_timeout(mint_state_wait,
					   !mint_state_alive(state_of(n, incarnation)),
					   mint_ask_bound());
	if (left < 0)
		return left;
	err = wait_taken_back(n, incarnation);
	if (err)
		return err;
	state = state_of(n, incarnation);
	switch (state) {
	case MINT_STATE_NONE:
		return 0;
	case MINT_STATE_QUARANTINE:
		return -EIO;
	}
	pr_err("node %u is %s %u ms after it was asked to end: echo park > /sys/kernel/mint/nodes/%u/stop\n",
	       n, mint_state_name(state), jiffies_to_msecs(jiffies - began), n);
	return -ETIMEDOUT;
}

/*
 * MINT_LOAD_* of a node while it runs; 0 if its kernel does not say in time. It writes
 * them with each heartbeat, the first time after it has started all of its cores. A
 * kernel that reboots lets go of the record before node 0 sees the reboot.
 */
static u32 load_flags(u32 n, u64 incarnation)
{
	const struct mint_load *load = mint_load(n);
	unsigned long bound = jiffies;
	u32 cores, most = 0, flags;

	while (!mint_load_flags(load, &flags)) {
		cores = mint_unparked(n);
		if (cores > most) {
			most = cores;
			bound = jiffies + msecs_to_jiffies(BEAT_BOUND_MS);
		}
		if (time_after(jiffies, bound) ||
		    state_of(n, incarnation) != MINT_STATE_RUNNING)
			return 0;
		usleep_range(1000, 2000);
	}
	return flags;
}

/* May this node be asked to reboot? Nothing has changed if not. */
static int check_reboot(u32 n, u64 incarnation)
{
	u32 flags = load_flags(n, incarnation);

	if (state_of(n, incarnation) != MINT_STATE_RUNNING) {
		pr_err("node %u does not run, nobody there can be asked to reboot it\n",
		       n);
		return -ESRCH;
	}
	if (!(flags & MINT_LOAD_REBOOT)) {
		pr_err("node %u has a kernel older than version 1.6, which reboots on no request: reboot it from inside\n",
		       n);
		return -EOPNOTSUPP;
	}
	if (!(flags & MINT_LOAD_KEPT)) {
		pr_err("node %u keeps no image to reboot with: launch it without mint.keep=0\n",
		       n);
		return -ENODATA;
	}
	return 0;
}

/* Another kernel of the node has started, or it is over, or silent */
static bool rebooted(u32 n, u64 incarnation, u32 boots)
{
	return !mint_state_alive(state_of(n, incarnation)) ||
	       READ_ONCE(mint_node_status(n)->boots) != boots;
}

static int stop_reboot(u32 n)
{
	unsigned int bound = READ_ONCE(ask_ms);
	u64 incarnation = mint_incarnation(n);
	int err = check_reboot(n, incarnation);
	u32 boots;
	long left;

	if (err)
		return err;
	boots = READ_ONCE(mint_node_status(n)->boots);
	err = mint_request_reboot(n, incarnation);
	if (err) {
		pr_err("node %u has just ceased to run\n", n);
		return err;
	}
	left = wait_event_killable_timeout(mint_state_wait,
					   rebooted(n, incarnation, boots),
					   msecs_to_jiffies(bound));
	if (left < 0)
		return left;
	if (!left) {
		pr_err("node %u has not rebooted %u ms after it was asked: echo ask > /sys/kernel/mint/nodes/%u/stop ends it\n",
		       n, bound, n);
		return -ETIMEDOUT;
	}
	if (mint_state_alive(state_of(n, incarnation)))
		return 0;
	pr_err("node %u has not rebooted when asked, but ended or fallen silent\n", n);
	return -EIO;
}

/*
 * Has the kernel of a node what it takes to survive an NMI? In STARTING it has
 * not: between the tables of the decompressor and its own there are none. It
 * says so before it gives its tables up for an own reboot, and then looks for
 * requests once more (mint_restart()): no NMI follows a request to where none
 * may come.
 */
static bool takes_nmi(u32 n)
{
	/* Pairs with mint_report_state() in the successor */
	u32 state = smp_load_acquire(&mint_node(n)->state);

	return state == MINT_STATE_RUNNING || state == MINT_STATE_PANICKED;
}

static int stop_park(struct mint_claim *claim)
{
	u64 asked_at = rdtsc_ordered(), incarnation;
	struct mint_core *core;
	u32 i = 0, n = claim->n;

	mint_request(n, MINT_REQUEST_PARK, &incarnation);
	if (wait_parked(n, REQUEST_BOUND_MS))
		return finish_stop(claim, "parked on request of node 0");
	if (!takes_nmi(n))
		return finish_stop(claim, "reset by INIT from node 0, it takes no NMI");
	while ((core = next_unparked(n, &i)))
		if (mint_core_left_gateway(core, asked_at))
			mint_core_nmi(core);
	if (wait_parked(n, NMI_BOUND_MS))
		return finish_stop(claim, "parked by NMI from node 0");

	DECLARE_SEQ_BUF(bad, 64);

	for (i = 0; (core = next_unparked(n, &i));)
		add_bad(&bad, core);
	pr_err("node %u: %s did not park on NMI: echo force > /sys/kernel/mint/nodes/%u/stop\n",
	       n, seq_buf_str(&bad), n);
	/* One that is on its way out or in quarantine stays so */
	if (mint_state_next(claim->node.state, MINT_EVENT_STILL))
		mint_claim_event(claim, MINT_EVENT_STILL, "%s did not park on NMI",
				 seq_buf_str(&bad));
	return -ETIMEDOUT;
}

/*
 * The claim of a node, locked; NULL if another operation has it, or if the number is
 * another node's by then.
 *
 * The watch locks it, too, twice a second, and a change of state that it finds wakes
 * those who poll the file: they come here while it still has the lock. So wait a little
 * before that is refused. The bound is short since the caller writes to a file of the
 * node's directory: whoever removes the directory waits for it, with the claim locked.
 */
static struct mint_claim *lock_to_stop(u32 n)
{
	unsigned long bound = jiffies + msecs_to_jiffies(LOOK_BOUND_MS);
	u64 incarnation = mint_incarnation(n);
	struct mint_claim *claim;
	long left;

	while (!(claim = mint_claim_trylock(n))) {
		left = bound - jiffies;
		if (left <= 0 || !mint_node_status(n))
			break;
		wait_event_timeout(mint_state_wait, !mint_claim_busy(n), left);
	}
	if (claim && claim->incarnation != incarnation) {
		mint_claim_unlock(claim);
		return NULL;
	}
	return claim;
}

/**
 * mint_stop() - stop a successor
 * @n:		number of the node
 * @strength:	how hard
 *
 * Context: predecessor, process; up to mint.ask_ms.
 * Return: 0 once the node has ended and owns nothing, or has begun to start again;
 * -ESRCH if there is nothing to stop; -EOPNOTSUPP if its kernel cannot be asked to
 * reboot, -ENODATA if it has no image for that; -EBUSY while somebody else loads,
 * starts or stops it; -ETIMEDOUT if the strength did not do, -EIO if not even INIT
 * did, or if the node has ended instead of rebooting; -EINTR.
 */
int mint_stop(u32 n, enum mint_strength strength)
{
	struct mint_claim *claim;
	int err = -ESRCH;

	if (strength == MINT_STOP_ASK)
		return stop_ask(n);
	if (strength == MINT_STOP_REBOOT)
		return stop_reboot(n);

	claim = lock_to_stop(n);
	if (!claim) {
		pr_err("node %u is being loaded, started or stopped: try again\n", n);
		return -EBUSY;
	}
	if (claim->used && claim->ran) {
		mint_watch_end(claim);
		err = strength == MINT_STOP_PARK ? stop_park(claim) :
			finish_stop(claim, "reset by INIT from node 0");
	} else if (claim->used) {
		pr_err("node %u was not started: kexec -u unloads it\n", n);
	} else {
		pr_err("node %u has ended already: there is nothing to stop\n", n);
	}
	mint_claim_unlock(claim);
	return err;
}

/**
 * mint_ask_bound() - how long node 0 waits for who was asked to end
 *
 * Context: any.
 * Return: jiffies.
 */
unsigned long mint_ask_bound(void)
{
	return msecs_to_jiffies(READ_ONCE(ask_ms));
}
