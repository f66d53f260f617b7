// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: node 0 leaves, or would like to sleep, while successors live.
 *
 * Owns what happens to them then. Reboot, power-off and kexec of node 0 take
 * the machine with them: the successors are asked to end first, or the system
 * call is refused, as mint.leave= says. A panic of node 0 ends nobody. Sleep
 * is the machine's, and what is lent is in no hibernation image: refused, in
 * every node.
 */

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include "mint.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define BUSY_BOUND_MS		15000

static bool refuse_to_leave;
static bool leaving;		/* under mint_claims_lock */

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

/**
 * mint_may_reboot() - may this kernel leave by reboot(2)?
 * @cmd:	LINUX_REBOOT_CMD_*
 *
 * Context: system call, permissions checked.
 * Return: 0; -EBUSY in node 0 while successors live and mint.leave=refuse.
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
	if (mint_role != MINT_PREDECESSOR || !READ_ONCE(refuse_to_leave) ||
	    !any_successor(&n))
		return 0;
	pr_err("node %u lives and would go down with this one: end it first (echo ask > /sys/kernel/mint/nodes/%u/stop), or set mint.leave=ask\n",
	       n, n);
	return -EBUSY;
}

static void stop_hard(u32 n)
{
	unsigned long bound = jiffies + msecs_to_jiffies(BUSY_BOUND_MS);
	long left;
	int err;

	pr_err("node %u does not end by itself\n", n);
	/* Somebody may be taking it back right now */
	while ((err = mint_stop(n, MINT_STOP_PARK)) == -EBUSY &&
	       (left = bound - jiffies) > 0)
		mint_claim_wait(n, left);
	if (err && err != -ESRCH && mint_stop(n, MINT_STOP_FORCE))
		pr_err("node %u goes down with the machine\n", n);
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
	for (n = 1; mint_node(n); n++)
		if (!mint_ask(n))
			pr_info("node %u is asked to end first\n", n);
	wait_event_timeout(mint_state_wait, !any_successor(&n), mint_ask_bound());
	for (n = 1; mint_node(n); n++)
		if (mint_claim(n) && mint_state(n) >= MINT_STATE_STARTING)
			stop_hard(n);
	return NOTIFY_DONE;
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

	mint_tell(MINT_STATE_PANICKED, "panic: %s", (char *)text);
	if (any_successor(&n) && panic_timeout) {
		pr_emerg("no restart: node %u and perhaps others run on\n", n);
		panic_timeout = 0;
	}
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
 */
bool mint_leaving(void)
{
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
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
