// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the arithmetic of memory ranges (own/memory.c).
 */

#include <kunit/test.h>
#include <linux/sizes.h>

#include <asm/e820/types.h>

#include "../area/area.h"
#include "../own/own.h"

static struct mint_range range(u64 start, u64 size)
{
	return (struct mint_range){ .start = start, .size = size };
}

static void range_overlap(struct kunit *test)
{
	static const struct {
		struct mint_range	a, b;
		bool			overlap;
	} cases[] = {
		{ { 0x1000, 0x1000 }, { 0x2000, 0x1000 }, false },
		{ { 0x1000, 0x1001 }, { 0x2000, 0x1000 }, true },
		{ { 0x1000, 0x3000 }, { 0x2000, 0x1000 }, true },
		{ { 0x1000, 0x1000 }, { 0x1000, 0x1000 }, true },
		{ { 0x1000, 0 }, { 0x1000, 0x1000 }, false },
		/* Up to the last byte, where the end would be 0 */
		{ { -0x1000ULL, 0x1000 }, { 0, 0x1000 }, false },
		{ { -0x1000ULL, 0x1000 }, { -1ULL, 1 }, true },
		{ { -0x2000ULL, 0x1000 }, { -0x1000ULL, 0x1000 }, false },
		{ { 0, -1ULL }, { -0x1000ULL, 0x1000 }, true },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ_MSG(test, mint_ranges_overlap(&cases[i].a,
							      &cases[i].b),
				    cases[i].overlap, "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, mint_ranges_overlap(&cases[i].b,
							      &cases[i].a),
				    cases[i].overlap, "case %d, other way", i);
	}
}

static void range_inside(struct kunit *test)
{
	const struct mint_range outer[] = {
		range(0x1000, 0x2000), range(0x4000, 0x1000),
		range(-0x2000ULL, 0x2000),
	};
	static const struct {
		struct mint_range	inner;
		bool			inside;
	} cases[] = {
		{ { 0x1000, 0x2000 }, true },
		{ { 0x2fff, 1 }, true },
		{ { 0x3000, 1 }, false },
		{ { 0x2000, 0x1001 }, false },
		{ { 0x2000, 0x3000 }, false },
		{ { 0xfff, 2 }, false },
		{ { -0x1000ULL, 0x1000 }, true },
		{ { -0x1000ULL, 0x1001 }, false },
		{ { 0x4000, -1ULL }, false },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    mint_range_inside(&cases[i].inner, outer,
						      ARRAY_SIZE(outer)),
				    cases[i].inside, "case %d", i);
	KUNIT_EXPECT_FALSE(test, mint_range_inside(&outer[0], outer, 0));
}

#define RAM	E820_TYPE_RAM
#define RES	E820_TYPE_RESERVED

static void cut(struct kunit *test, u32 type, const struct mint_range *cut,
		u32 nr_cut, const struct mint_map *want, u32 count)
{
	const struct mint_map entry = {
		.start = 0x10000, .size = 0x10000, .type = type,
	};
	struct mint_map out[8] = {};
	u32 i;

	KUNIT_ASSERT_EQ(test, mint_map_cut(&entry, cut, nr_cut, NULL, 0), count);
	KUNIT_ASSERT_EQ(test, mint_map_cut(&entry, cut, nr_cut, out,
					   ARRAY_SIZE(out)), count);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_MEMEQ(test, &out[i], &want[i], sizeof(out[i]));
	KUNIT_EXPECT_EQ(test, out[count].size, 0);
	/* No room for the last one: it is counted, not written */
	memset(out, 0, sizeof(out));
	KUNIT_EXPECT_EQ(test, mint_map_cut(&entry, cut, nr_cut, out, count - 1),
			count);
	KUNIT_EXPECT_EQ(test, out[count - 1].size, 0);
}

