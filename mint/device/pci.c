// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: PCI functions.
 *
 * Owns who may see and drive which function. In node 0 every function is
 * enumerated, as on a stock machine, but a driver binds only to what is not
 * lent. In a successor the filter stands before the first access to
 * configuration space: what is not its own does not exist, except for the
 * bridges above, which can be read and never written.
 *
 * A successor reaches configuration space by ECAM; where the machine has none,
 * by the ports CF8/CFC, which conf1.c shares out.
 */

#include <linux/build_bug.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/iopoll.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/screen_info.h>
#include <linux/vgaarb.h>

#include <asm/irqdomain.h>
#include <asm/pci_x86.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../own/own.h"
#include "device.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mint."

#define LOCK_POLL_US		1000
#define LOCK_BOUND_US		200000

#ifdef CONFIG_PCI

/* Functions named by mint.devices= of node 0 */
static struct mint_pci_word param_words[MINT_DEVICES_MAX] __ro_after_init;
static u32 param_count __ro_after_init;

/* What this successor has; private, so that no peer can widen it */
static struct mint_device own[MINT_DEVICES_MAX] __ro_after_init;
static u32 own_count __ro_after_init;

static u32 function_id(unsigned int segment, unsigned int bus, unsigned int devfn)
{
	return segment << 16 | bus << 8 | devfn;
}

/*
 * Domains that a driver made, of VMD and of Hyper-V, begin above the 16 bits of
 * a segment. What is there is the driver's: it goes with the function that
 * the driver has.
 */
static bool beyond_segments(const struct pci_dev *dev)
{
	return (u32)pci_domain_nr(dev->bus) >= MINT_SEGMENT_NONE;
}

static u32 dev_id(const struct pci_dev *dev)
{
	if (beyond_segments(dev))
		return U32_MAX;
	return function_id(pci_domain_nr(dev->bus), dev->bus->number, dev->devfn);
}

static struct pci_dev *dev_get(u32 id)
{
	return pci_get_domain_bus_and_slot(id >> 16, id >> 8 & 0xff, id & 0xff);
}

static bool is_bridge(const struct pci_dev *dev)
{
	return dev->hdr_type != PCI_HEADER_TYPE_NORMAL ||
	       dev->class >> 16 == PCI_BASE_CLASS_BRIDGE;
}

static bool matches(const struct mint_pci_match *match, void *arg)
{
	struct pci_dev *dev = arg, *bridge;

	if (!match->below)
		return (dev_id(dev) & match->mask) == match->id;
	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge))
		if ((dev_id(bridge) & match->mask) == match->id)
			return true;
	return false;
}

/**
 * mint_pci_expand() - the functions that are meant
 * @match:	some functions
 * @ids:	out: each of them, bridges left out where many are meant
 * @max:	room there
 *
 * Context: predecessor, process.
 * Return: how many; -ENOSPC. One that was named in full counts even if it
 * does not exist.
 */
int mint_pci_expand(const struct mint_pci_match *match, u32 *ids, u32 max)
{
	struct pci_dev *dev = NULL;
	u32 count = 0;

	if (!match->below && match->mask == ~0U) {
		ids[0] = match->id;
		return 1;
	}
	for_each_pci_dev(dev) {
		if (is_bridge(dev) || !matches(match, dev))
			continue;
		if (count == max) {
			pci_dev_put(dev);
			return -ENOSPC;
		}
		ids[count++] = dev_id(dev);
	}
	return count;
}

/**
 * mint_pci_param() - note functions of mint.devices= of node 0
 * @match:	which
 * @minus:	everything but these, instead of nothing but these
 */
void __init mint_pci_param(const struct mint_pci_match *match, bool minus)
{
	if (param_count == ARRAY_SIZE(param_words)) {
		pr_err("mint.devices=: at most %u entries for PCI, the rest is ignored\n",
		       param_count);
		return;
	}
	param_words[param_count].match = *match;
	param_words[param_count++].minus = minus;
}

static bool param_allows(struct pci_dev *dev)
{
	if (dev->hdr_type != PCI_HEADER_TYPE_NORMAL || beyond_segments(dev))
		return true;
	return mint_pci_allowed(param_words, param_count, matches, dev);
}

static bool own_function(u32 id, u32 kind)
{
	u32 i;

	for (i = 0; i < own_count; i++)
		if (own[i].kind == kind && own[i].id == id)
			return true;
	return false;
}

/* Index of a function of this successor's in own[], or own_count */
static u32 own_index(u32 id)
{
	u32 i;

	for (i = 0; i < own_count; i++)
		if (own[i].kind == MINT_DEV_PCI && own[i].id == id)
			break;
	return i;
}

/* As in the file reset_method of the function in sysfs */
static const char * const reset_names[] = {
	NULL, "device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus",
};

