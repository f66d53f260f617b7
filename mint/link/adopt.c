// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the windows that this kernel has mapped.
 *
 * Owns that a window of this node is mapped and put to use once node 0 has opened
 * it, and left once node 0 has closed it. Windows come and go while nodes run:
 * the heartbeat sees that something has changed, a work looks what.
 *
 * If another device has the name of a link, its window stays mapped without a link.
 * That is tried again whenever a network device of this kernel goes or is renamed.
 */

#include <linux/completion.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../kind/kind.h"
#include "link.h"

/* For links to go down before a reboot */
#define DOWN_BOUND_MS	10000

/* Used by the work alone, and by the initcall before it; by another one at a reboot */
static LIST_HEAD(uses);

static u32 seen;	/* changes of windows that the heartbeat has seen */
static bool ready;
static bool again;	/* a link could not be made */
static DECLARE_COMPLETION(all_down);	/* links are, before a reboot */

static struct mint_window_use *find(u32 index)
{
	struct mint_window_use *use;

	list_for_each_entry(use, &uses, list)
		if (use->index == index)
			return use;
	return NULL;
}

static u32 peer_of(const struct mint_window *window)
{
	return window->member[!mint_window_index(window, mint_self)];
}

static int adopt(u32 index, const struct mint_window *window)
{
	struct mint_window_use *use = kzalloc(sizeof(*use), GFP_KERNEL);
	int err = -ENOMEM;

	if (!use)
		return err;
	use->index = index;
	use->window = *window;
	use->addr = mint_map_memory(window->start, window->size);
	if (!use->addr)
		goto free;
	err = mint_link_add(use);
	if (err && err != -EEXIST)
		goto unmap;
	if (err)
		pr_err("no link with node %u yet: another device is called mint%u, rename it\n",
		       peer_of(window), peer_of(window));
	list_add_tail(&use->list, &uses);
	return 0;
unmap:
	mint_unmap_memory(use->addr);
free:
	kfree(use);
	return err;
}

static void drop(struct mint_window_use *use)
{
	u32 member = mint_window_index(&use->window, mint_self);
	struct mint_end *end = use->addr + member * MINT_END_SIZE;

	list_del(&use->list);
	if (use->dev)
		mint_link_remove(use);
	/* The last access; node 0 gives the window to others after that */
	virt_store_release(&end->left, use->window.epoch);
	mint_unmap_memory(use->addr);
	kfree(use);
}

/*
 * The other member ended before this kernel had the window: nobody is to wait for
 * this one. Node 0 opens a window anew only after that was said, so what is CLOSED
 * after the look at @left has still to be left.
 */
static void leave_unused(u32 i, const struct mint_window *window)
{
	u32 member = mint_window_index(window, mint_self);
	struct mint_window again;
	struct mint_end *end;
	u32 left;

	/* That was a node which had this number before, and has ended */
	if (window->gone & BIT(member))
		return;
	end = mint_map_memory(window->start + member * MINT_END_SIZE,
			      MINT_END_SIZE);
	if (!end)
		return;
	/* Before the second look at the record */
	left = virt_load_acquire(&end->left);
	if (left != window->epoch && mint_window_get(i, &again) &&
	    again.state == MINT_WINDOW_CLOSED && again.epoch == window->epoch) {
		/* Nothing of it was used before */
		virt_store_release(&end->left, window->epoch);
	}
	mint_unmap_memory(end);
}

/* Is it still the same window, and open? */
static bool still_open(const struct mint_window_use *use)
{
	struct mint_window window;

	return mint_window_get(use->index, &window) &&
	       window.state == MINT_WINDOW_OPEN &&
	       window.epoch == use->window.epoch;
}