static void map_cut(struct kunit *test)
{
	const struct mint_map whole[] = { { 0x10000, 0x10000, RAM, 0 } };
	const struct mint_map gone[] = {
		{ 0x10000, 0x10000, RES, MINT_MAP_WITHHELD },
	};
	const struct mint_map middle[] = {
		{ 0x10000, 0x4000, RAM, 0 },
		{ 0x14000, 0x2000, RES, MINT_MAP_WITHHELD },
		{ 0x16000, 0xa000, RAM, 0 },
	};
	const struct mint_map ends[] = {
		{ 0x10000, 0x1000, RES, MINT_MAP_WITHHELD },
		{ 0x11000, 0xe000, RAM, 0 },
		{ 0x1f000, 0x1000, RES, MINT_MAP_WITHHELD },
	};
	const struct mint_map reserved[] = { { 0x10000, 0x10000, RES, 0 } };
	struct mint_range r[3];

	cut(test, RAM, r, 0, whole, 1);
	r[0] = range(0x20000, 0x1000);
	r[1] = range(0xf000, 0x1000);
	cut(test, RAM, r, 2, whole, 1);
	r[0] = range(0, SZ_1M);
	cut(test, RAM, r, 1, gone, 1);
	r[0] = range(0x14000, 0x2000);
	cut(test, RAM, r, 1, middle, 3);
	/* In any order; they touch, overlap, lie in each other */
	r[0] = range(0x15000, 0x1000);
	r[1] = range(0x14000, 0x1000);
	r[2] = range(0x14800, 0x1000);
	cut(test, RAM, r, 3, middle, 3);
	r[0] = range(0x1f000, 0x5000);
	r[1] = range(0x8000, 0x9000);
	cut(test, RAM, r, 2, ends, 3);
	/* What the firmware keeps for itself stays what it is */
	cut(test, RES, r, 2, reserved, 1);
}

#define LIST_MAX	4

/* A list, as its ranges; ends with an empty one */
struct list {
	struct mint_range mem[LIST_MAX + 1];
};

static void same_list(struct kunit *test, int nr, const struct mint_range *got,
		      u32 count, const struct list *want)
{
	u32 i;

	for (i = 0; i <= LIST_MAX && want->mem[i].size; i++)
		;
	KUNIT_ASSERT_EQ_MSG(test, count, i, "case %d", nr);
	KUNIT_EXPECT_MEMEQ_MSG(test, got, want->mem, count * sizeof(*got),
			       "case %d", nr);
}

struct list_case {
	struct list		before;
	struct mint_range	range;
	bool			done;
	struct list		after;
};

static void list_cases(struct kunit *test, const struct list_case *cases, int nr,
		       bool (*change)(struct mint_range *list, u32 *count,
				      u32 max, const struct mint_range *range))
{
	struct mint_range mem[LIST_MAX + 1];
	u32 count;
	bool done;
	int i;

	for (i = 0; i < nr; i++) {
		memcpy(mem, cases[i].before.mem, sizeof(mem));
		for (count = 0; count < LIST_MAX && mem[count].size; count++)
			;
		/* What lies behind the list is nobody's to touch */
		mem[LIST_MAX] = range(0xdead, 0xbeef);
		done = change(mem, &count, LIST_MAX, &cases[i].range);
		KUNIT_EXPECT_EQ_MSG(test, done, cases[i].done, "case %d", i);
		if (cases[i].done)
			same_list(test, i, mem, count, &cases[i].after);
		else
			same_list(test, i, mem, count, &cases[i].before);
		KUNIT_EXPECT_EQ_MSG(test, mem[LIST_MAX].start, 0xdead,
				    "case %d", i);
	}
}

