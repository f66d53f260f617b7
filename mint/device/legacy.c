// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: devices that no bus tells of.
 *
 * Owns COM1-4, the i8042, the VGA text console and the RTC: who has them, and
 * that a kernel which has them not never touches their ports. A UART that is
 * not ours is not registered, so never probed; its ports are taken in the
 * resource tree, so that no other driver comes by.
 */

#include <linux/acpi.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/screen_info.h>
#include <linux/serial_8250.h>

#include <asm/io_apic.h>
#include <asm/mpspec.h>
#include <asm/setup.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../own/own.h"
#include "device.h"

u32 mint_own_legacy __ro_after_init = BIT(MINT_LEGACY_COUNT) - 1;

struct legacy_device {
	struct resource	ports;
	u32		irqs[2];
};

#define LEGACY_PORTS(_start, _end) {			\
	.name	= "Mint: device of another node",	\
	.start	= (_start),				\
	.end	= (_end),				\
	.flags	= IORESOURCE_IO | IORESOURCE_BUSY,	\
}

static struct legacy_device legacy[MINT_LEGACY_COUNT] = {
	[MINT_LEGACY_COM1]	= { LEGACY_PORTS(0x3f8, 0x3ff), { 4 } },
	[MINT_LEGACY_COM2]	= { LEGACY_PORTS(0x2f8, 0x2ff), { 3 } },
	[MINT_LEGACY_COM3]	= { LEGACY_PORTS(0x3e8, 0x3ef), { 4 } },
	[MINT_LEGACY_COM4]	= { LEGACY_PORTS(0x2e8, 0x2ef), { 3 } },
	[MINT_LEGACY_I8042]	= { .irqs = { 1, 12 } },
	[MINT_LEGACY_VGA]	= { LEGACY_PORTS(0x3c0, 0x3df) },
	[MINT_LEGACY_RTC]	= { LEGACY_PORTS(0x70, 0x77), { 8 } },
};

static bool own(u32 id)
{
	return mint_own_legacy & BIT(id);
}

/* The pin behind a legacy device's interrupt is ours only with its owner */
static bool irq_ours(u32 irq)
{
	struct mint_node *node = mint_own_node();
	struct mint_device dev;
	u32 i;

	if (mint_role != MINT_SUCCESSOR)
		return true;
	for (i = 0; node && i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++) {
		dev = node->devices[i];
		if (dev.kind != MINT_DEV_LEGACY ||
		    (dev.irq_flags >> MINT_IRQ_ISA_SHIFT & 15) != irq)
			continue;
		if ((dev.irq_flags & MINT_IRQ_VALID) &&
		    mint_owner_of_pin(dev.gsi) == mint_self)
			return true;
	}
	return false;
}

/* A UART without its interrupt is polled by the driver's timer */
static void uart_config(int port, struct uart_port *up, u32 *capabilities)
{
	u32 i;

	for (i = MINT_LEGACY_COM1; i <= MINT_LEGACY_COM4; i++) {
		if (up->iobase != legacy[i].ports.start)
			continue;
		if (!own(i))
			up->iobase = 0;
		else if (!irq_ours(up->irq))
			up->irq = 0;
	}
}

/**
 * mint_legacy_setup() - take away what this kernel does not have
 *
 * The screen stays as the boot loader described it only with its owner.
 *
 * Context: setup_arch(), mint_own_legacy final.
 */
void __init mint_legacy_setup(void)
{
	if (IS_BUILTIN(CONFIG_SERIAL_8250))
		serial8250_set_isa_configurator(uart_config);
	if (!own(MINT_LEGACY_I8042))
		x86_platform.legacy.i8042 = X86_LEGACY_I8042_PLATFORM_ABSENT;
	if (!own(MINT_LEGACY_RTC)) {
		/* The start of a core would leave a reset vector there */
		x86_platform.legacy.rtc = 0;
		x86_platform.legacy.warm_reset = 0;
		x86_platform.set_wallclock = set_rtc_noop;
	}
	if (!own(MINT_LEGACY_VGA)) {
		x86_platform.legacy.no_vga = 1;
		memset(&screen_info, 0, sizeof(screen_info));
	}
}

/**
 * mint_legacy_reserve() - take the ports of what is not ours
 *
 * Context: setup_arch(), after the standard ports.
 */