/* The best reset that the function has for itself; its name */
static const char *reset(struct pci_dev *dev)
{
	u8 methods[PCI_NUM_RESET_METHODS];
	int i, err = -ENOTTY;

	BUILD_BUG_ON(ARRAY_SIZE(reset_names) != PCI_NUM_RESET_METHODS);

	/* One at a time, to know which it was */
	memcpy(methods, dev->reset_methods, sizeof(methods));
	for (i = 0; i < ARRAY_SIZE(methods) && methods[i]; i++) {
		dev->reset_methods[0] = methods[i];
		dev->reset_methods[1] = 0;
		err = __pci_reset_function_locked(dev);
		if (err != -ENOTTY)
			break;
	}
	memcpy(dev->reset_methods, methods, sizeof(methods));
	return err ? NULL : reset_names[methods[i]];
}

/* Not every reset does it, and not every function has one */
static void msi_off(struct pci_dev *dev)
{
	u16 flags;

	if (dev->msi_cap) {
		pci_read_config_word(dev, dev->msi_cap + PCI_MSI_FLAGS, &flags);
		pci_write_config_word(dev, dev->msi_cap + PCI_MSI_FLAGS,
				      flags & ~PCI_MSI_FLAGS_ENABLE);
	}
	if (dev->msix_cap) {
		pci_read_config_word(dev, dev->msix_cap + PCI_MSIX_FLAGS, &flags);
		pci_write_config_word(dev, dev->msix_cap + PCI_MSIX_FLAGS,
				      flags & ~PCI_MSIX_FLAGS_ENABLE);
	}
}

/* No DMA, no interrupt, and a fresh start */
static void quiesce(struct pci_dev *dev, const char *where)
{
	const char *name;

	pci_clear_master(dev);
	pci_intx(dev, 0);
	msi_off(dev);
	if (!dev->state_saved)
		pci_save_state(dev);
	name = reset(dev);
	pci_info(dev, "%s, bus master off, reset: %s\n", where, name ?: "none");
	dev->state_saved = true;
	pci_restore_state(dev);
}

/* Was this successor started by itself? Private, as own[] is */
static bool rebooted __ro_after_init;
static DECLARE_BITMAP(was_reset, MINT_DEVICES_MAX);

/*
 * A kernel that ended by a panic, or without its drivers, has left rings of its
 * own in the function: they must not come alive when a driver lets it be bus
 * master. At the launch node 0 has seen to that.
 */
static void reset_after_reboot(struct pci_dev *dev)
{
	u32 i = own_index(dev_id(dev));

	if (rebooted && i < own_count && !test_and_set_bit(i, was_reset))
		quiesce(dev, "own reboot");
}

/**
 * mint_pci_may_bind() - may a driver of this kernel have the function?
 * @dev:	the function
 *
 * Context: process, device lock held.
 * Return: false for what is lent, what mint.devices= leaves out, and, in a
 * successor, for bridges.
 */
bool mint_pci_may_bind(struct pci_dev *dev)
{
	u32 n;

	device_lock_assert(&dev->dev);
	switch (mint_role) {
	case MINT_SUCCESSOR:
		if (beyond_segments(dev))
			return true;
		if (!own_function(dev_id(dev), MINT_DEV_PCI))
			return false;
		reset_after_reboot(dev);
		return true;
	case MINT_PREDECESSOR:
		n = mint_owner_of_function(dev_id(dev), NULL);
		if (n != MINT_NODE_FREE) {
			pci_info(dev, "lent to node %u, not bound\n", n);
			return false;
		}
		if (!param_allows(dev)) {
			pci_info(dev, "not bound, mint.devices= leaves it out\n");
			return false;
		}
		n = mint_line_taken(dev);
		if (n != MINT_NODE_FREE) {
			pci_info(dev, "not bound, its interrupt line is node %u's\n", n);
			return false;
		}
		return true;
	default:
		return true;
	}
}

/*
 * DMA that is translated or interrupts that are remapped go by tables of
 * node 0: a successor's would be dropped.
 */
static bool remapped(struct pci_dev *dev)
{
	struct irq_domain *domain = dev_get_msi_domain(&dev->dev);

	return mint_interrupts_remapped() || device_iommu_mapped(&dev->dev) ||
	       (domain && domain != x86_vector_domain);
}

/* Can a successor reach the function's configuration space? */
static bool reachable(const struct pci_dev *dev)
{
#ifdef CONFIG_PCI_MMCONFIG
	if (raw_pci_ext_ops == &pci_mmcfg)
		return true;
#endif
	return !pci_domain_nr(dev->bus) && raw_pci_ops == &mint_conf1;
}

/*
 * Number of a register that has no address, or -1. Linux forgets what a
 * resource is that it found no place for; the register still has its type.
 */
