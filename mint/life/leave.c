// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: node 0 leaves, or would like to sleep, while successors live.
 *
 * Owns what happens to them then. Reboot, power-off and kexec of node 0 take
 * the machine with them: the successors are asked to end first, or the system
 * call is refused, as mint.leave= says. Nobody waits for who cannot hear it,
 * and no kernel follows this one while cores of others may still run. A panic
 * of node 0 ends nobody. Sleep is the machine's, and what is lent is in no
 * hibernation image: refused, in every node.
 */

#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kexec.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include <asm/reboot.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "life.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

/* Longer than one step of taking a node back may last: PROVE_BOUND_MS in stop.c */
#define STEP_BOUND_MS		15000
#define BUSY_TRIES		100

static bool refuse_to_leave;
static bool leaving;		/* under mint_claims_lock */

/* Who was asked to end first; no number changes hands meanwhile */
static DECLARE_BITMAP(asked, MINT_NODE_MAX);

static void (*stock_shutdown)(void) __ro_after_init;

static int leave_set(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "ask"))
		refuse_to_leave = false;
	else if (sysfs_streq(val, "refuse"))
		refuse_to_leave = true;
	else
		return -EINVAL;
	return 0;
}

static int leave_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", refuse_to_leave ? "refuse" : "ask");
}

static const struct kernel_param_ops leave_ops = {
	.set	= leave_set,
	.get	= leave_get,
};

/* mint.leave=ask|refuse: what node 0 does when it goes down */
module_param_cb(leave, &leave_ops, NULL, 0644);

/* A successor that was started and is not yet taken back */
static bool any_successor(u32 *n)
{
	for (*n = 1; mint_node(*n); (*n)++)
		if (mint_claim(*n) && mint_state(*n) >= MINT_STATE_STARTING)
			return true;
	return false;
}

static bool any_quarantine(u32 *n)
{
	for (*n = 1; mint_node(*n); (*n)++)
		if (mint_quarantined(*n))
			return true;
	return false;
}

/**
 * mint_may_reboot() - may this kernel leave by reboot(2)?
 * @cmd:	LINUX_REBOOT_CMD_*
 *
 * Context: system call, permissions checked.
 * Return: 0; -EBUSY in node 0 while successors live and mint.leave=refuse, and
 * to kexec while cores of one are not proven parked: they would run on under
 * the next kernel, which knows nothing of them. A reset stops them.
 */
int mint_may_reboot(unsigned int cmd)
{
	u32 n;

	switch (cmd) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
	case LINUX_REBOOT_CMD_KEXEC:
		break;
	default:
		return 0;
	}
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	if (cmd == LINUX_REBOOT_CMD_KEXEC && any_quarantine(&n)) {
		pr_err("node %u is in quarantine, its cores may write to what the next kernel uses: echo force > /sys/kernel/mint/nodes/%u/stop, or reset the machine (reboot)\n",
		       n, n);
		return -EBUSY;
	}
	if (!READ_ONCE(refuse_to_leave) || !any_successor(&n))
		return 0;
	pr_err("node %u lives and would go down with this one: end it first (echo ask > /sys/kernel/mint/nodes/%u/stop), or set mint.leave=ask\n",
	       n, n);
	return -EBUSY;
}

static void stop_hard(u32 n)
{
	int err, tries = 0;

	if (test_bit(n, asked))
		pr_err("node %u does not end by itself\n", n);
	else
		pr_err("node %u is %s and was not asked\n", n,
		       mint_state_name(mint_state(n)));
	/* Another operation may be taking it back right now */
	while ((err = mint_stop(n, MINT_STOP_PARK)) == -EBUSY &&
	       tries++ < BUSY_TRIES && mint_claim_wait_unlocked(n, STEP_BOUND_MS))
		;
	if (err && err != -ESRCH && mint_stop(n, MINT_STOP_FORCE))
		pr_err("node %u goes down with the machine\n", n);
}

/*
 * Ask all who can hear it. One that was silent or about to reboot after a panic
 * is asked once it is back; nobody waits for it until then.
 *
 * Return: true while somebody is on the way out.
 */
