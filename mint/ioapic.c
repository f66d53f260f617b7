// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: I/O APICs, which all kernels of the machine share.
 *
 * Owns the pins and the lock. An I/O APIC is programmed through an index and
 * a data register: two accesses that belong together, whichever kernel makes
 * them. Every pin has one owner, and the entry of a foreign pin is never
 * written, whatever stock code would like to clear or mask.
 */

#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kernel.h>

#include <asm/apic.h>
#include <asm/io_apic.h>
#include <asm/irqdomain.h>
#include <asm/x86_init.h>

#include "mint.h"

#define IOAPIC_FIRST_ENTRY	0x10

/**
 * mint_ioapic_may_write() - is this register ours to write?
 * @ioapic:	number of the I/O APIC, the same in every kernel
 * @reg:	register
 *
 * The ID and everything else that is not a pin's entry is node 0's.
 *
 * Context: any.
 * Return: false for what belongs to another node.
 */
bool mint_ioapic_may_write(unsigned int ioapic, unsigned int reg)
{
	struct mint_ioapic *rec;
	u32 *owner;

	if (!mint_common)
		return true;
	if (reg < IOAPIC_FIRST_ENTRY)
		return mint_role == MINT_PREDECESSOR;

	rec = mint_ioapic(ioapic);
	if (!rec)
		return false;
	owner = mint_pin_owner(rec->gsi_base + (reg - IOAPIC_FIRST_ENTRY) / 2);
	return owner && READ_ONCE(*owner) == mint_self;
}

/* Node 0 has a handler on the line */
static bool line_in_use(u32 gsi)
{
	int irq = mp_map_gsi_to_irq(gsi, 0, NULL);

	return irq > 0 && irq_has_action(irq);
}

/**
 * mint_interrupts_remapped() - do interrupts go by node 0's tables?
 *
 * Return: true where interrupt remapping is on: what another kernel writes
 * into an entry or a device is then dropped by the hardware.
 */
bool mint_interrupts_remapped(void)
{
	return x86_apic_ops.restore != native_restore_boot_irq_mode;
}

/**
 * mint_pins_check() - may the line of a device go to a node?
 * @dev:	a device that has a line
 * @n:		number of the node
 * @owner:	out: who has the line, where it may not
 *
 * Context: predecessor, process.
 * Return: 0; -ENXIO if there is no such pin; -EBUSY if another node has it,
 * or node 0 itself uses it.
 */
int mint_pins_check(const struct mint_device *dev, u32 n, u32 *owner)
{
	u32 *pin = mint_pin_owner(dev->gsi);

	if (!pin)
		return -ENXIO;
	*owner = READ_ONCE(*pin);
	if (*owner == n)
		return 0;
	if (*owner != mint_self || line_in_use(dev->gsi) ||
	    mint_interrupts_remapped())
		return -EBUSY;
	return 0;
}

/**
 * mint_pins_lend() - move the lines of a new node's devices to it
 * @n:		number of the node
 *
 * They are node 0's and nobody there uses them, as mint_pins_check() found:
 * their entries are masked.
 *
 * Context: predecessor, under mint_claims_lock().
 * Return: 0; a negative error if a line that is to be shared cannot be.
 */
int mint_pins_lend(u32 n)
{
	const struct mint_node *node = mint_claim(n);
	u32 i, *pin;

	for (i = 0; i < node->nr_devices; i++) {
		pin = mint_pin_owner(node->devices[i].gsi);
		if ((node->devices[i].irq_flags & MINT_IRQ_VALID) && pin)
			sync_cmpxchg(pin, mint_self, n);
	}
	return mint_lines_lend(n);
}

static void clear_pin(u32 gsi)
{
	int ioapic = mp_find_ioapic(gsi);

	if (ioapic >= 0)
		clear_IO_APIC_pin(ioapic, mp_find_ioapic_pin(ioapic, gsi));
}

/**
 * mint_pins_return() - take all lines of a node back
 * @n:		number of the node
 *
 * Masks what the node may have left: it is this kernel's to write again. The
 * devices are at rest by now, so no line is asserted any more.
 *
 * Context: predecessor, under mint_claims_lock().
 */
void mint_pins_return(u32 n)
{
	const struct mint_node *node = mint_claim(n);
	u32 i, gsi, *pin;

	for (i = 0; i < node->nr_devices; i++) {
		gsi = node->devices[i].gsi;
		pin = mint_pin_owner(gsi);
		if (!(node->devices[i].irq_flags & MINT_IRQ_VALID) || !pin)
			continue;
		/* By node 0's book: the table may say anything by now */
		WRITE_ONCE(*pin, mint_self);
		clear_pin(gsi);
	}
	mint_lines_return(n);
}

/**
 * mint_pins_clear() - take this node's entries out of the I/O APICs
 *
 * Not clear_IO_APIC(), which would walk over foreign pins, too. The other
 * cores were stopped, one of them perhaps with the local lock held.
 *
 * Context: the node ends; any, interrupts off.
 */
void mint_pins_clear(void)
{
	u32 gsi, *pin;

	ioapic_zap_locks();
	for (gsi = 0; (pin = mint_pin_owner(gsi)); gsi++)
		if (READ_ONCE(*pin) == mint_self)
			clear_pin(gsi);
}
