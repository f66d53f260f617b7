// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: base address registers that a successor can size, but not move.
 *
 * Owns the arithmetic. Addresses of functions are node 0's to give: it alone
 * sees all of them, and what one kernel moves can land on another one's
 * function. Node 0 sizes the registers of a function when it lends it. The
 * successor's writes then reach hardware only where they say what is true,
 * which is what a function needs after a reset; sizing is answered from what
 * node 0 wrote down; everything else is dropped.
 */

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "../area/area.h"
#include "device.h"

#define ROM		PCI_STD_NUM_BARS
#define PORTS_END	SZ_64K

/* Number of the register at @reg, or -1 */
static int bar_at(int reg)
{
	switch (reg) {
	case PCI_BASE_ADDRESS_0 ... PCI_BASE_ADDRESS_5 + 3:
		return (reg - PCI_BASE_ADDRESS_0) / 4;
	case PCI_ROM_ADDRESS ... PCI_ROM_ADDRESS + 3:
		return ROM;
	default:
		return -1;
	}
}

static bool is_64(u32 mask)
{
	return (mask & PCI_BASE_ADDRESS_SPACE) == PCI_BASE_ADDRESS_SPACE_MEMORY &&
	       (mask & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

/* Bits of a register that hold an address and can be written */
static u32 address_bits(const struct mint_bars *bars, int k)
{
	bool upper = false;
	int i;

	if (k == ROM)
		return bars->mask[k] & PCI_ROM_ADDRESS_MASK;
	for (i = 0; i < k; i++)
		upper = !upper && is_64(bars->mask[i]);
	if (upper)
		return bars->mask[k];
	return bars->mask[k] & (bars->mask[k] & PCI_BASE_ADDRESS_SPACE_IO ?
				PCI_BASE_ADDRESS_IO_MASK : PCI_BASE_ADDRESS_MEM_MASK);
}

static u32 bytes(int len)
{
	return len < 4 ? BIT(8 * len) - 1 : U32_MAX;
}

/**
 * mint_bars_read() - what a successor reads of a base address register
 * @bars:	what node 0 wrote down
 * @sizing:	bits: all ones were written
 * @reg:	register of configuration space, a multiple of @len
 * @len:	bytes: 1, 2, 4
 * @val:	in: as hardware has it; out: as it is seen
 *
 * A register without an address reads 0. All others are hardware's, which may
 * have lost the address by a reset: a kernel that saw the address nevertheless
 * would not restore it.
 *
 * Context: any.
 */
void mint_bars_read(const struct mint_bars *bars, const unsigned long *sizing,
		    int reg, int len, u32 *val)
{
	int k = bar_at(reg), shift = 8 * (reg & 3);
	bool sized, hardware;

	if (k < 0)
		return;
	sized = test_bit(k, sizing);
	hardware = bars->mask[k] && !bars->emulated;
	if (sized || !hardware)
		*val = (sized ? bars->mask[k] : bars->bar[k]) >> shift & bytes(len);
}

/**
 * mint_bars_write() - may a write go to hardware?
 * @bars:	what node 0 wrote down
 * @sizing:	bits: all ones were written; changed
 * @reg:	register of configuration space, a multiple of @len
 * @len:	bytes: 1, 2, 4
 * @val:	what is written
 *
 * Context: any, one caller at a time for each function.
 * Return: false if it is to be dropped.
 */
bool mint_bars_write(const struct mint_bars *bars, unsigned long *sizing,
		     int reg, int len, u32 val)
{
	int k = bar_at(reg), shift = 8 * (reg & 3);
	u32 address;

	if (k < 0)
		return true;
	address = address_bits(bars, k) >> shift & bytes(len);
	if (bars->mask[k] && !((val ^ bars->bar[k] >> shift) & address)) {
		clear_bit(k, sizing);
		return !bars->emulated;
	}
	assign_bit(k, sizing, len == 4 && address && (val & address) == address);
	return false;
}

static bool ports_valid(u32 bar, u32 mask)
{
	u32 start = bar & PCI_BASE_ADDRESS_IO_MASK;
	u32 size = (~(mask & PCI_BASE_ADDRESS_IO_MASK) & (PORTS_END - 1)) + 1;

	/* Bit 1 is reserved; a function may have 16 bits of address, no more */
	return !((bar ^ mask) & ~PCI_BASE_ADDRESS_IO_MASK) && !(mask & BIT(1)) &&
	       is_power_of_2(size) && size >= 4 && start &&
	       !(start & (size - 1)) && start + size <= PORTS_END;
}

static bool memory_valid(u64 start, u64 size, u64 least,
			 bool (*is_ram)(u64 start, u64 size))
{
	return is_power_of_2(size) && size >= least && start &&
	       !(start & (size - 1)) && start + size > start &&
	       !is_ram(start, size);
}

/* Can what is said of register *@i be true? Moves on to the next one. */
static bool bar_valid(const struct mint_bars *bars, u32 *i,
		      bool (*is_ram)(u64 start, u64 size))
{
	u32 bar = bars->bar[*i], mask = bars->mask[*i];
	u64 start = bar & PCI_BASE_ADDRESS_MEM_MASK, size;

	(*i)++;
	if (!mask)
		return !bar;
	if (mask & PCI_BASE_ADDRESS_SPACE_IO)
		return !bars->emulated && ports_valid(bar, mask);
	if (((bar ^ mask) & ~PCI_BASE_ADDRESS_MEM_MASK) ||
	    (mask & PCI_BASE_ADDRESS_MEM_TYPE_1M))
		return false;
	size = (u32)~(mask & PCI_BASE_ADDRESS_MEM_MASK) + 1ULL;
	if (is_64(mask)) {
		if (*i == PCI_STD_NUM_BARS)
			return false;
		start |= (u64)bars->bar[*i] << 32;
		size = ~((u64)bars->mask[*i] << 32 |
			 (mask & PCI_BASE_ADDRESS_MEM_MASK)) + 1;
		(*i)++;
	}
	return memory_valid(start, size, bars->emulated ? PAGE_SIZE : 16, is_ram);
}

/**
 * mint_bars_valid() - can it be true what is said of a function's registers?
 * @bars:	a private copy of it
 * @is_ram:	does the machine have RAM in a range of this start and size?
 *
 * Context: any.
 * Return: true if a successor may go by it.
 */
bool mint_bars_valid(const struct mint_bars *bars,
		     bool (*is_ram)(u64 start, u64 size))
{
	u32 bar = bars->bar[ROM], mask = bars->mask[ROM], k = 0;

	while (k < PCI_STD_NUM_BARS)
		if (!bar_valid(bars, &k, is_ram))
			return false;
	if (!mask)
		return !bar;
	return !((bar | mask) & ~PCI_ROM_ADDRESS_MASK) &&
	       memory_valid(bar, (u32)~mask + 1ULL, SZ_2K, is_ram);
}

/* What a register of hardware reads after @ones were written; @bar is put back */
static u32 size_register(struct pci_dev *dev, int reg, u32 ones, u32 bar)
{
	u32 mask;

	pci_write_config_dword(dev, reg, ones);
	pci_read_config_dword(dev, reg, &mask);
	pci_write_config_dword(dev, reg, bar);
	return mask;
}

static void describe_rom(struct pci_dev *dev, struct mint_bars *bars)
{
	struct resource *res = &dev->resource[PCI_ROM_RESOURCE];
	struct pci_bus_region region;

	if (!res->parent || res->flags & IORESOURCE_ROM_SHADOW ||
	    dev->rom_base_reg != PCI_ROM_ADDRESS)
		return;
	pcibios_resource_to_bus(dev->bus, &region, res);
	bars->mask[ROM] = size_register(dev, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS_MASK,
					region.start) & PCI_ROM_ADDRESS_MASK;
	if (bars->mask[ROM])
		bars->bar[ROM] = region.start;
}

/* How many registers one of a function takes; hardware's are sized */
static u32 describe_bar(struct pci_dev *dev, u32 i, struct mint_bars *bars)
{
	struct resource *res = &dev->resource[i];
	int reg = PCI_BASE_ADDRESS_0 + 4 * i;
	u32 low, used = 1, mask[2];
	struct pci_bus_region region;
	u64 size;

	if (res->flags & IORESOURCE_IO)
		low = PCI_BASE_ADDRESS_SPACE_IO;
	else
		low = PCI_BASE_ADDRESS_SPACE_MEMORY |
		      (res->flags & IORESOURCE_PREFETCH ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0) |
		      (res->flags & IORESOURCE_MEM_64 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0);
	if (is_64(low))
		used = 2;
	if (!(res->flags & (IORESOURCE_MEM | IORESOURCE_IO)) || !res->parent)
		return used;

	pcibios_resource_to_bus(dev->bus, &region, res);
	if (bars->emulated) {
		size = ~(resource_size(res) - 1);
		mask[0] = lower_32_bits(size) | low;
		mask[1] = upper_32_bits(size);
	} else {
		mask[0] = size_register(dev, reg, U32_MAX,
					lower_32_bits(region.start) | low);
		if (used == 2)
			mask[1] = size_register(dev, reg + 4, U32_MAX,
						upper_32_bits(region.start));
	}
	/* Its address may stand elsewhere (Enhanced Allocation) */
	if (!mask[0])
		return used;
	/* What a quirk made of the resource does not change the register */
	low = mask[0] & (mask[0] & PCI_BASE_ADDRESS_SPACE_IO ?
			 ~PCI_BASE_ADDRESS_IO_MASK : ~PCI_BASE_ADDRESS_MEM_MASK);
	bars->mask[i] = mask[0];
	bars->bar[i] = lower_32_bits(region.start) | low;
	if (used == 2) {
		bars->mask[i + 1] = mask[1];
		bars->bar[i + 1] = upper_32_bits(region.start);
	}
	return used;
}

/**
 * mint_bars_describe() - write down where node 0 has put a function
 * @dev:	a function without a driver, in D0
 * @bars:	out: its registers; in: @bars->emulated
 *
 * Sizes the registers of a function that has some, and puts the address of its
 * ROM into the register, which node 0 does only while it reads the ROM.
 *
 * Context: predecessor, process, device lock held.
 */
void mint_bars_describe(struct pci_dev *dev, struct mint_bars *bars)
{
	u32 k = 0;
	u16 command;

	BUILD_BUG_ON(ROM + 1 != MINT_BARS);
	device_lock_assert(&dev->dev);
	if (!bars->emulated) {
		pci_read_config_word(dev, PCI_COMMAND, &command);
		pci_write_config_word(dev, PCI_COMMAND, command &
				      ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
	}
	while (k < PCI_STD_NUM_BARS)
		k += describe_bar(dev, k, bars);
	if (!bars->emulated) {
		describe_rom(dev, bars);
		pci_write_config_word(dev, PCI_COMMAND, command);
	}
}
