// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the table of what nodes own, and of its lists (kinds.c); of what
 * the kinds share: which memory devices reach (memory.c), how a move is refused.
 */

#include <kunit/test.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../own/own.h"
#include "../kind/kind.h"
#include "../kind/request.h"

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

/* Who shares a file is printed node by node, or each one whole */
static void shared_files(struct kunit *test)
{
	const struct mint_kind *a, *b;
	u32 i, k;

	for (i = 0; (a = mint_kind(i)); i++)
		for (k = 0; k < i && (b = mint_kind(k)); k++)
			if (!strcmp(a->file, b->file))
				KUNIT_EXPECT_EQ(test, !a->show, !b->show);
}

static int index_of(const char *param)
{
	const struct mint_kind *kind;
	u32 i;

	for (i = 0; (kind = mint_kind(i)); i++)
		if (kind->param && !strcmp(kind->param, param))
			return i;
	return -1;
}

/* A share leaves room for the links of its launch: it has to know them */
static void links_before_shares(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, index_of("mint.links="), 0);
	KUNIT_EXPECT_GT(test, index_of("mint.share="), index_of("mint.links="));
}

/* A device that comes to a running node moves none of its others */
static void slots(struct kunit *test)
{
	struct mint_device list[4] = {
		{ .kind = MINT_DEV_PCI }, { .kind = MINT_DEV_BRIDGE },
		{ .kind = MINT_DEV_LEGACY }, { .kind = MINT_DEV_PCI },
	};

	KUNIT_EXPECT_EQ(test, mint_device_slot(list, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, mint_device_slot(list, 3, 4), 3);
	KUNIT_EXPECT_EQ(test, mint_device_slot(list, 4, 4), -ENOSPC);
	list[1].kind = 0;
	KUNIT_EXPECT_EQ(test, mint_device_slot(list, 4, 4), 1);
	list[0].kind = 0;
	KUNIT_EXPECT_EQ(test, mint_device_slot(list, 4, 4), 0);
}

/* Node 1 has the even numbers, nobody the odd ones */
static u32 even_owner(u32 index, u32 *id)
{
	*id = index;
	return index % 2 ? MINT_NODE_FREE : 1;
}

/* A list longer than a page is whole, or seq_file is told that it needs more room */
static void long_list(struct kunit *test)
{
	struct seq_file m = { .size = 4 * PAGE_SIZE };
	const u32 count = 4096;
	size_t want = strlen("node 1: ");
	char *at;
	u32 i;

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	mint_show_list(&m, even_owner, count, 1, "node 1: ");
	KUNIT_EXPECT_FALSE(test, seq_has_overflowed(&m));
	KUNIT_EXPECT_GT(test, m.count, PAGE_SIZE);
	for (i = 0; i < count; i += 2)
		want += snprintf(NULL, 0, "%u,", i);
	KUNIT_ASSERT_EQ(test, m.count, want);
	at = m.buf + want - strlen(",4094\n");
	KUNIT_EXPECT_STREQ(test, at, ",4094\n");
	at[0] = '\0';
	KUNIT_EXPECT_TRUE(test, strstarts(m.buf, "node 1: 0,2,4,"));

	m.size = PAGE_SIZE;
	m.count = 0;
	mint_show_list(&m, even_owner, count, 1, "node 1: ");
	KUNIT_EXPECT_TRUE(test, seq_has_overflowed(&m));

	m.count = 0;
	mint_show_list(&m, even_owner, count, 2, "node 2: ");
	KUNIT_EXPECT_EQ(test, m.count, 0);
}

/* A launch whose node may have devices that reach no more than 4 GiB */
static void unreached(struct kunit *test)
{
	static const struct {
		struct mint_range	boot[2], movable;
		bool			unreached, below;
	} cases[] = {
		{ { { SZ_256M, SZ_256M } }, { }, false, true },
		{ { { SZ_256M, SZ_256M } }, { SZ_1G, SZ_128M }, false, true },
		{ { { SZ_256M, SZ_256M } }, { SZ_4G, SZ_128M }, true, true },
		{ { { SZ_4G, SZ_256M } }, { }, true, false },
		{ { { SZ_4G, SZ_256M } }, { SZ_1G, SZ_128M }, true, true },
		{ { { SZ_4G, SZ_256M } }, { SZ_8G, SZ_128M }, true, false },
		{ { { SZ_256M, SZ_256M }, { SZ_4G, SZ_256M } }, { }, false, true },
		{ { { SZ_256M, SZ_256M }, { SZ_4G, SZ_256M } }, { SZ_8G, SZ_128M }, false, true },
	};
	struct mint_kexec *rq = kunit_kzalloc(test, sizeof(*rq), GFP_KERNEL);
	bool below;
	int i, k;

	KUNIT_ASSERT_NOT_NULL(test, rq);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		rq->node.nr_mem = 0;
		rq->nr_movable = 0;
		for (k = 0; k < ARRAY_SIZE(cases[i].boot) && cases[i].boot[k].size; k++)
			rq->node.mem[rq->node.nr_mem++] = cases[i].boot[k];
		/* All of it is the node's, as check() of memory.c has entered it */
		if (cases[i].movable.size) {
			rq->movable[rq->nr_movable++] = cases[i].movable;
			rq->node.mem[rq->node.nr_mem++] = cases[i].movable;
		}
		KUNIT_EXPECT_EQ_MSG(test, mint_request_unreached(rq, &below),
				    cases[i].unreached, "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, below, cases[i].below, "case %d", i);
	}
}

/* More of a reason goes behind it, as far as there is room */
static void more_reason(struct kunit *test)
{
	struct mint_transfer t = {};
	int i;

	KUNIT_EXPECT_EQ(test, mint_transfer_refuse(&t, -EBUSY, "core %u stays", 5), -EBUSY);
	mint_transfer_add(&t, "core 4 is gone");
	KUNIT_EXPECT_STREQ(test, t.reason, "core 5 stays; core 4 is gone");
	for (i = 0; i < MINT_MOVE_REASON; i++)
		mint_transfer_add(&t, "and more");
	KUNIT_EXPECT_EQ(test, strnlen(t.reason, MINT_MOVE_REASON), MINT_MOVE_REASON - 1);
	KUNIT_EXPECT_TRUE(test, strstarts(t.reason, "core 5 stays; core 4 is gone; and more; "));
}

static struct kunit_case kinds_cases[] = {
	KUNIT_CASE(whole),
	KUNIT_CASE(shared_files),
	KUNIT_CASE(links_before_shares),
	KUNIT_CASE(slots),
	KUNIT_CASE(long_list),
	KUNIT_CASE(unreached),
	KUNIT_CASE(more_reason),
	{}
};

static struct kunit_suite kinds_suite = {
	.name		= "mint_kinds",
	.test_cases	= kinds_cases,
};

kunit_test_suite(kinds_suite);