static int unassigned(struct pci_dev *dev)
{
	bool memory = false, bad;
	int i, found = -1, ports = -1;
	u32 val;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct resource *res = &dev->resource[i];

		pci_read_config_dword(dev, PCI_BASE_ADDRESS_0 + 4 * i, &val);
		bad = res->flags ? !res->parent : val;
		if (bad && val & PCI_BASE_ADDRESS_SPACE_IO)
			ports = i;
		else if (bad)
			found = i;
		memory |= res->flags & IORESOURCE_MEM && res->parent;
		/* The other half of it is no register of its own */
		if ((val & PCI_BASE_ADDRESS_SPACE) == PCI_BASE_ADDRESS_SPACE_MEMORY &&
		    val & PCI_BASE_ADDRESS_MEM_TYPE_64)
			i++;
	}
	/* Ports are scarce, and optional for what has memory, too */
	return found < 0 && !memory ? ports : found;
}

/* A bridge above that node 0 cannot keep for both, or NULL */
static struct pci_dev *unshared_bridge(struct pci_dev *dev)
{
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		struct pci_driver *drv = to_pci_driver(bridge->dev.driver);

		if (bridge->hdr_type != PCI_HEADER_TYPE_BRIDGE ||
		    (bridge->dev.driver && strcmp(drv->name, "pcieport")))
			return bridge;
	}
	return NULL;
}

/* Does node 0 draw on it, with no PCI driver that would show it? */
static bool has_screen(struct pci_dev *dev)
{
	struct pci_dev *screen;

	if (dev->class >> 16 != PCI_BASE_CLASS_DISPLAY ||
	    !(mint_own_legacy & BIT(MINT_LEGACY_VGA)) ||
	    !screen_info.orig_video_isVGA)
		return false;
	if (dev == vga_default_device())
		return true;
	screen = IS_ENABLED(CONFIG_SCREEN_INFO) ?
		 screen_info_pci_dev(&screen_info) : NULL;
	if (IS_ERR_OR_NULL(screen))
		return false;
	pci_dev_put(screen);
	return dev == screen;
}

/* Does only what can be reset go from one owner to another? */
static bool must_reset;

static int reset_set(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "try"))
		must_reset = false;
	else if (sysfs_streq(val, "must"))
		must_reset = true;
	else
		return -EINVAL;
	return 0;
}

static int reset_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", must_reset ? "must" : "try");
}

static const struct kernel_param_ops reset_ops = {
	.set	= reset_set,
	.get	= reset_get,
};
module_param_cb(reset, &reset_ops, NULL, 0644);

/* Is there a reset that leaves all others alone? */
static bool can_reset(const struct pci_dev *dev)
{
	u8 method = dev->reset_methods[0];

	/* Of the bus: that was seen before the other functions were */
	if (method && !strstr(reset_names[method], "bus"))
		return true;
	return method && list_is_singular(&dev->bus->devices);
}

struct reason {
	char	*text;
	size_t	size;
};

static __printf(3, 4) int refuse(const struct reason *why, int err,
				 const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, why->size, fmt, args);
	va_end(args);
	return err;
}

/* Physical and virtual functions: these live by what node 0 does with those */
static int check_sriov(struct pci_dev *dev, const struct reason *why)
{
	struct pci_dev *pf = pci_physfn(dev);

	if (pci_num_vf(dev))
		return refuse(why, -EBUSY,
			      "has %d virtual functions: lend those, or echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
			      pci_num_vf(dev), pci_name(dev));
	if (!dev->is_virtfn)
		return 0;
	if (!pf->dev.driver)
		return refuse(why, -EBUSY,
			      "is a virtual function of %s, which no driver of node 0 keeps going: bind one",
			      pci_name(pf));
	if (dev->bus != pf->bus)
		return refuse(why, -EINVAL,
			      "is a virtual function on a bus that has no bridge, where a successor does not find it: give %s fewer",
			      pci_name(pf));
	return 0;
}

