// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the states of a node and of heartbeats (own/states.c).
 */

#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sched.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../own/own.h"

#define PERIOD_MS	500

/* The table of docs/states.md */
static const struct {
	u32		from;
	enum mint_event	event;
	u32		to;
} rows[] = {
	{ MINT_STATE_NONE,	MINT_EVENT_CLAIM,	MINT_STATE_LOADED },
	{ MINT_STATE_ENDED,	MINT_EVENT_CLAIM,	MINT_STATE_LOADED },
	{ MINT_STATE_PANICKED,	MINT_EVENT_CLAIM,	MINT_STATE_LOADED },
	{ MINT_STATE_LOADED,	MINT_EVENT_LOADED,	MINT_STATE_LOADED },
	{ MINT_STATE_LOADED,	MINT_EVENT_START,	MINT_STATE_STARTING },
	{ MINT_STATE_STARTING,	MINT_EVENT_UP,		MINT_STATE_RUNNING },
	{ MINT_STATE_PANICKED,	MINT_EVENT_UP,		MINT_STATE_RUNNING },
	{ MINT_STATE_RUNNING,	MINT_EVENT_UP,		MINT_STATE_RUNNING },
	{ MINT_STATE_SILENT,	MINT_EVENT_UP,		MINT_STATE_RUNNING },
	{ MINT_STATE_STARTING,	MINT_EVENT_REBOOT,	MINT_STATE_STARTING },
	{ MINT_STATE_RUNNING,	MINT_EVENT_REBOOT,	MINT_STATE_STARTING },
	{ MINT_STATE_PANICKED,	MINT_EVENT_REBOOT,	MINT_STATE_STARTING },
	{ MINT_STATE_SILENT,	MINT_EVENT_REBOOT,	MINT_STATE_STARTING },
	{ MINT_STATE_STARTING,	MINT_EVENT_PANIC,	MINT_STATE_PANICKED },
	{ MINT_STATE_RUNNING,	MINT_EVENT_PANIC,	MINT_STATE_PANICKED },
	{ MINT_STATE_SILENT,	MINT_EVENT_PANIC,	MINT_STATE_PANICKED },
	{ MINT_STATE_STARTING,	MINT_EVENT_STILL,	MINT_STATE_SILENT },
	{ MINT_STATE_RUNNING,	MINT_EVENT_STILL,	MINT_STATE_SILENT },
	{ MINT_STATE_PANICKED,	MINT_EVENT_STILL,	MINT_STATE_SILENT },
	{ MINT_STATE_SILENT,	MINT_EVENT_STILL,	MINT_STATE_SILENT },
	{ MINT_STATE_STARTING,	MINT_EVENT_END,		MINT_STATE_ENDING },
	{ MINT_STATE_RUNNING,	MINT_EVENT_END,		MINT_STATE_ENDING },
	{ MINT_STATE_PANICKED,	MINT_EVENT_END,		MINT_STATE_ENDING },
	{ MINT_STATE_SILENT,	MINT_EVENT_END,		MINT_STATE_ENDING },
	{ MINT_STATE_ENDING,	MINT_EVENT_END,		MINT_STATE_ENDING },
	{ MINT_STATE_QUARANTINE, MINT_EVENT_END,	MINT_STATE_ENDING },
	{ MINT_STATE_ENDING,	MINT_EVENT_UNPROVEN,	MINT_STATE_QUARANTINE },
	{ MINT_STATE_ENDING,	MINT_EVENT_ENDED,	MINT_STATE_ENDED },
	{ MINT_STATE_ENDING,	MINT_EVENT_PANICKED,	MINT_STATE_PANICKED },
};

static u32 expected(u32 state, enum mint_event event)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].from == state && rows[i].event == event)
			return rows[i].to;
	return MINT_STATE_NONE;
}

static void transitions(struct kunit *test)
{
	u32 state, event;

	for (state = 0; state <= MINT_STATE_QUARANTINE + 1; state++)
		for (event = 0; event <= MINT_EVENTS; event++)
			KUNIT_EXPECT_EQ_MSG(test, mint_state_next(state, event),
					    expected(state, event),
					    "state %u, event %u", state, event);
}

