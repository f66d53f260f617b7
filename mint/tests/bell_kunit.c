// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the words that say why a node is rung (bell.c): no cause
 * is lost, none comes twice, and a peer may write what it likes.
 */

#include <kunit/test.h>
#include <linux/kthread.h>

#include "../area/area.h"

#define CALLS	100000

/* Only the first of equal calls has to interrupt */
static void bell_once(struct kunit *test)
{
	struct mint_bell bell = {};

	KUNIT_EXPECT_TRUE(test, mint_bell_set(&bell, MINT_BELL_LINES));
	KUNIT_EXPECT_FALSE(test, mint_bell_set(&bell, MINT_BELL_LINES));
	KUNIT_EXPECT_TRUE(test, mint_bell_set(&bell, MINT_BELL_NODE));
	KUNIT_EXPECT_EQ(test, mint_bell_take(&bell),
			BIT(MINT_BELL_LINES) | BIT(MINT_BELL_NODE));
	KUNIT_EXPECT_EQ(test, mint_bell_take(&bell), 0);
	KUNIT_EXPECT_TRUE(test, mint_bell_set(&bell, MINT_BELL_LINES));
}

/* What is no cause is dropped, and does not stay to be found again */
static void bell_unknown(struct kunit *test)
{
	struct mint_bell bell = { .causes = ~0ULL };

	KUNIT_EXPECT_EQ(test, mint_bell_take(&bell),
			GENMASK(MINT_BELL_COUNT - 1, 0));
	KUNIT_EXPECT_EQ(test, bell.causes, 0);
	bell.causes = BIT_ULL(MINT_BELL_COUNT);
	KUNIT_EXPECT_EQ(test, mint_bell_take(&bell), 0);
	KUNIT_EXPECT_EQ(test, bell.causes, 0);
}

struct caller {
	struct mint_bell	bell;
	u32			said;
};

static int call(void *arg)
{
	struct caller *caller = arg;
	u32 i;

	for (i = 1; i <= CALLS; i++) {
		WRITE_ONCE(caller->said, i);
		mint_bell_set(&caller->bell, MINT_BELL_TERMINAL);
		if (!(i % 1024))
			cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Who takes the last call has seen all that was said before it */
static void bell_loses_nothing(struct kunit *test)
{
	struct caller *caller = kunit_kzalloc(test, sizeof(*caller), GFP_KERNEL);
	unsigned long limit = jiffies + 60 * HZ;
	struct task_struct *task;
	u32 heard = 0;

	KUNIT_ASSERT_NOT_NULL(test, caller);
	task = kthread_run(call, caller, "mint_bell_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (heard != CALLS && time_before(jiffies, limit)) {
		if (mint_bell_take(&caller->bell))
			heard = READ_ONCE(caller->said);
		cond_resched();
	}
	kthread_stop(task);
	/* The cause of the last call may be left: its word may have been read before */
	KUNIT_EXPECT_EQ(test, heard, CALLS);
}

static struct kunit_case bell_cases[] = {
	KUNIT_CASE(bell_once),
	KUNIT_CASE(bell_unknown),
	KUNIT_CASE(bell_loses_nothing),
	{}
};

static struct kunit_suite bell_suite = {
	.name		= "mint_bell",
	.test_cases	= bell_cases,
};

kunit_test_suite(bell_suite);