void __init mint_legacy_reserve(void)
{
	u32 i;

	for (i = 0; i < MINT_LEGACY_COUNT; i++)
		if (!own(i) && legacy[i].ports.start)
			insert_resource(&ioport_resource, &legacy[i].ports);
}

/**
 * mint_legacy_irqs() - describe the interrupts of own legacy devices
 *
 * What ACPI or an MP table says in a predecessor: edge, active high, on the
 * pins that were handed over.
 *
 * Context: successor, with the common area mapped, before the I/O APICs are
 *	    set up.
 */
void __init mint_legacy_irqs(void)
{
	struct mint_node *node = mint_own_node();
	struct mpc_intsrc irq = {
		.type		= MP_INTSRC,
		.irqtype	= mp_INT,
		.irqflag	= MP_IRQPOL_ACTIVE_HIGH | MP_IRQTRIG_EDGE,
	};
	struct mint_device dev;
	int idx;
	u32 i;

	for (i = 0; i < min_t(u32, node->nr_devices, MINT_DEVICES_MAX); i++) {
		dev = node->devices[i];
		if (dev.kind != MINT_DEV_LEGACY || dev.id >= MINT_LEGACY_COUNT ||
		    !(dev.irq_flags & MINT_IRQ_VALID) ||
		    mint_owner_of_pin(dev.gsi) != mint_self)
			continue;
		idx = mp_find_ioapic(dev.gsi);
		if (idx < 0)
			continue;
		irq.srcbusirq = dev.irq_flags >> MINT_IRQ_ISA_SHIFT & 15;
		irq.dstapic = mpc_ioapic_id(idx);
		irq.dstirq = mp_find_ioapic_pin(idx, dev.gsi);
		mp_save_irq(&irq);
	}
}

/**
 * mint_legacy_line() - an interrupt of a device to be handed over
 * @dev:	a legacy device; its line is filled in
 * @k:		which of its interrupts, from 0
 *
 * Context: predecessor.
 * Return: false if it has no such interrupt.
 */
bool mint_legacy_line(struct mint_device *dev, u32 k)
{
	u32 irq = k < 2 ? legacy[dev->id].irqs[k] : 0, gsi = irq, i;

	if (!irq)
		return false;
#ifdef CONFIG_ACPI
	if (acpi_isa_irq_to_gsi(irq, &gsi))
		gsi = irq;
#endif
	dev->gsi = gsi;
	dev->irq_flags = 0;
	/* COM1 and COM3 share a line, so do COM2 and COM4: it has one owner */
	for (i = 0; i < MINT_LEGACY_COUNT; i++)
		if (i != dev->id && own(i) && legacy[i].irqs[0] == irq)
			return true;
	dev->irq_flags = MINT_IRQ_VALID | irq << MINT_IRQ_ISA_SHIFT;
	return true;
}

/*
 * mint.devices= of node 0, as far as legacy devices go: what is listed, or,
 * where the list only takes away (-com2), everything but that.
 */
static int __init mint_devices_param(char *str)
{
	const char *list = str;
	u32 add = 0, remove = 0;
	struct mint_token token;
	struct mint_device dev;
	struct mint_pci_match pci;
	bool any = false, positive = false, minus;

	if (mint_successor())
		return 0;

	while (mint_token_next(&list, &token)) {
		struct mint_token word = token;

		minus = word.len && *word.text == '-';
		if (minus) {
			word.text++;
			word.len--;
		}
		if (!mint_token_device(&word, &dev)) {
			if (minus)
				remove |= BIT(dev.id);
			else
				add |= BIT(dev.id);
		} else if (!mint_token_pci(&word, &pci)) {
			mint_pci_param(&pci, minus);
		} else {
			pr_err("mint.devices=: '%.*s' ignored, want [segment:]bus:dev[.fn][/*], com1-com4, i8042, vga or rtc\n",
			       token.len, token.text);
			continue;
		}
		any = true;
		positive |= !minus;
	}
	if (!any)
		return 0;

	mint_become_predecessor();
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	mint_own_legacy = (positive ? add : mint_own_legacy) & ~remove;
	mint_legacy_setup();
	return 0;
}
early_param("mint.devices", mint_devices_param);
