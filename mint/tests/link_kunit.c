// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of links (link/ring.c) and of the windows they lie in
 * (area/shared.c): what is computed from what the other side says. And of shares
 * (kind/share.c): what a launch asks for.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../kind/kind.h"
#include "../link/link.h"

static const struct mint_range pool = { .start = SZ_16M, .size = SZ_4M };

static void fill(struct mint_window *w)
{
	memset(w, 0, sizeof(*w));
	w->state = MINT_WINDOW_OPEN;
	w->kind = MINT_WINDOW_LINK;
	w->epoch = 1;
	w->member[0] = 0;
	w->member[1] = 2;
	w->start = pool.start + SZ_1M;
	w->size = MINT_LINK_SIZE;
}

/* Expect that the window is refused once this was done to it */
#define REFUSED(change)							\
	do {								\
		fill(&w);						\
		change;							\
		KUNIT_EXPECT_FALSE_MSG(test,				\
				       mint_window_valid(&w, &pool, 3),	\
				       "taken: %s", #change);		\
	} while (0)

static void link_window(struct kunit *test)
{
	struct mint_window w;

	fill(&w);
	KUNIT_EXPECT_TRUE(test, mint_window_valid(&w, &pool, 3));
	KUNIT_EXPECT_EQ(test, mint_window_index(&w, 0), 0);
	KUNIT_EXPECT_EQ(test, mint_window_index(&w, 2), 1);
	KUNIT_EXPECT_EQ(test, mint_window_index(&w, 1), MINT_WINDOW_MEMBERS);
	/* The whole pool, and its last part */
	w.start = pool.start;
	w.size = pool.size;
	KUNIT_EXPECT_TRUE(test, mint_window_valid(&w, &pool, 3));
	w.start = pool.start + pool.size - MINT_LINK_SIZE;
	w.size = MINT_LINK_SIZE;
	KUNIT_EXPECT_TRUE(test, mint_window_valid(&w, &pool, 3));
	REFUSED(w.member[1] = 0);
	REFUSED(w.member[1] = 3);
	REFUSED((w.member[0] = 2, w.member[1] = 1));
	REFUSED(w.start += 8);
	REFUSED(w.size -= 8);
	REFUSED(w.size = 0);
	REFUSED(w.size = MINT_WINDOW_MEMBERS * MINT_END_SIZE);
	REFUSED(w.start = pool.start - PAGE_SIZE);
	REFUSED(w.start = pool.start + pool.size);
	REFUSED(w.start = pool.start + pool.size - MINT_LINK_SIZE + PAGE_SIZE);
	REFUSED(w.size = pool.size);
	REFUSED(w.size = -(u64)PAGE_SIZE);
	REFUSED(w.start = -(u64)PAGE_SIZE);
}

static void link_place(struct kunit *test)
{
	struct mint_link_ring rings[MINT_WINDOW_MEMBERS];
	void *addr = (void *)SZ_1G;
	struct mint_window w;
	u32 pages;

	for (pages = 3; pages < 300; pages++) {
		fill(&w);
		w.size = pages * PAGE_SIZE;
		mint_link_ring_place(&w, addr, rings);
		KUNIT_EXPECT_PTR_EQ(test, rings[0].data,
				    addr + MINT_WINDOW_MEMBERS * MINT_END_SIZE);
		KUNIT_EXPECT_PTR_EQ(test, rings[1].data,
				    rings[0].data + rings[0].size);
		KUNIT_EXPECT_EQ(test, rings[0].size, rings[1].size);
		KUNIT_EXPECT_EQ(test, rings[0].size % MINT_LINK_ALIGN, 0);
		KUNIT_EXPECT_LE(test, rings[1].data + rings[1].size - addr, w.size);
	}
	/* Several of the longest frames fit, or a queue would never move */
	fill(&w);
	mint_link_ring_place(&w, addr, rings);
	KUNIT_EXPECT_GE(test, rings[0].size, 4 * mint_link_ring_need(MINT_LINK_FRAME));
}

static void link_offsets(struct kunit *test)
{
	struct mint_link_ring b = { .size = 5 * MINT_LINK_ALIGN };
	u32 tail, head, units;

	KUNIT_EXPECT_FALSE(test, mint_link_ring_valid(&b, b.size));
	KUNIT_EXPECT_FALSE(test, mint_link_ring_valid(&b, 1));
	KUNIT_EXPECT_FALSE(test, mint_link_ring_valid(&b, MINT_LINK_ALIGN / 2));
	KUNIT_EXPECT_FALSE(test, mint_link_ring_valid(&b, U32_MAX));
	KUNIT_EXPECT_FALSE(test, mint_link_ring_valid(&b, -(u32)MINT_LINK_ALIGN));
	for (tail = 0; tail < b.size; tail += MINT_LINK_ALIGN) {
		KUNIT_EXPECT_TRUE(test, mint_link_ring_valid(&b, tail));
		for (units = 0; units < 5; units++) {
			head = mint_link_ring_next(&b, tail, units * MINT_LINK_ALIGN);
			KUNIT_EXPECT_TRUE(test, mint_link_ring_valid(&b, head));
			KUNIT_EXPECT_EQ(test, mint_link_ring_used(&b, tail, head),
					units * MINT_LINK_ALIGN);
			KUNIT_EXPECT_EQ(test, mint_link_ring_room(&b, tail, head),
					(4 - units) * MINT_LINK_ALIGN);
			/* A head that did not move has passed nothing */
			KUNIT_EXPECT_EQ(test, mint_link_ring_passed(&b, tail, head, tail),
					units > 0);
			KUNIT_EXPECT_FALSE(test, mint_link_ring_passed(&b, tail, head, head));
			KUNIT_EXPECT_FALSE(test, mint_link_ring_passed(&b, tail, head,
								       U32_MAX));
		}
	}
}

static void link_frame(struct kunit *test)
{
	u32 size = 1024 * MINT_LINK_ALIGN + 2 * SZ_64K, need;
	struct mint_link_ring b = { .size = size };
	struct mint_frame frame, *at;

	b.data = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b.data);
	at = b.data + MINT_LINK_ALIGN;
	KUNIT_EXPECT_EQ(test, mint_link_ring_need(48), 64);
	KUNIT_EXPECT_EQ(test, mint_link_ring_need(49), 128);

	at->len = 60;
	need = mint_link_ring_need(60);
	KUNIT_EXPECT_TRUE(test, mint_frame_read(&b, 64, 64 + need, &frame));
	KUNIT_EXPECT_EQ(test, frame.len, 60);
	/* It ends behind the head */
	KUNIT_EXPECT_FALSE(test, mint_frame_read(&b, 64, need, &frame));
	/* Shorter than a header of Ethernet, longer than any frame */
	at->len = 13;
	KUNIT_EXPECT_FALSE(test, mint_frame_read(&b, 64, 0, &frame));
	at->len = 0;
	KUNIT_EXPECT_FALSE(test, mint_frame_read(&b, 64, 0, &frame));
	at->len = MINT_LINK_FRAME;
	KUNIT_EXPECT_TRUE(test, mint_frame_read(&b, 64, 0, &frame));
	at->len = MINT_LINK_FRAME + 1;
	KUNIT_EXPECT_FALSE(test, mint_frame_read(&b, 64, 0, &frame));
	/* What the length of a record would wrap to is no length */
	at->len = U32_MAX;
	KUNIT_EXPECT_FALSE(test, mint_frame_read(&b, 64, 0, &frame));
	at->len = -(u32)sizeof(frame);
	KUNIT_EXPECT_FALSE(test, mint_frame_read(&b, 64, 0, &frame));
}

