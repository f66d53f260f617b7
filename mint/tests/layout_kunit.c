// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the header of the common area (area/common.c): what a node
 * refuses to compute addresses from.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "../area/area.h"

/* Small, and valid: each table has its place in the second page and later */
static void fill(struct mint_common *c)
{
	const struct {
		struct mint_table	*table;
		u32			stride, count;
	} tables[] = {
		{ &c->cores, sizeof(struct mint_core), 4 },
		{ &c->nodes, sizeof(struct mint_node), 3 },
		{ &c->map, sizeof(struct mint_map), 10 },
		{ &c->ioapics, sizeof(struct mint_ioapic), 1 },
		{ &c->pins, sizeof(u32), 24 },
		{ &c->ecam, sizeof(struct mint_ecam), 2 },
		{ &c->roots, sizeof(u32), 4 },
		{ &c->rings, sizeof(struct mint_rings) + SZ_64K + SZ_16K + SZ_4K, 3 },
		{ &c->lines, 8, 3 },
		{ &c->timing, sizeof(struct mint_timing), 3 },
		{ &c->vfs, sizeof(struct mint_vf), 3 * MINT_DEVICES_MAX },
		{ &c->bells, sizeof(struct mint_bell), 4 },
		{ &c->bell_cores, sizeof(u32), 3 },
		{ &c->callers, 8, MINT_BELL_COUNT },
		{ &c->moves, sizeof(struct mint_move), MINT_MOVES },
		{ &c->peers, sizeof(struct mint_peer), 3 },
		{ &c->spares, 8, 3 },
		{ &c->wishes, sizeof(struct mint_wish), 3 },
		{ &c->windows, sizeof(struct mint_window), 4 },
		{ &c->shares, sizeof(struct mint_share), MINT_SHARES },
		{ &c->share_members, 8, MINT_SHARES },
		{ &c->share_rings, sizeof(u64), 3 },
		{ &c->loads, sizeof(struct mint_load), 3 },
		{ &c->lives, sizeof(struct mint_life), 3 },
		{ &c->stalls, sizeof(struct mint_stall), 3 },
	};
	u32 i, offset = PAGE_SIZE;

	memset(c, 0, sizeof(*c));
	c->magic = MINT_MAGIC;
	c->version = MINT_VERSION;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		tables[i].table->offset = offset;
		tables[i].table->stride = tables[i].stride;
		tables[i].table->count = tables[i].count;
		offset += ALIGN(tables[i].stride * tables[i].count, 64);
	}
	c->size = PAGE_ALIGN(offset);
	c->ring_size[MINT_RING_LOG] = SZ_64K;
	c->ring_size[MINT_RING_OUT] = SZ_16K;
	c->ring_size[MINT_RING_IN] = SZ_4K;
	c->beat_ms = 100;
	c->gateway = 0x9f000;
	c->shared.start = SZ_16M;
	c->shared.size = SZ_4M;
}

