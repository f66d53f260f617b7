// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the locks that kernels share (own/lock.c): a word of our
 * own in the place of that in the common area.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>

#include <asm/apic.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/lock.h"
#include "../own/own.h"

#define NO_SUCH_CORE	0x7ffffff0

struct fixture {
	struct shared_lock	lock;
	u64			word;
	u32			me;	/* what stands in the lock while this core has it */
};

static int lock_init(struct kunit *test)
{
	struct fixture *f;

	if (!mint_common)
		kunit_skip(test, "this kernel has no common area");
	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->lock.name = "kunit";
	test->priv = f;
	return 0;
}

static u32 take(struct fixture *f)
{
	guard(irqsave)();

	f->me = read_apic_id() + 1;
	return mint_shared_lock_acquire(&f->lock, &f->word);
}

static void give_back(struct fixture *f, u32 seq)
{
	guard(irqsave)();

	mint_shared_lock_release(&f->lock, &f->word, seq);
}

static void look(struct fixture *f, struct shared_lock_wait *wait)
{
	guard(irqsave)();

	mint_shared_lock_poll(&f->lock, &f->word, wait);
}

static void lock_counts(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i, seq;

	guard(migrate)();

	for (i = 1; i <= 5; i++) {
		seq = take(f);
		KUNIT_EXPECT_EQ(test, seq, i);
		KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(f->me, i));
		KUNIT_EXPECT_EQ(test, f->lock.own, f->word);
		give_back(f, seq);
		KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(0, i));
		KUNIT_EXPECT_EQ(test, f->lock.own, 0);
	}
	KUNIT_EXPECT_EQ(test, f->lock.held.count, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->lock.broken), 0);
}

/* The count of the holders wraps, and leaves the holder alone */
static void lock_wraps(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 seq;

	guard(migrate)();

	f->word = shared_lock_word(0, U32_MAX);
	seq = take(f);
	KUNIT_EXPECT_EQ(test, seq, 0);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(f->me, 0));
	give_back(f, seq);
	KUNIT_EXPECT_EQ(test, f->word, 0);
}

/* Held by nobody who could give it back: broken at once, and counted */
static void lock_of_nobody(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 seq;

	guard(migrate)();

	f->word = shared_lock_word(NO_SUCH_CORE + 1, 7);
	seq = take(f);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(f->me, 8));
	KUNIT_EXPECT_EQ(test, atomic_read(&f->lock.broken), 1);
	give_back(f, seq);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(0, 8));
}

/* An NMI that takes a core out of a section, and needs the lock itself */
static void lock_late_release(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 first, second;
	u64 count;

	guard(migrate)();

	first = take(f);
	second = take(f);
	KUNIT_EXPECT_NE(test, first, second);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->lock.broken), 1);
	/* The robbed section goes on after all: it gives nothing back */
	count = f->lock.held.count;
	give_back(f, first);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(f->me, second));
	KUNIT_EXPECT_EQ(test, f->lock.own, f->word);
	KUNIT_EXPECT_EQ(test, f->lock.held.count, count);
	give_back(f, second);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(0, second));
	give_back(f, second);
	KUNIT_EXPECT_EQ(test, f->lock.held.count, count + 1);
}

/* Node 0 sets free what nobody holds, and leaves alone what is free */
static void lock_looked_at(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct shared_lock_wait wait = {};

	guard(migrate)();

	look(f, &wait);
	KUNIT_EXPECT_EQ(test, f->word, 0);
	f->word = shared_lock_word(NO_SUCH_CORE + 1, 3);
	look(f, &wait);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(0, 4));
	KUNIT_EXPECT_EQ(test, atomic_read(&f->lock.broken), 1);
	look(f, &wait);
	KUNIT_EXPECT_EQ(test, f->word, shared_lock_word(0, 4));
}

/* A core in flight may be on its way out of node 0, and hold the lock meanwhile */
static void lock_in_flight(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct shared_lock_wait wait = {};
	struct mint_core *core;
	u32 i, state;
	u64 word;

	for (i = 0; (core = mint_core(i)); i++)
		if (mint_owner_of_core(core) == MINT_NODE_FREE)
			break;
	if (mint_role != MINT_PREDECESSOR || !core)
		kunit_skip(test, "needs node 0, and a free core");
	word = shared_lock_word(mint_apic_id(core) + 1, 5);
	state = READ_ONCE(core->state);
	scoped_guard(mint_claims)
		KUNIT_ASSERT_TRUE(test, mint_core_hand(core, MINT_NODE_FREE,
						       MINT_NODE_FLIGHT));
	WRITE_ONCE(core->state, MINT_CORE_PASSED);
	scoped_guard(migrate) {
		f->word = word;
		look(f, &wait);
		KUNIT_EXPECT_EQ(test, f->word, word);
		look(f, &wait);
		KUNIT_EXPECT_EQ(test, f->word, word);
		KUNIT_EXPECT_EQ(test, atomic_read(&f->lock.broken), 0);
	}
	WRITE_ONCE(core->state, state);
	scoped_guard(mint_claims)
		mint_core_hand(core, MINT_NODE_FLIGHT, MINT_NODE_FREE);
}

static struct kunit_case lock_cases[] = {
	KUNIT_CASE(lock_counts),
	KUNIT_CASE(lock_wraps),
	KUNIT_CASE(lock_of_nobody),
	KUNIT_CASE(lock_late_release),
	KUNIT_CASE(lock_looked_at),
	KUNIT_CASE(lock_in_flight),
	{}
};

static struct kunit_suite lock_suite = {
	.name		= "mint_lock",
	.init		= lock_init,
	.test_cases	= lock_cases,
};

kunit_test_suite(lock_suite);
