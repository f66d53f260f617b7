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

#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/pci.h>

#include <asm/pci_x86.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../own/own.h"
#include "device.h"

/* What this successor has; private, so that no peer can widen it */
static struct mint_device own[MINT_DEVICES_MAX] __ro_after_init;
static u32 own_count __ro_after_init;

static u32 function_id(unsigned int segment, unsigned int bus, unsigned int devfn)
{
	return segment << 16 | bus << 8 | devfn;
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
	if (i == own_count)
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
	u32 i = own_index(mint_pci_id(dev));
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
	u32 i = own_index(mint_pci_id(dev));

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
