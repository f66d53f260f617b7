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
 * Configuration space is reached by ECAM alone in a successor: the ports
 * CF8/CFC are an index/data pair that node 0 uses.
 */

#include <linux/acpi.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include <asm/io_apic.h>
#include <asm/irqdomain.h>
#include <asm/pci_x86.h>
#include <asm/x86_init.h>

#include "mint.h"

#ifdef CONFIG_PCI

/* Functions named by mint.devices= of node 0 */
static u32 param_functions[MINT_DEVICES_MAX] __ro_after_init;
static u32 param_count __ro_after_init;
static bool param_only __ro_after_init;		/* nothing but these */

/* What this successor has; private, so that no peer can widen it */
static struct mint_device own[MINT_DEVICES_MAX] __ro_after_init;
static u32 own_count __ro_after_init;

static u32 function_id(unsigned int segment, unsigned int bus, unsigned int devfn)
{
	return segment << 16 | bus << 8 | devfn;
}

static u32 dev_id(const struct pci_dev *dev)
{
	return function_id(pci_domain_nr(dev->bus), dev->bus->number, dev->devfn);
}

static struct pci_dev *dev_get(u32 id)
{
	return pci_get_domain_bus_and_slot(id >> 16, id >> 8 & 0xff, id & 0xff);
}

/**
 * mint_pci_param() - note a function of mint.devices= of node 0
 * @id:		segment << 16 | bus << 8 | devfn
 * @minus:	everything but this one, instead of nothing but this one
 */
void __init mint_pci_param(u32 id, bool minus)
{
	if (param_count == ARRAY_SIZE(param_functions)) {
		pr_err("mint.devices=: at most %u PCI functions, the rest is ignored\n",
		       param_count);
		return;
	}
	param_functions[param_count++] = id;
	param_only |= !minus;
}