static int check_function(struct pci_dev *dev, struct mint_device *desc,
			  bool force, const struct reason *why)
{
	struct pci_driver *drv = to_pci_driver(dev->dev.driver);
	u32 owner = mint_owner_of_function(desc->id, NULL);
	struct pci_dev *bridge;
	int bar, err;

	if (is_bridge(dev))
		return refuse(why, -EINVAL,
			      "is a bridge, which all nodes share: name the functions behind it (%s/*)",
			      pci_name(dev));
	if (owner != MINT_NODE_FREE)
		return refuse(why, -EBUSY,
			      "belongs to node %u: end that node first", owner);
	if (dev->dev.driver)
		return refuse(why, -EBUSY,
			      "is driven by %s in node 0: echo %s > /sys/bus/pci/drivers/%s/unbind",
			      drv->name, pci_name(dev), drv->name);
	err = check_sriov(dev, why);
	if (err)
		return err;
	if (has_screen(dev))
		return refuse(why, -EBUSY,
			      "has the screen of node 0: boot that with mint.devices=-vga");
	if (must_reset && !force && !can_reset(dev))
		return refuse(why, -EINVAL,
			      "cannot be reset, and mint.reset=must asks for it: name it with an exclamation mark (%s!) if it is known to be at rest",
			      pci_name(dev));
	if (remapped(dev))
		return refuse(why, -EINVAL,
			      "is behind an active IOMMU: boot node 0 with intel_iommu=off amd_iommu=off intremap=off");
	if (!reachable(dev))
		return refuse(why, -EINVAL,
			      "cannot be lent, its configuration space has neither ECAM nor the ports CF8/CFC: boot node 0 without pci=");

	bridge = unshared_bridge(dev);
	if (bridge)
		return refuse(why, -EBUSY,
			      "is behind %s, which %s of node 0 does not share: unbind that",
			      pci_name(bridge), bridge->dev.driver ?
			      bridge->dev.driver->name : "CardBus");
	/* A virtual one has no registers, and none without addresses */
	bar = dev->is_virtfn ? -1 : unassigned(dev);
	if (bar >= 0)
		return refuse(why, -EINVAL,
			      "has no address for BAR %d: boot node 0 with pci=realloc or move the card",
			      bar);

	mint_line_describe(dev, desc);
	if (mint_line_needed(dev) && !(desc->irq_flags & MINT_IRQ_VALID))
		return refuse(why, -ENXIO,
			      "has no MSI, and no route of its INT%c to an I/O APIC is known: boot node 0 with ACPI's routing or move the card",
			      'A' + dev->pin - 1);
	return 0;
}

/*
 * A probe of node 0 that hangs holds the lock for ever, and others would wait
 * behind who waits for it. Everything else holds it for a moment.
 */
static bool lock_device(struct pci_dev *dev)
{
	bool locked;

	return !read_poll_timeout(device_trylock, locked, locked,
				  LOCK_POLL_US, LOCK_BOUND_US, false, &dev->dev);
}

/**
 * mint_pci_check() - may a function be lent?
 * @desc:	the function; its line is filled in
 * @force:	lend it even if it can not be reset
 * @why:	out: reason of a refusal: who has it and what to do
 * @size:	bytes there
 *
 * Changes nothing.
 *
 * Context: predecessor, under mint_claims_lock(); may sleep.
 * Return: 0, -ENODEV, -EBUSY, -EINVAL, -ENXIO.
 */
int mint_pci_check(struct mint_device *desc, bool force, char *why, size_t size)
{
	struct reason reason = { why, size };
	struct pci_dev *dev = dev_get(desc->id);
	int err;

	mint_claims_assert_held();
	if (!dev)
		return refuse(&reason, -ENODEV, "is not on this machine: see lspci");
	if (!lock_device(dev)) {
		pci_dev_put(dev);
		return refuse(&reason, -EBUSY,
			      "is about to get or to lose a driver of node 0: try again, or reboot if that hangs");
	}

	/* Behind a port that sleeps there is nothing to be read */
	pm_runtime_get_sync(&dev->dev);
	err = check_function(dev, desc, force, &reason);
	pm_runtime_put(&dev->dev);
	device_unlock(&dev->dev);
	pci_dev_put(dev);
	return err;
}

/* While a function is lent, this file is there and names the node */
static ssize_t mint_node_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	u32 n = mint_owner_of_function(dev_id(to_pci_dev(dev)), NULL);

	return n == MINT_NODE_FREE ? 0 : sysfs_emit(buf, "%u\n", n);
}
static DEVICE_ATTR_RO(mint_node);

/* Bridges above what is lent forward for it and stay awake */
static void hold_bridges(struct pci_dev *dev, bool hold)
{
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		if (!hold) {
			pm_runtime_put(&bridge->dev);
			continue;
		}
		pm_runtime_get_sync(&bridge->dev);
		if (!pci_is_enabled(bridge) && pci_enable_device(bridge))
			pci_warn(bridge, "not enabled\n");
		pci_set_master(bridge);
	}
}

/*
 * Errors of the link (AER). Who has no driver votes against the recovery of all
 * functions on it; a lent function has none here, but its node runs on.
 */
static pci_ers_result_t error_detected(struct pci_dev *dev,
				       pci_channel_state_t state)
{
	u32 n = mint_owner_of_function(dev_id(dev), NULL);

	if (state == pci_channel_io_normal)
		pci_info(dev, "an error on its link, node %u goes on\n", n);
	else
		pci_err(dev, "a fatal error on its link, which is not reset while node %u has it: end that node\n",
			n);
	return PCI_ERS_RESULT_CAN_RECOVER;
}

static const struct pci_error_handlers error_handlers = {
	.error_detected	= error_detected,
};