/* Is this byte of a ring none of those between two offsets? */
static bool link_beside(u32 at, u32 from, u32 to)
{
	return from <= to ? at < from || at >= to : at < from && at >= to;
}

/*
 * Bytes go in and come out the same, few and many, at any offset and around the end
 * of the ring; nothing beside them changes
 */
static void link_bytes(struct kunit *test)
{
	struct mint_link_ring b = { .size = 37 * MINT_LINK_ALIGN };
	u32 i, at, pos, len, end, shift;
	struct rnd_state rnd;
	u8 *in, *out;

	b.data = kunit_kzalloc(test, b.size + 1, GFP_KERNEL);
	in = kunit_kzalloc(test, b.size, GFP_KERNEL);
	out = kunit_kzalloc(test, b.size + 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b.data);
	KUNIT_ASSERT_NOT_NULL(test, in);
	KUNIT_ASSERT_NOT_NULL(test, out);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 1000; i++) {
		pos = prandom_u32_state(&rnd) % b.size;
		len = prandom_u32_state(&rnd) % b.size;
		shift = prandom_u32_state(&rnd) % 8;
		prandom_bytes_state(&rnd, in, len);
		memset(b.data, 0xaa, b.size);
		end = mint_link_ring_put(&b, pos, in, len);
		KUNIT_ASSERT_EQ(test, end, (pos + len) % b.size);
		for (at = 0; at < b.size; at++)
			if (link_beside(at, pos, end) && ((u8 *)b.data)[at] != 0xaa)
				KUNIT_FAIL_AND_ABORT(test, "byte %u beside %u to %u", at, pos, end);
		memset(out, 0, b.size + 8);
		KUNIT_ASSERT_EQ(test, mint_link_ring_get(&b, pos, out + shift, len), end);
		KUNIT_ASSERT_MEMEQ(test, in, out + shift, len);
		KUNIT_ASSERT_PTR_EQ(test, memchr_inv(out, 0, shift), NULL);
		KUNIT_ASSERT_PTR_EQ(test, memchr_inv(out + shift + len, 0,
						     b.size + 8 - shift - len), NULL);
		KUNIT_ASSERT_EQ(test, ((u8 *)b.data)[b.size], 0);
	}
}

