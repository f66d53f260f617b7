// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of what decides about cores (core/cpu.c) and of what they find
 * in the gateway (core/gateway_init.c).
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/e820/types.h>

#include "../area/area.h"
#include "../core/core.h"

#define XAPIC_MAX	254

static void reach(struct kunit *test)
{
	static const u32 in_xapic[] = { 0, 1, 254 };
	static const u32 not_in_xapic[] = { 256, 257, 510, 511, 512, U32_MAX };
	static const u32 in_x2apic[] = { 0, 254, 256, 261, 32768, 0x10000 };
	int i;

	for (i = 0; i < ARRAY_SIZE(in_xapic); i++)
		KUNIT_EXPECT_NULL(test, mint_reach_problem(in_xapic[i], false,
							   XAPIC_MAX));
	/* Cut to 8 bits, each of these is another core */
	for (i = 0; i < ARRAY_SIZE(not_in_xapic); i++) {
		const char *why = mint_reach_problem(not_in_xapic[i], false,
						     XAPIC_MAX);

		KUNIT_ASSERT_NOT_NULL(test, why);
		KUNIT_EXPECT_NOT_NULL(test, strstr(why, "xAPIC mode"));
	}
	for (i = 0; i < ARRAY_SIZE(in_x2apic); i++)
		KUNIT_EXPECT_NULL(test, mint_reach_problem(in_x2apic[i], true,
							   U32_MAX));
	/* What a hypervisor's guest can address without remapping */
	KUNIT_EXPECT_NOT_NULL(test, mint_reach_problem(32768, true, 32767));
	/* All cores in xAPIC mode hear it, whoever calls */
	KUNIT_EXPECT_NOT_NULL(test, mint_reach_problem(255, false, XAPIC_MAX));
	KUNIT_EXPECT_NOT_NULL(test, mint_reach_problem(255, true, U32_MAX));
}

static void microcode(struct kunit *test)
{
	/* The firmware's, where node 0 has loaded a newer one */
	KUNIT_EXPECT_EQ(test, mint_microcode_mismatch(0x10, 0x12, 0x10), 0x12);
	KUNIT_EXPECT_EQ(test, mint_microcode_mismatch(0x12, 0x12, 0x10), 0);
	/* An older node 0 does not say what it has */
	KUNIT_EXPECT_EQ(test, mint_microcode_mismatch(0x10, 0, 0x12), 0x12);
	KUNIT_EXPECT_EQ(test, mint_microcode_mismatch(0x12, 0, 0x12), 0);
	/* Virtual processors have none */
	KUNIT_EXPECT_EQ(test, mint_microcode_mismatch(0, 0, 0), 0);
}

/* Of the machine that this runs on */
static void records(struct kunit *test)
{
	struct mint_core *core;
	u32 i, last;

	if (!mint_common_mapped())
		kunit_skip(test, "no mint.mem=, so no common area");
	for (i = 0; (core = mint_core(i)); i++) {
		last = mint_apic_id(core);
		KUNIT_EXPECT_PTR_EQ(test, mint_core_find(last), core);
		if (i)
			KUNIT_EXPECT_LT(test, mint_apic_id(mint_core(i - 1)), last);
	}
	KUNIT_ASSERT_GT(test, i, 0);
	KUNIT_EXPECT_NULL(test, mint_core_find(last + 1));
	KUNIT_EXPECT_NULL(test, mint_core_find(U32_MAX));
}

static void map_has_memory(struct kunit *test)
{
	struct e820_table *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	map->entries[0] = (struct e820_entry){ 0, 0x9fc00, E820_TYPE_RAM };
	map->entries[1] = (struct e820_entry){ 0xf0000, 0x10000, E820_TYPE_RESERVED };
	map->entries[2] = (struct e820_entry){ SZ_1M, SZ_1G, E820_TYPE_RAM };
	map->entries[3] = (struct e820_entry){ SZ_1M + SZ_1G, SZ_1G, E820_TYPE_RAM };
	map->entries[4] = (struct e820_entry){ 0xfee00000, SZ_4K, E820_TYPE_RESERVED };
	map->entries[5] = (struct e820_entry){ SZ_4G, SZ_1G, E820_TYPE_RAM };
	map->nr_entries = 6;

	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, 0, SZ_2M), MINT_MAP_SOME);
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, SZ_2M, SZ_2M), MINT_MAP_ALL);
	/* Two entries that meet are one piece of memory */
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, SZ_1G, SZ_2M), MINT_MAP_ALL);
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, SZ_2G, SZ_2M), MINT_MAP_SOME);
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, SZ_2G + SZ_2M, SZ_2M),
			MINT_MAP_NONE);
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, 0xfee00000, SZ_2M),
			MINT_MAP_NONE);
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, SZ_4G, SZ_1G), MINT_MAP_ALL);
	KUNIT_EXPECT_EQ(test, mint_map_has_memory(map, SZ_4G + SZ_1G, SZ_1G),
			MINT_MAP_NONE);
}

static struct kunit_case cpu_cases[] = {
	KUNIT_CASE(reach),
	KUNIT_CASE(microcode),
	KUNIT_CASE(records),
	KUNIT_CASE(map_has_memory),
	{}
};

static struct kunit_suite cpu_suite = {
	.name		= "mint_cpu",
	.test_cases	= cpu_cases,
};

kunit_test_suite(cpu_suite);
