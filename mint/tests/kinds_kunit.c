// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the table of what nodes own (kinds.c).
 */

#include <kunit/test.h>
#include <linux/string.h>

#include "../kind/kind.h"

/* What the walks call without a look is there */
static void whole(struct kunit *test)
{
	const struct mint_kind *kind;
	u32 i;

	for (i = 0; (kind = mint_kind(i)); i++) {
		KUNIT_EXPECT_NOT_NULL(test, kind->file);
		KUNIT_EXPECT_EQ(test, !kind->param, !kind->parse);
		KUNIT_EXPECT_EQ(test, !kind->param, !kind->syntax);
		KUNIT_EXPECT_EQ(test, !kind->node_file, !kind->show_node);
		KUNIT_EXPECT_TRUE(test, kind->show || kind->show_node);
		/* What is claimed or lent comes back */
		if (kind->claim || kind->lend)
			KUNIT_EXPECT_TRUE(test, kind->take_back || kind->set_free);
	}
	KUNIT_EXPECT_GT(test, i, 0);
	KUNIT_EXPECT_LE(test, i, MINT_KINDS_MAX);
}

/* Who shares a file is printed node by node, or stands there alone */
static void shared_files(struct kunit *test)
{
	const struct mint_kind *a, *b;
	u32 i, k;

	for (i = 0; (a = mint_kind(i)); i++)
		for (k = 0; k < i && (b = mint_kind(k)); k++)
			if (!strcmp(a->file, b->file))
				KUNIT_EXPECT_TRUE(test, !a->show && !b->show);
}

static struct kunit_case kinds_cases[] = {
	KUNIT_CASE(whole),
	KUNIT_CASE(shared_files),
	{}
};

static struct kunit_suite kinds_suite = {
	.name		= "mint_kinds",
	.test_cases	= kinds_cases,
};

kunit_test_suite(kinds_suite);
