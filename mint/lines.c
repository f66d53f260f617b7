// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: interrupt lines (INTx) of lent PCI functions.
 *
 * Owns where a function's line goes, and lines on which devices of several
 * nodes sit. A line that only functions of one node use belongs to that node,
 * with its pin. Any other one stays with node 0, which passes it on:
 *
 *   node 0	on an interrupt masks the pin, sets the line's bit in the row
 *		of each sharer and rings its doorbell; own handlers run as ever
 *   a sharer	runs its handlers, clears its bit, rings node 0's doorbell
 *   node 0	unmasks the pin when no bit is left
 *
 * A level-triggered line that is still asserted then comes again, so that
 * nothing is lost; and nothing storms, since it cannot come while anybody is
 * at it. A sharer that is dead is left out; one that does not answer delays
 * the others by LINE_BOUND_MS for each interrupt, no more.
 */

#include <linux/acpi.h>
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/xarray.h>

#include <asm/apic.h>
#include <asm/io_apic.h>
#include <asm/irqdomain.h>
#include <asm/pci_x86.h>
#include <asm/sync_bitops.h>

#include "mint.h"

#define LINE_BOUND_MS	20
#define GSI_MAX		4096

/* ---- where a line goes ---- */

#ifdef CONFIG_ACPI
/* What ACPI said when it registered a GSI; most of PCI is active low */
static DECLARE_BITMAP(active_high, GSI_MAX);

static int (*register_gsi)(struct device *dev, u32 gsi, int trigger, int polarity)
	__ro_after_init;

static int note_gsi(struct device *dev, u32 gsi, int trigger, int polarity)
{
	if (gsi < GSI_MAX)
		assign_bit(gsi, active_high, polarity == ACPI_ACTIVE_HIGH);
	return register_gsi(dev, gsi, trigger, polarity);
}

static bool is_active_high(u32 gsi)
{
	return gsi < GSI_MAX && test_bit(gsi, active_high);
}

static int __init mint_lines_init(void)
{
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	register_gsi = __acpi_register_gsi;
	__acpi_register_gsi = note_gsi;
	return 0;
}
arch_initcall(mint_lines_init);
#else
static bool is_active_high(u32 gsi)
{
	return false;
}
#endif

/* GSI behind an interrupt of this kernel, if that is an I/O APIC's */
static bool irq_gsi(unsigned int irq, u32 *gsi)
{
	struct irq_data *data = irq_get_irq_data(irq);
	struct mint_ioapic *ioapic;

	while (data && data->domain && data->domain->ops != &mp_ioapic_irqdomain_ops)
		data = data->parent_data;
	if (!data || !data->domain)
		return false;
	ioapic = mint_ioapic(mp_irqdomain_ioapic_idx(data->domain));
	if (!ioapic)
		return false;
	*gsi = ioapic->gsi_base + data->hwirq;
	return true;
}

/**
 * mint_line_describe() - where a function's line goes
 * @dev:	a function without a driver
 * @desc:	out: GSI, trigger and polarity, as the firmware routes them
 *
 * Context: predecessor, device lock held; may sleep.
 */
void mint_line_describe(struct pci_dev *dev, struct mint_device *desc)
{
	desc->irq_flags = 0;
	if (!dev->pin || pcibios_enable_irq(dev))
		return;
	if (dev->irq_managed && irq_gsi(dev->irq, &desc->gsi)) {
		desc->irq_flags = MINT_IRQ_VALID;
		if (!is_active_high(desc->gsi))
			desc->irq_flags |= MINT_IRQ_ACTIVE_LOW;
		if (irqd_is_level_type(irq_get_irq_data(dev->irq)))
			desc->irq_flags |= MINT_IRQ_LEVEL;
	}
	if (pcibios_disable_irq)
		pcibios_disable_irq(dev);
}

static bool needs_line(const struct pci_dev *dev)
{
	return dev->pin && !dev->msi_cap && !dev->msix_cap;
}

/* Does the line of a function go to this GSI? */
static bool on_line(struct pci_dev *dev, u32 gsi)
{
	struct mint_device desc = {};
	bool found;

	device_lock(&dev->dev);
	if (dev->dev.driver) {
		found = dev->irq_managed && irq_gsi(dev->irq, &desc.gsi) &&
			desc.gsi == gsi;
	} else {
		mint_line_describe(dev, &desc);
		found = desc.irq_flags & MINT_IRQ_VALID && desc.gsi == gsi;
	}
	device_unlock(&dev->dev);
	return found;
}

