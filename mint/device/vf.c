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
#include <linux/slab.h>
#include <linux/xarray.h>

#include <asm/e820/types.h>

#include "../area/area.h"
#include "device.h"

/* What was found in the common area, by index in the devices of this node */
static struct {
	u32			flags;
	u16			vendor;
	u16			device;
	struct mint_bars	bars;
} own[MINT_DEVICES_MAX];

/* State of registers that are none in hardware */
static u32 memory_enable[MINT_DEVICES_MAX];
static unsigned long sizing[MINT_DEVICES_MAX];	/* bits: all ones were written */

/* Node 0: the record of each function that it lends, by its number */
static DEFINE_XARRAY(places);

/**
 * mint_vf_describe() - note where a function is that is to be lent
 * @dev:	the function, without a driver
 *
 * The physical function of a virtual one stays awake until mint_vf_forget().
 *
 * Context: predecessor, process, device lock held.
 * Return: 0, -ENOMEM.
 */
int mint_vf_describe(struct pci_dev *dev)
{
	struct mint_bars bars = { .emulated = dev->is_virtfn };
	struct mint_vf *vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	int err;

	device_lock_assert(&dev->dev);
	BUILD_BUG_ON(ARRAY_SIZE(vf->bar) != MINT_BARS - 1);
	if (!vf)
		return -ENOMEM;
	vf->id = mint_pci_id(dev);
	err = xa_err(xa_store(&places, vf->id, vf, GFP_KERNEL));
	if (err) {
		kfree(vf);
		return err;
	}
	vf->flags = MINT_VF_BARS;
	if (dev->is_virtfn) {
		pm_runtime_get_sync(&pci_physfn(dev)->dev);
		vf->flags = MINT_VF_VALID;
		vf->vendor = dev->vendor;
		vf->device = dev->device;
	}
	/* Registers of what sleeps cannot be sized */
	pci_set_power_state(dev, PCI_D0);
	mint_bars_describe(dev, &bars);
	memcpy(vf->bar, bars.bar, sizeof(vf->bar));
	memcpy(vf->mask, bars.mask, sizeof(vf->mask));
	if (bars.mask[MINT_BARS - 1])
		vf->rom = bars.bar[MINT_BARS - 1] |
			  ilog2((u32)-bars.mask[MINT_BARS - 1]);
	return 0;
}

/**
 * mint_vf_publish() - tell a successor where a function of it is
 * @id:		a function that mint_vf_describe() has noted
 * @n:		number of the node
 * @i:		index in the devices of the node
 *
 * Context: predecessor, before the node sees the function.
 * Return: false if the function is gone.
 */
bool mint_vf_publish(u32 id, u32 n, u32 i)
{
	struct mint_vf *rec = mint_vf(n, i), *vf;

	xa_lock(&places);
	vf = xa_load(&places, id);
	if (vf && rec)
		*rec = *vf;
	xa_unlock(&places);
	return vf;
}

/**
 * mint_vf_withdraw() - a function is no longer a successor's
 * @n:		number of the node
 * @i:		index in the devices of the node
 *
 * Context: predecessor.
 */
void mint_vf_withdraw(u32 n, u32 i)
{
	struct mint_vf *rec = mint_vf(n, i);

	if (rec)
		memset(rec, 0, sizeof(*rec));
}

/**
 * mint_vf_forget() - a function is no longer lent
 * @dev:	a function for which mint_vf_describe() was called
 *
 * Context: predecessor, process, device lock held.
 */
void mint_vf_forget(struct pci_dev *dev)
{
	device_lock_assert(&dev->dev);
	kfree(xa_erase(&places, mint_pci_id(dev)));
	if (dev->is_virtfn)
		pm_runtime_put(&pci_physfn(dev)->dev);
}

static bool is_ram(u64 start, u64 size)
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
static void copy_bars(struct mint_bars *bars, const struct mint_vf *vf)
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
 * Context: successor, process; nobody uses the entry meanwhile.
 * Return: 0; -EINVAL if what node 0 wrote down cannot be true.
 */
int mint_vf_adopt(u32 i, u32 id)
{
	const struct mint_vf *rec = mint_vf(mint_self, i);
	struct mint_bars bars;
	struct mint_vf vf;

	own[i].flags = 0;
	WRITE_ONCE(memory_enable[i], 0);
	sizing[i] = 0;
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