static void look(struct work_struct *work)
{
	struct mint_window_use *use, *next;
	struct mint_window window;
	bool failed = false;
	u32 i;
	int err;

	/* Those that go come first: a node's number may be another node's now */
	list_for_each_entry_safe(use, next, &uses, list)
		if (!still_open(use))
			drop(use);
	list_for_each_entry(use, &uses, list) {
		err = use->dev ? 0 : mint_link_add(use);
		failed |= err && err != -EEXIST;
	}
	for (i = 0; i < mint_layout.windows.count; i++) {
		if (!mint_window_get(i, &window) || find(i) ||
		    window.kind != MINT_WINDOW_LINK ||
		    mint_window_index(&window, mint_self) == MINT_WINDOW_MEMBERS)
			continue;
		if (window.state == MINT_WINDOW_CLOSED)
			leave_unused(i, &window);
		if (window.state != MINT_WINDOW_OPEN)
			continue;
		err = adopt(i, &window);
		if (err && !READ_ONCE(again))
			pr_err("no link by window %u: error %d\n", i, err);
		failed |= err;
	}
	WRITE_ONCE(again, failed);
	mint_windows_collect();
}

static DECLARE_WORK(look_work, look);

#ifdef CONFIG_MINT_PROVOKE
/**
 * mint_links_disown() - say for the other members of windows that they have left
 *
 * A forgery, to test that node 0 does not believe it.
 *
 * Context: process, may sleep.
 */
void mint_links_disown(void)
{
	struct mint_window_use *use;
	struct mint_end *end;

	disable_work_sync(&look_work);
	list_for_each_entry(use, &uses, list) {
		end = use->addr + !mint_window_index(&use->window, mint_self) * MINT_END_SIZE;
		WRITE_ONCE(end->left, use->window.epoch);
	}
	enable_work(&look_work);
}
#endif

/**
 * mint_windows_poll() - see to windows and links
 *
 * Context: soft interrupt; called by the heartbeat.
 */
void mint_windows_poll(void)
{
	if (!READ_ONCE(ready))
		return;
	if (mint_windows_changed(&seen) || mint_windows_closing() ||
	    READ_ONCE(again))
		queue_work(system_unbound_wq, &look_work);
	mint_links_poll();
}

/* The name of a link may have become free */
static int on_netdev(struct notifier_block *nb, unsigned long event, void *info)
{
	if (event == NETDEV_UNREGISTER || event == NETDEV_CHANGENAME)
		queue_work(system_unbound_wq, &look_work);
	return NOTIFY_DONE;
}

static struct notifier_block netdev_block = {
	.notifier_call	= on_netdev,
};

/* Links go down, and stay so */
static void take_down(struct work_struct *work)
{
	struct mint_window_use *use;

	/* A beat that has looked at @ready before may yet want to queue it */
	disable_work_sync(&look_work);
	rtnl_lock();
	list_for_each_entry(use, &uses, list)
		if (use->dev)
			dev_close(use->dev);
	rtnl_unlock();
	complete_all(&all_down);
}

static DECLARE_WORK(down_work, take_down);

/*
 * Devices are shut down after this, and a disk that this node serves then fails what
 * is asked of it. With the link down its users wait for the next kernel instead. The
 * lock of network devices has no bound, and a driver that hangs may hold it: a work
 * waits for it, and the reboot waits for the work.
 */
static int on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	WRITE_ONCE(ready, false);
	queue_work(system_unbound_wq, &down_work);
	if (!wait_for_completion_timeout(&all_down, msecs_to_jiffies(DOWN_BOUND_MS)))
		pr_warn("links are not down after %u ms, somebody holds the lock of network devices (rtnl): the reboot goes on\n",
			DOWN_BOUND_MS);
	return NOTIFY_DONE;
}

/* After node 0 has asked its successors to end, to whom it may have to serve disks */
static struct notifier_block reboot_block = {
	.notifier_call	= on_reboot,
	.priority	= INT_MIN,
};

/* Before a root file system is looked for, which may be behind a link */
static int __init mint_link_init(void)
{
	if (!mint_own_node() || !mint_layout.windows.count)
		return 0;
	mint_links_setup();
	mint_windows_changed(&seen);
	look(NULL);
	WRITE_ONCE(ready, true);
	register_reboot_notifier(&reboot_block);
	return register_netdevice_notifier(&netdev_block);
}
device_initcall(mint_link_init);
