// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: PCI functions that a successor has.
 *
 * Owns which ones these are, and how it reaches them. The filter stands before
 * the first access to configuration space: what is not its own does not exist,
 * except for the bridges above, which can be read and never written.
 *
 * A successor reaches configuration space by ECAM; where the machine has none,
 * by the ports CF8/CFC, which conf1.c shares out.
 */

#include <linux/blkdev.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/pci.h>

#include <asm/pci_x86.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../own/own.h"
#include "device.h"

/*
 * What this successor has; private, so that no peer can widen it. An entry is
 * at the same place as in the node's record, and stays there. Configuration
 * space is accessed without a lock: an entry is filled before its kind says what
 * it is, and emptied only once no function or bridge of it is known here.
 */
static struct mint_device own[MINT_DEVICES_MAX];

static u32 function_id(unsigned int segment, unsigned int bus, unsigned int devfn)
{
	return segment << 16 | bus << 8 | devfn;
}

/* Index in own[] of a function or bridge, MINT_DEVICES_MAX if it is not there */
static u32 own_find(u32 id, u32 kind)
{
	u32 i;

	for (i = 0; i < MINT_DEVICES_MAX; i++)
		/* Pairs with open_entry() */
		if (smp_load_acquire(&own[i].kind) == kind && own[i].id == id)
			break;
	return i;
}

static u32 own_index(u32 id)
{
	return own_find(id, MINT_DEV_PCI);
}

static bool owns(u32 id, u32 kind)
{
	return own_find(id, kind) < MINT_DEVICES_MAX;
}

/* Was this successor started by itself? Private, as own[] is */
static bool rebooted __ro_after_init;
static DECLARE_BITMAP(was_reset, MINT_DEVICES_MAX);

/*
 * A kernel that ended by a panic, or without its drivers, has left rings of its
 * own in the function: they must not come alive when a driver lets it be bus
 * master. At the launch node 0 has seen to that.
 */
static void reset_after_reboot(struct pci_dev *dev, u32 i)
{
	if (rebooted && !test_and_set_bit(i, was_reset))
		mint_pci_quiesce(dev, "own reboot");
}

/**
 * mint_pci_may_use() - may a driver of this successor have the function?
 * @dev:	the function
 *
 * It is brought to rest before the first driver after an own reboot gets it.
 *
 * Context: successor, process, device lock held.
 * Return: false for what it does not own, bridges among them.
 */
