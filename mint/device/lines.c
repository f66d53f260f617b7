// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: interrupt lines (INTx) of lent PCI functions.
 *
 * Owns where a function's line goes, and lines on which devices of several
 * nodes sit. A line that only functions of one node use belongs to that node,
 * with its pin. Any other one stays with node 0, which passes it on:
 *
 *   node 0	on an interrupt masks the pin, sets the line's bit in the row
 *		of each sharer and rings it; own handlers run as ever
 *   a sharer	runs its handlers, clears its bit, rings node 0
 *   node 0	unmasks the pin when no bit is left
 *
 * A level-triggered line that is still asserted then comes again, so that
 * nothing is lost; and nothing storms, since it cannot come while anybody is
 * at it. A sharer that is dead is left out; one that does not answer delays
 * the others by LINE_BOUND_MS for each interrupt, no more.
 *
 * After a panic of node 0 its last core goes on with that, and with nothing
 * else: it looks at the pins by itself, with interrupts off.
 */

#include <linux/acpi.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/msi.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/xarray.h>

#include <asm/apic.h>
#include <asm/io_apic.h>
#include <asm/irqdomain.h>
#include <asm/pci_x86.h>
#include <asm/sync_bitops.h>

#include "../area/area.h"
#include "../own/own.h"
#include "device.h"

#define LINE_BOUND_MS	20
#define LINE_POLL_US	100		/* after a panic of node 0 */

/* ---- where a line goes ---- */

#ifdef CONFIG_ACPI
/* What ACPI said when it registered a GSI; most of PCI is active low */
static DECLARE_BITMAP(active_high, MINT_GSI_MAX);

static int (*register_gsi)(struct device *dev, u32 gsi, int trigger, int polarity)
	__ro_after_init;

static int note_gsi(struct device *dev, u32 gsi, int trigger, int polarity)
{
	if (gsi < MINT_GSI_MAX)
		assign_bit(gsi, active_high, polarity == ACPI_ACTIVE_HIGH);
	return register_gsi(dev, gsi, trigger, polarity);
}

static bool is_active_high(u32 gsi)
{
	return gsi < MINT_GSI_MAX && test_bit(gsi, active_high);
}

static int __init mint_lines_setup(void)
{
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	register_gsi = __acpi_register_gsi;
	__acpi_register_gsi = note_gsi;
	return 0;
}
arch_initcall(mint_lines_setup);
#else
static bool is_active_high(u32 gsi)
{
	return false;
}
#endif

/* GSI behind an interrupt of this kernel, if that is a pin with a record */
static bool irq_gsi(unsigned int irq, u32 *gsi)
{
	struct irq_data *data = irq_get_irq_data(irq);
	const struct mint_ioapic *ioapic;

	while (data && data->domain && data->domain->ops != &mp_ioapic_irqdomain_ops)
		data = data->parent_data;
	if (!data || !data->domain)
		return false;
	ioapic = mint_ioapic(mp_irqdomain_ioapic_idx(data->domain));
	if (!ioapic)
		return false;
	*gsi = ioapic->gsi_base + data->hwirq;
	return mint_owner_of_pin(*gsi) != MINT_NODE_FREE;
}

/* How node 0 finds the line of a function, whosever that is */
static int (*route_line)(struct pci_dev *dev) __ro_after_init;

/*
 * A driver of node 0 enables its function. If the line is another node's, the
 * kernel shall say so when the driver asks for it, and not leave it waiting.
 */
static int enable_line(struct pci_dev *dev)
{
	int err = route_line(dev);
	u32 gsi;

	if (err || !dev->irq_managed || !irq_gsi(dev->irq, &gsi) ||
	    mint_owner_of_pin(gsi) == mint_self)
		return err;
	pci_info(dev, "without its interrupt line, GSI %u, which is node %u's: it works by MSI or not at all\n",
		 gsi, mint_owner_of_pin(gsi));
	if (pcibios_disable_irq)
		pcibios_disable_irq(dev);
	dev->irq = IRQ_NOTCONNECTED;
	return 0;
}