static bool others_on_line(struct pci_dev *dev, u32 gsi)
{
	int irq = mp_map_gsi_to_irq(gsi, 0, NULL);
	struct pci_dev *other = NULL;

	if (irq > 0 && irq_has_action(irq))
		return true;
	for_each_pci_dev(other) {
		if (other != dev && needs_line(other) && on_line(other, gsi)) {
			pci_dev_put(other);
			return true;
		}
	}
	return false;
}

/**
 * mint_line_share() - will the line of a function be its node's alone?
 * @dev:	the function
 * @desc:	what mint_line_describe() said; a shared line is marked as one
 *
 * It is, unless somebody uses it, or a function that has nothing but its line
 * is on it, too.
 *
 * Context: predecessor, under mint_claims_lock(), no device lock held.
 * Return: MINT_NODE_FREE; or another node, which has the line for itself.
 */
u32 mint_line_share(struct pci_dev *dev, struct mint_device *desc)
{
	u32 *pin = mint_pin_owner(desc->gsi), owner = pin ? READ_ONCE(*pin) : mint_self;

	if (owner != mint_self) {
		desc->irq_flags = 0;
		return owner;
	}
	if (others_on_line(dev, desc->gsi)) {
		desc->irq_flags &= ~MINT_IRQ_VALID;
		desc->irq_flags |= MINT_IRQ_SHARED;
	}
	return MINT_NODE_FREE;
}

/**
 * mint_line_taken() - does another node have the line that a function needs?
 * @dev:	a function that a driver of node 0 is about to get
 *
 * Context: predecessor, device lock held.
 * Return: that node, or MINT_NODE_FREE.
 */
u32 mint_line_taken(struct pci_dev *dev)
{
	struct mint_device desc = {};
	u32 gsi, *pin;

	if (!needs_line(dev))
		return MINT_NODE_FREE;
	for (gsi = 0; (pin = mint_pin_owner(gsi)); gsi++)
		if (READ_ONCE(*pin) != mint_self && READ_ONCE(*pin) != MINT_NODE_FREE)
			break;
	if (!pin)
		return MINT_NODE_FREE;
	mint_line_describe(dev, &desc);
	pin = desc.irq_flags & MINT_IRQ_VALID ? mint_pin_owner(desc.gsi) : NULL;
	return pin && READ_ONCE(*pin) != mint_self ? READ_ONCE(*pin) : MINT_NODE_FREE;
}

/* ---- node 0 passes a line on ---- */

/**
 * struct line - a line that node 0 passes on
 * @lock:	for what follows
 * @gsi:	the line
 * @irq:	of this kernel, while there are sharers
 * @held:	the pin is masked until all sharers have answered
 * @late:	somebody did not answer in time, and that was said
 * @bound:	when that is waited for no longer
 * @sharers:	successors with a function on it
 */
struct line {
	raw_spinlock_t		lock;
	u32			gsi;
	int			irq;
	bool			held;
	bool			late;
	struct timer_list	bound;
	DECLARE_BITMAP(sharers, MINT_NODE_MAX);
};

/* Sharers come and go under it */
static DEFINE_MUTEX(lines_mutex);

/* By GSI; a line that was once shared stays here */
static DEFINE_XARRAY(lines);

/* Does nobody have to look at the line any more? */
static bool answered(const struct line *line)
{
	unsigned long *waiting;
	u32 n;

	for_each_set_bit(n, line->sharers, MINT_NODE_MAX) {
		waiting = mint_line_waiting(n);
		if (waiting && test_bit(line->gsi, waiting))
			return false;
	}
	return true;
}

static void release_line(struct line *line)
{
	if (!line->held)
		return;
	line->held = false;
	enable_irq(line->irq);
}

/*
 * Has a function of the node perhaps asserted the line? One that is lost does
 * not answer, but its function still may: without the wait for it, the line
 * would come again at once, for ever.
 */
static bool may_assert(u32 n)
{
	u32 state = mint_state(n);

	return state == MINT_STATE_RUNNING || state == MINT_STATE_SILENT;
}

/* Under the line's lock */
static void pass_on(struct line *line)
{
	unsigned long *waiting;
	u32 n;

	for_each_set_bit(n, line->sharers, MINT_NODE_MAX) {
		waiting = mint_line_waiting(n);
		if (!waiting || !may_assert(n))
			continue;
		if (!line->held) {
			line->held = true;
			disable_irq_nosync(line->irq);
			mod_timer(&line->bound, jiffies + 1 +
				  msecs_to_jiffies(LINE_BOUND_MS));
		}
		sync_set_bit(line->gsi, waiting);
		mint_ring_node(n);
	}
}

