// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: how a node ends.
 *
 * Owns every way out. A successor replaces all of machine_ops: it takes its
 * own entries out of the I/O APICs, stills its devices, parks its cores and
 * says so; it never touches what would reset the machine. Node 0 sees the
 * word, waits for all cores in the park loop, and takes everything back.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include <asm/apic.h>
#include <asm/irq.h>
#include <asm/mce.h>
#include <asm/reboot.h>

#include "mint.h"

#define REAP_PERIOD_MS		1000
#define REAP_SOON_MS		20
#define REBOOT_BOUND_MS		30000
#define POWEROFF_AGAIN_MS	15000
#define PARK_BOUND_MS		2000

static bool panicked;

static void __noreturn park_self(void)
{
	disable_local_APIC();
	mcheck_cpu_clear(this_cpu_ptr(&cpu_info));
	mint_park();
	for (;;)
		native_halt();
}

/* The end of a successor, from whichever way it came, however early */
static void __noreturn end(u32 state)
{
	local_irq_disable();
	/* In VMX operation, or with SVM's GIF off, a core is deaf to INIT */
	cpu_emergency_disable_virtualization();

	/* An emergency may come with reboot_force, which would leave them on */
	reboot_force = 0;
	smp_ops.stop_other_cpus(0);

	if (mint_own_node()) {
		mint_pci_quiet();
		mint_pins_clear();
		WRITE_ONCE(mint_own_node()->state, state);
		/* Node 0 looks once a second; the doorbell makes it look now */
		mint_doorbell(mint_layout.bsp_apic_id);
	}
	park_self();
}

static u32 end_state(void)
{
	return panicked ? MINT_STATE_PANICKED : MINT_STATE_ENDED;
}

static void successor_power_off(void)
{
	end(end_state());
}

static void successor_restart(char *cmd)
{
	pr_notice("a successor restarts by being launched again: node %u ends\n",
		  mint_self);
	end(end_state());
}

static void successor_emergency_restart(void)
{
	end(end_state());
}

static void successor_shutdown(void)
{
	pr_notice("node %u ends instead of starting another kernel in its place\n",
		  mint_self);
	end(end_state());
}

#ifdef CONFIG_CRASH_DUMP
static void successor_crash_shutdown(struct pt_regs *regs)
{
	end(MINT_STATE_PANICKED);
}
#endif

