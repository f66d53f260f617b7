// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the rings (talk/ring.c), the other side of which may lie.
 */

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../area/area.h"
#include "../talk/talk.h"

#define SIZE	SZ_4K
#define KEPT	(SIZE - MINT_RING_CHUNK)
#define CANARY	0xa5

struct fixture {
	struct mint_ring	ring;
	struct mint_stream	stream;
	u8			data[SIZE];
	u8			from[3 * SIZE];
	u8			to[3 * SIZE];
};

static int ring_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->stream.ring = &f->ring;
	f->stream.data = f->data;
	f->stream.size = SIZE;
	/* A prime, so that no two places of the ring look alike */
	for (i = 0; i < sizeof(f->from); i++)
		f->from[i] = i % 251;
	test->priv = f;
	return 0;
}

/* What goes in comes out, in pieces of all sizes, many times round */
static void ring_wrap(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 pos = 0, missed = 0;
	size_t len, count;

	for (count = 1; count <= KEPT; count += 97) {
		mint_stream_write(&f->stream, f->from, count);
		len = mint_stream_read(&f->stream, &pos, f->to, sizeof(f->to),
				       &missed);
		KUNIT_ASSERT_EQ(test, len, count);
		KUNIT_ASSERT_MEMEQ(test, f->to, f->from, count);
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_EQ(test, pos, f->ring.head);
	KUNIT_EXPECT_GT(test, f->ring.head, 10 * SIZE);
}

/* More than one chunk at once, and more than the ring has room for */
static void ring_chunks(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 pos = 0, missed = 0;
	size_t len;

	mint_stream_write(&f->stream, f->from, sizeof(f->from));
	KUNIT_EXPECT_EQ(test, f->ring.head, sizeof(f->from));
	len = mint_stream_read(&f->stream, &pos, f->to, sizeof(f->to), &missed);
	KUNIT_EXPECT_EQ(test, len, KEPT);
	KUNIT_EXPECT_EQ(test, missed, sizeof(f->from) - KEPT);
	KUNIT_EXPECT_MEMEQ(test, f->to, f->from + sizeof(f->from) - KEPT, KEPT);
}

/* The counts of the bytes read and of those missed add up */
static void ring_late(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 pos = 0, missed = 0, read = 0;
	int i;

	for (i = 0; i < 100; i++) {
		mint_stream_write(&f->stream, f->from, 1000);
		if (i % 7 == 0)
			read += mint_stream_read(&f->stream, &pos, f->to, 500,
						 &missed);
	}
	while (pos != f->ring.head)
		read += mint_stream_read(&f->stream, &pos, f->to, 500, &missed);
	KUNIT_EXPECT_EQ(test, read + missed, f->ring.head);
	KUNIT_EXPECT_GT(test, missed, 0);
}

/* A writer that keeps to the room takes nothing from a slow reader */
static void ring_room(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 pos = 0, missed = 0;

	KUNIT_EXPECT_EQ(test, mint_stream_room(&f->stream), KEPT);
	mint_stream_write(&f->stream, f->from, KEPT);
	KUNIT_EXPECT_EQ(test, mint_stream_room(&f->stream), 0);
	mint_stream_read(&f->stream, &pos, f->to, 10, &missed);
	f->ring.tail = pos;
	KUNIT_EXPECT_EQ(test, mint_stream_room(&f->stream), 10);
	KUNIT_EXPECT_EQ(test, missed, 0);
	/* A tail that is nowhere near */
	f->ring.tail = f->ring.head + 1;
	KUNIT_EXPECT_EQ(test, mint_stream_room(&f->stream), 0);
	f->ring.tail = f->ring.head - KEPT - 1;
	KUNIT_EXPECT_EQ(test, mint_stream_room(&f->stream), 0);
}

/* A stream that began anew is read from its beginning */
static void ring_anew(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 pos = 0, missed = 0;
	size_t len;

	mint_stream_write(&f->stream, f->from, 500);
	mint_stream_read(&f->stream, &pos, f->to, sizeof(f->to), &missed);
	f->ring.tail = 5;
	f->ring.open = 1;
	mint_stream_clear(&f->stream);
	KUNIT_EXPECT_EQ(test, f->ring.head | f->ring.tail | f->ring.open, 0);
	len = mint_stream_read(&f->stream, &pos, f->to, sizeof(f->to), &missed);
	KUNIT_EXPECT_EQ(test, len, 0);
	KUNIT_EXPECT_EQ(test, pos, 0);
	mint_stream_write(&f->stream, f->from + 100, 10);
	len = mint_stream_read(&f->stream, &pos, f->to, sizeof(f->to), &missed);
	KUNIT_EXPECT_EQ(test, len, 10);
	KUNIT_EXPECT_MEMEQ(test, f->to, f->from + 100, 10);
	KUNIT_EXPECT_EQ(test, missed, 0);
}

/* Whatever the counts say: no more than asked for, and never behind it */
static void ring_liar(struct kunit *test)
{
	static const u64 near[] = { 0, 1, KEPT, KEPT + 1, SIZE, SIZE + 1, -1ULL };
	struct fixture *f = test->priv;
	u64 pos, missed, i;
	struct rnd_state rnd;
	size_t len, count;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 20000; i++) {
		pos = (u64)prandom_u32_state(&rnd) << 32 |
		      prandom_u32_state(&rnd);
		f->ring.head = i & 1 ? pos + near[i / 2 % ARRAY_SIZE(near)] :
				       prandom_u32_state(&rnd);
		count = prandom_u32_state(&rnd) % (2 * SIZE);
		missed = 0;
		memset(f->to + count, CANARY, 16);
		len = mint_stream_read(&f->stream, &pos, f->to, count, &missed);
		KUNIT_ASSERT_LE(test, len, min_t(size_t, count, KEPT));
		KUNIT_ASSERT_NULL(test, memchr_inv(f->to + count, CANARY, 16));
	}
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_wrap),
	KUNIT_CASE(ring_chunks),
	KUNIT_CASE(ring_late),
	KUNIT_CASE(ring_room),
	KUNIT_CASE(ring_anew),
	KUNIT_CASE(ring_liar),
	{}
};

static struct kunit_suite ring_suite = {
	.name		= "mint_ring",
	.init		= ring_init,
	.test_cases	= ring_cases,
};

kunit_test_suite(ring_suite);
