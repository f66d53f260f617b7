// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of I/O APICs and their pins (own/ioapic.c), and of what a
 * launch decides about lines.
 */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/pci.h>

#include <asm/io_apic.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "../kind/kind.h"

#define IOAPICS_MAX	5
#define GSIS_MAX	160

/* First and last GSI of each I/O APIC, in the order of the firmware */
struct layout {
	const char	*name;
	u32		count;
	u32		top;
	struct {
		u32	first;
		u32	last;
	} ioapic[IOAPICS_MAX];
};

static const struct layout *layout;

static int find(u32 gsi)
{
	u32 i;

	for (i = 0; i < layout->count; i++)
		if (gsi >= layout->ioapic[i].first && gsi <= layout->ioapic[i].last)
			return i;
	return -1;
}

static const struct layout layouts[] = {
	{ "one", 1, 24, { { 0, 23 } } },
	{ "ascending", 2, 56, { { 0, 23 }, { 24, 55 } } },
	/* Servers of AMD */
	{ "descending", 5, 152, { { 0, 23 }, { 120, 151 }, { 88, 119 },
				  { 56, 87 }, { 24, 55 } } },
	{ "first last", 2, 48, { { 24, 47 }, { 0, 23 } } },
	{ "gap", 3, 80, { { 0, 23 }, { 24, 31 }, { 72, 79 } } },
	{ "no first", 1, 48, { { 24, 47 } } },
};

static void place(struct kunit *test)
{
	struct mint_ioapic list[IOAPICS_MAX];
	u32 pins[GSIS_MAX], i, gsi;

	for (layout = layouts; layout < layouts + ARRAY_SIZE(layouts); layout++) {
		memset(list, 0, sizeof(list));
		mint_ioapics_find_pins(list, layout->count, pins, layout->top, find);
		for (i = 0; i < layout->count; i++) {
			KUNIT_EXPECT_EQ_MSG(test, list[i].gsi_base,
					    layout->ioapic[i].first, "%s: %u",
					    layout->name, i);
			KUNIT_EXPECT_EQ_MSG(test, list[i].nr_pins,
					    layout->ioapic[i].last + 1 -
					    layout->ioapic[i].first, "%s: %u",
					    layout->name, i);
		}
		for (gsi = 0; gsi < layout->top; gsi++)
			KUNIT_EXPECT_EQ_MSG(test, pins[gsi], find(gsi) < 0 ?
					    MINT_NODE_FREE : 0, "%s: GSI %u",
					    layout->name, gsi);
	}
}

/* One that lies around another: the first that has a GSI counts */
static void place_overlapping(struct kunit *test)
{
	static const struct layout around = {
		"around", 2, 64, { { 24, 31 }, { 0, 63 } },
	};
	struct mint_ioapic list[IOAPICS_MAX] = {};
	u32 pins[GSIS_MAX];

	layout = &around;
	mint_ioapics_find_pins(list, around.count, pins, around.top, find);
	KUNIT_EXPECT_EQ(test, list[0].gsi_base, 24);
	KUNIT_EXPECT_EQ(test, list[0].nr_pins, 8);
	KUNIT_EXPECT_EQ(test, list[1].gsi_base, 0);
	KUNIT_EXPECT_EQ(test, list[1].nr_pins, 64);
}

/* More I/O APICs than there are records: they have none, and do no harm */
static void place_few_records(struct kunit *test)
{
	struct mint_ioapic list[IOAPICS_MAX] = {};
	u32 pins[GSIS_MAX], gsi;

	layout = &layouts[2];
	mint_ioapics_find_pins(list, 1, pins, layout->top, find);
	KUNIT_EXPECT_EQ(test, list[0].nr_pins, 24);
	KUNIT_EXPECT_EQ(test, list[1].nr_pins, 0);
	for (gsi = 24; gsi < layout->top; gsi++)
		KUNIT_EXPECT_EQ(test, pins[gsi], MINT_NODE_FREE);
}

/* The line of COM2, which node 0 leaves to others on the machine of the tests */
static const struct mint_device line = {
	.kind		= MINT_DEV_LEGACY,
	.id		= MINT_LEGACY_COM2,
	.gsi		= 3,
	.irq_flags	= MINT_IRQ_VALID | 3 << MINT_IRQ_ISA_SHIFT,
};

static void need_predecessor(struct kunit *test)
{
	if (mint_role != MINT_PREDECESSOR || mint_owner_of_pin(line.gsi) != mint_self)
		kunit_skip(test, "needs node 0 with mint.devices=-com2,-com4");
	if (mint_interrupts_remapped())
		kunit_skip(test, "interrupts are remapped");
}

static irqreturn_t handler(int irq, void *arg)
{
	return IRQ_NONE;
}