static void names(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, mint_state_name(MINT_STATE_NONE), "none");
	KUNIT_EXPECT_STREQ(test, mint_state_name(MINT_STATE_SILENT), "silent");
	KUNIT_EXPECT_STREQ(test, mint_state_name(MINT_STATE_ENDING), "ending");
	KUNIT_EXPECT_STREQ(test, mint_state_name(MINT_STATE_QUARANTINE),
			   "quarantine");
	KUNIT_EXPECT_STREQ(test, mint_state_name(MINT_STATE_QUARANTINE + 1),
			   "invalid");
	KUNIT_EXPECT_STREQ(test, mint_state_name(U32_MAX), "invalid");
}

/* A node that is over, or that nobody hears, is asked nothing */
static void alive(struct kunit *test)
{
	u32 state;

	for (state = 0; state <= MINT_STATE_QUARANTINE + 1; state++)
		KUNIT_EXPECT_EQ(test, mint_state_alive(state),
				state == MINT_STATE_STARTING ||
				state == MINT_STATE_RUNNING);
}

static void heart_stops(struct kunit *test)
{
	unsigned long now = INITIAL_JIFFIES;
	struct mint_heart heart;
	int i;

	mint_heart_reset(&heart, 7, now);
	for (i = 1; i <= 20; i++) {
		now += msecs_to_jiffies(PERIOD_MS);
		KUNIT_EXPECT_FALSE(test, mint_heart_poll(&heart, 7, now, PERIOD_MS));
		KUNIT_EXPECT_EQ(test, heart.still_ms, i * PERIOD_MS);
	}
	KUNIT_EXPECT_TRUE(test, mint_heart_poll(&heart, 8, now, PERIOD_MS));
	KUNIT_EXPECT_EQ(test, heart.still_ms, 0);
	/* One that counts down has beaten, too: the record may be scribbled */
	KUNIT_EXPECT_TRUE(test, mint_heart_poll(&heart, 3, now, PERIOD_MS));
}

/* The machine stands still for a minute: that is no minute without a beat */
static void machine_stalls(struct kunit *test)
{
	unsigned long now = INITIAL_JIFFIES;
	struct mint_heart heart;

	mint_heart_reset(&heart, 7, now);
	now += 60 * HZ;
	KUNIT_EXPECT_FALSE(test, mint_heart_poll(&heart, 7, now, PERIOD_MS));
	KUNIT_EXPECT_EQ(test, heart.still_ms, 2 * PERIOD_MS);
	KUNIT_EXPECT_FALSE(test, mint_heart_poll(&heart, 7, now, PERIOD_MS));
	KUNIT_EXPECT_EQ(test, heart.still_ms, 2 * PERIOD_MS);
}

static void many_looks(struct kunit *test)
{
	unsigned long now = INITIAL_JIFFIES;
	struct mint_heart heart;

	/* Looks at the same moment count for nothing, and none overflows */
	mint_heart_reset(&heart, 0, now);
	mint_heart_poll(&heart, 0, now, PERIOD_MS);
	KUNIT_EXPECT_EQ(test, heart.still_ms, 0);
	heart.still_ms = UINT_MAX - 1;
	mint_heart_poll(&heart, 0, now + 10 * HZ, PERIOD_MS);
	KUNIT_EXPECT_EQ(test, heart.still_ms, UINT_MAX - 1);
}

static void panicked(struct kunit *test)
{
	struct mint_node *record = kunit_kzalloc(test, sizeof(*record), GFP_KERNEL);
	u32 returns_ms = 1;

	KUNIT_ASSERT_NOT_NULL(test, record);
	record->state = MINT_STATE_RUNNING;
	KUNIT_EXPECT_FALSE(test, mint_panicked(record, &returns_ms));
	record->state = MINT_STATE_PANICKED;
	KUNIT_EXPECT_TRUE(test, mint_panicked(record, &returns_ms));
	KUNIT_EXPECT_EQ(test, returns_ms, 0);
	record->returns_ms = 5000;
	KUNIT_EXPECT_TRUE(test, mint_panicked(record, &returns_ms));
	KUNIT_EXPECT_EQ(test, returns_ms, 5000);
}

static void linger(void)
{
	u32 i;

	for (i = get_random_u32_below(64); i; i--)
		cpu_relax();
}