/* After ACPI has chosen how lines are found, before there are drivers */
static int __init mint_lines_enable_init(void)
{
	if (mint_role != MINT_PREDECESSOR)
		return 0;
	route_line = pcibios_enable_irq;
	pcibios_enable_irq = enable_line;
	return 0;
}
fs_initcall(mint_lines_enable_init);

/**
 * mint_line_describe() - where a function's line goes
 * @dev:	a function without a driver
 * @desc:	out: GSI, trigger and polarity, as the firmware routes them
 *
 * Context: predecessor, device lock held; may sleep.
 */
void mint_line_describe(struct pci_dev *dev, struct mint_device *desc)
{
	device_lock_assert(&dev->dev);
	desc->irq_flags = 0;
	if (!dev->pin || route_line(dev))
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

/**
 * mint_line_needed() - has a function nothing but its line?
 * @dev:	the function
 *
 * Beside functions without the capability these are all for which the kernel
 * refuses MSI: by pci=nomsi, by a quirk, or because of a bridge above.
 *
 * Context: any.
 * Return: true if it has a line and cannot do without.
 */
bool mint_line_needed(const struct pci_dev *dev)
{
	const struct pci_bus *bus;

	if (!dev->pin)
		return false;
	if (!pci_msi_enabled() || dev->no_msi || !(dev->msi_cap || dev->msix_cap))
		return true;
	for (bus = dev->bus; bus; bus = bus->parent)
		if (bus->bus_flags & PCI_BUS_FLAGS_NO_MSI)
			return true;
	return false;
}

/*
 * Does a function of node 0 use this line, or will it?
 *
 * A driver that is there and has not switched MSI on may still ask for the
 * line. One that comes or goes right now cannot be waited for, since its probe
 * may hang: it is taken for one that uses the line.
 */
static bool on_line(struct pci_dev *dev, u32 gsi)
{
	struct mint_device desc = {};
	bool found = false;

	if (!device_trylock(&dev->dev))
		return true;
	if (dev->dev.driver) {
		found = dev->irq_managed && !pci_dev_msi_enabled(dev) &&
			irq_gsi(dev->irq, &desc.gsi) && desc.gsi == gsi;
	} else if (mint_line_needed(dev)) {
		mint_line_describe(dev, &desc);
		found = desc.irq_flags & MINT_IRQ_VALID && desc.gsi == gsi;
	}
	device_unlock(&dev->dev);
	return found;
}

static bool has_function(const struct mint_node *node, const struct pci_dev *dev)
{
	u32 i;

	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_PCI &&
		    node->devices[i].id == mint_pci_id(dev))
			return true;
	return false;
}

/* Does anything use the line that will not be this node's? */
static bool others_on_line(const struct mint_node *node, u32 gsi)
{
	int irq = mp_map_gsi_to_irq(gsi, 0, NULL);
	struct pci_dev *dev = NULL;

	if (irq > 0 && irq_has_action(irq))
		return true;
	for_each_pci_dev(dev) {
		/* The services of a port ask for their line at once, if at all */
		if (!dev->pin || dev->hdr_type != PCI_HEADER_TYPE_NORMAL ||
		    has_function(node, dev) || !on_line(dev, gsi))
			continue;
		pci_dev_put(dev);
		return true;
	}
	return false;
}

/**
 * mint_line_check() - will the line of a function be its node's alone?
 * @node:	the new node, with all its devices
 * @desc:	one of them, with what mint_line_describe() said; a line that is
 *		shared is marked as that
 * @owner:	out: with -EBUSY, who has the line for itself
 *
 * It is, unless somebody else uses it, or a function that has nothing but its
 * line and will not be this node's is on it, too.
 *
 * Context: predecessor, under mint_claims_lock(), no device lock held.
 * Return: 0; -EBUSY if the function cannot do without a line that is another
 * node's, or cannot be silenced on one that is shared. One that can do without
 * is lent without it.
 */
