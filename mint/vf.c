// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: virtual functions (SR-IOV).
 *
 * Owns how a successor sees a virtual function: as an ordinary one. Hardware
 * gives it no IDs, no base address registers and no memory-enable bit. Node 0,
 * which knows all that from the physical function, writes it down in the
 * common area; the successor copies it once, checks it, and lays it over what
 * hardware says. Owns, too, that the physical function stays awake in node 0.
 */

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include <asm/e820/types.h>

#include "mint.h"

#define BARS		ARRAY_SIZE(((struct mint_vf *)NULL)->bar)
#define BARS_END	(PCI_BASE_ADDRESS_0 + 4 * BARS)

/* What was found in the common area, by index in the devices of this node */
static struct mint_vf own[MINT_DEVICES_MAX] __ro_after_init;

/* State of registers that are none in hardware */
static u32 memory_enable[MINT_DEVICES_MAX];
static unsigned long sizing[MINT_DEVICES_MAX];	/* bits: all ones were written */

/* A base address register as node 0 assigned it; how many it takes */
static u32 describe_bar(struct pci_dev *dev, u32 i, struct mint_vf *vf)
{
	struct resource *res = &dev->resource[i];
	struct pci_bus_region region;
	u32 type = PCI_BASE_ADDRESS_SPACE_MEMORY;
	u64 mask;

	if (!(res->flags & IORESOURCE_MEM) || !res->parent)
		return 1;
	if (res->flags & IORESOURCE_PREFETCH)
		type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (res->flags & IORESOURCE_MEM_64)
		type |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	pcibios_resource_to_bus(dev->bus, &region, res);
	mask = ~(resource_size(res) - 1);
	vf->bar[i] = lower_32_bits(region.start) | type;
	vf->mask[i] = lower_32_bits(mask) | type;
	if (!(res->flags & IORESOURCE_MEM_64))
		return 1;
	vf->bar[i + 1] = upper_32_bits(region.start);
	vf->mask[i + 1] = upper_32_bits(mask);
	return 2;
}

/**
 * mint_vf_lend() - a function goes to a successor
 * @dev:	the function, which may be no virtual one
 * @n:		number of the node
 * @i:		index in the devices of the node
 *
 * The physical function stays awake until mint_vf_let_go().
 *
 * Context: predecessor, process, device lock held, before the node starts.
 */
void mint_vf_lend(struct pci_dev *dev, u32 n, u32 i)
{
	struct mint_vf *rec = mint_vf(n, i), vf = {};
	u32 k = 0;

	BUILD_BUG_ON(BARS != PCI_STD_NUM_BARS);
	if (!dev->is_virtfn || !rec)
		return;
	pm_runtime_get_sync(&pci_physfn(dev)->dev);
	vf.id = pci_domain_nr(dev->bus) << 16 | pci_dev_id(dev);
	vf.flags = MINT_VF_VALID;
	vf.vendor = dev->vendor;
	vf.device = dev->device;
	while (k < BARS)
		k += describe_bar(dev, k, &vf);
	*rec = vf;
}

/**
 * mint_vf_let_go() - a function is no longer a successor's
 * @dev:	a function for which mint_vf_lend() was called
 * @n:		number of the node
 * @i:		index in the devices of the node
 *
 * Context: predecessor, process, device lock held.
 */
void mint_vf_let_go(struct pci_dev *dev, u32 n, u32 i)
{
	struct mint_vf *rec = mint_vf(n, i);

	if (!dev->is_virtfn || !rec)
		return;
	memset(rec, 0, sizeof(*rec));
	pm_runtime_put(&pci_physfn(dev)->dev);
}

static bool __init is_ram(u64 start, u64 size)
{
	struct mint_map *map;
	u32 i;

	for (i = 0; (map = mint_firmware_map(i)); i++)
		if (map->type == E820_TYPE_RAM && start < map->start + map->size &&
		    map->start < start + size)
			return true;
	return false;
}