/* Expect that the header *c is refused once this was done to it */
#define REFUSED(change)							\
	do {								\
		fill(c);						\
		change;							\
		KUNIT_EXPECT_FALSE_MSG(test, mint_layout_valid(c),	\
				       "taken: %s", #change);		\
	} while (0)

static void layout_header(struct kunit *test)
{
	struct mint_common *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	fill(c);
	KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
	/* This kernel's own passes, too */
	if (mint_common) {
		*c = mint_layout;
		KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
	}
	REFUSED(c->magic ^= 1);
	REFUSED(c->version += 1 << 16);
	REFUSED(c->size = SZ_64M + PAGE_SIZE);
	REFUSED(c->size++);
	REFUSED(c->size = 0);
	REFUSED(c->beat_ms = 0);
	REFUSED(c->gateway = 0);
	REFUSED(c->gateway = SZ_1M);
	/* An area that is older has no vfs, whatever stands there */
	fill(c);
	c->version = MINT_VERSION_MAJOR << 16 | 1;
	c->vfs.offset = 1;
	KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
	KUNIT_EXPECT_EQ(test, c->vfs.count, 0);
}

/* Node 0 puts its tables right behind the header of its own version */
static void layout_older(struct kunit *test)
{
	static const u32 ends[] = {
		[2] = offsetof(struct mint_common, microcode),
		[3] = offsetof(struct mint_common, bells),
		[4] = offsetof(struct mint_common, moves),
		[5] = offsetof(struct mint_common, loads),
		[6] = offsetofend(struct mint_common, generation),
	};
	struct mint_common *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u32 minor;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (minor = 2; minor < ARRAY_SIZE(ends); minor++) {
		fill(c);
		c->version = MINT_VERSION_MAJOR << 16 | minor;
		memset((void *)c + ends[minor], 0, sizeof(*c) - ends[minor]);
		c->cores.offset = ALIGN(ends[minor], 8);
		KUNIT_EXPECT_TRUE_MSG(test, mint_layout_valid(c),
				      "refused: version %u", minor);
		c->cores.offset -= 8;
		KUNIT_EXPECT_FALSE_MSG(test, mint_layout_valid(c),
				       "taken: version %u", minor);
	}
}

static void layout_table(struct kunit *test)
{
	struct mint_common *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	/* On the header, odd, behind the end, by a little and by a wrap */
	REFUSED(c->cores.offset = 0);
	REFUSED(c->cores.offset = sizeof(*c) - 8);
	REFUSED(c->cores.offset += 4);
	REFUSED(c->vfs.offset = c->size);
	REFUSED(c->vfs.offset = 0xfffffff8);
	REFUSED(c->vfs.offset = c->size - c->vfs.stride * c->vfs.count + 8);
	/* Shorter than what this kernel reads */
	REFUSED(c->cores.stride -= 8);
	REFUSED(c->map.stride = 0);
	REFUSED(c->map.stride += 2);
	REFUSED(c->lines.stride = 0);
	/* stride * count is 4 GiB: nothing, in 32 bits */
	REFUSED((c->pins.stride = SZ_4M, c->pins.count = 1024));
	REFUSED(c->nodes.count = MINT_NODE_MAX + 1);
	REFUSED(c->cores.count = 0xffffffff);
	REFUSED(c->pins.count = 4097);
	/* Rows of lines have a bit for each pin */
	REFUSED(c->pins.count = 65);
	/* A bell for each core, a place for each node; words that are whole */
	REFUSED(c->bells.count--);
	REFUSED(c->bells.count = 0);
	REFUSED(c->bells.stride = 8);
	REFUSED(c->bells.stride += 4);
	REFUSED(c->bell_cores.count++);
	REFUSED(c->callers.stride = 4);
	REFUSED(c->callers.stride += 4);
	/* A load and a life for each node, or neither */
	REFUSED(c->loads.count--);
	REFUSED(c->loads.count = 0);
	REFUSED(c->loads.stride -= 8);
	REFUSED(c->lives.count++);
	REFUSED(c->lives.stride += 4);
	REFUSED(c->stalls.count--);
	REFUSED(c->stalls.stride -= 4);
	REFUSED(c->stalls.stride += 2);
	fill(c);
	memset_startat(c, 0, loads);
	KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
	fill(c);
	memset_startat(c, 0, bells);
	KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
}

static void layout_windows(struct kunit *test)
{
	struct mint_common *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	/* Odd, nowhere, above 4 GiB, by a little and by a wrap */
	REFUSED(c->shared.start += 8);
	REFUSED(c->shared.size += 8);
	REFUSED(c->shared.start = 0);
	REFUSED(c->shared.start = SZ_4G);
	REFUSED(c->shared.start = SZ_4G - SZ_2M);
	REFUSED(c->shared.size = SZ_4G);
	REFUSED(c->shared.size = -(u64)SZ_16M);
	/* Windows of nothing */
	REFUSED(c->shared.size = 0);
	REFUSED(c->windows.count = 4097);
	REFUSED(c->windows.stride = sizeof(struct mint_window) - 8);
	REFUSED(c->windows.stride += 4);
	/* A bit for each of them, and a row for each node */
	REFUSED(c->shares.count = MINT_SHARES + 1);
	REFUSED(c->shares.count = 0);
	REFUSED(c->shares.stride -= 8);
	REFUSED(c->share_members.count--);
	REFUSED(c->share_members.stride = 4);
	REFUSED(c->share_rings.count--);
	REFUSED(c->share_rings.stride += 4);
	fill(c);
	memset_startat(c, 0, windows);
	KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
}

static void layout_rings(struct kunit *test)
{
	struct mint_common *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < MINT_RING_COUNT; i++) {
		REFUSED(c->ring_size[i] = 0);
		/* Its readable part would be empty, or larger than the ring */
		REFUSED(c->ring_size[i] = MINT_RING_CHUNK);
		REFUSED(c->ring_size[i] = MINT_RING_CHUNK / 2);
		REFUSED(c->ring_size[i] = 1);
		REFUSED(c->ring_size[i] -= 1);
		REFUSED(c->ring_size[i] = SZ_2M);
		REFUSED(c->ring_size[i] = 0x80000000);
		/* More than the stride has room for */
		REFUSED(c->ring_size[i] = SZ_128K);
		fill(c);
		c->ring_size[i] = 2 * MINT_RING_CHUNK;
		KUNIT_EXPECT_TRUE(test, mint_layout_valid(c));
	}
	REFUSED(c->rings.count--);
	REFUSED(c->nodes.count--);
}

/* Random headers: what passes has all of its tables within the area */
static void layout_random(struct kunit *test)
{
	struct mint_common *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct mint_table *tables[16];
	struct rnd_state rnd;
	u32 i, k, what;

	KUNIT_ASSERT_NOT_NULL(test, c);
	tables[0] = &c->cores;
	tables[1] = &c->nodes;
	tables[2] = &c->map;
	tables[3] = &c->ioapics;
	tables[4] = &c->pins;
	tables[5] = &c->ecam;
	tables[6] = &c->roots;
	tables[7] = &c->rings;
	tables[8] = &c->lines;
	tables[9] = &c->timing;
	tables[10] = &c->vfs;
	tables[11] = &c->bells;
	tables[12] = &c->bell_cores;
	tables[13] = &c->callers;
	tables[14] = &c->loads;
	tables[15] = &c->lives;
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 20000; i++) {
		fill(c);
		what = prandom_u32_state(&rnd);
		((u32 *)tables[what % 16])[what / 16 % 3] =
			prandom_u32_state(&rnd) >> what / 48 % 32;
		if (!mint_layout_valid(c))
			continue;
		for (k = 0; k < ARRAY_SIZE(tables); k++)
			KUNIT_ASSERT_LE(test, tables[k]->offset +
					(u64)tables[k]->stride * tables[k]->count,
					c->size);
	}
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(layout_header),
	KUNIT_CASE(layout_older),
	KUNIT_CASE(layout_table),
	KUNIT_CASE(layout_windows),
	KUNIT_CASE(layout_rings),
	KUNIT_CASE(layout_random),
	{}
};

static struct kunit_suite layout_suite = {
	.name		= "mint_layout",
	.test_cases	= layout_cases,
};

kunit_test_suite(layout_suite);