static irqreturn_t line_interrupt(int irq, void *arg)
{
	struct line *line = arg;
	unsigned long flags;

	raw_spin_lock_irqsave(&line->lock, flags);
	if (!line->held)
		pass_on(line);
	raw_spin_unlock_irqrestore(&line->lock, flags);
	return IRQ_HANDLED;
}

static void line_late(struct timer_list *timer)
{
	struct line *line = from_timer(line, timer, bound);
	unsigned long flags;
	bool late;

	raw_spin_lock_irqsave(&line->lock, flags);
	late = line->held && !line->late;
	line->late |= late;
	release_line(line);
	raw_spin_unlock_irqrestore(&line->lock, flags);
	if (late)
		pr_info("GSI %u is shared with a node that does not answer within %u ms\n",
			line->gsi, LINE_BOUND_MS);
}

static int attach(struct line *line, const struct mint_device *dev)
{
	struct irq_alloc_info info;
	int irq, err;

	ioapic_set_alloc_attr(&info, NUMA_NO_NODE,
			      !!(dev->irq_flags & MINT_IRQ_LEVEL),
			      !!(dev->irq_flags & MINT_IRQ_ACTIVE_LOW));
	irq = mp_map_gsi_to_irq(line->gsi, IOAPIC_MAP_ALLOC, &info);
	if (irq < 0)
		return irq;
	line->irq = irq;
	/* Masked means masked: else each interrupt comes twice */
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	err = request_irq(irq, line_interrupt, IRQF_SHARED | IRQF_NO_THREAD,
			  "mint", line);
	if (err)
		mp_unmap_irq(irq);
	return err;
}

static void detach(struct line *line)
{
	unsigned long flags;

	timer_delete_sync(&line->bound);
	raw_spin_lock_irqsave(&line->lock, flags);
	release_line(line);
	raw_spin_unlock_irqrestore(&line->lock, flags);
	free_irq(line->irq, line);
	mp_unmap_irq(line->irq);
}

static struct line *get_line(u32 gsi)
{
	struct line *line = xa_load(&lines, gsi);

	if (line)
		return line;
	line = kzalloc(sizeof(*line), GFP_KERNEL);
	if (!line)
		return NULL;
	raw_spin_lock_init(&line->lock);
	line->gsi = gsi;
	timer_setup(&line->bound, line_late, 0);
	if (xa_is_err(xa_store(&lines, gsi, line, GFP_KERNEL))) {
		kfree(line);
		return NULL;
	}
	return line;
}

/**
 * mint_lines_lend() - pass lines on to a new node
 * @n:		number of the node
 *
 * Context: predecessor, process.
 * Return: 0; a negative error if some line cannot be shared, and then
 * mint_lines_return() undoes what was done.
 */
int mint_lines_lend(u32 n)
{
	const struct mint_node *node = mint_claim(n);
	unsigned long *waiting = mint_line_waiting(n), flags;
	struct line *line;
	u32 i;
	int err;

	guard(mutex)(&lines_mutex);
	for (i = 0; i < node->nr_devices; i++) {
		if (!(node->devices[i].irq_flags & MINT_IRQ_SHARED))
			continue;
		line = waiting ? get_line(node->devices[i].gsi) : NULL;
		if (!line)
			return -ENOMEM;
		sync_clear_bit(line->gsi, waiting);
		if (bitmap_empty(line->sharers, MINT_NODE_MAX)) {
			err = attach(line, &node->devices[i]);
			if (err)
				return err;
		}
		raw_spin_lock_irqsave(&line->lock, flags);
		__set_bit(n, line->sharers);
		raw_spin_unlock_irqrestore(&line->lock, flags);
		pr_info("GSI %u is passed on to node %u\n", line->gsi, n);
	}
	return 0;
}

/* Return: true if there are sharers no more */
static bool stop_sharing(struct line *line, u32 n)
{
	unsigned long flags;
	bool last = false;

	raw_spin_lock_irqsave(&line->lock, flags);
	if (__test_and_clear_bit(n, line->sharers)) {
		line->late = false;
		if (answered(line))
			release_line(line);
		last = bitmap_empty(line->sharers, MINT_NODE_MAX);
	}
	raw_spin_unlock_irqrestore(&line->lock, flags);
	return last;
}

