// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the states of a node, and what leads from one to the next.
 *
 * Owns the table of transitions and the judgement of a heartbeat; nothing here
 * touches a node. Node 0 keeps the state of each successor in its own book
 * (claim.c); who changes it names what has happened, and the table says what
 * the node is then. docs/states.md shows the same table.
 */

#include <linux/array_size.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/minmax.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "own.h"

static const char * const names[] = {
	[MINT_STATE_NONE]	= "none",
	[MINT_STATE_LOADED]	= "loaded",
	[MINT_STATE_STARTING]	= "starting",
	[MINT_STATE_RUNNING]	= "running",
	[MINT_STATE_ENDED]	= "ended",
	[MINT_STATE_PANICKED]	= "panicked",
	[MINT_STATE_SILENT]	= "silent",
	[MINT_STATE_ENDING]	= "ending",
	[MINT_STATE_QUARANTINE]	= "quarantine",
};

/*
 * What is not here does not happen. PANICKED is the state of a node that will start
 * again by itself, and the last one of a node that panicked for good: that one owns
 * nothing.
 */
static const u8 transitions[ARRAY_SIZE(names)][MINT_EVENTS] = {
	[MINT_STATE_NONE] = {
		[MINT_EVENT_CLAIM]	= MINT_STATE_LOADED,
	},
	[MINT_STATE_LOADED] = {
		[MINT_EVENT_LOADED]	= MINT_STATE_LOADED,
		[MINT_EVENT_START]	= MINT_STATE_STARTING,
	},
	[MINT_STATE_STARTING] = {
		[MINT_EVENT_UP]		= MINT_STATE_RUNNING,
		[MINT_EVENT_REBOOT]	= MINT_STATE_STARTING,
		[MINT_EVENT_PANIC]	= MINT_STATE_PANICKED,
		[MINT_EVENT_STILL]	= MINT_STATE_SILENT,
		[MINT_EVENT_END]	= MINT_STATE_ENDING,
	},
	[MINT_STATE_RUNNING] = {
		[MINT_EVENT_UP]		= MINT_STATE_RUNNING,
		[MINT_EVENT_REBOOT]	= MINT_STATE_STARTING,
		[MINT_EVENT_PANIC]	= MINT_STATE_PANICKED,
		[MINT_EVENT_STILL]	= MINT_STATE_SILENT,
		[MINT_EVENT_END]	= MINT_STATE_ENDING,
	},
	[MINT_STATE_SILENT] = {
		[MINT_EVENT_UP]		= MINT_STATE_RUNNING,
		[MINT_EVENT_REBOOT]	= MINT_STATE_STARTING,
		[MINT_EVENT_PANIC]	= MINT_STATE_PANICKED,
		[MINT_EVENT_STILL]	= MINT_STATE_SILENT,
		[MINT_EVENT_END]	= MINT_STATE_ENDING,
	},
	[MINT_STATE_PANICKED] = {
		[MINT_EVENT_CLAIM]	= MINT_STATE_LOADED,
		[MINT_EVENT_UP]		= MINT_STATE_RUNNING,
		[MINT_EVENT_REBOOT]	= MINT_STATE_STARTING,
		[MINT_EVENT_STILL]	= MINT_STATE_SILENT,
		[MINT_EVENT_END]	= MINT_STATE_ENDING,
	},
	[MINT_STATE_ENDING] = {
		[MINT_EVENT_END]	= MINT_STATE_ENDING,
		[MINT_EVENT_UNPROVEN]	= MINT_STATE_QUARANTINE,
		[MINT_EVENT_ENDED]	= MINT_STATE_ENDED,
		[MINT_EVENT_PANICKED]	= MINT_STATE_PANICKED,
	},
	[MINT_STATE_QUARANTINE] = {
		[MINT_EVENT_END]	= MINT_STATE_ENDING,
	},
	[MINT_STATE_ENDED] = {
		[MINT_EVENT_CLAIM]	= MINT_STATE_LOADED,
	},
};

/**
 * mint_state_name() - what people call a state
 * @state:	MINT_STATE_*, or anything that a peer wrote
 *
 * Context: any.
 * Return: the name; "invalid" for what is no state.
 */
const char *mint_state_name(u32 state)
{
	return state < ARRAY_SIZE(names) ? names[state] : "invalid";
}

/**
 * mint_state_next() - the state of a node after an event
 * @state:	MINT_STATE_* now
 * @event:	what has happened
 *
 * Context: any.
 * Return: MINT_STATE_*, NONE if that does not happen in @state.
 */
