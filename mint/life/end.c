// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: how a successor ends.
 *
 * Owns every way out of one. It replaces all of machine_ops: the node takes
 * its own entries out of the I/O APICs, stills its devices, parks its cores and
 * says so, or starts again in its own memory (restart.c); it never touches what
 * would reset the machine. What node 0 asks for is served here, too.
 */

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/nmi.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/mce.h>
#include <asm/reboot.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../kind/kind.h"
#include "../talk/talk.h"
#include "life.h"

#define ASK_AGAIN_MS		15000
#define RETURN_SLACK_MS		10000
#define RETURN_MAX_S		3600
#define TAKE_OVER_BOUND_US	10000

static atomic_t ending = ATOMIC_INIT(-1);	/* CPU that does it */
static bool panicked, returns;
static char last_words[MINT_REASON_LEN] = "crash";

static void __noreturn park_self(void)
{
	disable_local_APIC();
	mcheck_cpu_clear(this_cpu_ptr(&cpu_info));
	mint_park();
	for (;;)
		native_halt();
}

/*
 * Take over from the core that began with the end of the node. A core that panics stops
 * all others, that one included, before it comes here itself. If it did not go on in
 * its place, nobody would report that the node is over. A core that was stopped is
 * offline and parks within moments; one that does neither is still at work.
 */
static bool take_over(int first, int self)
{
	const struct mint_node *node = mint_own_node();
	const struct mint_core *core;
	int us;

	if (cpu_online(first) || !node || READ_ONCE(node->state) == MINT_STATE_ENDED)
		return false;
	core = mint_core_find(cpu_physical_id(first));
	for (us = 0; core && !mint_core_parked(core); us++) {
		if (us == TAKE_OVER_BOUND_US)
			return false;
		udelay(1);
	}
	return core && atomic_try_cmpxchg(&ending, &first, self);
}

/* Leave the kernel, from whichever way it came, however early */
static void __noreturn end(bool again, const char *why)
{
	int first = -1, self = raw_smp_processor_id();

	local_irq_disable();
	/* One core does it; another one that comes here is stopped like all others */
	if (!atomic_try_cmpxchg(&ending, &first, self) && first != self &&
	    !take_over(first, self)) {
		mint_skip_wbinvd();
		stop_this_cpu(NULL);
	}

	/* The new kernel of an own reboot has no handler for them at first */
	hw_breakpoint_disable();
	/*
	 * In VMX operation, or with SVM's GIF off, a core is deaf to INIT (Intel
	 * SDM vol. 3, 24.8 "Restrictions on VMX Operation"; AMD APM vol. 2, 15.17
	 * "Global Interrupt Flag, STGI and CLGI Instructions").
	 */
	cpu_emergency_disable_virtualization();

	/* With reboot_force, as of an emergency, the other cores would not be stopped */
	reboot_force = 0;
	smp_ops.stop_other_cpus(0);

	if (mint_own_node()) {
		mint_kinds_quiet();
		mint_log_last();
		/* A request of node 0 comes before an own reboot */
		if (again && !READ_ONCE(mint_own_node()->request) &&
		    mint_restart_ready()) {
			disable_local_APIC();
			mint_restart();
		}
		mint_own_node()->returns_ms = 0;
		if (panicked)
			mint_report_state(MINT_STATE_PANICKED, "%s", last_words);
		else
			mint_report_state(MINT_STATE_ENDED, "%s", why);
	}
	park_self();
}

static void successor_power_off(void)
{
	end(false, "powered off");
}

static void successor_halt(void)
{
	end(false, "halted");
}

static void successor_restart(char *cmd)
{
	end(true, "rebooted");
}

/* sysrq-b, and the end of a panic */
static void successor_emergency_restart(void)
{
	end(!panicked || returns, "rebooted at once");
}

/* kexec -e of an image that was loaded as on a stock kernel */
static void successor_shutdown(void)
{
	pr_err("an image for this node is loaded by kexec --mint-reboot: node %u ends instead\n",
	       mint_self);
	end(false, "kexec of an image that has no hand-over");
}

#ifdef CONFIG_CRASH_DUMP
static void successor_crash_shutdown(struct pt_regs *regs)
{
	panicked = true;
	end(false, "");
}
#endif