#define STAND_IN {			\
	.name		= "mint",		\
	.driver.name	= "mint",		\
	.err_handler	= &error_handlers,	\
}

/*
 * Never bound, so that no file names it: it is asked for errors alone. The
 * second one is for functions whose bus cannot be reset anyway.
 */
static struct pci_driver stand_ins[2] = { STAND_IN, STAND_IN };

/*
 * While a function is lent, node 0 speaks for it, and resets no bus that it is
 * on: not for an error, nor when root asks for it by one of its siblings.
 */
static void stand_in(struct pci_dev *dev)
{
	dev->driver = &stand_ins[!!(dev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET)];
	dev->dev_flags |= PCI_DEV_FLAGS_NO_BUS_RESET;
}

static void stand_back(struct pci_dev *dev)
{
	if (dev->driver == &stand_ins[0])
		dev->dev_flags &= ~PCI_DEV_FLAGS_NO_BUS_RESET;
	dev->driver = NULL;
	/* After a fatal error nothing would reach it; a reset is to come */
	dev->error_state = pci_channel_io_normal;
}

/**
 * mint_pci_lend() - bring a function to rest on its way to a successor
 * @desc:	a device of a new node; what is no PCI function is left alone
 *
 * The bridges above forward for it, and stay awake with it, until
 * mint_pci_take_back(). Its resources keep node 0's values.
 *
 * Context: predecessor, process, under the claim's lock, the node entered; may
 *	    sleep.
 * Return: 0; -EBUSY if a driver of node 0 has it.
 */
int mint_pci_lend(const struct mint_device *desc)
{
	struct pci_dev *dev;
	char where[24];
	u32 n, index;

	dev = desc->kind == MINT_DEV_PCI ? dev_get(desc->id) : NULL;
	if (!dev)
		return 0;

	if (!lock_device(dev)) {
		pci_dev_put(dev);
		return -EBUSY;
	}
	if (dev->dev.driver) {
		device_unlock(&dev->dev);
		pci_dev_put(dev);
		return -EBUSY;
	}
	n = mint_owner_of_function(desc->id, &index);
	hold_bridges(dev, true);
	pm_runtime_get_sync(&dev->dev);
	mint_vf_lend(dev, n, index);
	/* Drivers of physical functions leave alone what is assigned */
	pci_set_dev_assigned(dev);
	pci_set_power_state(dev, PCI_D0);
	dev->state_saved = false;
	snprintf(where, sizeof(where), "lent to node %u", n);
	quiesce(dev, where);
	stand_in(dev);
	if (device_create_file(&dev->dev, &dev_attr_mint_node))
		pci_warn(dev, "no file mint_node\n");
	/* Kept for the way back, and so is the reference */
	pci_save_state(dev);
	device_unlock(&dev->dev);
	return 0;
}

/* The opposite of mint_pci_lend(), but for the function's own state */
static void let_go(struct pci_dev *dev)
{
	u32 index, n = mint_owner_of_function(dev_id(dev), &index);

	device_remove_file(&dev->dev, &dev_attr_mint_node);
	pci_clear_dev_assigned(dev);
	if (n != MINT_NODE_FREE)
		mint_vf_forget(dev, n, index);
	pm_runtime_put(&dev->dev);
	hold_bridges(dev, false);
	pci_dev_put(dev);
}

/**
 * mint_pci_take_back() - bring a function to rest on its way back
 * @desc:	a device that mint_pci_lend() accepted
 *
 * Whatever state the successor left it in, it gets that of before.
 *
 * Context: predecessor, process, under the claim's lock; may sleep.
 */
void mint_pci_take_back(const struct mint_device *desc)
{
	struct pci_dev *dev;

	dev = desc->kind == MINT_DEV_PCI ? dev_get(desc->id) : NULL;
	if (!dev)
		return;

	device_lock(&dev->dev);
	/* Unless it went meanwhile, and another one came in its place */
	if (pci_is_dev_assigned(dev)) {
		dev->current_state = PCI_UNKNOWN;
		pci_set_power_state(dev, PCI_D0);
		dev->state_saved = true;
		stand_back(dev);
		quiesce(dev, "taken back");
		let_go(dev);
	}
	device_unlock(&dev->dev);
	pci_dev_put(dev);
}

/* A function leaves node 0's list: nobody could bring it to rest later on */
static void on_removal(struct pci_dev *dev)
{
	char where[32];

	device_lock(&dev->dev);
	if (pci_is_dev_assigned(dev)) {
		snprintf(where, sizeof(where), "removed, lost for node %u",
			 mint_owner_of_function(dev_id(dev), NULL));
		stand_back(dev);
		quiesce(dev, where);
		let_go(dev);
	}
	device_unlock(&dev->dev);
}

