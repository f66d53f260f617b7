// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: I/O APICs, which all kernels of the machine share.
 *
 * Owns the entries and the lock. An I/O APIC is programmed through an index and
 * a data register: two accesses that belong together, whichever kernel makes
 * them. Every pin has one owner (owner.c), and the entry of a foreign pin is
 * never written, whatever stock code would like to clear or mask.
 */

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/slab.h>

#include <asm/apic.h>
#include <asm/fixmap.h>
#include <asm/io_apic.h>
#include <asm/irq_vectors.h>
#include <asm/irqdomain.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "own.h"

#define IOAPIC_FIRST_ENTRY	0x10
#define IOAPIC_DATA		0x10	/* offset of the data register */
#define IOAPIC_DEST_MAX		254	/* 255 is a broadcast */

/* Private, as the owners of pins are; indexed as the records */
static struct mint_ioapic known[MAX_IO_APICS] __ro_after_init;

/**
 * mint_ioapics_find_pins() - find out which pins there are
 * @list:	out: first GSI and number of pins of each I/O APIC
 * @count:	how many I/O APICs
 * @pins:	out: owner of each GSI: node 0, or MINT_NODE_FREE without a pin
 * @top:	how many GSIs
 * @find:	number of the I/O APIC that has a GSI, or a negative error
 *
 * I/O APICs are in the order in which the firmware names them, their GSIs are
 * in any order.
 *
 * Context: any; @find decides.
 */
void mint_ioapics_find_pins(struct mint_ioapic *list, u32 count, u32 *pins,
			    u32 top, int (*find)(u32 gsi))
{
	u32 gsi;
	int i;

	for (gsi = 0; gsi < top; gsi++) {
		pins[gsi] = MINT_NODE_FREE;
		i = find(gsi);
		if (i < 0 || i >= count)
			continue;
		if (!list[i].nr_pins)
			list[i].gsi_base = gsi;
		list[i].nr_pins = gsi - list[i].gsi_base + 1;
		pins[gsi] = 0;
	}
}

/**
 * mint_ioapics_create() - describe the I/O APICs, and publish that
 *
 * Context: predecessor, boot, the common area is there.
 */
void __init mint_ioapics_create(void)
{
	u32 i, pins = mint_layout.pins.count, *owners;

	owners = memblock_alloc(max(pins, 1U) * sizeof(*owners), SMP_CACHE_BYTES);
	if (!owners)
		panic("mint: no memory for %u pins", pins);

	mint_ioapics_find_pins(known, mint_layout.ioapics.count, owners, pins,
			       mp_find_ioapic);
	for (i = 0; i < mint_layout.ioapics.count; i++) {
		known[i].id = mpc_ioapic_id(i);
		known[i].addr = mpc_ioapic_addr(i);
		*mint_ioapic_record(i) = known[i];
	}
	mint_owners_keep_pins(owners);
}

/**
 * mint_ioapics_adopt() - take over what node 0 has published
 *
 * Context: successor, the common area mapped.
 * Return: 0, -ENOMEM.
 */
int __init mint_ioapics_adopt(void)
{
	u32 i, *owners;

	owners = kcalloc(mint_layout.pins.count, sizeof(*owners), GFP_KERNEL);
	if (!owners)
		return -ENOMEM;
	for (i = 0; i < mint_layout.pins.count; i++)
		owners[i] = READ_ONCE(*mint_pin_record(i));
	for (i = 0; i < mint_layout.ioapics.count; i++)
		known[i] = *mint_ioapic_record(i);
	mint_owners_keep_pins(owners);
	return 0;
}

/**
 * mint_ioapic() - what was recorded of an I/O APIC
 * @ioapic:	its number in this kernel
 *
 * Context: any.
 * Return: the record; NULL for one that node 0 found after its boot.
 */
const struct mint_ioapic *mint_ioapic(unsigned int ioapic)
{
	u32 i, addr = mpc_ioapic_addr(ioapic);

	for (i = 0; i < mint_layout.ioapics.count; i++)
		if (known[i].nr_pins && known[i].addr == addr)
			return &known[i];
	return NULL;
}

/**
 * mint_ioapic_may_write() - is this register ours to write?
 * @ioapic:	number of the I/O APIC in this kernel
 * @reg:	register
 *
 * The ID and everything else that is not a pin's entry is node 0's. So is every
 * pin that has no record, because node 0 found its I/O APIC later: no other
 * node can have got it.
 *
 * Context: any.
 * Return: false for what belongs to another node.
 */
bool mint_ioapic_may_write(unsigned int ioapic, unsigned int reg)
{
	const struct mint_ioapic *rec;
	u32 pin, gsi;

	if (!mint_common)
		return true;
	if (reg < IOAPIC_FIRST_ENTRY)
		return mint_role == MINT_PREDECESSOR;

	rec = mint_ioapic(ioapic);
	pin = (reg - IOAPIC_FIRST_ENTRY) / 2;
	gsi = rec ? rec->gsi_base + pin : MINT_GSI_MAX;
	if (!rec || pin >= rec->nr_pins || gsi >= mint_layout.pins.count)
		return mint_role == MINT_PREDECESSOR;
	return mint_owner_of_pin(gsi) == mint_self;
}

