// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of base address registers that can be sized, but not
 * moved (device/bar.c).
 */

#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "../area/area.h"
#include "../device/device.h"

#define REG(_k)		(PCI_BASE_ADDRESS_0 + 4 * (_k))
#define RAM_END		SZ_1G

/* 16 KiB below 4 GiB, 64 ports, 8 GiB prefetchable, no register, 64 KiB of ROM */
static const struct mint_bars card = {
	.bar	= { 0xfebf0000, 0xc041, 0x0000000c, 0x00000038, 0, 0, 0xfea00000 },
	.mask	= { 0xffffc000, 0xffffffc1, 0x0000000c, 0xfffffffe, 0, 0, 0xffff0000 },
};

static bool is_ram(u64 start, u64 size)
{
	return start < RAM_END;
}

static u32 read(const struct mint_bars *bars, unsigned long sizing, int reg,
		int len, u32 hardware)
{
	mint_bars_read(bars, &sizing, reg, len, &hardware);
	return hardware;
}

static void bar_size(struct kunit *test)
{
	static const u32 ones[MINT_BARS] = {
		U32_MAX, U32_MAX, U32_MAX, U32_MAX, U32_MAX, U32_MAX,
		PCI_ROM_ADDRESS_MASK,
	};
	unsigned long sizing = 0;
	int k, reg;

	for (k = 0; k < MINT_BARS; k++) {
		reg = k == 6 ? PCI_ROM_ADDRESS : REG(k);
		/* No address bit of this half can be changed in hardware */
		if (k == 2) {
			KUNIT_EXPECT_TRUE(test, mint_bars_write(&card, &sizing, reg, 4,
								U32_MAX));
			continue;
		}
		KUNIT_EXPECT_FALSE(test, mint_bars_write(&card, &sizing, reg, 4,
							 ones[k]));
		KUNIT_EXPECT_EQ(test, read(&card, sizing, reg, 4, card.bar[k]),
				card.mask[k]);
		/* Back to what it was: hardware may have that */
		KUNIT_EXPECT_EQ(test, mint_bars_write(&card, &sizing, reg, 4,
						      card.bar[k]), !!card.mask[k]);
		KUNIT_EXPECT_EQ(test, read(&card, sizing, reg, 4, card.bar[k]),
				card.bar[k]);
	}
}

static void bar_move(struct kunit *test)
{
	static const struct {
		int	reg;
		int	len;
		u32	val;
		bool	passes;
	} writes[] = {
		{ REG(0), 4, 0xfebf4000, false },
		{ REG(0), 4, 0, false },
		{ REG(0), 4, 0xfebf0000, true },
		{ REG(0), 4, 0xfebf000f, true },	/* type bits are not written */
		{ REG(0), 2, 0x0000, true },
		{ REG(0), 2, 0x4000, false },
		{ REG(0) + 2, 2, 0xfebf, true },
		{ REG(0) + 2, 2, 0xfebe, false },
		{ REG(0) + 3, 1, 0xfe, true },
		{ REG(0) + 3, 1, 0xff, false },
		{ REG(1), 4, 0xc041, true },
		{ REG(1), 4, 0xc081, false },
		{ REG(3), 4, 0x38, true },
		{ REG(3), 4, 0x3a, false },
		{ REG(4), 4, 0xc0000000, false },
		{ REG(5) + 3, 1, 1, false },
		{ PCI_ROM_ADDRESS, 4, 0xfea00001, true },
		{ PCI_ROM_ADDRESS, 1, 1, true },
		{ PCI_ROM_ADDRESS, 4, 0xfeb00001, false },
		{ PCI_ROM_ADDRESS + 2, 2, 0xfeb0, false },
		{ PCI_COMMAND, 2, 7, true },
		{ PCI_CARDBUS_CIS, 4, 7, true },
		{ PCI_ROM_ADDRESS + 4, 4, 7, true },
		{ PCI_CACHE_LINE_SIZE, 4, 7, true },
	};
	unsigned long sizing = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		KUNIT_EXPECT_EQ_MSG(test, mint_bars_write(&card, &sizing, writes[i].reg,
							  writes[i].len,
							  writes[i].val),
				    writes[i].passes, "write %d", i);
		KUNIT_EXPECT_EQ_MSG(test, sizing, 0, "write %d", i);
	}
}

