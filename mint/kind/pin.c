// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that an interrupt pin is.
 *
 * Owns which lines go to a new node with its devices, and their way there and
 * back. No word names a pin: it comes with the device, if the node can have it
 * for itself. Lines that node 0 passes on instead are device/lines.c's.
 */

#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kernel.h>

#include <asm/io_apic.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../device/device.h"
#include "kind.h"
#include "request.h"

/* Node 0 has a handler on the line */
static bool line_in_use(u32 gsi)
{
	int irq = mp_map_gsi_to_irq(gsi, 0, NULL);

	return irq > 0 && irq_has_action(irq);
}

/*
 * Where an interrupt exists for a pin that is another node's, nobody can ask
 * for it: a driver of node 0 gets an error, not silence.
 */
static void set_requestable(u32 gsi, bool on)
{
	int irq = mp_map_gsi_to_irq(gsi, 0, NULL);

	if (irq <= 0)
		return;
	if (on)
		irq_clear_status_flags(irq, IRQ_NOREQUEST);
	else
		irq_set_status_flags(irq, IRQ_NOREQUEST);
}

/**
 * mint_pin_problem() - may the line of a device go to a new node?
 * @dev:	a device that has a line
 *
 * The node has no number yet, so whatever is lent is lent to another one.
 *
 * Context: predecessor, under mint_claims_lock().
 * Return: NULL, or why it may not, as the end of a sentence.
 */
const char *mint_pin_problem(const struct mint_device *dev)
{
	u32 owner = mint_owner_of_pin(dev->gsi);

	mint_claims_assert_held();
	if (owner == MINT_NODE_FREE)
		return "no I/O APIC has it";
	if (owner != mint_self)
		return "another node has it";
	if (line_in_use(dev->gsi))
		return "a driver of node 0 uses it";
	if (mint_interrupts_remapped())
		return "node 0 has interrupt remapping on";
	return NULL;
}

/*
 * Without interrupt remapping an MSI or an I/O APIC names 8 bits of an APIC ID
 * (Intel SDM vol. 3, 11.11.1 "Message Address Register Format"), and 255 means
 * all cores: a node could point a device's interrupt at a core above that, and
 * hit another one.
 */
static struct mint_core *find_unreached_core(const struct mint_kexec *rq)
{
	u32 i;

	for (i = 0; i < rq->nr_cores; i++)
		if (mint_apic_id(rq->cores[i]) > MINT_DEVICE_APIC_ID_MAX)
			return rq->cores[i];
	return NULL;
}

/**
 * mint_pin_unreached_core() - a core of a node that devices cannot interrupt
 * @n:		number of a successor
 *
 * Context: predecessor, any.
 * Return: such a core, or NULL.
 */
struct mint_core *mint_pin_unreached_core(u32 n)
{
	struct mint_core *core;
	u32 i;

	for (i = 0; (core = mint_core(i)); i++)
		if (mint_apic_id(core) > MINT_DEVICE_APIC_ID_MAX &&
		    mint_owner_of_core(core) == n)
			return core;
	return NULL;
}

/**
 * mint_pins_can_interrupt() - can devices of a node interrupt its cores?
 * @n:		number of a successor
 *
 * Context: predecessor, under mint_claims_lock().
 * Return: true if it has a function, or a line.
 */
bool mint_pins_can_interrupt(u32 n)
{
	const struct mint_node *node = mint_claim(n);
	u32 i;

	mint_claims_assert_held();
	for (i = 0; node && i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_PCI ||
		    node->devices[i].irq_flags & MINT_IRQ_VALID)
			return true;
	return false;
}

/**
 * mint_request_device() - enter a device into a request, with its line
 * @rq:		the request
 * @dev:	the device
 * @name:	what people call it
 *
 * Context: predecessor, process, under mint_claims_lock(); see
 *	    mint_kind.parse().
 * Return: 0, or what mint_refuse() returned.
 */
int mint_request_device(struct mint_kexec *rq, struct mint_device *dev,
			const char *name)
{
	struct mint_core *core = find_unreached_core(rq);
	struct mint_node *node = &rq->node;
	const char *why = NULL;

	mint_claims_assert_held();
	if (core && (dev->kind == MINT_DEV_PCI ||
		     dev->id == MINT_LEGACY_I8042))
		return mint_refuse(rq, -ENXIO,
				   "device %s cannot interrupt APIC ID %u: without interrupt remapping devices name IDs up to %u; leave out the device or cores above that",
				   name, mint_apic_id(core), MINT_DEVICE_APIC_ID_MAX);
	if (core)
		dev->irq_flags = 0;	/* polled */
	/* That of a function is looked at once all are known: check() below */
	if (dev->kind == MINT_DEV_LEGACY && dev->irq_flags & MINT_IRQ_VALID)
		why = mint_pin_problem(dev);
	if (why) {
		/* All others can be polled */
		if (dev->id == MINT_LEGACY_I8042)
			return mint_refuse(rq, -EBUSY,
					   "device %s does nothing without GSI %u, and %s: boot node 0 with intremap=off and without a driver for it",
					   name, dev->gsi, why);
		pr_info("%s is lent without its line, GSI %u: %s\n", name,
			dev->gsi, why);
		dev->irq_flags = 0;
	}
	if (node->nr_devices == MINT_DEVICES_MAX)
		return mint_refuse(rq, -ENOSPC, "more than %u devices",
				   MINT_DEVICES_MAX);
	node->devices[node->nr_devices++] = *dev;
	return 0;
}