/* A node that panics and starts again, with the stores of end.c and restart.c */
static int panics_and_returns(void *record)
{
	struct mint_node *node = record;

	while (!kthread_should_stop()) {
		WRITE_ONCE(node->returns_ms, 5000);
		/* As in mint_report_state() */
		smp_store_release(&node->state, MINT_STATE_PANICKED);
		linger();
		WRITE_ONCE(node->state, MINT_STATE_STARTING);
		/* As in mint_restart() */
		smp_mb();
		linger();
		WRITE_ONCE(node->returns_ms, 0);
		WRITE_ONCE(node->boots, node->boots + 1);
		linger();
		cond_resched();
	}
	return 0;
}

/* A node that reboots, with the stores of role.c and restart.c. Times are its boots */
static int reboots(void *record)
{
	struct mint_node *node = record;

	while (!kthread_should_stop()) {
		WRITE_ONCE(node->since_ns, node->boots);
		/* As in mint_report_state() */
		smp_store_release(&node->state, MINT_STATE_RUNNING);
		linger();
		WRITE_ONCE(node->state, MINT_STATE_STARTING);
		/* As in mint_restart() */
		smp_mb();
		WRITE_ONCE(node->boots, node->boots + 1);
		linger();
		WRITE_ONCE(node->since_ns, U64_MAX);
		/* As in mint_report_state() */
		smp_store_release(&node->state, MINT_STATE_STARTING);
		linger();
		cond_resched();
	}
	return 0;
}

/* 1: it has panicked; -1: the same, but for good */
static int look_for_panic(const struct mint_node *record)
{
	u32 returns_ms;

	if (!mint_panicked(record, &returns_ms))
		return 0;
	return returns_ms ? 1 : -1;
}

/* 1: it is up; -1: the same, but by the word of another kernel of the node */
static int look_for_report(const struct mint_node *record)
{
	char reason[MINT_REASON_LEN];
	u32 boots = READ_ONCE(record->boots);
	u64 since_ns;

	/* As in watch_node(): the boots, then the state */
	virt_rmb();
	if (!mint_reported_up(record, boots, &since_ns, reason))
		return 0;
	return since_ns == boots ? 1 : -1;
}

/*
 * The node may stand still meanwhile: so many looks and so many boots. Where all is
 * slow, it is as many as there is time for.
 */
static void race(struct kunit *test, int (*node)(void *record),
		 int (*look)(const struct mint_node *record))
{
	struct mint_node *record = kunit_kzalloc(test, sizeof(*record), GFP_KERNEL);
	unsigned long end = jiffies + 20 * HZ;
	unsigned int seen = 0, wrong = 0;
	struct task_struct *task;
	int found;

	KUNIT_ASSERT_NOT_NULL(test, record);
	if (num_online_cpus() < 2)
		kunit_skip(test, "nothing races on one core");
	/* This thread and the other one have to stay on two cores */
	migrate_disable();
	task = kthread_create(node, record, "mint-kunit");
	if (!IS_ERR(task)) {
		kthread_bind(task, cpumask_any_but(cpu_online_mask,
						   smp_processor_id()));
		wake_up_process(task);
		while ((seen < 50000 || READ_ONCE(record->boots) < 1000) &&
		       time_before(jiffies, end)) {
			found = look(record);
			seen += !!found;
			wrong += found < 0;
			cond_resched();
		}
		kthread_stop(task);
	}
	migrate_enable();
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kunit_info(test, "%u looks, %u boots", seen, record->boots);
	KUNIT_EXPECT_GT(test, seen, 0);
	KUNIT_EXPECT_GT(test, record->boots, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* It is never taken for one that has panicked for good */
static void panic_races_with_look(struct kunit *test)
{
	race(test, panics_and_returns, look_for_panic);
}

static void reboot_races_with_look(struct kunit *test)
{
	race(test, reboots, look_for_report);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(transitions),
	KUNIT_CASE(names),
	KUNIT_CASE(alive),
	KUNIT_CASE(heart_stops),
	KUNIT_CASE(machine_stalls),
	KUNIT_CASE(many_looks),
	KUNIT_CASE(panicked),
	KUNIT_CASE(panic_races_with_look),
	KUNIT_CASE(reboot_races_with_look),
	{}
};

static struct kunit_suite suite = {
	.name		= "mint_states",
	.test_cases	= cases,
};

kunit_test_suite(suite);