/* After all others; the restart that follows is the end of the node */
static int successor_panic(struct notifier_block *nb, unsigned long event,
			   void *text)
{
	panicked = true;
	if (!panic_timeout)
		panic_timeout = -1;
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = {
	.notifier_call	= successor_panic,
	.priority	= INT_MIN,
};

static void poweroff_work(struct work_struct *work)
{
	pr_info("node 0 asks for power-off\n");
	orderly_poweroff(true);
}

static DECLARE_WORK(poweroff, poweroff_work);
static unsigned long poweroff_again;

/**
 * mint_end_poll() - serve what node 0 asks of this node
 *
 * A request stands until the node has ended. Who is asked before init can
 * listen would forget it, so it is passed on again from time to time.
 *
 * Context: any; called by the heartbeat and by the doorbell.
 */
void mint_end_poll(void)
{
	if (mint_role != MINT_SUCCESSOR ||
	    READ_ONCE(mint_own_node()->request) != MINT_REQUEST_POWEROFF ||
	    system_state != SYSTEM_RUNNING ||
	    (poweroff_again && time_before(jiffies, poweroff_again)))
		return;
	poweroff_again = jiffies + msecs_to_jiffies(POWEROFF_AGAIN_MS);
	schedule_work(&poweroff);
}

/* When a node was first seen to have ended without all cores parked */
static unsigned long unparked_since[MINT_NODE_MAX];

/* Some core does not come: its kernel is gone, take it from it */
static void reset_unparked(u32 n)
{
	struct mint_core *core;
	u32 i;

	for (i = 0; (core = mint_core(i)); i++) {
		if (READ_ONCE(core->owner) != n ||
		    READ_ONCE(core->state) == MINT_CORE_PARKED ||
		    READ_ONCE(core->state) == MINT_CORE_UNUSED)
			continue;
		pr_warn("APIC ID %u of node %u does not park, reset by INIT\n",
			mint_apic_id(core), n);
		mint_core_reset(core);
	}
}

static bool all_parked(u32 n)
{
	struct mint_core *core;
	u32 i;

	for (i = 0; (core = mint_core(i)); i++)
		if (READ_ONCE(core->owner) == n &&
		    READ_ONCE(core->state) != MINT_CORE_PARKED &&
		    READ_ONCE(core->state) != MINT_CORE_UNUSED)
			return false;
	return true;
}

static void reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(reaper, reap);

static void reap(struct work_struct *work)
{
	unsigned int wait = REAP_PERIOD_MS;
	u32 n, state;

	for (n = 0; mint_node(n); n++) {
		if (n == mint_self || !mint_claim(n))
			continue;
		state = READ_ONCE(mint_node(n)->state);
		if (state != MINT_STATE_ENDED && state != MINT_STATE_PANICKED)
			continue;
		if (!all_parked(n)) {
			/* On their way, mostly a few microseconds from it */
			wait = REAP_SOON_MS;
			if (!unparked_since[n])
				unparked_since[n] = jiffies ?: 1;
			if (time_before(jiffies, unparked_since[n] +
					msecs_to_jiffies(PARK_BOUND_MS)))
				continue;
			reset_unparked(n);
		}
		unparked_since[n] = 0;
		pr_info("node %u has %s, its cores are parked\n", n,
			state == MINT_STATE_ENDED ? "ended" : "panicked");
		mint_release(n);
	}
	schedule_delayed_work(&reaper, msecs_to_jiffies(wait));
}

/* Somebody rang: a successor has ended, or node 0 wants something */
static void doorbell(void)
{
	if (mint_role == MINT_PREDECESSOR)
		mod_delayed_work(system_wq, &reaper, 0);
	else
		mint_end_poll();
}

/**
 * mint_end_request() - ask a successor to power itself off
 * @n:	number of the node
 *
 * Context: predecessor, process.
 * Return: 0; -ESRCH if it does not run.
 */
int mint_end_request(u32 n)
{
	const struct mint_node *claim = mint_claim(n);
	struct mint_node *node = mint_node(n);
	unsigned long flags;

	if (!claim || n == mint_self ||
	    READ_ONCE(node->state) != MINT_STATE_RUNNING)
		return -ESRCH;
	WRITE_ONCE(node->request, MINT_REQUEST_POWEROFF);
	local_irq_save(flags);
	mint_doorbell(claim->boot_apic_id);
	local_irq_restore(flags);
	return 0;
}

/* A successor that was started and is not yet taken back */
static bool any_successor(u32 *n)
{
	for (*n = 0; mint_node(*n); (*n)++)
		if (*n != mint_self && mint_claim(*n) &&
		    READ_ONCE(mint_node(*n)->state) != MINT_STATE_LOADED)
			return true;
	return false;
}

/*
 * Node 0 reboots, powers off or loads another kernel in its place: the others
 * are asked to end first. Who does not is left behind with a word.
 */
static int predecessor_reboot(struct notifier_block *nb, unsigned long event,
			      void *cmd)
{
	unsigned long bound = jiffies + msecs_to_jiffies(REBOOT_BOUND_MS);
	u32 n;

	for (n = 0; mint_node(n); n++)
		if (!mint_end_request(n))
			pr_info("node %u is asked to end first\n", n);
	while (any_successor(&n)) {
		if (time_after(jiffies, bound)) {
			pr_err("node %u does not end, it goes down with the machine\n", n);
			break;
		}
		mod_delayed_work(system_wq, &reaper, 0);
		msleep(20);
	}
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = {
	.notifier_call	= predecessor_reboot,
	.priority	= INT_MAX,
};

/* Sleep is the machine's, and what is lent is in no hibernation image */
static int refuse_sleep(struct notifier_block *nb, unsigned long event,
			void *data)
{
	u32 n;

	if (event != PM_SUSPEND_PREPARE && event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	if (mint_role == MINT_SUCCESSOR) {
		pr_err("a successor cannot put the machine to sleep\n");
		return notifier_from_errno(-EPERM);
	}
	for (n = 0; mint_node(n); n++) {
		if (n == mint_self || !mint_claim(n))
			continue;
		pr_err("sleep would stop node %u: end or unload it first\n", n);
		return notifier_from_errno(-EBUSY);
	}
	return NOTIFY_DONE;
}

static struct notifier_block suspend_block = {
	.notifier_call = refuse_sleep,
};

/**
 * mint_end_setup_early() - no way out of a successor reaches the machine
 *
 * Context: successor, setup_arch().
 */
void __init mint_end_setup_early(void)
{
	/* Without it, power-off is taken for a halt */
	pm_power_off = successor_power_off;
	machine_ops.power_off		= successor_power_off;
	machine_ops.halt		= successor_power_off;
	machine_ops.shutdown		= successor_shutdown;
	machine_ops.restart		= successor_restart;
	machine_ops.emergency_restart	= successor_emergency_restart;
#ifdef CONFIG_CRASH_DUMP
	machine_ops.crash_shutdown	= successor_crash_shutdown;
#endif
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}

/**
 * mint_end_setup() - listen to the other nodes, refuse sleep
 *
 * Context: early initcall, common area mapped.
 */
void __init mint_end_setup(void)
{
	x86_platform_ipi_callback = doorbell;
	register_pm_notifier(&suspend_block);
	if (mint_role != MINT_PREDECESSOR)
		return;
	register_reboot_notifier(&reboot_block);
	schedule_delayed_work(&reaper, msecs_to_jiffies(REAP_PERIOD_MS));
}
