// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: bells.
 *
 * Owns the interrupts by which one node calls another, and the words that say
 * why. A node takes its bells on one core and publishes which. Each core has a
 * word of causes: the caller sets a bit, and sends an interrupt only if it was
 * clear; the core takes all bits at once and looks at what they name. So a
 * caller that rings faster than it is heard costs one interrupt, and no bell
 * makes a node look at what it does not name. Node 0, which many may call, has a
 * row of bits for each cause that says who did.
 *
 * An interrupt may get lost: with a core that goes offline, or in a local APIC
 * that is busy. The heartbeat takes the causes, too, so that costs a beat.
 *
 * A caller may be delayed between reading which core takes the bells and ringing it,
 * and the node may publish another core meanwhile. So the caller reads that again
 * after it has rung, and rings the other core, too.
 *
 * A kernel from before version 1.4 of the ABI neither sets nor takes causes. It
 * is rung at its boot core with every call, and its own call, an interrupt
 * without a cause, makes this node look at everything.
 */

#include <linux/bitmap.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/find.h>
#include <linux/init.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>

#include <kunit/visibility.h>

#include <asm/hw_irq.h>
#include <asm/sync_bitops.h>

#include "area.h"

static mint_bell_fn listeners[MINT_BELL_COUNT];

/* A caller that has read the old APIC ID rings there within so many beats */
#define BEFORE_BEATS	2

/*
 * The words of the core that has the bells now, and, for some beats, the one that had
 * them before, as long as it is this node's.
 */
static struct mint_bell *own;
static struct mint_core *before;
static unsigned int before_beats;
/* CPU and core of @own; for init and CPU hotplug */
static unsigned int own_cpu = -1;
static struct mint_core *own_core;

/**
 * mint_bell_listen() - look at what a cause names
 * @cause:	MINT_BELL_*
 * @heard:	called with the number of the node that rang, or with
 *		MINT_BELL_ANYONE where that is not known; interrupts are off
 *
 * A cause without a listener is dropped. What it was about is found with the
 * heartbeat, or by a first look of the listener.
 *
 * Context: init.
 */
void __init mint_bell_listen(u32 cause, mint_bell_fn heard)
{
	WRITE_ONCE(listeners[cause], heard);
}

/**
 * mint_bell_set() - leave a cause
 * @bell:	of the core that is called
 * @cause:	MINT_BELL_*
 *
 * What was written before is seen by who takes the cause.
 *
 * Context: any, NMI included.
 * Return: true if an interrupt has to say so.
 */
VISIBLE_IF_KUNIT bool mint_bell_set(struct mint_bell *bell, u32 cause)
{
	return !sync_test_and_set_bit(cause, (unsigned long *)&bell->causes);
}
EXPORT_SYMBOL_IF_KUNIT(mint_bell_set);

/**
 * mint_bell_take() - take all causes
 * @bell:	of a core of this node
 *
 * Context: any.
 * Return: a bit for each cause; what is no cause is gone.
 */
VISIBLE_IF_KUNIT unsigned long mint_bell_take(struct mint_bell *bell)
{
	if (!READ_ONCE(bell->causes))
		return 0;
	/* Orders as mint_bell_set(): what the cause names is looked at later */
	return xchg(&bell->causes, 0) & GENMASK(MINT_BELL_COUNT - 1, 0);
}
EXPORT_SYMBOL_IF_KUNIT(mint_bell_take);

static void tell_listener(u32 cause, u32 n)
{
	mint_bell_fn heard = READ_ONCE(listeners[cause]);

	if (heard)
		heard(n);
}

/* Node 0 hears of each cause who rang; the words are the peers' to write */
static void hear_callers(u32 cause)
{
	unsigned long *row = mint_bell_callers(cause), word;
	u32 base, count = mint_layout.nodes.count;
	unsigned int bit;

	for (base = 0; row && base < count; base += BITS_PER_LONG, row++) {
		if (!READ_ONCE(*row))
			continue;
		word = xchg(row, 0);
		for_each_set_bit(bit, &word, min(BITS_PER_LONG, count - base))
			tell_listener(cause, base + bit);
	}
}

static void hear(struct mint_bell *bell)
{
	unsigned long causes;
	unsigned int cause;

	if (!bell)
		return;
	causes = mint_bell_take(bell);
	for_each_set_bit(cause, &causes, MINT_BELL_COUNT) {
		if (mint_role == MINT_PREDECESSOR)
			hear_callers(cause);
		else
			tell_listener(cause, 0);
	}
}

/**
 * mint_bell_poll() - take the causes of bells that got lost
 *
 * Context: any but NMI; called by the heartbeat.
 */
void mint_bell_poll(void)
{
	struct mint_core *old;
	unsigned long flags;

	local_irq_save(flags);
	old = READ_ONCE(before);
	/* A core that has moved away may have the bells of its new owner by now */
	if (old && READ_ONCE(old->owner) == mint_self)
		hear(mint_bell(mint_core_index(old)));
	/* Unless move_bells() has just put another one there */
	if (old && before_beats++ == BEFORE_BEATS)
		cmpxchg(&before, old, NULL);
	hear(READ_ONCE(own));
	local_irq_restore(flags);
}

