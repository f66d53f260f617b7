// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the ports CF8 and CFC.
 *
 * Owns the way into PCI configuration space that all kernels of a machine
 * share: an index and a data port, two accesses that belong together. Each
 * pair is made under the lock in the common area, by node 0 always, and by
 * successors where the machine has no ECAM. Stock code's own lock is not
 * taken: who ends a node may have stopped a core that holds it.
 */

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/pci.h>

#include <asm/pci_x86.h>
#include <asm/setup.h>

#include "../area/area.h"
#include "device.h"

#define CONF1_INDEX	0xcf8
#define CONF1_DATA	0xcfc

/**
 * mint_no_early_pci() - are the ports out of bounds for set-up code?
 *
 * Stock code looks for northbridges while it identifies each processor, the
 * first one before setup_arch() has got as far as Mint. A successor owns none.
 *
 * Context: any, from the first instructions in C on.
 * Return: true in a kernel that was launched by another one.
 */
bool mint_no_early_pci(void)
{
	return boot_params.hdr.hardware_subarch_data == MINT_MAGIC;
}

static bool valid(unsigned int segment, unsigned int bus, unsigned int devfn,
		  int reg)
{
	return !segment && bus <= 0xff && devfn <= 0xff && reg >= 0 && reg <= 0xfff;
}

static u32 conf1_index(unsigned int bus, unsigned int devfn, int reg)
{
	/* Bits 24 to 27 are AMD's, where node 0 has them switched on */
	return BIT(31) | (reg & 0xf00) << 16 | bus << 16 | devfn << 8 |
	       (reg & 0xfc);
}

/* Reads into *@val, or writes it */
static int conf1_access(unsigned int segment, unsigned int bus,
			unsigned int devfn, int reg, int len, u32 *val,
			bool write)
{
	u16 port = CONF1_DATA;

	if (!valid(segment, bus, devfn, reg))
		return -EINVAL;

	guard(mint_conf1)();
	outl(conf1_index(bus, devfn, reg), CONF1_INDEX);
	switch (len) {
	case 1:
		port += reg & 3;
		if (write)
			outb(*val, port);
		else
			*val = inb(port);
		break;
	case 2:
		port += reg & 2;
		if (write)
			outw(*val, port);
		else
			*val = inw(port);
		break;
	default:
		if (write)
			outl(*val, port);
		else
			*val = inl(port);
		break;
	}
	return 0;
}

static int conf1_read(unsigned int segment, unsigned int bus,
		      unsigned int devfn, int reg, int len, u32 *val)
{
	*val = U32_MAX;
	return conf1_access(segment, bus, devfn, reg, len, val, false);
}

static int conf1_write(unsigned int segment, unsigned int bus,
		       unsigned int devfn, int reg, int len, u32 val)
{
	return conf1_access(segment, bus, devfn, reg, len, &val, true);
}

const struct pci_raw_ops mint_conf1 = {
	.read	= conf1_read,
	.write	= conf1_write,
};

/**
 * mint_conf1_reserve() - a successor uses the ports, too
 *
 * Context: successor, before the first access.
 */
void __init mint_conf1_reserve(void)
{
	request_region(CONF1_INDEX, 8, "PCI conf1");
}

/* Node 0: from here on, every access is made under the lock */
static int __init mint_conf1_init(void)
{
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	if (raw_pci_ops == &pci_direct_conf1)
		raw_pci_ops = &mint_conf1;
	if (raw_pci_ext_ops == &pci_direct_conf1)
		raw_pci_ext_ops = &mint_conf1;
	return 0;
}
arch_initcall_sync(mint_conf1_init);
