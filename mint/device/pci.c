// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: PCI functions that node 0 lends.
 *
 * Owns which functions may be lent, and that they are at rest on their way there
 * and back. In node 0 every function is enumerated, as on a stock machine, but
 * a driver binds only to what is not lent. What a successor makes of a function
 * is borrow.c's.
 */

#include <linux/blkdev.h>
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

/* Functions named by mint.devices= of node 0 */
static struct mint_pci_word param_words[MINT_DEVICES_MAX] __ro_after_init;
static u32 param_count __ro_after_init;

/**
 * mint_pci_beyond_segments() - is a function in a domain that a driver made?
 * @dev:	the function
 *
 * Such domains, of VMD and of Hyper-V, begin above the 16 bits of a segment.
 * What is there is the driver's: it goes with the function that the driver has.
 *
 * Context: any.
 * Return: true if so: mint_pci_id() has no number for it.
 */
bool mint_pci_beyond_segments(const struct pci_dev *dev)
{
	return (u32)pci_domain_nr(dev->bus) >= MINT_SEGMENT_NONE;
}

/**
 * mint_pci_id() - what a function is called in records
 * @dev:	the function
 *
 * Context: any.
 * Return: segment << 16 | bus << 8 | devfn; U32_MAX if it cannot be named.
 */
u32 mint_pci_id(const struct pci_dev *dev)
{
	if (mint_pci_beyond_segments(dev))
		return U32_MAX;
	return pci_domain_nr(dev->bus) << 16 | dev->bus->number << 8 | dev->devfn;
}

/**
 * mint_pci_get() - the function of a record
 * @id:		segment << 16 | bus << 8 | devfn
 *
 * Context: process.
 * Return: the function, with a reference; NULL if there is none.
 */
struct pci_dev *mint_pci_get(u32 id)
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
		return (mint_pci_id(dev) & match->mask) == match->id;
	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge))
		if ((mint_pci_id(bridge) & match->mask) == match->id)
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
		ids[count++] = mint_pci_id(dev);
	}
	return count;
}

/**
 * mint_pci_param() - note functions of mint.devices= of node 0
 * @match:	which
 * @minus:	everything but these, instead of nothing but these
 *
 * Context: early parameters.
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
	if (dev->hdr_type != PCI_HEADER_TYPE_NORMAL || mint_pci_beyond_segments(dev))
		return true;
	return mint_pci_allowed(param_words, param_count, matches, dev);
}

/* As in the file reset_method of the function in sysfs */
static const char * const reset_names[] = {
	NULL, "device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus",
};

/**
 * mint_pci_resets_bus() - does a reset reach all that is on the bus?
 * @method:	from pci_dev.reset_methods, not 0
 *
 * Context: any.
 * Return: true for "bus" and "cxl_bus".
 */
bool mint_pci_resets_bus(u8 method)
{
	return strstr(reset_names[method], "bus");
}

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

/**
 * mint_pci_quiesce() - no DMA, no interrupt, and a fresh start
 * @dev:	a function without a driver
 * @where:	on which way it is, for the log
 *
 * It gets the state that was saved, or else the one that it had.
 *
 * Context: process, device lock held; sleeps for as long as the reset takes.
 */
void mint_pci_quiesce(struct pci_dev *dev, const char *where)
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

/**
 * mint_pci_held() - is a function kept away from the drivers of node 0?
 * @dev:	the function
 *
 * Context: predecessor, process.
 * Return: true from mint_pci_hold() to mint_pci_let_go().
 */
bool mint_pci_held(struct pci_dev *dev)
{
	return pci_is_dev_assigned(dev);
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
		return mint_pci_may_use(dev);
	case MINT_PREDECESSOR:
		n = mint_owner_of_function(mint_pci_id(dev), NULL);
		if (n == MINT_NODE_FLIGHT || (n == MINT_NODE_FREE && mint_pci_held(dev))) {
			pci_info(dev, "on its way to another node, not bound\n");
			return false;
		}
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

/* A bridge above that is no PCI-to-PCI one, or has a driver but pcieport; or NULL */
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

	if (method && !mint_pci_resets_bus(method))
		return true;
	/* A reset of the bus was offered before the other functions there were found */
	return method && list_is_singular(&dev->bus->devices);
}

/**
 * mint_pci_refuse() - say why something is not done with a function
 * @why:	out: the reason
 * @err:	the error
 * @fmt:	what comes behind the name of the function: who has it, what to do
 *
 * Context: any.
 * Return: @err.
 */