/* Does a register say what one can say? Moves on to the next one. */
static bool __init bar_valid(const struct mint_vf *vf, u32 *i)
{
	u32 bar = vf->bar[*i], mask = vf->mask[*i];
	u64 start = bar & PCI_BASE_ADDRESS_MEM_MASK, size;

	(*i)++;
	if (!mask)
		return !bar;
	if (((bar ^ mask) & ~PCI_BASE_ADDRESS_MEM_MASK) ||
	    (mask & PCI_BASE_ADDRESS_SPACE_IO) ||
	    (mask & PCI_BASE_ADDRESS_MEM_TYPE_1M))
		return false;
	size = ~(u64)(s32)(mask & PCI_BASE_ADDRESS_MEM_MASK) + 1;
	if (mask & PCI_BASE_ADDRESS_MEM_TYPE_64) {
		if (*i == BARS)
			return false;
		start |= (u64)vf->bar[*i] << 32;
		size = ~((u64)vf->mask[*i] << 32 |
			 (mask & PCI_BASE_ADDRESS_MEM_MASK)) + 1;
		(*i)++;
	}
	return is_power_of_2(size) && size >= PAGE_SIZE && start &&
	       !(start & (size - 1)) && start + size > start &&
	       !is_ram(start, size);
}

/**
 * mint_vf_adopt() - see whether a function of this node is a virtual one
 * @i:		index in the devices of this node
 * @id:		the function
 *
 * Context: successor, arch initcall.
 * Return: 0; -EINVAL if what node 0 wrote down cannot be true.
 */
int __init mint_vf_adopt(u32 i, u32 id)
{
	const struct mint_vf *rec = mint_vf(mint_self, i);
	struct mint_vf vf;
	u32 k = 0;

	if (!rec)
		return 0;
	vf = *rec;
	if (!(vf.flags & MINT_VF_VALID))
		return 0;
	if (vf.id != id || !vf.vendor || vf.vendor == U16_MAX)
		return -EINVAL;
	while (k < BARS)
		if (!bar_valid(&vf, &k))
			return -EINVAL;
	/* It may lie in a slot that a port is not expected to have */
	if (PCI_SLOT(id & 0xff))
		pci_add_flags(PCI_SCAN_ALL_PCIE_DEVS);
	own[i] = vf;
	return 0;
}

/* Bits of a register that hardware does not have, and what they read */
static u32 overlay(u32 i, int reg, u32 *val)
{
	u32 k;

	*val = 0;
	switch (reg) {
	case PCI_VENDOR_ID:
		*val = (u32)own[i].device << 16 | own[i].vendor;
		return U32_MAX;
	case PCI_COMMAND:
		*val = READ_ONCE(memory_enable[i]);
		return PCI_COMMAND_MEMORY;
	case PCI_CACHE_LINE_SIZE:
		/* Not every function of its slot is seen, so look for all */
		*val = PCI_HEADER_TYPE_MFD << 16;
		return PCI_HEADER_TYPE_MFD << 16;
	case PCI_BASE_ADDRESS_0 ... BARS_END - 1:
		k = (reg - PCI_BASE_ADDRESS_0) / 4;
		*val = test_bit(k, &sizing[i]) ? own[i].mask[k] : own[i].bar[k];
		return U32_MAX;
	case PCI_ROM_ADDRESS:
		return U32_MAX;
	default:
		return 0;
	}
}

/**
 * mint_vf_read() - put what hardware does not say into what it said
 * @i:		index in the devices of this node
 * @reg:	register, a multiple of @len
 * @len:	bytes: 1, 2, 4
 * @val:	in: as hardware has it; out: as an ordinary function had it
 *
 * Context: successor, any.
 */
void mint_vf_read(u32 i, int reg, int len, u32 *val)
{
	u32 bits, mask;
	int shift = 8 * (reg & 3);

	if (!own[i].flags)
		return;
	mask = overlay(i, reg & ~3, &bits) >> shift;
	if (len < 4)
		mask &= BIT(8 * len) - 1;
	*val = (*val & ~mask) | (bits >> shift & mask);
}

/**
 * mint_vf_write() - a write to a register that hardware may not have
 * @i:		index in the devices of this node
 * @reg:	register, a multiple of @len
 * @len:	bytes: 1, 2, 4
 * @val:	what is written
 *
 * Addresses are node 0's: they can be sized, but not changed.
 *
 * Context: successor, any.
 * Return: true if hardware has no such register.
 */
bool mint_vf_write(u32 i, int reg, int len, u32 val)
{
	if (!own[i].flags)
		return false;
	switch (reg) {
	case PCI_COMMAND:
		WRITE_ONCE(memory_enable[i], val & PCI_COMMAND_MEMORY);
		return false;
	case PCI_BASE_ADDRESS_0 ... BARS_END - 1:
		assign_bit((reg - PCI_BASE_ADDRESS_0) / 4, &sizing[i],
			   len == 4 && val == U32_MAX);
		return true;
	case PCI_ROM_ADDRESS:
		return true;
	default:
		return false;
	}
}