static void ranges_add(struct kunit *test)
{
	static const struct list_case cases[] = {
		{ { }, { 0, 2 }, true, { { { 0, 2 } } } },
		/* In order */
		{ { { { 4, 2 } } }, { 0, 2 }, true, { { { 0, 2 }, { 4, 2 } } } },
		{ { { { 4, 2 } } }, { 8, 2 }, true, { { { 4, 2 }, { 8, 2 } } } },
		{ { { { 0, 2 }, { 8, 2 } } }, { 4, 2 }, true,
		  { { { 0, 2 }, { 4, 2 }, { 8, 2 } } } },
		/* One with the neighbour below, above, with both */
		{ { { { 0, 2 }, { 8, 2 } } }, { 2, 2 }, true,
		  { { { 0, 4 }, { 8, 2 } } } },
		{ { { { 0, 2 }, { 8, 2 } } }, { 6, 2 }, true,
		  { { { 0, 2 }, { 6, 4 } } } },
		{ { { { 0, 2 }, { 4, 2 }, { 8, 2 } } }, { 2, 2 }, true,
		  { { { 0, 6 }, { 8, 2 } } } },
		/* Not in order, as a launch may have named them */
		{ { { { 8, 2 }, { 0, 2 } } }, { 2, 6 }, true, { { { 0, 10 } } } },
		/* Full: only what touches one has room */
		{ { { { 0, 2 }, { 4, 2 }, { 8, 2 }, { 12, 2 } } }, { 16, 2 },
		  false },
		{ { { { 0, 2 }, { 4, 2 }, { 8, 2 }, { 12, 2 } } }, { 14, 2 },
		  true, { { { 0, 2 }, { 4, 2 }, { 8, 2 }, { 12, 4 } } } },
	};

	list_cases(test, cases, ARRAY_SIZE(cases), mint_ranges_add);
}

static void ranges_cut(struct kunit *test)
{
	static const struct list_case cases[] = {
		{ { { { 0, 8 } } }, { 0, 8 }, true, { } },
		{ { { { 0, 2 }, { 4, 2 }, { 8, 2 } } }, { 4, 2 }, true,
		  { { { 0, 2 }, { 8, 2 } } } },
		/* Either end, the middle */
		{ { { { 0, 8 } } }, { 0, 2 }, true, { { { 2, 6 } } } },
		{ { { { 0, 8 } } }, { 6, 2 }, true, { { { 0, 6 } } } },
		{ { { { 0, 8 }, { 16, 2 } } }, { 2, 2 }, true,
		  { { { 0, 2 }, { 4, 4 }, { 16, 2 } } } },
		/* Not there, or not all of it */
		{ { { { 0, 8 } } }, { 8, 2 }, false },
		{ { { { 0, 8 } } }, { 6, 4 }, false },
		{ { { { 0, 4 }, { 6, 4 } } }, { 2, 6 }, false },
		{ { { { 0, 8 } } }, { 2, 0 }, false },
		{ { }, { 0, 2 }, false },
		/* Full: two parts of one have no room */
		{ { { { 0, 8 }, { 10, 2 }, { 14, 2 }, { 18, 2 } } }, { 2, 2 },
		  false },
		{ { { { 0, 8 }, { 10, 2 }, { 14, 2 }, { 18, 2 } } }, { 0, 2 },
		  true, { { { 2, 6 }, { 10, 2 }, { 14, 2 }, { 18, 2 } } } },
	};

	list_cases(test, cases, ARRAY_SIZE(cases), mint_ranges_cut);
}

/* A record is read as it stands, and a count of a broken node 0 is bounded */
static void record_memory(struct kunit *test)
{
	struct mint_node *record = kunit_kzalloc(test, sizeof(*record), GFP_KERNEL);
	struct mint_range mem[MINT_RANGES_MAX] = {};
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, record);
	for (i = 0; i < MINT_RANGES_MAX; i++)
		record->mem[i] = (struct mint_range){ 2 * i, 1 };
	record->nr_mem = 2;
	KUNIT_EXPECT_EQ(test, mint_record_memory(record, mem), 2);
	KUNIT_EXPECT_MEMEQ(test, mem, record->mem, 2 * sizeof(*mem));
	KUNIT_EXPECT_EQ(test, mem[2].size, 0);
	record->nr_mem = U32_MAX;
	KUNIT_EXPECT_EQ(test, mint_record_memory(record, mem), MINT_RANGES_MAX);
	KUNIT_EXPECT_MEMEQ(test, mem, record->mem, sizeof(mem));
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(range_overlap),
	KUNIT_CASE(range_inside),
	KUNIT_CASE(map_cut),
	KUNIT_CASE(ranges_add),
	KUNIT_CASE(ranges_cut),
	KUNIT_CASE(record_memory),
	{}
};

static struct kunit_suite memory_suite = {
	.name		= "mint_memory",
	.test_cases	= memory_cases,
};

kunit_test_suite(memory_suite);