int mint_line_check(const struct mint_node *node, struct mint_device *desc,
		    u32 *owner)
{
	struct pci_dev *dev;
	bool needed, loud;

	mint_claims_assert_held();
	if (desc->kind != MINT_DEV_PCI || !(desc->irq_flags & MINT_IRQ_VALID))
		return 0;

	dev = mint_pci_get(desc->id);
	needed = dev && mint_line_needed(dev);
	/* Before PCI 2.3 there was no INTX_DISABLE: nobody can silence it */
	loud = dev && dev->broken_intx_masking;
	pci_dev_put(dev);

	*owner = mint_owner_of_pin(desc->gsi);
	if (*owner != mint_self) {
		desc->irq_flags = 0;
		return needed || loud ? -EBUSY : 0;
	}
	if (others_on_line(node, desc->gsi)) {
		if (loud)
			return -EBUSY;
		desc->irq_flags &= ~MINT_IRQ_VALID;
		desc->irq_flags |= MINT_IRQ_SHARED;
	}
	return 0;
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
	u32 gsi, owner;

	device_lock_assert(&dev->dev);
	if (!mint_line_needed(dev))
		return MINT_NODE_FREE;
	for (gsi = 0; gsi < mint_layout.pins.count; gsi++) {
		owner = mint_owner_of_pin(gsi);
		if (owner != mint_self && owner != MINT_NODE_FREE)
			break;
	}
	if (gsi == mint_layout.pins.count)
		return MINT_NODE_FREE;
	mint_line_describe(dev, &desc);
	if (!(desc.irq_flags & MINT_IRQ_VALID))
		return MINT_NODE_FREE;
	owner = mint_owner_of_pin(desc.gsi);
	return owner == mint_self ? MINT_NODE_FREE : owner;
}

/* ---- node 0 passes a line on ---- */

/**
 * struct line - a line that node 0 passes on
 * @lock:	for what follows
 * @gsi:	the line
 * @irq_flags:	MINT_IRQ_* of its trigger and polarity
 * @irq:	of this kernel, while there are sharers
 * @held:	the pin is masked until all sharers have answered
 * @late:	somebody did not answer in time, and that was said
 * @polls:	after a panic of node 0: how often that was looked for
 * @bound:	when that is waited for no longer
 * @sharers:	successors with a function on it
 */
struct line {
	raw_spinlock_t		lock;
	u32			gsi;
	u32			irq_flags;
	int			irq;
	bool			held;
	bool			late;
	u32			polls;
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
 * Has a function of the node perhaps asserted the line? One that is lost, or
 * that has panicked and waits for its own reboot, does not answer, but its
 * function still may: without the wait for it, the line would come again at
 * once, for ever. Quiet are functions only before the start and after the end.
 */
static bool may_assert(u32 n)
{
	switch (mint_state(n)) {
	case MINT_STATE_NONE:
	case MINT_STATE_LOADED:
	case MINT_STATE_ENDED:
		return false;
	}
	return true;
}

/* Under the line's lock */
static void forward_line(struct line *line)
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
		mint_bell_ring_node(n, MINT_BELL_LINES);
	}
}

