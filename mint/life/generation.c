// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the count of changes of nodes.
 *
 * Owns a number that differs after each change: nodes come and go, change their
 * state or what they own. Node 0 is where that is known: it counts in the common
 * area. A successor looks there with its heartbeat, finds by the records which nodes
 * have come and gone, and announces that to its own listeners.
 */

#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../own/own.h"
#include "life.h"

static u32 count;
static DEFINE_SPINLOCK(count_lock);
static void (*on_change)(void);

/* A successor: the count of node 0, and the states of the others, at the last look */
static u32 seen_count;
static u32 *seen_states;

/**
 * mint_generation() - how often has something changed about nodes?
 *
 * Context: any.
 * Return: a count; it differs after each change.
 */
u32 mint_generation(void)
{
	return READ_ONCE(count);
}

/**
 * mint_generation_listen() - be told of each change
 * @changed:	called then; may sleep
 *
 * Context: init, once.
 */
void __init mint_generation_listen(void (*changed)(void))
{
	on_change = changed;
}

/**
 * mint_generation_count() - something has changed
 *
 * Context: process; may sleep.
 */
void mint_generation_count(void)
{
	scoped_guard(spinlock, &count_lock) {
		WRITE_ONCE(count, count + 1);
		if (mint_role == MINT_PREDECESSOR)
			/* Pairs with mint_generation_poll(): the change first */
			virt_store_release(&mint_common->generation, count);
	}
	if (on_change)
		on_change();
}

/* Node @n is in a state of which its record tells; true once that is announced */
static bool announce(u32 n, u32 old, u32 state)
{
	if (!old)
		return !mint_node_announce(n, MINT_NODE_ADDED);
	mint_node_announce(n, MINT_NODE_STATE);
	if (!state)
		mint_node_announce(n, MINT_NODE_GONE);
	return true;
}

static void look(struct work_struct *work)
{
	u32 n, state;

	for (n = 1; n < mint_layout.nodes.count; n++) {
		state = READ_ONCE(mint_node(n)->state);
		if (!mint_state_alive(state))
			state = MINT_STATE_NONE;
		if (n != mint_self && state != seen_states[n] &&
		    announce(n, seen_states[n], state))
			seen_states[n] = state;
	}
	/* What a node owns may have changed, of which nobody tells */
	mint_generation_count();
}

static DECLARE_WORK(look_work, look);

/**
 * mint_generation_poll() - a successor looks whether node 0 has counted
 *
 * Context: the heartbeat.
 */
void mint_generation_poll(void)
{
	u32 now;

	/* Pairs with mint_generation_init() */
	if (!smp_load_acquire(&seen_states))
		return;
	/* Pairs with mint_generation_count() in node 0 */
	now = virt_load_acquire(&mint_common->generation);
	if (now == seen_count)
		return;
	seen_count = now;
	schedule_work(&look_work);
}

static int on_node(struct notifier_block *nb, unsigned long what, void *data)
{
	mint_generation_count();
	return NOTIFY_DONE;
}

/* After all others: who reads what has changed finds it */
static struct notifier_block node_block = {
	.notifier_call	= on_node,
	.priority	= -1,
};

/* Listeners of all kinds are there */
static int __init mint_generation_init(void)
{
	u32 *states;

	if (!mint_own_node())
		return 0;
	mint_node_listen(&node_block);
	if (mint_role != MINT_SUCCESSOR || !mint_layout.loads.count)
		return 0;
	states = kcalloc(mint_layout.nodes.count, sizeof(*states), GFP_KERNEL);
	if (!states)
		return -ENOMEM;
	/* Look once in any case */
	seen_count = READ_ONCE(mint_common->generation) - 1;
	/* Pairs with mint_generation_poll() */
	smp_store_release(&seen_states, states);
	return 0;
}
late_initcall(mint_generation_init);