/* The interrupt. The heartbeat may have been here first. */
static void bell_interrupt(void)
{
	struct mint_bell *bell = READ_ONCE(own);
	unsigned int cause;

	if (bell && READ_ONCE(bell->causes)) {
		hear(bell);
		return;
	}
	/* Nothing says why: by a kernel that does not know how to */
	for (cause = 0; cause < MINT_BELL_COUNT; cause++)
		tell_listener(cause, MINT_BELL_ANYONE);
}

/**
 * mint_bell_core() - the core on which a node takes its bells
 * @n:	number of the node
 *
 * It is what the node has published; the caller checks whose the core is.
 *
 * Context: any.
 * Return: its record; NULL if the node does not say, or names no core.
 */
struct mint_core *mint_bell_core(u32 n)
{
	const u32 *place = mint_bell_place(n);

	return place ? mint_core_find(READ_ONCE(*place)) : NULL;
}

/**
 * mint_bell_ring() - ring at a core
 * @core:	from mint_bell_core(), and checked
 * @cause:	MINT_BELL_*
 *
 * All that was written before is visible to who hears it.
 *
 * Context: as mint_send_ipi().
 */
void mint_bell_ring(struct mint_core *core, u32 cause)
{
	if (mint_bell_set(mint_bell(mint_core_index(core)), cause))
		mint_doorbell(mint_apic_id(core));
}

/**
 * mint_bell_ring_node0() - tell node 0 that there is something to look at
 * @cause:	MINT_BELL_*
 *
 * Rings again if node 0 publishes another core meanwhile, as mint_bell_try_ring_node().
 *
 * Context: successor, as mint_send_ipi().
 */
void mint_bell_ring_node0(u32 cause)
{
	struct mint_core *core, *now;
	unsigned long *callers;
	u32 tries = 0;

	/* A kernel that dies early may not have mapped its local APIC yet */
	if (!mint_common_mapped())
		return;
	callers = mint_bell_callers(cause);
	if (callers)
		sync_set_bit(mint_self, callers);
	now = mint_bell_core(0);
	do {
		core = now;
		if (core && !READ_ONCE(core->owner))
			mint_bell_ring(core, cause);
		else
			mint_doorbell(mint_layout.bsp_apic_id);
		now = mint_bell_core(0);
	} while (now != core && ++tries < MINT_BELL_TRIES);
}

/**
 * mint_bell_forget() - nobody takes the bells of a node any more
 * @n:	number of a node of which nothing runs, or of this one as it leaves
 *
 * Until its kernel says otherwise it is rung at its boot core.
 *
 * Context: any.
 */
void mint_bell_forget(u32 n)
{
	u32 *place = mint_bell_place(n);

	if (place)
		WRITE_ONCE(*place, MINT_BELL_NOWHERE);
}

/* Take the bells on a core, which is as good as any that is not kept quiet */
static void move_bells(unsigned int cpu)
{
	u32 *place = mint_bell_place(mint_self);
	struct mint_core *core = mint_core_find(cpu_physical_id(cpu));
	struct mint_bell *bell = core ? mint_bell(mint_core_index(core)) : NULL;

	if (!bell || !place)
		return;
	own_cpu = cpu;
	/* The bells may have moved a few beats ago: @before is looked at no more after this */
	mint_bell_poll();
	before_beats = 0;
	WRITE_ONCE(before, own_core);
	own_core = core;
	WRITE_ONCE(own, bell);
	WRITE_ONCE(*place, cpu_physical_id(cpu));
	/* A bit that stood there already would keep the next interrupt away */
	mint_bell_poll();
}

static int bell_cpu_offline(unsigned int cpu)
{
	const struct cpumask *mask = housekeeping_cpumask(HK_TYPE_TIMER);
	unsigned int other;

	if (cpu != own_cpu)
		return 0;
	for_each_cpu_and(other, cpu_online_mask, mask)
		if (other != cpu)
			break;
	if (other >= nr_cpu_ids)
		other = cpumask_any_but(cpu_online_mask, cpu);
	if (other < nr_cpu_ids)
		move_bells(other);
	return 0;
}

/**
 * mint_bell_init() - begin to hear
 *
 * Context: early initcall, common area mapped, before other CPUs are online.
 */
void __init mint_bell_init(void)
{
	if (mint_role == MINT_PREDECESSOR) {
		u32 n;

		for (n = 0; mint_node(n); n++)
			mint_bell_forget(n);
	}
	x86_platform_ipi_callback = bell_interrupt;
	move_bells(smp_processor_id());
}

/* Once all CPUs are there: cores without timers are to stay undisturbed */
static int __init mint_bell_settle(void)
{
	const struct cpumask *mask = housekeeping_cpumask(HK_TYPE_TIMER);
	unsigned int cpu;
	int err;

	if (!own)
		return 0;
	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "x86/mint:bell",
					NULL, bell_cpu_offline);
	if (err < 0)
		return err;
	cpus_read_lock();
	cpu = cpumask_first_and(cpu_online_mask, mask);
	if (!cpumask_test_cpu(own_cpu, mask) && cpu < nr_cpu_ids)
		move_bells(cpu);
	cpus_read_unlock();
	return 0;
}
device_initcall(mint_bell_settle);