u32 mint_state_next(u32 state, enum mint_event event)
{
	if (state >= ARRAY_SIZE(transitions) || event >= MINT_EVENTS)
		return MINT_STATE_NONE;
	return transitions[state][event];
}

/**
 * mint_state_alive() - does a node hear what it is asked, now or soon?
 * @state:	MINT_STATE_*
 *
 * Context: any.
 * Return: true while it starts or runs.
 */
bool mint_state_alive(u32 state)
{
	return state == MINT_STATE_STARTING || state == MINT_STATE_RUNNING;
}

/**
 * mint_panicked() - has a node panicked, and does it start again by itself?
 * @record:	what the node says of itself
 * @returns_ms:	out: within how many ms it will, 0 if not
 *
 * A node sets returns_ms before it is PANICKED. If it starts again, it leaves
 * PANICKED before it clears returns_ms, and then counts its boots
 * (mint_restart()). So returns_ms counts only if the node was PANICKED before
 * and after it was read, in one boot.
 *
 * Context: any.
 * Return: false if it is not PANICKED, or started again during the look.
 */
bool mint_panicked(const struct mint_node *record, u32 *returns_ms)
{
	u32 boots = READ_ONCE(record->boots);

	/* The boots before the state. Pairs with mint_restart() */
	virt_rmb();
	/* Pairs with mint_report_state() in the node */
	if (virt_load_acquire(&record->state) != MINT_STATE_PANICKED)
		return false;
	*returns_ms = READ_ONCE(record->returns_ms);
	/* Pairs with smp_mb() in mint_restart() */
	virt_rmb();
	return READ_ONCE(record->state) == MINT_STATE_PANICKED &&
	       READ_ONCE(record->boots) == boots;
}

/**
 * mint_reported_up() - what does a node that runs say of itself?
 * @record:	what it says
 * @boots:	its count of boots, which the caller has read before
 * @since_ns:	out: when it has said so, ns, by its own clock
 * @reason:	out: one line, MINT_REASON_LEN bytes
 *
 * A node writes time and reason before the state that they are about. So they count
 * only if it was RUNNING before and after they were read, in that boot.
 *
 * Context: any.
 * Return: false if it does not run, or has rebooted meanwhile.
 */
bool mint_reported_up(const struct mint_node *record, u32 boots, u64 *since_ns,
		      char *reason)
{
	/* Pairs with mint_report_state() in the node */
	if (virt_load_acquire(&record->state) != MINT_STATE_RUNNING)
		return false;
	*since_ns = READ_ONCE(record->since_ns);
	mint_copy_line(reason, record->reason, MINT_REASON_LEN);
	/* Pairs with mint_restart(): it leaves RUNNING, then it counts */
	virt_rmb();
	return READ_ONCE(record->state) == MINT_STATE_RUNNING &&
	       READ_ONCE(record->boots) == boots;
}

/**
 * mint_heart_reset() - begin to watch a heartbeat
 * @heart:	of whom
 * @count:	beats so far
 * @now:	jiffies
 *
 * Context: any; nobody else looks at the same time.
 */
void mint_heart_reset(struct mint_heart *heart, u64 count, unsigned long now)
{
	heart->count = count;
	heart->polled_at = now;
	heart->still_ms = 0;
}

/**
 * mint_heart_poll() - count the time without a heartbeat
 * @heart:	of whom
 * @count:	beats so far
 * @now:	jiffies
 * @period_ms:	how often it is looked at, if all goes well
 *
 * Time in which nobody looked says nothing of a heart: the whole machine may
 * have stood still (SMI, a hypervisor or an emulator that was stopped, a
 * debugger), and the kernel that polls is just the first to go on. So each poll
 * counts for two periods at the most, and a heart is only called still by
 * several looks between which this kernel itself ran.
 *
 * Context: any; nobody else looks at the same time.
 * Return: true if it has beaten since the last look; else @heart->still_ms has
 * grown.
 */
bool mint_heart_poll(struct mint_heart *heart, u64 count, unsigned long now,
		     unsigned int period_ms)
{
	unsigned int ms = jiffies_to_msecs(now - heart->polled_at);

	if (count != heart->count) {
		mint_heart_reset(heart, count, now);
		return true;
	}
	heart->polled_at = now;
	ms = min(ms, 2 * period_ms);
	if (heart->still_ms < UINT_MAX - ms)
		heart->still_ms += ms;
	return false;
}