bool mint_pci_may_use(struct pci_dev *dev)
{
	u32 i;

	device_lock_assert(&dev->dev);
	if (mint_pci_beyond_segments(dev))
		return true;
	i = own_index(mint_pci_id(dev));
	if (i == MINT_DEVICES_MAX)
		return false;
	reset_after_reboot(dev, i);
	return true;
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

	if (i < MINT_DEVICES_MAX) {
		err = config_ops->read(segment, bus, devfn, reg, len, val);
		mint_vf_read(i, reg, len, val);
		if (!has_line(i) && covers(reg, len, PCI_INTERRUPT_PIN))
			*val &= ~byte_at(reg, PCI_INTERRUPT_PIN, 0xff);
		if (covers(reg, len, PCI_HEADER_TYPE))
			*val |= byte_at(reg, PCI_HEADER_TYPE, PCI_HEADER_TYPE_MFD);
		return err;
	}
	if (owns(id, MINT_DEV_BRIDGE)) {
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

	if (i == MINT_DEVICES_MAX || !mint_vf_write(i, reg, len, val))
		return 0;
	if (!has_line(i) && covers(reg, len, PCI_COMMAND + 1))
		val |= byte_at(reg, PCI_COMMAND + 1, PCI_COMMAND_INTX_DISABLE >> 8);
	return config_ops->write(segment, bus, devfn, reg, len, val);
}

static const struct pci_raw_ops filter_ops = {
	.read	= filter_read,
	.write	= filter_write,
};

/* No DMA and no interrupt by a line, whatever a driver has left behind */
static void silence(u32 i)
{
	unsigned int segment = own[i].id >> 16, bus = own[i].id >> 8 & 0xff;
	unsigned int devfn = own[i].id & 0xff;
	u32 val;

	filter_read(segment, bus, devfn, PCI_COMMAND, 2, &val);
	val &= ~PCI_COMMAND_MASTER;
	val |= PCI_COMMAND_INTX_DISABLE;
	filter_write(segment, bus, devfn, PCI_COMMAND, 2, val);
}

static void close_entry(u32 i)
{
	WRITE_ONCE(own[i].kind, 0);
}

/*
 * From here on the function or bridge of an entry of the node's record exists.
 * Fails for what node 0 has described wrongly.
 */
static int open_entry(u32 i, const struct mint_device *dev)
{
	close_entry(i);
	if (dev->kind == MINT_DEV_PCI && mint_vf_adopt(i, dev->id)) {
		pr_err("the record of function %#x is damaged, it is left out\n",
		       dev->id);
		return -EINVAL;
	}
	own[i].id = dev->id;
	own[i].gsi = dev->gsi;
	own[i].irq_flags = dev->irq_flags;
	/* Pairs with own_find() */
	smp_store_release(&own[i].kind, dev->kind);
	return 0;
}

/* The pin of a line goes back to node 0, unless another function is on it */
static void give_up_line(const struct mint_device *dev)
{
	u32 i;

	if (!(dev->irq_flags & MINT_IRQ_VALID))
		return;
	for (i = 0; i < MINT_DEVICES_MAX; i++)
		if (&own[i] != dev && own[i].kind == MINT_DEV_PCI &&
		    own[i].irq_flags & MINT_IRQ_VALID && own[i].gsi == dev->gsi)
			return;
	mint_pin_set_own(dev->gsi, false);
}

/*
 * Is a function of the record this node's, and not on its way? The moves are read
 * before the entry and again after it: the move may end in between, and node 0
 * changes the entry before that.
 */
static bool __init still_own(const struct mint_device *entry, u32 id)
{
	return !mint_moved_away(MINT_MOVE_FUNCTION, id) &&
	       /* Pairs with set_device() of node 0 */
	       virt_load_acquire(&entry->kind) == MINT_DEV_PCI &&
	       READ_ONCE(entry->id) == id &&
	       !mint_moved_away(MINT_MOVE_FUNCTION, id);
}

/* What the record says at boot, less what was given away before a reboot */
static void __init adopt_all(const struct mint_node *node)
{
	struct mint_device dev;
	u32 i, gsi, count = min_t(u32, node->nr_devices, MINT_DEVICES_MAX);

	for (i = 0; i < count; i++) {
		dev = node->devices[i];
		if ((dev.kind == MINT_DEV_PCI && still_own(&node->devices[i], dev.id)) ||
		    dev.kind == MINT_DEV_BRIDGE)
			open_entry(i, &dev);
	}
	for (i = 0; i < count; i++) {
		dev = node->devices[i];
		if (dev.kind == MINT_DEV_PCI && own[i].kind != MINT_DEV_PCI &&
		    mint_moved_away(MINT_MOVE_FUNCTION, dev.id))
			give_up_line(&dev);
	}
	/* Drop the pins that node 0 has taken away since init_IRQ() has read their owners */
	for (gsi = 0; gsi < mint_layout.pins.count; gsi++)
		if (mint_owner_of_pin(gsi) == mint_self)
			mint_pin_set_own(gsi, true);
}

static int successor_enable_irq(struct pci_dev *dev)
{
	u32 i = own_index(mint_pci_id(dev));
	int irq;

	if (i == MINT_DEVICES_MAX || !has_line(i) || (dev->irq_managed && dev->irq > 0))
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
	u32 i = own_index(mint_pci_id(dev));

	if (i == MINT_DEVICES_MAX || !dev->irq_managed || dev->irq <= 0)
		return;
	mint_line_unmap(&own[i], dev->irq);
	dev->irq = 0;
	dev->irq_managed = 0;
}

static bool has_functions(u32 segment)
{
	u32 i;

	for (i = 0; i < MINT_DEVICES_MAX; i++)
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
		if (!mint_pci_resets_bus(dev->reset_methods[i]))
			*to++ = dev->reset_methods[i];
	while (to < dev->reset_methods + i)
		*to++ = 0;
}

/* A function or bridge was found, and nobody else knows it yet */
static int on_found(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *dev = to_pci_dev((struct device *)data);

	if (action != BUS_NOTIFY_ADD_DEVICE || mint_pci_beyond_segments(dev))
		return NOTIFY_DONE;
	forget_bus_resets(dev);
	/* ARI's list of functions ends here at the first one that is another node's */
	if (dev->bus->self)
		dev->bus->self->ari_enabled = 0;
	claim_windows(dev->bus);
	if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
		claim_function(dev);
	return NOTIFY_DONE;
}

static struct notifier_block found_nb = { .notifier_call = on_found };

/* Whatever pci= says: no probe of the ports, and no address is given here */
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
	adopt_all(node);

#ifdef CONFIG_PCI_MMCONFIG
	for (i = 0; (ecam = mint_ecam(i)) && ecam->base; i++)
		pci_mmconfig_add(ecam->segment, ecam->start_bus, ecam->end_bus,
				 ecam->base);
	if (i && pci_mmcfg_arch_init() && raw_pci_ext_ops) {
		config_ops = raw_pci_ext_ops;
		raw_pci_ext_ops = &filter_ops;
	}
#endif
	/* Without ECAM, functions of domain 0 are lent for use by the ports */
	if (!config_ops) {
		mint_conf1_reserve();
		config_ops = &mint_conf1;
		raw_pci_ops = &filter_ops;
	}
	pcibios_enable_irq = successor_enable_irq;
	pcibios_disable_irq = successor_disable_irq;
	return 0;
}

