// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: PCI functions that go from one running node to another.
 *
 * Owns the steps of both sides. Who gives a function up takes its driver off and
 * does not touch it again; node 0 then brings it to rest, whatever the giver has
 * left in it; who gets it looks for it as at a boot. Node 0 sees all functions
 * for ever, and so does the opposite of what it does to lend one.
 */

#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/pci.h>

#include "../area/area.h"
#include "../own/own.h"
#include "device.h"

#ifdef CONFIG_BLOCK
static int find_used_disk(struct device *dev, void *disk)
{
	if (dev->class == &block_class && !bdev_is_partition(dev_to_bdev(dev)) &&
	    disk_openers(dev_to_disk(dev))) {
		strscpy(disk, dev_to_disk(dev)->disk_name, DISK_NAME_LEN);
		return 1;
	}
	return device_for_each_child(dev, disk, find_used_disk);
}

/**
 * mint_pci_disk_in_use() - does this kernel use a disk of a function?
 * @dev:	the function
 * @disk:	out: the disk's name, DISK_NAME_LEN bytes
 *
 * Mounted, swapped to, part of another device, or opened by a program. Nothing
 * keeps it from being opened afterwards.
 *
 * Context: process.
 * Return: true if it does; @disk is set then.
 */
bool mint_pci_disk_in_use(struct pci_dev *dev, char disk[])
{
	return device_for_each_child(&dev->dev, disk, find_used_disk);
}
#else
bool mint_pci_disk_in_use(struct pci_dev *dev, char disk[])
{
	return false;
}
#endif

/* Under the device lock: no driver of node 0 has it from now on */
static int hold(struct pci_dev *dev, struct mint_reason *why)
{
	int err;

	if (dev->dev.driver)
		return mint_pci_refuse(why, -EBUSY,
				       "was just taken by %s in node 0: try again",
				       dev->dev.driver->name);
	/* Its driver may have made virtual functions after check_sriov(), and left them */
	if (pci_num_vf(dev))
		return mint_pci_refuse(why, -EBUSY, "has %d virtual functions: remove those first",
				       pci_num_vf(dev));
	err = mint_pci_hold(pci_dev_get(dev));
	if (err) {
		pci_dev_put(dev);
		return mint_pci_refuse(why, err, err == -ENODEV ? "was just removed" :
				       "is lent, or there is no memory");
	}
	return 0;
}

/* Node 0 gives what it may have a driver for */
static int take_off(struct pci_dev *dev, struct mint_reason *why)
{
	char disk[DISK_NAME_LEN];
	int err;

	if (mint_pci_disk_in_use(dev, disk))
		return mint_pci_refuse(why, -EBUSY,
				       "has disk %s, which node 0 uses: unmount or close it",
				       disk);
	/* A probe that hangs would be waited for */
	if (!mint_pci_lock(dev))
		return mint_pci_refuse(why, -EBUSY, MINT_PCI_LOCKED);
	device_unlock(&dev->dev);
	device_release_driver(&dev->dev);
	if (!mint_pci_lock(dev))
		return mint_pci_refuse(why, -EBUSY, MINT_PCI_LOCKED);
	err = hold(dev, why);
	device_unlock(&dev->dev);
	return err;
}

/* Whichever driver of node 0 wants it, as after a write to drivers_probe */
static int offer(struct pci_dev *dev, struct mint_reason *why)
{
	if (device_attach(&dev->dev) < 0)
		pci_warn(dev, "no driver of node 0 takes it\n");
	return 0;
}

/* As offer(): it had a driver, and is not as it was before without one */
static int offer_again(struct pci_dev *dev, struct mint_reason *why)
{
	offer(dev, why);
	return READ_ONCE(dev->dev.driver) ? 0 :
	       mint_pci_refuse(why, -ENODEV, "has no driver in node 0 any more: bind one");
}

