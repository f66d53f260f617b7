// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what configuration space does not say of a function.
 *
 * Owns the record of each lent function: where node 0 has put it (bar.c), and,
 * of a virtual one (SR-IOV), all that makes an ordinary one of it. Hardware
 * gives such a one no IDs, no base address registers and no memory-enable bit.
 * Node 0, which knows all that from the physical function, writes it down in
 * the common area; the successor copies it once, checks it, and lays it over
 * what hardware says. Owns, too, that the physical function stays awake in
 * node 0.
 */

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include <asm/e820/types.h>

#include "../area/area.h"
#include "device.h"

/* What was found in the common area, by index in the devices of this node */
static struct {
	u32			flags;
	u16			vendor;
	u16			device;
	struct mint_bars	bars;
} own[MINT_DEVICES_MAX] __ro_after_init;

/* State of registers that are none in hardware */
static u32 memory_enable[MINT_DEVICES_MAX];
static unsigned long sizing[MINT_DEVICES_MAX];	/* bits: all ones were written */

/**
 * mint_vf_lend() - a function goes to a successor
 * @dev:	the function
 * @n:		number of the node
 * @i:		index in the devices of the node
 *
 * The physical function of a virtual one stays awake until mint_vf_forget().
 *
 * Context: predecessor, process, device lock held, before the node starts.
 */
void mint_vf_lend(struct pci_dev *dev, u32 n, u32 i)
{
	struct mint_bars bars = { .emulated = dev->is_virtfn };
	struct mint_vf *rec = mint_vf(n, i), vf = {};

	device_lock_assert(&dev->dev);
	BUILD_BUG_ON(ARRAY_SIZE(vf.bar) != MINT_BARS - 1);
	if (!rec)
		return;
	vf.id = pci_domain_nr(dev->bus) << 16 | pci_dev_id(dev);
	vf.flags = MINT_VF_BARS;
	if (dev->is_virtfn) {
		pm_runtime_get_sync(&pci_physfn(dev)->dev);
		vf.flags = MINT_VF_VALID;
		vf.vendor = dev->vendor;
		vf.device = dev->device;
	}
	/* Registers of what sleeps cannot be sized */
	pci_set_power_state(dev, PCI_D0);
	mint_bars_describe(dev, &bars);
	memcpy(vf.bar, bars.bar, sizeof(vf.bar));
	memcpy(vf.mask, bars.mask, sizeof(vf.mask));
	if (bars.mask[MINT_BARS - 1])
		vf.rom = bars.bar[MINT_BARS - 1] |
			 ilog2((u32)-bars.mask[MINT_BARS - 1]);
	*rec = vf;
}

/**
 * mint_vf_forget() - a function is no longer a successor's
 * @dev:	a function for which mint_vf_lend() was called
 * @n:		number of the node
 * @i:		index in the devices of the node
 *
 * Context: predecessor, process, device lock held.
 */
void mint_vf_forget(struct pci_dev *dev, u32 n, u32 i)
{
	struct mint_vf *rec = mint_vf(n, i);

	device_lock_assert(&dev->dev);
	if (!rec)
		return;
	memset(rec, 0, sizeof(*rec));
	if (dev->is_virtfn)
		pm_runtime_put(&pci_physfn(dev)->dev);
}

static bool __init is_ram(u64 start, u64 size)
{
	const struct mint_map *map;
	u32 i;

	for (i = 0; (map = mint_firmware_map(i)); i++)
		if (map->type == E820_TYPE_RAM && start < map->start + map->size &&
		    map->start < start + size)
			return true;
	return false;
}

/* A private copy of what node 0 wrote down, as bar.c takes it */
static void __init copy_bars(struct mint_bars *bars, const struct mint_vf *vf)
{
	u32 size = vf->rom & MINT_VF_ROM_SIZE;

	memset(bars, 0, sizeof(*bars));
	memcpy(bars->bar, vf->bar, sizeof(vf->bar));
	memcpy(bars->mask, vf->mask, sizeof(vf->mask));
	bars->emulated = vf->flags & MINT_VF_VALID;
	bars->bar[MINT_BARS - 1] = vf->rom & ~MINT_VF_ROM_SIZE;
	bars->mask[MINT_BARS - 1] = size ? -BIT(size) : 0;
}

/**
 * mint_vf_adopt() - take over where node 0 has put a function of this node
 * @i:		index in the devices of this node
 * @id:		the function
 *
 * Context: successor, arch initcall.
 * Return: 0; -EINVAL if what node 0 wrote down cannot be true.
 */
int __init mint_vf_adopt(u32 i, u32 id)
{
	const struct mint_vf *rec = mint_vf(mint_self, i);
	struct mint_bars bars;
	struct mint_vf vf;

	if (!rec)
		return 0;
	vf = *rec;
	/* Node 0 was of before 1.3 */
	if (!vf.flags)
		return 0;
	if (vf.id != id ||
	    (vf.flags != MINT_VF_VALID && vf.flags != MINT_VF_BARS))
		return -EINVAL;
	if (vf.flags == MINT_VF_VALID &&
	    (!vf.vendor || vf.vendor == U16_MAX || vf.rom))
		return -EINVAL;
	copy_bars(&bars, &vf);
	if (!mint_bars_valid(&bars, is_ram))
		return -EINVAL;
	own[i].flags = vf.flags;
	own[i].vendor = vf.vendor;
	own[i].device = vf.device;
	own[i].bars = bars;
	return 0;
}

/* Bits of a register that a virtual function does not have, and what they read */
static u32 overlay(u32 i, int reg, u32 *val)
{
	*val = 0;
	switch (reg) {
	case PCI_VENDOR_ID:
		*val = (u32)own[i].device << 16 | own[i].vendor;
		return U32_MAX;
	case PCI_COMMAND:
		*val = READ_ONCE(memory_enable[i]);
		return PCI_COMMAND_MEMORY;
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

	if (own[i].flags)
		mint_bars_read(&own[i].bars, &sizing[i], reg, len, val);
	if (own[i].flags != MINT_VF_VALID)
		return;
	mask = overlay(i, reg & ~3, &bits) >> shift;
	if (len < 4)
		mask &= BIT(8 * len) - 1;
	*val = (*val & ~mask) | (bits >> shift & mask);
}

/**
 * mint_vf_write() - may a write to a function of this node go to hardware?
 * @i:		index in the devices of this node
 * @reg:	register, a multiple of @len
 * @len:	bytes: 1, 2, 4
 * @val:	what is written
 *
 * Context: successor, any.
 * Return: false if it is to be dropped.
 */
bool mint_vf_write(u32 i, int reg, int len, u32 val)
{
	if (!own[i].flags)
		return true;
	if (own[i].flags == MINT_VF_VALID && reg == PCI_COMMAND)
		WRITE_ONCE(memory_enable[i], val & PCI_COMMAND_MEMORY);
	return mint_bars_write(&own[i].bars, &sizing[i], reg, len, val);
}
