// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of what a node says of its load and wants (life/load.c).
 */

#include <kunit/test.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "../area/area.h"
#include "../life/life.h"

static void load_counts(struct kunit *test)
{
	struct mint_load load = {
		.beats = 0xffffffff, .runnable_sum = 0xfffffffe,
		.busy_ms = 0xffffffff,
	};
	u64 busy_ns = 3 * NSEC_PER_MSEC + 5;

	/* All wrap, and what is less than a millisecond is for the next beat */
	mint_load_add(&load, 7, &busy_ns);
	KUNIT_EXPECT_EQ(test, load.beats, 0);
	KUNIT_EXPECT_EQ(test, load.runnable_sum, 5);
	KUNIT_EXPECT_EQ(test, load.busy_ms, 2);
	KUNIT_EXPECT_EQ(test, busy_ns, 5);
	busy_ns += NSEC_PER_MSEC - 5;
	mint_load_add(&load, 0, &busy_ns);
	KUNIT_EXPECT_EQ(test, load.busy_ms, 3);
	KUNIT_EXPECT_EQ(test, busy_ns, 0);
	/* More than 32 bits of them, after a pause of the machine */
	busy_ns = ((1ULL << 32) + 4) * NSEC_PER_MSEC;
	mint_load_add(&load, 0, &busy_ns);
	KUNIT_EXPECT_EQ(test, load.busy_ms, 7);
}

static void want_is_one_line(struct kunit *test)
{
	static const char wish[] = "cores=+2 memory=+512M prio=5 urgency=high hold=30s";
	char text[MINT_WANT_LEN], longest[MINT_WANT_LEN + 1];
	struct mint_load load = { .want_seq = 0xfffffffe };

	KUNIT_ASSERT_EQ(test, mint_want_write(&load, wish), 0);
	KUNIT_EXPECT_TRUE(test, mint_want_read(&load, text));
	KUNIT_EXPECT_STREQ(test, text, wish);
	KUNIT_EXPECT_EQ(test, load.want_seq, 0);

	memset(longest, 'x', MINT_WANT_LEN);
	longest[MINT_WANT_LEN] = '\0';
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, longest), -E2BIG);
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, "a\nb"), -EINVAL);
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, "a\033[2J"), -EINVAL);
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, "\xe4"), -EINVAL);
	KUNIT_EXPECT_TRUE(test, mint_want_read(&load, text));
	KUNIT_EXPECT_STREQ(test, text, wish);

	longest[MINT_WANT_LEN - 1] = '\n';
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, longest), 0);
	KUNIT_EXPECT_TRUE(test, mint_want_read(&load, text));
	KUNIT_EXPECT_EQ(test, strlen(text), MINT_WANT_LEN - 1);
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, "\n"), 0);
	KUNIT_EXPECT_TRUE(test, mint_want_read(&load, text));
	KUNIT_EXPECT_STREQ(test, text, "");
}

/* A peer may write anything there */
static void want_of_a_broken_node(struct kunit *test)
{
	struct mint_load load = { .want_seq = 4 };
	char text[MINT_WANT_LEN];

	memset(load.want, 0x1b, sizeof(load.want));
	KUNIT_EXPECT_TRUE(test, mint_want_read(&load, text));
	KUNIT_EXPECT_EQ(test, strlen(text), MINT_WANT_LEN - 1);
	KUNIT_EXPECT_EQ(test, strspn(text, "?"), MINT_WANT_LEN - 1);
	/* In the middle of a change, for ever: the end of that is bounded .. */
	load.want_seq = 5;
	KUNIT_EXPECT_FALSE(test, mint_want_read(&load, text));
	/* .. and this node itself gets out of it */
	KUNIT_EXPECT_EQ(test, mint_want_write(&load, "prio=1"), 0);
	KUNIT_EXPECT_TRUE(test, mint_want_read(&load, text));
	KUNIT_EXPECT_STREQ(test, text, "prio=1");
}

static struct kunit_case load_cases[] = {
	KUNIT_CASE(load_counts),
	KUNIT_CASE(want_is_one_line),
	KUNIT_CASE(want_of_a_broken_node),
	{}
};

static struct kunit_suite load_suite = {
	.name		= "mint_load",
	.test_cases	= load_cases,
};

kunit_test_suite(load_suite);