/* Nobody asks whether that may happen */
static int on_change(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *dev = to_pci_dev((struct device *)data);

	if (action == BUS_NOTIFY_UNBIND_DRIVER && pci_vfs_assigned(dev))
		pci_warn(dev, "loses its driver: nodes that have virtual functions of it may lose them\n");
	else if (action == BUS_NOTIFY_DEL_DEVICE)
		on_removal(dev);
	return NOTIFY_DONE;
}

static struct notifier_block change_nb = { .notifier_call = on_change };

/**
 * mint_pci_bridges() - the bridges above a function
 * @desc:	a function that mint_pci_check() accepted
 * @list:	devices of the node so far
 * @count:	how many
 * @max:	room there
 *
 * Context: predecessor, under mint_claims_lock().
 * Return: the new count, -ENOSPC.
 */
int mint_pci_bridges(const struct mint_device *desc, struct mint_device *list,
		     u32 count, u32 max)
{
	struct pci_dev *dev = dev_get(desc->id), *bridge;
	u32 i;

	mint_claims_assert_held();
	if (!dev)
		return count;
	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		for (i = 0; i < count; i++)
			if (list[i].kind == MINT_DEV_BRIDGE &&
			    list[i].id == dev_id(bridge))
				break;
		if (i < count)
			continue;
		if (count == max) {
			pci_dev_put(dev);
			return -ENOSPC;
		}
		memset(&list[count], 0, sizeof(list[count]));
		list[count].kind = MINT_DEV_BRIDGE;
		list[count++].id = dev_id(bridge);
	}
	pci_dev_put(dev);
	return count;
}

/**
 * mint_pci_describe() - enter ECAM windows and root buses
 *
 * Context: predecessor, late initcall.
 */
void __init mint_pci_describe(void)
{
#ifdef CONFIG_PCI_MMCONFIG
	struct pci_mmcfg_region *region;
	struct mint_ecam *ecam;
#endif
	struct pci_bus *bus;
	u32 i = 0, *root;

#ifdef CONFIG_PCI_MMCONFIG
	list_for_each_entry(region, &pci_mmcfg_list, list) {
		ecam = raw_pci_ext_ops == &pci_mmcfg ? mint_ecam(i++) : NULL;
		if (!ecam)
			break;
		ecam->base = region->address;
		ecam->segment = region->segment;
		ecam->start_bus = region->start_bus;
		ecam->end_bus = region->end_bus;
	}
	i = 0;
#endif
	bus_register_notifier(&pci_bus_type, &change_nb);
	for (; (root = mint_root_bus(i)); i++)
		*root = MINT_NODE_FREE;
	i = 0;
	list_for_each_entry(bus, &pci_root_buses, node) {
		if ((u32)pci_domain_nr(bus) >= MINT_SEGMENT_NONE)
			continue;
		root = mint_root_bus(i++);
		if (root)
			*root = pci_domain_nr(bus) << 8 | bus->number;
	}
}

/* A successor's way into configuration space, behind the filter */
static const struct pci_raw_ops *config_ops __ro_after_init;

static bool bridge_hides(int reg)
{
	/* BARs and the ROM of a shared bridge: sizing them would write */
	return (reg >= PCI_BASE_ADDRESS_0 && reg < PCI_BASE_ADDRESS_2) ||
	       (reg >= PCI_ROM_ADDRESS1 && reg < PCI_ROM_ADDRESS1 + 4);
}

static bool has_line(u32 i)
{
	return own[i].irq_flags & (MINT_IRQ_VALID | MINT_IRQ_SHARED);
}

static bool covers(int reg, int len, int byte)
{
	return reg <= byte && byte < reg + len;
}

/* A byte of a register, as part of an access */
static u32 byte_at(int reg, int byte, u8 val)
{
	return (u32)val << 8 * (byte - reg);
}

/*
 * A function whose line stayed with another node has no line here: it shows
 * no pin, and its INTx stays off, so that it cannot storm who has the line.
 * And since not every function of its card is seen, not even function 0, all
 * say that there may be more.
 */
static int filter_read(unsigned int segment, unsigned int bus,
		       unsigned int devfn, int reg, int len, u32 *val)
{
	u32 id = function_id(segment, bus, devfn), i = own_index(id);
	int err;

	if (i < own_count) {
		err = config_ops->read(segment, bus, devfn, reg, len, val);
		mint_vf_read(i, reg, len, val);
		if (!has_line(i) && covers(reg, len, PCI_INTERRUPT_PIN))
			*val &= ~byte_at(reg, PCI_INTERRUPT_PIN, 0xff);
		if (covers(reg, len, PCI_HEADER_TYPE))
			*val |= byte_at(reg, PCI_HEADER_TYPE, PCI_HEADER_TYPE_MFD);
		return err;
	}
	if (own_function(id, MINT_DEV_BRIDGE)) {
		if (!bridge_hides(reg))
			return config_ops->read(segment, bus, devfn, reg, len, val);
		*val = 0;
		return 0;
	}
	*val = U32_MAX;
	return 0;
}

