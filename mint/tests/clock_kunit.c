// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of what is handed over of the clock (core/clock.c).
 */

#include <kunit/test.h>

#include "../area/area.h"
#include "../core/core.h"

static void tsc_adjust(struct kunit *test)
{
	const s64 node0 = 0, first = -70;

	/* In node 0's package its value counts */
	KUNIT_EXPECT_EQ(test, mint_tsc_adjust_want(-5, &node0, NULL), 0);
	KUNIT_EXPECT_EQ(test, mint_tsc_adjust_want(-5, &node0, &first), 0);
	/* Elsewhere the first core's, which stays as it is */
	KUNIT_EXPECT_EQ(test, mint_tsc_adjust_want(-70, NULL, NULL), -70);
	KUNIT_EXPECT_EQ(test, mint_tsc_adjust_want(0, NULL, &first), -70);
}

static struct kunit_case clock_cases[] = {
	KUNIT_CASE(tsc_adjust),
	{}
};

static struct kunit_suite clock_suite = {
	.name		= "mint_clock",
	.test_cases	= clock_cases,
};

kunit_test_suite(clock_suite);