static bool ask_all(void)
{
	bool wait = false;
	u64 incarnation;
	u32 n;

	for (n = 1; mint_node(n); n++) {
		if (!mint_request(n, MINT_REQUEST_POWEROFF, &incarnation)) {
			wait = true;
			if (!test_and_set_bit(n, asked))
				pr_info("node %u is asked to end first\n", n);
		}
		if (mint_claim(n) && mint_state(n) == MINT_STATE_ENDING)
			wait = true;
	}
	return wait;
}

/*
 * The others are asked to end first. Who does not is parked, so that it leaves
 * its devices quiet, and has that said of it.
 */
static int predecessor_reboot(struct notifier_block *nb, unsigned long event,
			      void *cmd)
{
	u32 n;

	scoped_guard(mint_claims)
		leaving = true;
	wait_event_timeout(mint_state_wait, !ask_all(), mint_ask_bound());
	for (n = 1; mint_node(n); n++)
		if (mint_claim(n) && mint_state(n) >= MINT_STATE_STARTING)
			stop_hard(n);
	return NOTIFY_DONE;
}

/*
 * A notifier cannot stop a kexec that is under way. If somebody could not be
 * stopped, the machine is reset where the next kernel would be started.
 */
static void predecessor_shutdown(void)
{
	static bool resetting;
	u32 n;

	if (kexec_in_progress && !resetting && any_successor(&n)) {
		resetting = true;	/* the restart comes here, too */
		pr_emerg("node %u cannot be stopped and may write to what the next kernel uses: the machine is reset instead\n",
			 n);
		machine_ops.restart(NULL);
	}
	stock_shutdown();
}

static struct notifier_block reboot_block = {
	.notifier_call	= predecessor_reboot,
	.priority	= INT_MAX,
};

/* The restart that may follow a panic would be the machine's */
static int predecessor_panic(struct notifier_block *nb, unsigned long event,
			     void *text)
{
	u32 n;

	mint_report_state(MINT_STATE_PANICKED, "panic: %s", (char *)text);
	if (!any_successor(&n))
		return NOTIFY_DONE;
	if (panic_timeout) {
		pr_emerg("no restart: node %u and perhaps others run on\n", n);
		panic_timeout = 0;
	}
	mint_lines_after_panic();
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = {
	.notifier_call	= predecessor_panic,
	.priority	= INT_MIN,
};

/**
 * mint_leaving() - is this machine about to sleep or to go down?
 *
 * Context: predecessor, under mint_claims_lock.
 * Return: true if no launch may begin.
 */
bool mint_leaving(void)
{
	mint_claims_assert_held();
	return leaving;
}

static int on_sleep(struct notifier_block *nb, unsigned long event, void *data)
{
	u32 n;

	switch (event) {
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		scoped_guard(mint_claims)
			leaving = false;
		return NOTIFY_DONE;
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		break;
	default:
		return NOTIFY_DONE;
	}
	if (mint_role == MINT_SUCCESSOR) {
		pr_err("a successor cannot put the machine to sleep\n");
		return notifier_from_errno(-EPERM);
	}
	guard(mint_claims)();
	for (n = 1; mint_node(n); n++) {
		if (!mint_claim(n))
			continue;
		pr_err("sleep would stop node %u: end or unload it first\n", n);
		return notifier_from_errno(-EBUSY);
	}
	/* No launch, which the sleep would stop, begins from here on */
	leaving = true;
	return NOTIFY_DONE;
}

static struct notifier_block sleep_block = {
	.notifier_call = on_sleep,
};

/**
 * mint_leave_setup() - be there when this kernel leaves or sleeps
 *
 * Context: early initcall, common area mapped.
 */
void __init mint_leave_setup(void)
{
	register_pm_notifier(&sleep_block);
	if (mint_role != MINT_PREDECESSOR)
		return;
	register_reboot_notifier(&reboot_block);
	stock_shutdown = machine_ops.shutdown;
	machine_ops.shutdown = predecessor_shutdown;
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