static int filter_write(unsigned int segment, unsigned int bus,
			unsigned int devfn, int reg, int len, u32 val)
{
	u32 i = own_index(function_id(segment, bus, devfn));

	if (i == own_count || !mint_vf_write(i, reg, len, val))
		return 0;
	if (!has_line(i) && covers(reg, len, PCI_COMMAND + 1))
		val |= byte_at(reg, PCI_COMMAND + 1, PCI_COMMAND_INTX_DISABLE >> 8);
	return config_ops->write(segment, bus, devfn, reg, len, val);
}

static const struct pci_raw_ops filter_ops = {
	.read	= filter_read,
	.write	= filter_write,
};

static int successor_enable_irq(struct pci_dev *dev)
{
	u32 i = own_index(dev_id(dev));
	int irq;

	if (i == own_count || !has_line(i) || (dev->irq_managed && dev->irq > 0))
		return 0;
	irq = mint_line_map(&own[i]);
	if (irq < 0)
		return irq;
	dev->irq = irq;
	dev->irq_managed = 1;
	return 0;
}

static void successor_disable_irq(struct pci_dev *dev)
{
	u32 i = own_index(dev_id(dev));

	if (i == own_count || !dev->irq_managed || dev->irq <= 0)
		return;
	mint_line_unmap(&own[i], dev->irq);
	dev->irq = 0;
	dev->irq_managed = 0;
}

static bool __init has_functions(u32 segment)
{
	u32 i;

	for (i = 0; i < own_count; i++)
		if (own[i].kind == MINT_DEV_PCI && own[i].id >> 16 == segment)
			return true;
	return false;
}

/* Windows of the bridges above a bus are as node 0 made them */
static void claim_windows(struct pci_bus *bus)
{
	struct pci_dev *bridge = bus->self;
	struct resource *res;
	int i;

	if (!bridge)
		return;
	claim_windows(bridge->bus);
	for (i = PCI_BRIDGE_RESOURCES; i < PCI_NUM_RESOURCES; i++)
		if (bridge->resource[i].parent)
			return;
	pci_read_bridge_bases(bus);
	for (i = PCI_BRIDGE_RESOURCES; i < PCI_NUM_RESOURCES; i++) {
		res = &bridge->resource[i];
		if (res->flags && res->start && !pci_claim_bridge_resource(bridge, i))
			continue;
		/* Nothing is to be put there */
		res->start = 0;
		res->end = 0;
		res->flags = 0;
	}
}

/*
 * At a boot the survey of resources would do it; after remove and rescan stock
 * code looks for new addresses, which other nodes may have.
 */
static void claim_function(struct pci_dev *dev)
{
	struct resource *res;
	int i;

	for (i = 0; i <= PCI_ROM_RESOURCE; i++) {
		res = &dev->resource[i];
		if (!res->flags || !res->start || res->parent)
			continue;
		res->flags |= IORESOURCE_PCI_FIXED;
		if (pci_claim_resource(dev, i))
			pci_err(dev, "BAR %d stays where it is and cannot be used\n", i);
	}
}

/* A write to the port would be dropped, and the reset be taken for done */
static void forget_bus_resets(struct pci_dev *dev)
{
	u8 *to = dev->reset_methods;
	int i;

	dev->dev_flags |= PCI_DEV_FLAGS_NO_BUS_RESET;
	for (i = 0; i < PCI_NUM_RESET_METHODS && dev->reset_methods[i]; i++)
		if (!strstr(reset_names[dev->reset_methods[i]], "bus"))
			*to++ = dev->reset_methods[i];
	while (to < dev->reset_methods + i)
		*to++ = 0;
}

/* A function or bridge was found, and nobody else knows it yet */
static int on_found(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *dev = to_pci_dev((struct device *)data);

	if (action != BUS_NOTIFY_ADD_DEVICE || beyond_segments(dev))
		return NOTIFY_DONE;
	forget_bus_resets(dev);
	/* The list of functions has gaps here, which none would look behind */
	if (dev->bus->self)
		dev->bus->self->ari_enabled = 0;
	claim_windows(dev->bus);
	if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
		claim_function(dev);
	return NOTIFY_DONE;
}

static struct notifier_block found_nb = { .notifier_call = on_found };

/* No ports, whatever pci= says; and addresses are node 0's to give */
static void __init restrict_probing(void)
{
	pci_probe = PCI_NOASSIGN_BARS | PCI_NOASSIGN_ROMS;
}