/* A byte that is written leaves its neighbours alone, at both ends of a long copy */
static void link_neighbours(struct kunit *test)
{
	struct mint_link_ring b = { .size = 37 * MINT_LINK_ALIGN };
	u32 pos, len;
	u8 *in, *data;

	b.data = kunit_kzalloc(test, b.size, GFP_KERNEL);
	in = kunit_kzalloc(test, b.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b.data);
	KUNIT_ASSERT_NOT_NULL(test, in);
	memset(in, 0x55, b.size);
	data = b.data;
	for (pos = 1; pos < 10; pos++) {
		for (len = 500; len < 530; len++) {
			memset(data, 0xaa, b.size);
			mint_link_ring_put(&b, pos, in, len);
			KUNIT_ASSERT_PTR_EQ(test, memchr_inv(data, 0xaa, pos), NULL);
			KUNIT_ASSERT_PTR_EQ(test, memchr_inv(data + pos, 0x55, len), NULL);
			KUNIT_ASSERT_PTR_EQ(test, memchr_inv(data + pos + len, 0xaa,
							     b.size - pos - len), NULL);
		}
	}
}

#define WORD_REFUSED(text)						\
	KUNIT_EXPECT_EQ_MSG(test, share_word(text, name, &size), -EINVAL,	\
			    "taken: %s", text)

static int share_word(const char *text, char *name, u64 *size)
{
	struct mint_token word = { .text = text, .len = strlen(text) };

	return mint_share_word(&word, name, size);
}

static void share_words(struct kunit *test)
{
	char name[MINT_NAME_LEN];
	u64 size;

	KUNIT_EXPECT_EQ(test, share_word("rt:4M", name, &size), 0);
	KUNIT_EXPECT_STREQ(test, name, "rt");
	KUNIT_EXPECT_EQ(test, size, SZ_4M);
	KUNIT_EXPECT_EQ(test, share_word("a-b_c.1:4096", name, &size), 0);
	KUNIT_EXPECT_EQ(test, share_word("0123456789012345678901234567890:4K",
					 name, &size), 0);
	WORD_REFUSED("01234567890123456789012345678901:4K");
	WORD_REFUSED("");
	WORD_REFUSED("rt");
	WORD_REFUSED("rt:");
	WORD_REFUSED(":4M");
	WORD_REFUSED("rt:0");
	WORD_REFUSED("rt:4M:1");
	WORD_REFUSED("rt:4097");
	WORD_REFUSED("rt:4G");
	WORD_REFUSED("r/t:4M");
	WORD_REFUSED("r t:4M");
	WORD_REFUSED("r\xe4t:4M");
}

static void share_place(struct kunit *test)
{
	unsigned long used = BIT(5);

	KUNIT_EXPECT_EQ(test, mint_slots_find(&used, 8, 2), 6);
	KUNIT_EXPECT_EQ(test, mint_slots_find(&used, 8, 3), 2);
	KUNIT_EXPECT_EQ(test, mint_slots_find(&used, 8, 5), 0);
	KUNIT_EXPECT_EQ(test, mint_slots_find(&used, 8, 6), 8);
	KUNIT_EXPECT_EQ(test, mint_slots_find(&used, 8, 9), 8);
}

static void share_records(struct kunit *test)
{
	const struct mint_share sound = {
		.state = MINT_WINDOW_OPEN, .start = SZ_16M + SZ_1M,
		.size = SZ_2M, .name = "rt",
	};
	struct mint_share s = sound;

	KUNIT_EXPECT_TRUE(test, mint_share_valid(&s, &pool));
	s.state = MINT_WINDOW_FREE;
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
	s = sound;
	s.size += SZ_1M + PAGE_SIZE;
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
	s = sound;
	s.start = SZ_16M - PAGE_SIZE;
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
	s = sound;
	s.size = -(u64)SZ_1M;
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
	s = sound;
	s.start += 8;
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
	s = sound;
	s.name[0] = '\0';
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
	memset(s.name, 'x', sizeof(s.name));
	KUNIT_EXPECT_FALSE(test, mint_share_valid(&s, &pool));
}

static struct kunit_case link_cases[] = {
	KUNIT_CASE(link_window),
	KUNIT_CASE(link_place),
	KUNIT_CASE(link_offsets),
	KUNIT_CASE(link_frame),
	KUNIT_CASE(link_bytes),
	KUNIT_CASE(link_neighbours),
	KUNIT_CASE(share_words),
	KUNIT_CASE(share_place),
	KUNIT_CASE(share_records),
	{}
};

static struct kunit_suite link_suite = {
	.name		= "mint_link",
	.test_cases	= link_cases,
};

kunit_test_suite(link_suite);
