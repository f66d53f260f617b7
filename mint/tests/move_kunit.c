// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of how a record of a move is read (area/common.c): all that is
 * read belongs to one move, while node 0 enters one after the other.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include <asm/barrier.h>

#include "../area/area.h"

#define MOVES	20000

/* So that a reader finds the record at rest within its looks */
#define REST_US	5

static void enter(struct mint_move *record, u32 seq)
{
	/* As run_job(), enter_job() and set_turn() do */
	smp_store_release(&record->turn, MINT_TURN(seq - 1, MINT_TURN_NONE));
	WRITE_ONCE(record->kind, seq);
	WRITE_ONCE(record->from, seq);
	WRITE_ONCE(record->to, seq);
	WRITE_ONCE(record->start, seq);
	WRITE_ONCE(record->size, seq);
	/* Pairs with mint_move_read() */
	smp_store_release(&record->turn, MINT_TURN(seq, MINT_TURN_GIVEN));
}

static int enter_all(void *data)
{
	u32 seq;

	for (seq = 1; seq <= MOVES; seq++) {
		enter(data, seq);
		udelay(REST_US);
		if (!(seq % 1024))
			cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void move_of_one_turn(struct kunit *test)
{
	struct mint_move *record = kunit_kzalloc(test, sizeof(*record), GFP_KERNEL);
	unsigned long limit = jiffies + 60 * HZ;
	struct task_struct *task;
	struct mint_move move;
	u32 seq = 0, torn = 0;

	KUNIT_ASSERT_NOT_NULL(test, record);
	task = kthread_run(enter_all, record, "mint_move_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (seq != MOVES && time_before(jiffies, limit)) {
		mint_move_read(record, &move);
		if (MINT_TURN_STATE(move.turn) == MINT_TURN_GIVEN) {
			seq = MINT_TURN_SEQ(move.turn);
			torn += move.kind != seq || move.from != seq ||
				move.to != seq || move.start != seq ||
				move.size != seq;
		}
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, seq, MOVES);
	KUNIT_EXPECT_EQ(test, torn, 0);
}

static void move_is_copied(struct kunit *test)
{
	struct mint_move record = {
		.turn	= MINT_TURN(7, MINT_TURN_TAKING),
		.kind	= MINT_MOVE_MEMORY,
		.from	= 1,
		.to	= 2,
		.start	= 0x40000000,
		.size	= 0x8000000,
	};
	struct mint_move move = {};

	mint_move_read(&record, &move);
	KUNIT_EXPECT_MEMEQ(test, &move, &record, offsetof(struct mint_move, reserved));
}

static struct kunit_case move_cases[] = {
	KUNIT_CASE(move_is_copied),
	KUNIT_CASE(move_of_one_turn),
	{}
};

static struct kunit_suite move_suite = {
	.name		= "mint_move",
	.test_cases	= move_cases,
};

kunit_test_suite(move_suite);