/* Services of ports are node 0's: AER, DPC, PME, hotplug, LTR, errors of CXL */
static struct pci_host_bridge *alloc_bridge(u32 root)
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

/* Find the functions of this successor below a root bus that are not known yet */
static void scan_root(u32 root)
{
	struct pci_bus *bus = pci_find_bus(root >> 8, root & 0xff);
	struct pci_host_bridge *bridge;

	if (bus) {
		pci_scan_child_bus(bus);
		pci_bus_add_devices(bus);
		return;
	}
	bridge = alloc_bridge(root);
	if (!bridge)
		return;
	if (pci_scan_root_bus_bridge(bridge)) {
		pci_free_host_bridge(bridge);
		return;
	}
	/* No BAR is resized later */
	bridge->preserve_config = 1;
	pci_bus_add_devices(bridge->bus);
}

static void scan_segment(u32 segment)
{
	u32 i, *root;

	for (i = 0; (root = mint_root_bus(i)) && *root != MINT_NODE_FREE; i++)
		if (*root >> 8 == segment)
			scan_root(*root);
}

static int __init successor_init(void)
{
	u32 i, *root;

	if (!config_ops)
		return 0;
#ifdef CONFIG_PCIEPORTBUS
	pcie_ports_native = false;
#endif
	for (i = 0; (root = mint_root_bus(i)) && *root != MINT_NODE_FREE; i++)
		if (has_functions(*root >> 8))
			scan_root(*root);
	return 0;
}

/* ---- while the node runs ---- */

/* The bridges above what is left, as the node's record has them */
static void open_bridges(const struct mint_node *node)
{
	struct mint_device dev;
	u32 i;

	for (i = 0; i < min_t(u32, READ_ONCE(node->nr_devices), MINT_DEVICES_MAX); i++) {
		dev = node->devices[i];
		if (dev.kind != MINT_DEV_BRIDGE || own[i].kind == MINT_DEV_PCI ||
		    owns(dev.id, MINT_DEV_BRIDGE))
			continue;
		open_entry(i, &dev);
	}
}

/* Bridges that lead to nothing go, the lowest first */
static void close_bridges(void)
{
	struct pci_dev *dev;
	bool found;
	u32 i;

	do {
		found = false;
		for (i = 0; i < MINT_DEVICES_MAX; i++) {
			if (own[i].kind != MINT_DEV_BRIDGE)
				continue;
			dev = mint_pci_get(own[i].id);
			if (dev && dev->subordinate &&
			    list_empty(&dev->subordinate->devices)) {
				pci_stop_and_remove_bus_device(dev);
				close_entry(i);
				found = true;
			}
			pci_dev_put(dev);
		}
	} while (found);
}