/*
 * After all others; the restart that follows is the end of the node, or its
 * own reboot if panic= asks for one.
 */
static int successor_panic(struct notifier_block *nb, unsigned long event,
			   void *text)
{
	struct mint_node *node = mint_own_node();

	panicked = true;
	returns = panic_timeout && mint_restart_kept();
	if (!panic_timeout)
		panic_timeout = -1;
	scnprintf(last_words, sizeof(last_words), "panic: %s", (char *)text);
	/*
	 * A node that does not return says so in end(), with its cores stopped. Twice
	 * the time: a virtual core may be late for every step of the wait.
	 */
	if (returns && node) {
		WRITE_ONCE(node->returns_ms, RETURN_SLACK_MS +
			   clamp(panic_timeout, 0, RETURN_MAX_S) * 2000);
		mint_report_state(MINT_STATE_PANICKED, "%s", last_words);
	}
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = {
	.notifier_call	= successor_panic,
	.priority	= INT_MIN,
};

/* The bell of a request to park was not heard: node 0 sends an NMI to each core */
static int successor_nmi(unsigned int type, struct pt_regs *regs)
{
	if (READ_ONCE(mint_own_node()->request) != MINT_REQUEST_PARK)
		return NMI_DONE;
	cpu_emergency_disable_virtualization();
	mint_skip_wbinvd();
	stop_this_cpu(NULL);
}

static void poweroff_work(struct work_struct *work)
{
	pr_info("node 0 asks for power-off\n");
	orderly_poweroff(true);
}

static DECLARE_WORK(poweroff, poweroff_work);
static unsigned long poweroff_again;

static void reboot_work(struct work_struct *work)
{
	pr_info("node 0 asks for a reboot\n");
	orderly_reboot();
}

static DECLARE_WORK(reboot, reboot_work);
static unsigned long reboot_again;
static u32 reboots_seen __ro_after_init;

/* Since this kernel has started */
static bool reboot_wanted(void)
{
	const struct mint_life *life = mint_life(mint_self);

	return life && READ_ONCE(life->reboots) != reboots_seen;
}

/* Init may not listen yet: once it runs, now and then */
static void ask_init(struct work_struct *work, unsigned long *again)
{
	if (system_state != SYSTEM_RUNNING ||
	    (*again && time_before(jiffies, *again)))
		return;
	*again = jiffies + msecs_to_jiffies(ASK_AGAIN_MS);
	schedule_work(work);
}

/**
 * mint_end_poll() - serve what node 0 asks of this node
 *
 * A request stands until the node has ended. Who is asked before init can
 * listen would forget it, so it is passed on again from time to time.
 *
 * Context: hard or soft interrupt; called by the heartbeat and by the bell.
 */
void mint_end_poll(void)
{
	if (mint_role != MINT_SUCCESSOR)
		return;

	switch (READ_ONCE(mint_own_node()->request)) {
	case MINT_REQUEST_PARK:
		end(false, "parked on request of node 0");
	case MINT_REQUEST_POWEROFF:
		ask_init(&poweroff, &poweroff_again);
		break;
	case MINT_REQUEST_NONE:
		if (reboot_wanted())
			ask_init(&reboot, &reboot_again);
	}
}

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
	machine_ops.halt		= successor_halt;
	machine_ops.shutdown		= successor_shutdown;
	machine_ops.restart		= successor_restart;
	machine_ops.emergency_restart	= successor_emergency_restart;
#ifdef CONFIG_CRASH_DUMP
	machine_ops.crash_shutdown	= successor_crash_shutdown;
#endif
	/* An NMI would halt them where nobody can restart this node */
	smp_ops.crash_stop_other_cpus = NULL;
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}

/**
 * mint_end_setup() - listen to what node 0 asks for
 *
 * Context: successor, early initcall, common area mapped, before this node says
 *	    that it runs.
 */
void __init mint_end_setup(void)
{
	const struct mint_life *life = mint_life(mint_self);

	/* What was asked of the kernel before this one is done */
	if (life)
		reboots_seen = READ_ONCE(life->reboots);
	register_nmi_handler(NMI_LOCAL, successor_nmi, NMI_FLAG_FIRST, "mint");
}