static irqreturn_t line_interrupt(int irq, void *arg)
{
	struct line *line = arg;
	unsigned long flags;

	raw_spin_lock_irqsave(&line->lock, flags);
	if (!line->held)
		forward_line(line);
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
	/*
	 * threadirqs makes all others on the line ONESHOT, and they have to be
	 * the same in that; without it, who was there first decides.
	 */
	unsigned long flags = IRQF_SHARED | IRQF_NO_THREAD |
		(force_irqthreads() ? IRQF_ONESHOT : IRQF_COND_ONESHOT);
	struct irq_alloc_info info;
	int irq, err;

	ioapic_set_alloc_attr(&info, NUMA_NO_NODE,
			      !!(dev->irq_flags & MINT_IRQ_LEVEL),
			      !!(dev->irq_flags & MINT_IRQ_ACTIVE_LOW));
	irq = mp_map_gsi_to_irq(line->gsi, IOAPIC_MAP_ALLOC, &info);
	if (irq < 0)
		return irq;
	line->irq = irq;
	line->irq_flags = dev->irq_flags;
	/* Masked means masked: else each interrupt comes twice */
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	err = request_irq(irq, line_interrupt, flags, "mint", line);
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

/**
 * mint_line_return() - pass one line on to a node no more
 * @n:		number of the node, no function of which is on the line any more
 * @gsi:	the line
 *
 * Context: predecessor, process.
 */
void mint_line_return(u32 n, u32 gsi)
{
	struct line *line;

	guard(mutex)(&lines_mutex);
	line = xa_load(&lines, gsi);
	if (line && stop_sharing(line, n))
		detach(line);
}

/* ---- the same after a panic of node 0 ---- */

/* The node has left by itself, its functions quiet; nobody in node 0 sees it */
static bool has_left(u32 n)
{
	const struct mint_node *record = mint_node(n);
	u32 returns_ms;

	return READ_ONCE(record->state) == MINT_STATE_ENDED ||
	       (mint_panicked(record, &returns_ms) && !returns_ms);
}

/* forward_line(), without what may wait for a core that was stopped */
static void forward_by_polling(struct line *line)
{
	unsigned long *waiting;
	u32 n;

	mint_pin_disarm(line->gsi, line->irq_flags);
	line->held = true;
	line->polls = 0;
	for_each_set_bit(n, line->sharers, MINT_NODE_MAX) {
		waiting = mint_line_waiting(n);
		if (!waiting)
			continue;
		if (has_left(n)) {
			sync_clear_bit(line->gsi, waiting);
			continue;
		}
		sync_set_bit(line->gsi, waiting);
		mint_bell_ring_node(n, MINT_BELL_LINES);
	}
}

static void look_at_line(struct line *line)
{
	if (line->held) {
		if (!answered(line) && ++line->polls <
		    LINE_BOUND_MS * USEC_PER_MSEC / LINE_POLL_US)
			return;
		line->held = false;
		mint_pin_arm(line->gsi, line->irq_flags);
	} else if (mint_pin_fired(line->gsi)) {
		forward_by_polling(line);
	}
}

/*
 * As panic_blink(), which panic() calls in its last loop; does not return. The
 * kernel's own handlers may have died with a lock held: none of them runs,
 * interrupts are off.
 */
static long forward_after_panic(int state)
{
	struct line *line;
	unsigned long gsi;

	local_irq_disable();
	/* Interrupts of other nodes have to be accepted: panic() switched it off */
	apic_write(APIC_SPIV, apic_read(APIC_SPIV) | APIC_SPIV_APIC_ENABLED);
	ioapic_zap_locks();
	xa_for_each(&lines, gsi, line)
		if (!bitmap_empty(line->sharers, MINT_NODE_MAX))
			forward_by_polling(line);
	for (;;) {
		xa_for_each(&lines, gsi, line)
			if (!bitmap_empty(line->sharers, MINT_NODE_MAX))
				look_at_line(line);
		udelay(LINE_POLL_US);
	}
	return 0;
}

/**
 * mint_lines_after_panic() - go on passing lines on after a panic
 *
 * Context: predecessor, panic notifier; the other cores were stopped, and no
 *	    restart follows.
 */
void mint_lines_after_panic(void)
{
	unsigned long gsi;
	struct line *line;

	xa_for_each(&lines, gsi, line)
		if (!bitmap_empty(line->sharers, MINT_NODE_MAX))
			panic_blink = forward_after_panic;
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
		mint_bell_ring_node0(MINT_BELL_LINES);
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
	/* Not "nobody cared": it may be the interrupt of another node's device */
	irq_set_status_flags(irq, IRQ_LEVEL | IRQ_IS_POLLED | IRQ_NOPROBE);
	passed[i].gsi = gsi;
	passed[i].irq = irq;
	/* Pairs with lines_rung() */
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
 *
 * Context: successor, process.
 */
void mint_line_unmap(const struct mint_device *desc, int irq)
{
	if (!(desc->irq_flags & MINT_IRQ_SHARED))
		mp_unmap_irq(irq);
}

/* Somebody rang: look at the lines that are passed on. Interrupts are off. */
static void lines_rung(u32 n)
{
	unsigned long *waiting, gsi;
	struct line *line;
	u32 i, count;

	lockdep_assert_irqs_disabled();
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

static int __init mint_lines_listen(void)
{
	mint_bell_listen(MINT_BELL_LINES, lines_rung);
	return 0;
}
core_initcall(mint_lines_listen);