static int in_node0(int (*step)(struct pci_dev *dev, struct mint_reason *why),
		    u32 id, struct mint_reason *why)
{
	struct pci_dev *dev = mint_pci_get(id);
	int err;

	if (!dev)
		return mint_pci_refuse(why, -ENODEV, "is gone");
	err = step(dev, why);
	pci_dev_put(dev);
	return err;
}

/**
 * mint_pci_give() - this kernel stops using a function for good
 * @id:		segment << 16 | bus << 8 | devfn
 * @why:	out: reason of a refusal
 *
 * Context: process; waits for the driver to leave.
 * Return: 0; -ENODEV, -EBUSY, -ENOMEM, and then mint_pci_keep() undoes what was
 * done.
 */
int mint_pci_give(u32 id, struct mint_reason *why)
{
	if (mint_role == MINT_SUCCESSOR)
		return mint_pci_close(id, why);
	return in_node0(take_off, id, why);
}

/**
 * mint_pci_release() - node 0 may use or lend a function again
 * @id:		segment << 16 | bus << 8 | devfn
 *
 * Nobody may have held it: then a driver may be about to get it, for which this
 * does not wait.
 *
 * Context: predecessor, process; may sleep. Who moves the function calls this,
 *	    and nobody else holds it or lets it go.
 */
void mint_pci_release(u32 id)
{
	struct pci_dev *dev = mint_pci_get(id);

	if (!dev)
		return;
	if (mint_pci_held(dev)) {
		/* No probe can hang with it: none gets a function that is held */
		device_lock(&dev->dev);
		mint_pci_let_go(dev);
		device_unlock(&dev->dev);
	}
	pci_dev_put(dev);
}

/**
 * mint_pci_keep() - undo mint_pci_give()
 * @id:		segment << 16 | bus << 8 | devfn
 * @why:	out: reason of a failure
 *
 * Context: process; waits for the driver.
 * Return: 0; -ENODEV, in node 0 also if no driver takes it; -EINVAL.
 */
int mint_pci_keep(u32 id, struct mint_reason *why)
{
	if (mint_role == MINT_SUCCESSOR)
		return mint_pci_open(id, false, why);
	return in_node0(offer_again, id, why);
}

/**
 * mint_pci_take() - this kernel begins to use a function
 * @id:		segment << 16 | bus << 8 | devfn
 * @again:	it had begun before its own reboot, so the function is not at rest
 * @why:	out: reason of a refusal
 *
 * Context: process; waits for the driver.
 * Return: 0, -ENODEV, -EINVAL.
 */
int mint_pci_take(u32 id, bool again, struct mint_reason *why)
{
	if (mint_role == MINT_SUCCESSOR)
		return mint_pci_open(id, again, why);
	return in_node0(offer, id, why);
}

/**
 * mint_pci_clear() - bring a function to rest between two nodes
 * @id:		segment << 16 | bus << 8 | devfn
 * @where:	on which way it is, for the log
 * @why:	out: reason of a refusal
 *
 * Bus master, MSI and line are off afterwards, and what the giver armed is gone
 * with the reset, where there is one.
 *
 * Context: predecessor, process; sleeps for as long as the reset takes.
 * Return: 0, -ENODEV, -EBUSY.
 */
int mint_pci_clear(u32 id, const char *where, struct mint_reason *why)
{
	struct pci_dev *dev = mint_pci_get(id);
	int err = 0;

	if (!dev)
		return mint_pci_refuse(why, -ENODEV, "is gone");
	if (!mint_pci_lock(dev)) {
		err = mint_pci_refuse(why, -EBUSY, MINT_PCI_LOCKED);
	} else {
		if (mint_pci_held(dev))
			mint_pci_quiesce_held(dev, where);
		else
			err = mint_pci_refuse(why, -ENODEV, "was removed by node 0");
		device_unlock(&dev->dev);
	}
	pci_dev_put(dev);
	return err;
}