int mint_pci_refuse(struct mint_reason *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return err;
}

/* Physical and virtual functions: these live by what node 0 does with those */
static int check_sriov(struct pci_dev *dev, struct mint_reason *why)
{
	struct pci_dev *pf = pci_physfn(dev);

	if (pci_num_vf(dev))
		return mint_pci_refuse(why, -EBUSY,
				       "has %d virtual functions: lend those, or echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
				       pci_num_vf(dev), pci_name(dev));
	if (!dev->is_virtfn)
		return 0;
	if (!pf->dev.driver)
		return mint_pci_refuse(why, -EBUSY,
				       "is a virtual function of %s, which no driver of node 0 keeps going: bind one",
				       pci_name(pf));
	if (dev->bus != pf->bus)
		return mint_pci_refuse(why, -EINVAL,
				       "is a virtual function on a bus that has no bridge, where a successor does not find it: give %s fewer",
				       pci_name(pf));
	return 0;
}

/* Refuse what all nodes share, and what is on its way already */
static int check_kind(struct pci_dev *dev, u32 owner, struct mint_reason *why)
{
	if (is_bridge(dev))
		return mint_pci_refuse(why, -EINVAL,
				       "is a bridge, which all nodes share: name the functions behind it (%s/*)",
				       pci_name(dev));
	if (owner == MINT_NODE_FLIGHT ||
	    (owner == MINT_NODE_FREE && mint_pci_held(dev)))
		return mint_pci_refuse(why, -EBUSY,
				       "is on its way from one node to another: wait until it is there");
	return 0;
}

/* What node 0 has: can it be lent at all, in this machine and this place? */
static int check_place(struct pci_dev *dev, bool force, struct mint_reason *why)
{
	struct pci_dev *bridge;
	int bar;

	if (has_screen(dev))
		return mint_pci_refuse(why, -EBUSY,
				       "has the screen of node 0: boot that with mint.devices=-vga");
	if (must_reset && !force && !can_reset(dev))
		return mint_pci_refuse(why, -EINVAL,
				       "cannot be reset, and mint.reset=must asks for it: name it with an exclamation mark (%s!) if it is known to be at rest",
				       pci_name(dev));
	if (remapped(dev))
		return mint_pci_refuse(why, -EINVAL,
				       "is behind an active IOMMU: boot node 0 with intel_iommu=off amd_iommu=off intremap=off");
	if (!reachable(dev))
		return mint_pci_refuse(why, -EINVAL,
				       "cannot be lent, its configuration space has neither ECAM nor the ports CF8/CFC: boot node 0 without pci=");

	bridge = unshared_bridge(dev);
	if (bridge)
		return mint_pci_refuse(why, -EBUSY,
				       "is behind %s, which %s of node 0 does not share: unbind that",
				       pci_name(bridge), bridge->dev.driver ?
				       bridge->dev.driver->name : "CardBus");
	/* A virtual one has no registers, and none without addresses */
	bar = dev->is_virtfn ? -1 : unassigned(dev);
	if (bar >= 0)
		return mint_pci_refuse(why, -EINVAL,
				       "has no address for BAR %d: boot node 0 with pci=realloc or move the card",
				       bar);
	return 0;
}

static int check_function(struct pci_dev *dev, struct mint_device *desc,
			  bool force, struct mint_reason *why)
{
	struct pci_driver *drv = to_pci_driver(dev->dev.driver);
	u32 owner = mint_owner_of_function(desc->id, NULL);
	int err = check_kind(dev, owner, why);

	if (err)
		return err;
	if (owner != MINT_NODE_FREE)
		return mint_pci_refuse(why, -EBUSY,
				       "belongs to node %u: end that node first", owner);
	if (dev->dev.driver)
		return mint_pci_refuse(why, -EBUSY,
				       "is driven by %s in node 0: echo %s > /sys/bus/pci/drivers/%s/unbind",
				       drv->name, pci_name(dev), drv->name);
	err = check_sriov(dev, why) ?: check_place(dev, force, why);
	if (err)
		return err;

	mint_line_describe(dev, desc);
	if (mint_line_needed(dev) && !(desc->irq_flags & MINT_IRQ_VALID))
		return mint_pci_refuse(why, -ENXIO,
				       "has no MSI, and no route of its INT%c to an I/O APIC is known: boot node 0 with ACPI's routing or move the card",
				       'A' + dev->pin - 1);
	return 0;
}