static bool param_allows(const struct pci_dev *dev)
{
	u32 i, id = dev_id(dev);

	if (!param_count || dev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return true;
	for (i = 0; i < param_count; i++)
		if (param_functions[i] == id)
			return param_only;
	return !param_only;
}

/* Node that a function is lent to, or MINT_NODE_FREE */
static u32 lent_to(u32 id)
{
	const struct mint_node *node;
	u32 n, i;

	for (n = 0; mint_node(n); n++) {
		node = mint_claim(n);
		if (n == mint_self || !node)
			continue;
		for (i = 0; i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++)
			if (node->devices[i].kind == MINT_DEV_PCI &&
			    node->devices[i].id == id)
				return n;
	}
	return MINT_NODE_FREE;
}

static bool own_function(u32 id, u32 kind)
{
	u32 i;

	for (i = 0; i < own_count; i++)
		if (own[i].kind == kind && own[i].id == id)
			return true;
	return false;
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

	switch (mint_role) {
	case MINT_SUCCESSOR:
		return own_function(dev_id(dev), MINT_DEV_PCI);
	case MINT_PREDECESSOR:
		n = lent_to(dev_id(dev));
		if (n != MINT_NODE_FREE) {
			pci_info(dev, "lent to node %u, not bound\n", n);
			return false;
		}
		return param_allows(dev);
	default:
		return true;
	}
}

/* GSI, trigger and polarity of a function's line, as ACPI routes it */
static void describe_line(struct pci_dev *dev, struct mint_device *desc)
{
	struct mint_ioapic *ioapic;
	struct irq_data *data;
	int i;

	desc->irq_flags = 0;
	if (!dev->pin || pcibios_enable_irq(dev))
		return;
	data = irq_get_irq_data(dev->irq);
	while (data && data->domain && data->domain->ops != &mp_ioapic_irqdomain_ops)
		data = data->parent_data;
	if (data && data->domain) {
		i = mp_irqdomain_ioapic_idx(data->domain);
		ioapic = mint_ioapic(i);
		if (ioapic) {
			desc->gsi = ioapic->gsi_base + data->hwirq;
			desc->irq_flags = MINT_IRQ_VALID | MINT_IRQ_ACTIVE_LOW;
			if (irqd_is_level_type(irq_get_irq_data(dev->irq)))
				desc->irq_flags |= MINT_IRQ_LEVEL;
		}
	}
	if (pcibios_disable_irq)
		pcibios_disable_irq(dev);
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

/**
 * mint_pci_check() - may a function be lent?
 * @desc:	the function; its line is filled in
 * @why:	out: reason of a refusal: who has it and what to do
 * @size:	bytes there
 *
 * Changes nothing.
 *
 * Context: predecessor, under the launch mutex; may sleep.
 * Return: 0, -ENODEV, -EBUSY, -EINVAL.
 */
int mint_pci_check(struct mint_device *desc, char *why, size_t size)
{
	struct pci_dev *dev = dev_get(desc->id);
	struct pci_driver *drv;
	u32 owner;
	int err = 0;

	if (!dev) {
		snprintf(why, size, "is not on this machine: see lspci");
		return -ENODEV;
	}

	device_lock(&dev->dev);
	owner = lent_to(desc->id);
	drv = to_pci_driver(dev->dev.driver);
	if (dev->hdr_type != PCI_HEADER_TYPE_NORMAL ||
	    dev->class >> 16 == PCI_BASE_CLASS_BRIDGE) {
		snprintf(why, size,
			 "is a bridge, which all nodes share: name the functions behind it");
		err = -EINVAL;
	} else if (owner != MINT_NODE_FREE) {
		snprintf(why, size, "belongs to node %u: end that node first", owner);
		err = -EBUSY;
	} else if (dev->dev.driver) {
		snprintf(why, size,
			 "is driven by %s in node 0: echo %s > /sys/bus/pci/drivers/%s/unbind",
			 drv->name, pci_name(dev), drv->name);
		err = -EBUSY;
	} else if (remapped(dev)) {
		snprintf(why, size,
			 "is behind an active IOMMU: boot node 0 with intel_iommu=off amd_iommu=off intremap=off");
		err = -EINVAL;
	} else if (!raw_pci_ext_ops) {
		snprintf(why, size, "cannot be lent, this machine has no ECAM: it needs MMCONFIG");
		err = -EINVAL;
	} else {
		describe_line(dev, desc);
	}
	device_unlock(&dev->dev);
	pci_dev_put(dev);
	return err;
}

/* No DMA, no interrupt, and the best reset that the function has for itself */
static void quiesce(struct pci_dev *dev)
{
	int err;

	pci_clear_master(dev);
	pci_intx(dev, 0);
	if (!dev->state_saved)
		pci_save_state(dev);
	err = __pci_reset_function_locked(dev);
	if (err)
		pci_info(dev, "no reset of this function alone (%d), bus master is off\n",
			 err);
	dev->state_saved = true;
	pci_restore_state(dev);
}

/**
 * mint_pci_lend() - bring a function to rest on its way to a successor
 * @desc:	a device of a new node; what is no PCI function is left alone
 *
 * The bridges above forward for it, and stay awake with it, until
 * mint_pci_take_back(). Its resources keep node 0's values.
 *
 * Context: predecessor, under the launch mutex, the node entered; may sleep.
 * Return: 0; -EBUSY if a driver of node 0 has it.
 */
int mint_pci_lend(const struct mint_device *desc)
{
	struct pci_dev *dev, *bridge;

	dev = desc->kind == MINT_DEV_PCI ? dev_get(desc->id) : NULL;
	if (!dev)
		return 0;

	device_lock(&dev->dev);
	if (dev->dev.driver) {
		device_unlock(&dev->dev);
		pci_dev_put(dev);
		return -EBUSY;
	}
	for (bridge = pci_upstream_bridge(dev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		if (!pci_is_enabled(bridge) && pci_enable_device(bridge))
			pci_warn(bridge, "not enabled\n");
		pci_set_master(bridge);
	}
	pm_runtime_get_sync(&dev->dev);
	pci_set_power_state(dev, PCI_D0);
	dev->state_saved = false;
	quiesce(dev);
	/* Kept for the way back, and so is the reference */
	pci_save_state(dev);
	device_unlock(&dev->dev);
	return 0;
}

/**
 * mint_pci_take_back() - bring a function to rest on its way back
 * @desc:	a device that mint_pci_lend() accepted
 *
 * Whatever state the successor left it in, it gets that of before.
 *
 * Context: predecessor, under the launch mutex; may sleep.
 */
void mint_pci_take_back(const struct mint_device *desc)
{
	struct pci_dev *dev;

	dev = desc->kind == MINT_DEV_PCI ? dev_get(desc->id) : NULL;
	if (!dev)
		return;

	device_lock(&dev->dev);
	dev->current_state = PCI_UNKNOWN;
	pci_set_power_state(dev, PCI_D0);
	dev->state_saved = true;
	quiesce(dev);
	device_unlock(&dev->dev);
	pm_runtime_put(&dev->dev);
	pci_dev_put(dev);
	/* The reference of mint_pci_lend() */
	pci_dev_put(dev);
}

/**
 * mint_pci_bridges() - the bridges above a function
 * @desc:	a function that mint_pci_check() accepted
 * @list:	devices of the node so far
 * @count:	how many
 * @max:	room there
 *
 * Context: predecessor, under the launch mutex.
 * Return: the new count, -ENOSPC.
 */
int mint_pci_bridges(const struct mint_device *desc, struct mint_device *list,
		     u32 count, u32 max)
{
	struct pci_dev *dev = dev_get(desc->id), *bridge;
	u32 i;

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
		ecam = mint_ecam(i++);
		if (!ecam)
			break;
		ecam->base = region->address;
		ecam->segment = region->segment;
		ecam->start_bus = region->start_bus;
		ecam->end_bus = region->end_bus;
	}
	i = 0;
#endif
	for (; (root = mint_root_bus(i)); i++)
		*root = MINT_NODE_FREE;
	i = 0;
	list_for_each_entry(bus, &pci_root_buses, node) {
		root = mint_root_bus(i++);
		if (root)
			*root = pci_domain_nr(bus) << 8 | bus->number;
	}
}

/* A successor's ways into configuration space, and the filter before them */
static const struct pci_raw_ops *ecam_ops __ro_after_init;

static bool bridge_hides(int reg)
{
	/* BARs and the ROM of a shared bridge: sizing them would write */
	return (reg >= PCI_BASE_ADDRESS_0 && reg < PCI_BASE_ADDRESS_2) ||
	       (reg >= PCI_ROM_ADDRESS1 && reg < PCI_ROM_ADDRESS1 + 4);
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

static bool covers(int reg, int len, int byte)
{
	return reg <= byte && byte < reg + len;
}

/*
 * A function whose line stayed with another node has no line here: it shows
 * no pin, and its INTx stays off, so that it cannot storm who has the line.
 */
static int filter_read(unsigned int segment, unsigned int bus,
		       unsigned int devfn, int reg, int len, u32 *val)
{
	u32 id = function_id(segment, bus, devfn), i = own_index(id);
	int err;

	if (i < own_count) {
		err = ecam_ops->read(segment, bus, devfn, reg, len, val);
		if (!(own[i].irq_flags & MINT_IRQ_VALID) &&
		    covers(reg, len, PCI_INTERRUPT_PIN))
			*val &= ~(0xff << 8 * (PCI_INTERRUPT_PIN - reg));
		return err;
	}
	if (own_function(id, MINT_DEV_BRIDGE)) {
		if (!bridge_hides(reg))
			return ecam_ops->read(segment, bus, devfn, reg, len, val);
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

	if (i == own_count)
		return 0;
	if (!(own[i].irq_flags & MINT_IRQ_VALID) && reg == PCI_COMMAND && len > 1)
		val |= PCI_COMMAND_INTX_DISABLE;
	return ecam_ops->write(segment, bus, devfn, reg, len, val);
}

static const struct pci_raw_ops filter_ops = {
	.read	= filter_read,
	.write	= filter_write,
};

static int successor_enable_irq(struct pci_dev *dev)
{
	struct irq_alloc_info info;
	int irq;
	u32 i = own_index(dev_id(dev));

	if (i == own_count || !(own[i].irq_flags & MINT_IRQ_VALID))
		return 0;
	if (dev->irq_managed && dev->irq > 0)
		return 0;

	ioapic_set_alloc_attr(&info, NUMA_NO_NODE,
			      !!(own[i].irq_flags & MINT_IRQ_LEVEL),
			      !!(own[i].irq_flags & MINT_IRQ_ACTIVE_LOW));
	irq = mp_map_gsi_to_irq(own[i].gsi, IOAPIC_MAP_ALLOC, &info);
	if (irq < 0)
		return irq;
	dev->irq = irq;
	dev->irq_managed = 1;
	return 0;
}

static void successor_disable_irq(struct pci_dev *dev)
{
	if (!dev->irq_managed || dev->irq <= 0)
		return;
	mp_unmap_irq(dev->irq);
	dev->irq = 0;
	dev->irq_managed = 0;
}

static int __init successor_arch_init(void)
{
	struct mint_node *node = mint_own_node();
#ifdef CONFIG_PCI_MMCONFIG
	struct mint_ecam *ecam;
#endif
	u32 i;

	/* No ports, whatever pci= says; and addresses are node 0's to give */
	pci_probe = PCI_NOASSIGN_BARS | PCI_NOASSIGN_ROMS;
	raw_pci_ops = NULL;
	own_count = min_t(u32, node->nr_devices, MINT_DEVICES_MAX);
	for (i = 0; i < own_count; i++)
		own[i] = node->devices[i];

#ifdef CONFIG_PCI_MMCONFIG
	for (i = 0; (ecam = mint_ecam(i)) && ecam->base; i++)
		pci_mmconfig_add(ecam->segment, ecam->start_bus, ecam->end_bus,
				 ecam->base);
	if (pci_mmcfg_arch_init() && raw_pci_ext_ops) {
		ecam_ops = raw_pci_ext_ops;
		raw_pci_ext_ops = &filter_ops;
	}
#endif
	pcibios_enable_irq = successor_enable_irq;
	pcibios_disable_irq = successor_disable_irq;
	return 0;
}

static bool __init has_functions(u32 segment)
{
	u32 i;

	for (i = 0; i < own_count; i++)
		if (own[i].kind == MINT_DEV_PCI && own[i].id >> 16 == segment)
			return true;
	return false;
}

static int __init successor_init(void)
{
	struct pci_sysdata *sysdata;
	u32 i, *root;

	if (!ecam_ops)
		return 0;
	for (i = 0; (root = mint_root_bus(i)) && *root != MINT_NODE_FREE; i++) {
		LIST_HEAD(resources);
		struct pci_bus *bus;

		if (!has_functions(*root >> 8))
			continue;
		sysdata = kzalloc(sizeof(*sysdata), GFP_KERNEL);
		if (!sysdata)
			return 0;
		sysdata->domain = *root >> 8;
		sysdata->node = NUMA_NO_NODE;
		x86_pci_root_bus_resources(*root & 0xff, &resources);
		bus = pci_scan_root_bus(NULL, *root & 0xff, &pci_root_ops,
					sysdata, &resources);
		if (bus) {
			pci_bus_add_devices(bus);
		} else {
			pci_free_resource_list(&resources);
			kfree(sysdata);
		}
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

	if (!ecam_ops)
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