/* A line for which node 0 has a handler is not lent */
static void line_in_use(struct kunit *test)
{
	int irq;

	need_predecessor(test);
	irq = mp_map_gsi_to_irq(line.gsi, 0, NULL);
	KUNIT_ASSERT_GT(test, irq, 0);

	guard(mint_claims)();
	KUNIT_EXPECT_NULL(test, mint_pin_problem(&line));
	KUNIT_ASSERT_EQ(test, request_irq(irq, handler, 0, "mint-test", &layout), 0);
	KUNIT_EXPECT_NOT_NULL(test, mint_pin_problem(&line));
	free_irq(irq, &layout);
	KUNIT_EXPECT_NULL(test, mint_pin_problem(&line));
}

/* A pin goes from its owner to another node, from nobody else, and back */
static void pin_hand(struct kunit *test)
{
	need_predecessor(test);

	guard(mint_claims)();
	KUNIT_EXPECT_FALSE(test, mint_pin_hand(line.gsi, 1, 2));
	KUNIT_EXPECT_EQ(test, mint_owner_of_pin(line.gsi), mint_self);
	KUNIT_ASSERT_TRUE(test, mint_pin_hand(line.gsi, mint_self, 1));
	KUNIT_EXPECT_EQ(test, mint_owner_of_pin(line.gsi), 1);
	KUNIT_EXPECT_EQ(test, *mint_pin_record(line.gsi), 1);
	KUNIT_EXPECT_NOT_NULL(test, mint_pin_problem(&line));
	/* Who does not have it cannot return it */
	KUNIT_EXPECT_FALSE(test, mint_pin_hand(line.gsi, 2, mint_self));
	/* The table is for others to read: what stands there moves nothing */
	WRITE_ONCE(*mint_pin_record(line.gsi), mint_self);
	KUNIT_EXPECT_EQ(test, mint_owner_of_pin(line.gsi), 1);
	KUNIT_EXPECT_TRUE(test, mint_pin_hand(line.gsi, 1, mint_self));
	KUNIT_EXPECT_EQ(test, mint_owner_of_pin(line.gsi), mint_self);
	KUNIT_EXPECT_FALSE(test, mint_pin_hand(MINT_GSI_MAX, mint_self, 1));
}

/* Registers of pins that are node 0's, another node's, and nobody's */
static void may_write(struct kunit *test)
{
	u32 reg = 0x10 + 2 * line.gsi;

	need_predecessor(test);
	KUNIT_EXPECT_TRUE(test, mint_ioapic_may_write(0, 0));
	KUNIT_EXPECT_TRUE(test, mint_ioapic_may_write(0, reg));
	scoped_guard(mint_claims) {
		KUNIT_ASSERT_TRUE(test, mint_pin_hand(line.gsi, mint_self, 1));
		KUNIT_EXPECT_FALSE(test, mint_ioapic_may_write(0, reg));
		KUNIT_EXPECT_FALSE(test, mint_ioapic_may_write(0, reg + 1));
		KUNIT_EXPECT_TRUE(test, mint_ioapic_may_write(0, reg + 2));
		mint_pin_hand(line.gsi, 1, mint_self);
	}
	/* An I/O APIC that came after the boot: no record, so node 0's */
	KUNIT_EXPECT_TRUE(test, mint_ioapic_may_write(nr_ioapics, reg));
}

/* A probe that hangs holds the lock of its function: nobody waits for that */
static void locked_function(struct kunit *test)
{
	struct mint_device desc = { .kind = MINT_DEV_PCI };
	struct pci_dev *dev = NULL;
	struct mint_reason why;

	need_predecessor(test);
	for_each_pci_dev(dev)
		if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL && !dev->dev.driver)
			break;
	if (!dev)
		kunit_skip(test, "no function without a driver");
	desc.id = pci_domain_nr(dev->bus) << 16 | pci_dev_id(dev);

	device_lock(&dev->dev);
	scoped_guard(mint_claims)
		KUNIT_EXPECT_EQ(test, mint_pci_check(&desc, false, &why), -EBUSY);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(why.text, "driver of node 0"),
				  "%s", why.text);
	KUNIT_EXPECT_EQ(test, mint_pci_lend(&desc), -EBUSY);
	device_unlock(&dev->dev);
	pci_dev_put(dev);
}

static struct kunit_case ioapic_cases[] = {
	KUNIT_CASE(place),
	KUNIT_CASE(place_overlapping),
	KUNIT_CASE(place_few_records),
	KUNIT_CASE(line_in_use),
	KUNIT_CASE(pin_hand),
	KUNIT_CASE(may_write),
	KUNIT_CASE(locked_function),
	{}
};

static struct kunit_suite ioapic_suite = {
	.name		= "mint_ioapic",
	.test_cases	= ioapic_cases,
};

kunit_test_suite(ioapic_suite);