/**
 * mint_pci_lock() - take the device lock of a function
 * @dev:	the function
 *
 * A probe that hangs holds it for ever, and others would wait behind who waits
 * for it. Everything else holds it for a moment.
 *
 * Context: process; sleeps for LOCK_BOUND_US at the most.
 * Return: false if it could not be had.
 */
bool mint_pci_lock(struct pci_dev *dev)
{
	bool locked;

	return !read_poll_timeout(device_trylock, locked, locked,
				  LOCK_POLL_US, LOCK_BOUND_US, false, &dev->dev);
}

/* A function to look at, locked and awake; NULL if that is refused by @err */
static struct pci_dev *begin_check(u32 id, struct mint_reason *why, int *err)
{
	struct pci_dev *dev = mint_pci_get(id);

	if (!dev) {
		*err = mint_pci_refuse(why, -ENODEV, "is not on this machine: see lspci");
		return NULL;
	}
	if (!mint_pci_lock(dev)) {
		pci_dev_put(dev);
		*err = mint_pci_refuse(why, -EBUSY, MINT_PCI_LOCKED);
		return NULL;
	}
	/* Behind a port that sleeps there is nothing to be read */
	pm_runtime_get_sync(&dev->dev);
	return dev;
}

static void end_check(struct pci_dev *dev)
{
	pm_runtime_put(&dev->dev);
	device_unlock(&dev->dev);
	pci_dev_put(dev);
}

/**
 * mint_pci_check() - may a function be lent?
 * @desc:	the function; its line is filled in
 * @force:	lend it even if it can not be reset
 * @why:	out: reason of a refusal
 *
 * Changes nothing.
 *
 * Context: predecessor, under mint_claims_lock(); may sleep.
 * Return: 0, -ENODEV, -EBUSY, -EINVAL, -ENXIO.
 */
int mint_pci_check(struct mint_device *desc, bool force, struct mint_reason *why)
{
	struct pci_dev *dev;
	int err;

	mint_claims_assert_held();
	dev = begin_check(desc->id, why, &err);
	if (!dev)
		return err;
	err = check_function(dev, desc, force, why);
	end_check(dev);
	return err;
}

/*
 * A line would have to move with it, and may be shared by others. What nobody
 * can silence disturbs whoever has the line.
 */
static int check_line(struct pci_dev *dev, struct mint_reason *why)
{
	if (mint_line_needed(dev))
		return mint_pci_refuse(why, -EINVAL,
				       "has no MSI, and a line goes to a node only at launch: use mint.devices=%s there",
				       pci_name(dev));
	if (dev->pin && dev->broken_intx_masking)
		return mint_pci_refuse(why, -EINVAL,
				       "cannot switch its interrupt line off, so it goes to a node only at launch: use mint.devices=%s there",
				       pci_name(dev));
	return 0;
}

static int check_move(struct pci_dev *dev, u32 from, bool force,
		      struct mint_reason *why)
{
	char disk[DISK_NAME_LEN];
	int err = check_kind(dev, from, why);

	err = err ?: check_sriov(dev, why) ?: check_line(dev, why);
	if (err || from != MINT_NODE_FREE)
		return err;
	if (mint_pci_disk_in_use(dev, disk))
		return mint_pci_refuse(why, -EBUSY,
				       "has disk %s, which node 0 uses: unmount or close it",
				       disk);
	return check_place(dev, force, why);
}

/**
 * mint_pci_check_move() - may a function go to another node that runs?
 * @id:		the function
 * @from:	out: who has it; MINT_NODE_FREE if it has no driver in node 0 either
 * @force:	even if it can not be reset
 * @why:	out: reason of a refusal
 *
 * Changes nothing. What a successor does with its function is not seen here.
 *
 * Context: predecessor, under mint_claims_lock(); may sleep.
 * Return: 0, -ENODEV, -EBUSY, -EINVAL.
 */
int mint_pci_check_move(u32 id, u32 *from, bool force, struct mint_reason *why)
{
	struct pci_dev *dev;
	int err;

	mint_claims_assert_held();
	dev = begin_check(id, why, &err);
	if (!dev)
		return err;
	*from = mint_owner_of_function(id, NULL);
	err = check_move(dev, *from, force, why);
	if (*from == MINT_NODE_FREE && dev->dev.driver)
		*from = mint_self;
	end_check(dev);
	return err;
}