/**
 * mint_pci_close() - this successor has a function no more
 * @id:		the function
 * @why:	out: reason of a refusal
 *
 * Its driver, the function and bridges that lead to nothing else are removed.
 *
 * Context: successor, process; waits for the driver.
 * Return: 0; -ENODEV, -EBUSY, and then nothing has changed.
 */
int mint_pci_close(u32 id, struct mint_reason *why)
{
	char disk[DISK_NAME_LEN];
	u32 i = own_index(id);
	struct pci_dev *dev;

	if (i == MINT_DEVICES_MAX)
		return mint_pci_refuse(why, -ENODEV, "is not this node's");
	pci_lock_rescan_remove();
	dev = mint_pci_get(id);
	if (dev && mint_pci_disk_in_use(dev, disk)) {
		pci_unlock_rescan_remove();
		pci_dev_put(dev);
		return mint_pci_refuse(why, -EBUSY,
				       "has disk %s, which node %u uses: unmount or close it there",
				       disk, mint_self);
	}
	if (dev)
		pci_stop_and_remove_bus_device(dev);
	pci_dev_put(dev);
	silence(i);
	give_up_line(&own[i]);
	close_entry(i);
	close_bridges();
	pci_unlock_rescan_remove();
	return 0;
}

/* Index of a function in the node's record, and a copy of its entry */
static u32 find_recorded(const struct mint_node *node, u32 id, struct mint_device *dev)
{
	u32 i;

	for (i = 0; i < min_t(u32, READ_ONCE(node->nr_devices), MINT_DEVICES_MAX); i++) {
		*dev = node->devices[i];
		if (dev->kind == MINT_DEV_PCI && dev->id == id)
			return i;
	}
	return MINT_DEVICES_MAX;
}

/**
 * mint_pci_open() - this successor has one more function
 * @id:		the function, which the node's record has
 * @again:	this node had begun to use it before its own reboot
 * @why:	out: reason of a refusal
 *
 * What the record and node 0's description say is copied and checked, as at a
 * boot; then it is looked for where it is new. No address of any function and no
 * window of a bridge changes. Its driver gets it, if there is one.
 *
 * Context: successor, process; waits for the driver.
 * Return: 0, also if it was here already; -ENODEV, -EINVAL.
 */
int mint_pci_open(u32 id, bool again, struct mint_reason *why)
{
	const struct mint_node *node = mint_own_node();
	struct mint_device entry;
	struct pci_dev *dev;
	u32 i;

	if (!config_ops)
		return mint_pci_refuse(why, -ENODEV,
				       "cannot be reached by node %u: it has no ECAM and no ports",
				       mint_self);
	i = find_recorded(node, id, &entry);
	if (i == MINT_DEVICES_MAX)
		return mint_pci_refuse(why, -ENODEV, "is not in the record of node %u",
				       mint_self);
	pci_lock_rescan_remove();
	if (own_index(id) == MINT_DEVICES_MAX) {
		if (own[i].kind == MINT_DEV_PCI || open_entry(i, &entry)) {
			pci_unlock_rescan_remove();
			return mint_pci_refuse(why, -EINVAL,
					       "has a damaged record in node %u",
					       mint_self);
		}
		/* Node 0 has brought it to rest, before the first try */
		assign_bit(i, was_reset, !again);
		if (entry.irq_flags & MINT_IRQ_VALID)
			mint_pin_set_own(entry.gsi, true);
		open_bridges(node);
	}
	scan_segment(id >> 16);
	dev = mint_pci_get(id);
	if (!dev) {
		close_entry(own_index(id));
		close_bridges();
	}
	pci_unlock_rescan_remove();
	if (!dev)
		return mint_pci_refuse(why, -ENODEV, "does not answer in node %u",
				       mint_self);
	pci_dev_put(dev);
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
	u32 i;

	lockdep_assert_irqs_disabled();
	if (!config_ops)
		return;
	for (i = 0; i < MINT_DEVICES_MAX; i++)
		if (own[i].kind == MINT_DEV_PCI)
			silence(i);
}