/*
 * Functions of one node may have a line for themselves, so this waits until all
 * are known.
 */
static int check(struct mint_kexec *rq)
{
	struct mint_node *node = &rq->node;
	u32 i, owner;
	char name[16];
	int err;

	for (i = 0; i < node->nr_devices; i++) {
		err = mint_line_check(node, &node->devices[i], &owner);
		if (err)
			return mint_refuse(rq, err,
					   "device %s has no MSI, and its line, GSI %u, belongs to node %u: end that node first",
					   mint_device_name(&node->devices[i], name,
							    sizeof(name)),
					   node->devices[i].gsi, owner);
	}
	return 0;
}

/* A pin of node 0, which nobody there uses: its entry is masked */
static int lend_pin(u32 gsi, u32 n)
{
	/* Devices of one node may have one line */
	if (mint_owner_of_pin(gsi) == n)
		return 0;
	if (!mint_pin_hand(gsi, mint_self, n))
		return -EBUSY;
	set_requestable(gsi, false);
	/* A driver may have come since that was looked at, but none comes now */
	if (!line_in_use(gsi))
		return 0;
	set_requestable(gsi, true);
	mint_pin_hand(gsi, n, mint_self);
	return -EBUSY;
}

/*
 * They are node 0's and nobody there uses them, as mint_pin_problem() or
 * mint_line_check() found; a driver may have come meanwhile.
 */
static int claim_pins(struct mint_kexec *rq, struct mint_claim *claim)
{
	const struct mint_node *node = &claim->node;
	int err = 0;
	u32 i;

	for (i = 0; i < node->nr_devices && !err; i++)
		if (node->devices[i].irq_flags & MINT_IRQ_VALID)
			err = lend_pin(node->devices[i].gsi, claim->n);
	err = err ?: mint_lines_lend(claim->n);
	if (err)
		return mint_refuse(rq, err,
				   "an interrupt line was just taken by a driver of node 0, or cannot be shared with it (%d): unbind that, or use devices with MSI",
				   err);
	return 0;
}

/*
 * Masks what the node may have left: it is this kernel's to write again. The
 * devices are at rest by now, so no line is asserted any more.
 */
static void return_pin(u32 gsi, u32 n)
{
	if (!mint_pin_hand(gsi, n, mint_self))
		return;
	mint_pin_clear(gsi);
	set_requestable(gsi, true);
}

/**
 * mint_pin_leave() - a device has left a node that runs, and with it its line
 * @n:		number of the node
 * @dev:	the device, which is not in the node's list any more
 *
 * Where another device of the node is on the line, it keeps that.
 *
 * Context: predecessor, process, under mint_claims_lock() and the lock of the
 *	    node's claim.
 */
void mint_pin_leave(u32 n, const struct mint_device *dev)
{
	const struct mint_node *node = mint_claim(n);
	u32 i, how = dev->irq_flags & (MINT_IRQ_VALID | MINT_IRQ_SHARED);

	mint_claims_assert_held();
	for (i = 0; how && i < node->nr_devices; i++)
		if (node->devices[i].kind && node->devices[i].irq_flags & how &&
		    node->devices[i].gsi == dev->gsi)
			return;
	if (how & MINT_IRQ_VALID)
		return_pin(dev->gsi, n);
	if (how & MINT_IRQ_SHARED)
		mint_line_return(n, dev->gsi);
}

static void take_back(struct mint_claim *claim)
{
	const struct mint_node *node = &claim->node;
	u32 i;

	mint_claims_lock();
	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].irq_flags & MINT_IRQ_VALID)
			return_pin(node->devices[i].gsi, claim->n);
	mint_claims_unlock();
	mint_lines_return(claim->n);
}

static u32 owner_of(u32 index, u32 *id)
{
	*id = index;
	return mint_owner_of_pin(index);
}

static void show(struct seq_file *m)
{
	mint_show_owners(m, owner_of, mint_layout.pins.count);
}

const struct mint_kind mint_kind_pin = {
	.file		= "pins",
	.check		= check,
	.claim		= claim_pins,
	.take_back	= take_back,
	.quiet		= mint_pins_clear,
	.show		= show,
};