/* While a function is lent, this file is there and names the node */
static ssize_t mint_node_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	u32 n = mint_owner_of_function(mint_pci_id(to_pci_dev(dev)), NULL);

	return mint_node(n) ? sysfs_emit(buf, "%u\n", n) : 0;
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
	u32 n = mint_owner_of_function(mint_pci_id(dev), NULL);

	if (!mint_node(n))
		pci_info(dev, "an error on its link, on its way to another node\n");
	else if (state == pci_channel_io_normal)
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
	/* After a fatal error no access would reach it; it is reset next */
	dev->error_state = pci_channel_io_normal;
}

/* As driver data of a function that is being removed, under the device lock */
static char leaves;

/*
 * From here on the bridges above forward for it, and node 0 drives it no more. One that
 * on_removal() has seen is held no more: nobody would let go of it.
 */
static int begin_hold(struct pci_dev *dev)
{
	int err;

	if (pci_get_drvdata(dev) == &leaves)
		return -ENODEV;
	if (dev->dev.driver || mint_pci_held(dev))
		return -EBUSY;
	hold_bridges(dev, true);
	pm_runtime_get_sync(&dev->dev);
	err = mint_vf_describe(dev);
	if (err) {
		pm_runtime_put(&dev->dev);
		hold_bridges(dev, false);
		return err;
	}
	/* Drivers of physical functions leave alone what is assigned */
	pci_set_dev_assigned(dev);
	pci_set_power_state(dev, PCI_D0);
	/*
	 * What is saved from here on is a function at rest, which is what it gets
	 * back after a reset: firmware and drivers may have left it otherwise.
	 */
	pci_clear_master(dev);
	pci_intx(dev, 0);
	msi_off(dev);
	dev->state_saved = false;
	return 0;
}

/* The reference of the caller stays until mint_pci_let_go() */
static void end_hold(struct pci_dev *dev)
{
	stand_in(dev);
	if (device_create_file(&dev->dev, &dev_attr_mint_node))
		pci_warn(dev, "no file mint_node\n");
	/* Kept for the way back */
	pci_save_state(dev);
}

/**
 * mint_pci_hold() - keep a function away from the drivers of node 0
 * @dev:	a function without a driver; its reference is kept
 *
 * As mint_pci_lend(), but the function is not brought to rest yet.
 *
 * Context: predecessor, process, device lock held.
 * Return: 0, -EBUSY, -ENODEV, -ENOMEM.
 */