/**
 * mint_interrupts_remapped() - do interrupts go by node 0's tables?
 *
 * Context: any.
 * Return: true where interrupt remapping is on: what another kernel writes
 * into an entry or a device is then dropped by the hardware.
 */
bool mint_interrupts_remapped(void)
{
	return x86_apic_ops.restore != native_restore_boot_irq_mode;
}

/**
 * mint_pin_clear() - clear and mask the entry of a pin
 * @gsi:	global system interrupt of the pin, which is this node's
 *
 * Context: any.
 */
void mint_pin_clear(u32 gsi)
{
	int ioapic = mp_find_ioapic(gsi);

	if (ioapic >= 0)
		clear_IO_APIC_pin(ioapic, mp_find_ioapic_pin(ioapic, gsi));
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
	u32 gsi;

	lockdep_assert_irqs_disabled();
	ioapic_zap_locks();
	for (gsi = 0; gsi < mint_layout.pins.count; gsi++)
		if (mint_owner_of_pin(gsi) == mint_self)
			mint_pin_clear(gsi);
}

/*
 * ---- without the kernel's interrupt code ----
 *
 * After a panic of node 0 one core is left, which looks at pins by itself. It
 * takes no lock that a core which was stopped may hold, but the shared one,
 * which is broken then.
 */

static void write_entry(int ioapic, int pin,
			const struct IO_APIC_route_entry *entry)
{
	void __iomem *base =
		(void __iomem *)__fix_to_virt(FIX_IO_APIC_BASE_0 + ioapic) +
		(mpc_ioapic_addr(ioapic) & ~PAGE_MASK);

	guard(mint_ioapic)();
	/* The word with the mask last, as ioapic_write_entry() has it */
	writel(IOAPIC_FIRST_ENTRY + 1 + 2 * pin, base);
	writel(entry->w2, base + IOAPIC_DATA);
	writel(IOAPIC_FIRST_ENTRY + 2 * pin, base);
	writel(entry->w1, base + IOAPIC_DATA);
}

static void write_level_pin(u32 gsi, u32 irq_flags, bool masked)
{
	struct IO_APIC_route_entry entry = {
		.vector		= X86_PLATFORM_IPI_VECTOR,
		.active_low	= !!(irq_flags & MINT_IRQ_ACTIVE_LOW),
		.is_level	= true,
		.masked		= masked,
		.destid_0_7	= read_apic_id(),
	};
	int ioapic = mp_find_ioapic(gsi);

	if (ioapic >= 0)
		write_entry(ioapic, mp_find_ioapic_pin(ioapic, gsi), &entry);
}

/**
 * mint_pin_arm() - have a pin of this node tell when its line is asserted
 * @gsi:	global system interrupt of the pin, which is masked
 * @irq_flags:	MINT_IRQ_* of its line
 *
 * The interrupt goes to this core, which need not take it. If the entry has no room
 * for its APIC ID the pin stays masked, and mint_pin_fired() is always true.
 *
 * Context: predecessor, after a panic, interrupts off, local APIC on.
 */
void mint_pin_arm(u32 gsi, u32 irq_flags)
{
	if (read_apic_id() <= IOAPIC_DEST_MAX)
		write_level_pin(gsi, irq_flags, false);
}

/**
 * mint_pin_disarm() - mask a pin, and forget that it has fired
 * @gsi:	global system interrupt of the pin, whose line is asserted
 * @irq_flags:	MINT_IRQ_* of its line
 *
 * Edge-triggered for a moment, which clears Remote IRR, the pin is then
 * level-triggered again: so the I/O APIC sees that the line is released.
 *
 * Context: as mint_pin_arm(), and ioapic_zap_locks() was called.
 */
void mint_pin_disarm(u32 gsi, u32 irq_flags)
{
	mint_pin_clear(gsi);
	write_level_pin(gsi, irq_flags, true);
}

/**
 * mint_pin_fired() - was the line asserted since mint_pin_arm()?
 * @gsi:	global system interrupt of the pin
 *
 * A level-triggered interrupt that was sent and not answered is seen in the
 * entry: Remote IRR (82093AA data sheet, 3.2.4).
 *
 * Context: as mint_pin_arm().
 * Return: true if it was, or if the pin is masked and cannot tell.
 */
bool mint_pin_fired(u32 gsi)
{
	struct IO_APIC_route_entry entry;
	int ioapic = mp_find_ioapic(gsi);

	if (ioapic < 0)
		return false;
	entry.w1 = native_io_apic_read(ioapic, IOAPIC_FIRST_ENTRY +
				       2 * mp_find_ioapic_pin(ioapic, gsi));
	return entry.masked || entry.irr;
}