/* A reset has taken the address: who saw it nevertheless would not restore it */
static void bar_after_reset(struct kunit *test)
{
	unsigned long sizing = 0;

	KUNIT_EXPECT_EQ(test, read(&card, 0, REG(0), 4, 0), 0);
	KUNIT_EXPECT_TRUE(test, mint_bars_write(&card, &sizing, REG(0), 4,
						card.bar[0]));
	/* A register without an address is not seen, whatever it says */
	KUNIT_EXPECT_EQ(test, read(&card, 0, REG(4), 4, 0xd0000000), 0);
	KUNIT_EXPECT_EQ(test, read(&card, 0, PCI_COMMAND, 4, 0x100007), 0x100007);
}

/* A virtual function's are nowhere but here */
static void bar_emulated(struct kunit *test)
{
	struct mint_bars bars = {
		.bar		= { 0x00000004, 0x38 },
		.mask		= { 0xffffc004, 0xffffffff },
		.emulated	= true,
	};
	unsigned long sizing = 0;

	KUNIT_EXPECT_EQ(test, read(&bars, 0, REG(0), 4, 0), 4);
	KUNIT_EXPECT_EQ(test, read(&bars, 0, REG(1), 4, 0), 0x38);
	KUNIT_EXPECT_EQ(test, read(&bars, 0, REG(1), 1, 0), 0x38);
	KUNIT_EXPECT_FALSE(test, mint_bars_write(&bars, &sizing, REG(1), 4, U32_MAX));
	KUNIT_EXPECT_EQ(test, read(&bars, sizing, REG(1), 4, 0), U32_MAX);
	KUNIT_EXPECT_FALSE(test, mint_bars_write(&bars, &sizing, REG(1), 4, 0x38));
	KUNIT_EXPECT_EQ(test, read(&bars, sizing, REG(1), 4, 0), 0x38);
	KUNIT_EXPECT_EQ(test, read(&bars, 0, PCI_ROM_ADDRESS, 4, 1), 0);
}

static void bar_damaged(struct kunit *test)
{
	static const struct {
		int	k;
		u32	bar;
		u32	mask;
	} wrong[] = {
		{ 0, 0x10000000, 0xffffc000 },		/* RAM */
		{ 0, 0xfebf1000, 0xffffc000 },		/* not aligned */
		{ 0, 0xfebf0000, 0xffffa000 },		/* no power of two */
		{ 0, 0xfebf0002, 0xffffc002 },		/* below 1 MiB */
		{ 0, 0xfebf0004, 0xffffc000 },		/* another type */
		{ 0, 0xfebf0000, 0 },
		{ 1, 0x1, 0xffffffc1 },			/* port 0 */
		{ 1, 0xc043, 0xffffffc3 },		/* reserved bit */
		{ 1, 0x1c041, 0xffffffc1 },		/* above 64 Ki */
		{ 3, 0xffffffff, 0xfffffffe },		/* not aligned */
		{ 5, 0xfebf0004, 0xffffc004 },		/* no room for 64 bits */
		{ 6, 0xfea00001, 0xffff0000 },		/* enabled */
		{ 6, 0xfea00000, 0xffff0001 },
		{ 6, 0x10000000, 0xffff0000 },
		{ 6, 0xfea00000, 0 },
	};
	struct mint_bars bars = card;
	int i;

	KUNIT_EXPECT_TRUE(test, mint_bars_valid(&card, is_ram));
	bars.mask[1] = 0xffc1;
	KUNIT_EXPECT_TRUE(test, mint_bars_valid(&bars, is_ram));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		bars = card;
		bars.bar[wrong[i].k] = wrong[i].bar;
		bars.mask[wrong[i].k] = wrong[i].mask;
		KUNIT_EXPECT_FALSE_MSG(test, mint_bars_valid(&bars, is_ram),
				       "%d was taken", i);
	}
	bars = card;
	bars.emulated = true;
	KUNIT_EXPECT_FALSE(test, mint_bars_valid(&bars, is_ram));
}

static struct kunit_case bar_cases[] = {
	KUNIT_CASE(bar_size),
	KUNIT_CASE(bar_move),
	KUNIT_CASE(bar_after_reset),
	KUNIT_CASE(bar_emulated),
	KUNIT_CASE(bar_damaged),
	{}
};

static struct kunit_suite bar_suite = {
	.name		= "mint_bar",
	.test_cases	= bar_cases,
};

kunit_test_suite(bar_suite);