int mint_pci_hold(struct pci_dev *dev)
{
	int err;

	device_lock_assert(&dev->dev);
	err = begin_hold(dev);
	if (!err)
		end_hold(dev);
	return err;
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
 * Return: 0; -EBUSY if a driver of node 0 has it, -ENODEV if it is just being removed,
 * -ENOMEM.
 */
int mint_pci_lend(const struct mint_device *desc)
{
	struct pci_dev *dev;
	char where[24];
	u32 n, index;
	int err;

	dev = desc->kind == MINT_DEV_PCI ? mint_pci_get(desc->id) : NULL;
	if (!dev)
		return 0;

	if (!mint_pci_lock(dev)) {
		pci_dev_put(dev);
		return -EBUSY;
	}
	err = begin_hold(dev);
	if (err) {
		device_unlock(&dev->dev);
		pci_dev_put(dev);
		return err;
	}
	n = mint_owner_of_function(desc->id, &index);
	mint_vf_publish(desc->id, n, index);
	snprintf(where, sizeof(where), "lent to node %u", n);
	mint_pci_quiesce(dev, where);
	end_hold(dev);
	device_unlock(&dev->dev);
	return 0;
}

/* Whatever state a successor left it in, it gets that of before */
static void stand_back_at_rest(struct pci_dev *dev, const char *where)
{
	dev->current_state = PCI_UNKNOWN;
	pci_set_power_state(dev, PCI_D0);
	dev->state_saved = true;
	stand_back(dev);
	mint_pci_quiesce(dev, where);
}

/**
 * mint_pci_quiesce_held() - bring a function to rest on its way between two nodes
 * @dev:	the function, held
 * @where:	on which way it is, for the log
 *
 * Context: predecessor, process, device lock held; sleeps for as long as the
 *	    reset takes.
 */
void mint_pci_quiesce_held(struct pci_dev *dev, const char *where)
{
	device_lock_assert(&dev->dev);
	stand_back_at_rest(dev, where);
	stand_in(dev);
	pci_save_state(dev);
}

static void let_go(struct pci_dev *dev)
{
	u32 index, n = mint_owner_of_function(mint_pci_id(dev), &index);

	device_remove_file(&dev->dev, &dev_attr_mint_node);
	pci_clear_dev_assigned(dev);
	if (mint_node(n))
		mint_vf_withdraw(n, index);
	mint_vf_forget(dev);
	pm_runtime_put(&dev->dev);
	hold_bridges(dev, false);
	pci_dev_put(dev);
}

/**
 * mint_pci_let_go() - a driver of node 0 may have the function again
 * @dev:	the function, held and at rest; a reference to it is dropped
 *
 * Context: predecessor, process, device lock held.
 */
void mint_pci_let_go(struct pci_dev *dev)
{
	device_lock_assert(&dev->dev);
	stand_back(dev);
	let_go(dev);
}

/**
 * mint_pci_take_back() - bring a function to rest on its way back
 * @desc:	a device that mint_pci_lend() accepted
 *
 * Context: predecessor, process, under the claim's lock; may sleep.
 */
void mint_pci_take_back(const struct mint_device *desc)
{
	struct pci_dev *dev;

	dev = desc->kind == MINT_DEV_PCI ? mint_pci_get(desc->id) : NULL;
	if (!dev)
		return;

	device_lock(&dev->dev);
	/* Unless it went meanwhile, and another one came in its place */
	if (mint_pci_held(dev)) {
		stand_back_at_rest(dev, "taken back");
		let_go(dev);
	}
	device_unlock(&dev->dev);
	pci_dev_put(dev);
}

/* A function leaves node 0's list: nobody could bring it to rest later on */
static void on_removal(struct pci_dev *dev)
{
	u32 n = mint_owner_of_function(mint_pci_id(dev), NULL);
	char where[32] = "removed on its way";

	device_lock(&dev->dev);
	if (mint_pci_held(dev)) {
		if (mint_node(n))
			snprintf(where, sizeof(where), "removed, lost for node %u", n);
		stand_back(dev);
		mint_pci_quiesce(dev, where);
		let_go(dev);
	}
	/* It is found in the list of its bus for some time yet; no driver comes any more */
	if (!dev->dev.driver)
		pci_set_drvdata(dev, &leaves);
	device_unlock(&dev->dev);
}

/* Removal and unbinding cannot be refused, only told of */
static int on_change(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *dev = to_pci_dev((struct device *)data);

	if (action == BUS_NOTIFY_UNBIND_DRIVER && pci_vfs_assigned(dev))
		pci_warn(dev, "loses its driver: nodes that have virtual functions of it may lose them\n");
	/* Before its files go; and once more for one that was bound again just then */
	else if (action == BUS_NOTIFY_DEL_DEVICE ||
		 action == BUS_NOTIFY_REMOVED_DEVICE)
		on_removal(dev);
	return NOTIFY_DONE;
}

static struct notifier_block change_nb = { .notifier_call = on_change };

/**
 * mint_pci_bridges() - the bridges above a function
 * @desc:	a function that mint_pci_check() accepted
 * @list:	devices of the node so far
 * @count:	how many entries, those among them that are empty
 * @max:	room there
 *
 * Context: predecessor, under mint_claims_lock().
 * Return: the new count, -ENOSPC.
 */
int mint_pci_bridges(const struct mint_device *desc, struct mint_device *list,
		     u32 count, u32 max)
{
	struct pci_dev *dev = mint_pci_get(desc->id), *bridge;
	int slot;
	u32 i;

	mint_claims_assert_held();
	if (!dev)
		return count;
	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		for (i = 0; i < count; i++)
			if (list[i].kind == MINT_DEV_BRIDGE &&
			    list[i].id == mint_pci_id(bridge))
				break;
		if (i < count)
			continue;
		slot = mint_device_slot(list, count, max);
		if (slot < 0) {
			pci_dev_put(dev);
			return slot;
		}
		memset(&list[slot], 0, sizeof(list[slot]));
		list[slot].kind = MINT_DEV_BRIDGE;
		list[slot].id = mint_pci_id(bridge);
		count = max_t(u32, count, slot + 1);
	}
	pci_dev_put(dev);
	return count;
}

/**
 * mint_pci_below() - is a function below a bridge?
 * @id:		the function
 * @bridge:	the bridge
 *
 * Context: predecessor, process.
 * Return: true also for a function that node 0 does not see any more.
 */
bool mint_pci_below(u32 id, u32 bridge)
{
	struct pci_dev *dev = mint_pci_get(id), *above;
	bool below = !dev;

	for (above = dev ? pci_upstream_bridge(dev) : NULL; above && !below;
	     above = pci_upstream_bridge(above))
		below = mint_pci_id(above) == bridge;
	pci_dev_put(dev);
	return below;
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