/**
 * mint_lines_return() - pass no line on to a node any more
 * @n:		number of the node, its functions at rest
 *
 * Context: predecessor, process.
 */
void mint_lines_return(u32 n)
{
	unsigned long gsi;
	struct line *line;

	guard(mutex)(&lines_mutex);
	xa_for_each(&lines, gsi, line) {
		if (stop_sharing(line, n))
			detach(line);
	}
}

/* ---- a successor gets it ---- */

/* Lines that come by way of node 0; entries are added, never changed */
static struct {
	u32	gsi;
	int	irq;
} passed[MINT_DEVICES_MAX];
static u32 passed_count;

static void line_done(u32 gsi)
{
	unsigned long *waiting = mint_line_waiting(mint_self);

	if (waiting && sync_test_and_clear_bit(gsi, waiting))
		mint_doorbell(mint_layout.bsp_apic_id);
}

static void line_mask(struct irq_data *data)
{
}

/* The handlers have run, or the line is wanted again */
static void line_unmask(struct irq_data *data)
{
	line_done((uintptr_t)irq_data_get_irq_chip_data(data));
}

static struct irq_chip line_chip = {
	.name		= "node0-line",
	.irq_mask	= line_mask,
	.irq_unmask	= line_unmask,
	.flags		= IRQCHIP_SKIP_SET_WAKE,
};

static int passed_irq(u32 gsi)
{
	u32 i;
	int irq;

	for (i = 0; i < passed_count; i++)
		if (passed[i].gsi == gsi)
			return passed[i].irq;
	if (i == ARRAY_SIZE(passed))
		return -ENOSPC;
	irq = irq_alloc_desc(NUMA_NO_NODE);
	if (irq < 0)
		return irq;
	irq_set_chip_and_handler_name(irq, &line_chip, handle_level_irq, "level");
	irq_set_chip_data(irq, (void *)(uintptr_t)gsi);
	/* Interrupts of other nodes' devices are none of "nobody cared" */
	irq_set_status_flags(irq, IRQ_LEVEL | IRQ_IS_POLLED | IRQ_NOPROBE);
	passed[i].gsi = gsi;
	passed[i].irq = irq;
	/* Pairs with mint_lines_poll() */
	smp_store_release(&passed_count, i + 1);
	return irq;
}

/**
 * mint_line_map() - interrupt for the line of an own function
 * @desc:	the function
 *
 * Context: successor, process.
 * Return: the interrupt or a negative error.
 */
int mint_line_map(const struct mint_device *desc)
{
	static DEFINE_MUTEX(mutex);
	struct irq_alloc_info info;

	if (desc->irq_flags & MINT_IRQ_SHARED) {
		guard(mutex)(&mutex);
		return passed_irq(desc->gsi);
	}
	ioapic_set_alloc_attr(&info, NUMA_NO_NODE,
			      !!(desc->irq_flags & MINT_IRQ_LEVEL),
			      !!(desc->irq_flags & MINT_IRQ_ACTIVE_LOW));
	return mp_map_gsi_to_irq(desc->gsi, IOAPIC_MAP_ALLOC, &info);
}

/**
 * mint_line_unmap() - the function needs its line no more
 * @desc:	the function
 * @irq:	what mint_line_map() returned
 */
void mint_line_unmap(const struct mint_device *desc, int irq)
{
	if (!(desc->irq_flags & MINT_IRQ_SHARED))
		mp_unmap_irq(irq);
}

/**
 * mint_lines_poll() - somebody rang: look at the lines that are passed on
 *
 * Context: doorbell, interrupts off.
 */
void mint_lines_poll(void)
{
	unsigned long *waiting, gsi;
	struct line *line;
	u32 i, count;

	if (mint_role == MINT_PREDECESSOR) {
		xa_for_each(&lines, gsi, line) {
			raw_spin_lock(&line->lock);
			if (line->held && answered(line))
				release_line(line);
			raw_spin_unlock(&line->lock);
		}
		return;
	}

	waiting = mint_line_waiting(mint_self);
	/* Pairs with passed_irq() */
	count = smp_load_acquire(&passed_count);
	if (!waiting)
		return;
	for_each_set_bit(gsi, waiting, mint_layout.pins.count) {
		for (i = 0; i < count && passed[i].gsi != gsi; i++)
			;
		if (i < count && irq_has_action(passed[i].irq))
			generic_handle_irq(passed[i].irq);
		else
			line_done(gsi);
	}
}