static int __init successor_arch_init(void)
{
	struct mint_node *node = mint_own_node();
#ifdef CONFIG_PCI_MMCONFIG
	struct mint_ecam *ecam;
#endif
	u32 i;

	raw_pci_ops = NULL;
	pcibios_last_bus = -1;
	/* Behind a port there may be other functions than its first one */
	pci_add_flags(PCI_SCAN_ALL_PCIE_DEVS);
	bus_register_notifier(&pci_bus_type, &found_nb);
	rebooted = node->boots > 1;
	own_count = min_t(u32, node->nr_devices, MINT_DEVICES_MAX);
	for (i = 0; i < own_count; i++) {
		own[i] = node->devices[i];
		if (own[i].kind == MINT_DEV_PCI && mint_vf_adopt(i, own[i].id)) {
			pr_err("the record of function %#x is damaged, it is left out\n",
			       own[i].id);
			own[i].kind = 0;
		}
	}

#ifdef CONFIG_PCI_MMCONFIG
	for (i = 0; (ecam = mint_ecam(i)) && ecam->base; i++)
		pci_mmconfig_add(ecam->segment, ecam->start_bus, ecam->end_bus,
				 ecam->base);
	if (i && pci_mmcfg_arch_init() && raw_pci_ext_ops) {
		config_ops = raw_pci_ext_ops;
		raw_pci_ext_ops = &filter_ops;
	}
#endif
	/* Without ECAM, functions of domain 0 were lent for use by the ports */
	if (!config_ops && has_functions(0)) {
		mint_conf1_reserve();
		config_ops = &mint_conf1;
		raw_pci_ops = &filter_ops;
	}
	pcibios_enable_irq = successor_enable_irq;
	pcibios_disable_irq = successor_disable_irq;
	return 0;
}

/* Ports and their services are node 0's: errors, power, hotplug, tolerance */
static struct pci_host_bridge * __init alloc_bridge(u32 root)
{
	struct pci_host_bridge *bridge = pci_alloc_host_bridge(sizeof(struct pci_sysdata));
	struct pci_sysdata *sysdata;

	if (!bridge)
		return NULL;
	sysdata = pci_host_bridge_priv(bridge);
	sysdata->domain = root >> 8;
	sysdata->node = NUMA_NO_NODE;
	bridge->sysdata = sysdata;
	bridge->busnr = root & 0xff;
	bridge->ops = &pci_root_ops;
	bridge->native_aer = 0;
	bridge->native_pcie_hotplug = 0;
	bridge->native_shpc_hotplug = 0;
	bridge->native_pme = 0;
	bridge->native_ltr = 0;
	bridge->native_dpc = 0;
	bridge->native_cxl_error = 0;
	x86_pci_root_bus_resources(bridge->busnr, &bridge->windows);
	return bridge;
}

static int __init successor_init(void)
{
	struct pci_host_bridge *bridge;
	u32 i, *root;

	if (!config_ops)
		return 0;
#ifdef CONFIG_PCIEPORTBUS
	pcie_ports_native = false;
#endif
	for (i = 0; (root = mint_root_bus(i)) && *root != MINT_NODE_FREE; i++) {
		if (!has_functions(*root >> 8))
			continue;
		bridge = alloc_bridge(*root);
		if (!bridge)
			return 0;
		if (pci_scan_root_bus_bridge(bridge)) {
			pci_free_host_bridge(bridge);
			continue;
		}
		/* Nobody resizes a BAR either */
		bridge->preserve_config = 1;
		pci_bus_add_devices(bridge->bus);
	}
	return 0;
}

/**
 * mint_pci_setup() - fill a successor's PCI operations
 *
 * Context: setup_arch().
 */
void __init mint_pci_setup(void)
{
	pci_probe = 0;
	/* The first call after the early parameters, pci= among them */
	x86_init.resources.dmi_setup = restrict_probing;
	x86_init.pci.arch_init	= successor_arch_init;
	x86_init.pci.init	= successor_init;
	x86_init.pci.init_irq	= x86_init_noop;
	x86_init.pci.fixup_irqs	= x86_init_noop;
}

/**
 * mint_pci_quiet() - no function of this node makes DMA or interrupts
 *
 * Context: the node ends; any, interrupts off, no locks: configuration space
 *	    is written directly.
 */
void mint_pci_quiet(void)
{
	u32 i, val;

	lockdep_assert_irqs_disabled();
	if (!config_ops)
		return;
	for (i = 0; i < own_count; i++) {
		unsigned int segment = own[i].id >> 16;
		unsigned int bus = own[i].id >> 8 & 0xff;
		unsigned int devfn = own[i].id & 0xff;

		if (own[i].kind != MINT_DEV_PCI)
			continue;
		filter_read(segment, bus, devfn, PCI_COMMAND, 2, &val);
		val &= ~PCI_COMMAND_MASTER;
		val |= PCI_COMMAND_INTX_DISABLE;
		filter_write(segment, bus, devfn, PCI_COMMAND, 2, val);
	}
}

#endif /* CONFIG_PCI */
