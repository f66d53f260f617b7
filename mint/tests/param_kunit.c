// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the words of the command line (area/param.c).
 */

#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../area/area.h"

static struct mint_token token(const char *text)
{
	return (struct mint_token){ .text = text, .len = strlen(text) };
}

static void token_next(struct kunit *test)
{
	const char *list = "a,,b c";
	struct mint_token t;

	KUNIT_ASSERT_TRUE(test, mint_token_next(&list, &t));
	KUNIT_EXPECT_MEMEQ(test, t.text, "a", 1);
	KUNIT_EXPECT_EQ(test, t.len, 1);
	KUNIT_ASSERT_TRUE(test, mint_token_next(&list, &t));
	KUNIT_EXPECT_EQ(test, t.len, 0);
	KUNIT_ASSERT_TRUE(test, mint_token_next(&list, &t));
	KUNIT_EXPECT_MEMEQ(test, t.text, "b", 1);
	KUNIT_EXPECT_FALSE(test, mint_token_next(&list, &t));
}

static void token_range(struct kunit *test)
{
	static const char * const wrong[] = {
		"", "@", "64M", "64M@", "@64M", "64M@x", "0@0", "1@0", "4K@1",
		"64M@0x", "64M@0,", "64Q@0", "-1@0", "16E@4K",
		/* 64M, 0 and 1G more than 64 bits have room for */
		"17592186044480M@1G", "64M@17179869184G", "17179869185G@0",
		"18446744073709551617@0", "64MK@1G", "K@1G",
	};
	struct mint_range range;
	struct mint_token t;
	int i;

	t = token("64M@1G");
	KUNIT_ASSERT_EQ(test, mint_token_range(&t, &range), 0);
	KUNIT_EXPECT_EQ(test, range.start, SZ_1G);
	KUNIT_EXPECT_EQ(test, range.size, SZ_64M);
	t = token("2T@0xe0000m");
	KUNIT_ASSERT_EQ(test, mint_token_range(&t, &range), 0);
	KUNIT_EXPECT_EQ(test, range.start, 0xe0000ULL << 20);
	KUNIT_EXPECT_EQ(test, range.size, 1ULL << 41);
	t = token("0x1000@0x2000");
	KUNIT_ASSERT_EQ(test, mint_token_range(&t, &range), 0);
	KUNIT_EXPECT_EQ(test, range.start, 0x2000);

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		t = token(wrong[i]);
		KUNIT_EXPECT_NE_MSG(test, mint_token_range(&t, &range), 0,
				    "'%s' was taken", wrong[i]);
	}
	t = token("0x1000@0xfffffffffffff000");
	KUNIT_EXPECT_EQ(test, mint_token_range(&t, &range), -ERANGE);
}

static void token_cpus(struct kunit *test)
{
	static const char * const wrong[] = {
		"", "-", "1-", "-1", "2-1", "x", "1,2", "1-2-3", "4294967295",
	};
	struct mint_token t;
	u32 first, last;
	int i;

	t = token("256-261");
	KUNIT_ASSERT_EQ(test, mint_token_cpus(&t, &first, &last), 0);
	KUNIT_EXPECT_EQ(test, first, 256);
	KUNIT_EXPECT_EQ(test, last, 261);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		t = token(wrong[i]);
		KUNIT_EXPECT_NE_MSG(test, mint_token_cpus(&t, &first, &last), 0,
				    "'%s' was taken", wrong[i]);
	}
}

static void param_find(struct kunit *test)
{
	struct mint_token t;

	KUNIT_ASSERT_TRUE(test, mint_param_find("a=1 b=2 a=3", "a=", &t));
	KUNIT_EXPECT_EQ(test, t.len, 1);
	KUNIT_EXPECT_EQ(test, t.text[0], '3');
	KUNIT_EXPECT_FALSE(test, mint_param_find("xa=1 -- a=2", "a=", &t));
	KUNIT_EXPECT_FALSE(test, mint_param_find("b=\"x a=2\"", "a=", &t));
	KUNIT_EXPECT_FALSE(test, mint_param_find("", "a=", &t));
}

static void token_pci(struct kunit *test)
{
	static const char * const wrong[] = {
		"", "1", "00:20", "00:1f.8", "100:00.0", "00:00.0!!", "!", "00:00!.0",
	};
	struct mint_pci_match match;
	struct mint_token t;
	int i;

	t = token("fffe:ff:1f.7");
	KUNIT_ASSERT_EQ(test, mint_token_pci(&t, &match), 0);
	KUNIT_EXPECT_EQ(test, match.id, 0xfffeffff);
	KUNIT_EXPECT_EQ(test, match.mask, U32_MAX);
	KUNIT_EXPECT_FALSE(test, match.force);
	t = token("01:02.*!");
	KUNIT_ASSERT_EQ(test, mint_token_pci(&t, &match), 0);
	KUNIT_EXPECT_EQ(test, match.id, 0x110);
	KUNIT_EXPECT_EQ(test, match.mask, ~7U);
	KUNIT_EXPECT_TRUE(test, match.force);
	t = token("01:02.0/*!");
	KUNIT_ASSERT_EQ(test, mint_token_pci(&t, &match), 0);
	KUNIT_EXPECT_TRUE(test, match.below && match.force);
	/* VMD: such a domain must not become one of 16 bits */
	t = token("10000:e1:00.0");
	KUNIT_EXPECT_EQ(test, mint_token_pci(&t, &match), -ERANGE);
	t = token("ffff:00:00.0");
	KUNIT_EXPECT_EQ(test, mint_token_pci(&t, &match), -ERANGE);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		t = token(wrong[i]);
		KUNIT_EXPECT_EQ_MSG(test, mint_token_pci(&t, &match), -EINVAL,
				    "'%s' was taken", wrong[i]);
	}
}

static bool has_id(const struct mint_pci_match *match, void *id)
{
	return (*(u32 *)id & match->mask) == match->id;
}

/* What node 0 has of 01:00.0, 01:00.1 and 02:00.0, as bits */
static u32 allowed(struct kunit *test, const char *list)
{
	static u32 ids[] = { 0x100, 0x101, 0x200 };
	struct mint_pci_word words[4] = {};
	struct mint_token t;
	u32 count = 0, bits = 0, i;

	while (mint_token_next(&list, &t)) {
		words[count].minus = *t.text == '-';
		t.text += words[count].minus;
		t.len -= words[count].minus;
		KUNIT_ASSERT_EQ(test, mint_token_pci(&t, &words[count].match), 0);
		count++;
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		if (mint_pci_allowed(words, count, has_id, &ids[i]))
			bits |= BIT(i);
	return bits;
}

static void pci_allowed(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, allowed(test, ""), 7);
	KUNIT_EXPECT_EQ(test, allowed(test, "01:00.*"), 3);
	KUNIT_EXPECT_EQ(test, allowed(test, "-01:00.*"), 4);
	KUNIT_EXPECT_EQ(test, allowed(test, "01:00.*,-01:00.1"), 1);
	KUNIT_EXPECT_EQ(test, allowed(test, "-01:00.1,01:00.*"), 1);
	KUNIT_EXPECT_EQ(test, allowed(test, "01:00.*,-01:00.1,02:00.0"), 5);
	KUNIT_EXPECT_EQ(test, allowed(test, "01:00.1,-01:00.1"), 0);
}

/* What is beyond the bounds, or no number, changes nothing */
static void set_ms(struct kunit *test)
{
	static const char * const bad[] = {
		"", "0", "999", "3600001", "4294967295", "4294967296", "-1", "1000ms",
	};
	unsigned int value = 5000;
	struct mint_param_ms ms = { &value, 1000, 3600000 };
	const struct kernel_param kp = { .name = "mint.test_ms", .arg = &ms };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_LT(test, mint_param_ms_ops.set(bad[i], &kp), 0);
		KUNIT_EXPECT_EQ(test, value, 5000);
	}
	KUNIT_EXPECT_LT(test, mint_param_ms_ops.set(NULL, &kp), 0);
	KUNIT_EXPECT_EQ(test, mint_param_ms_ops.set("1000\n", &kp), 0);
	KUNIT_EXPECT_EQ(test, value, 1000);
	KUNIT_EXPECT_EQ(test, mint_param_ms_ops.set("3600000", &kp), 0);
	KUNIT_EXPECT_EQ(test, value, 3600000);
}

static struct kunit_case param_cases[] = {
	KUNIT_CASE(token_next),
	KUNIT_CASE(token_range),
	KUNIT_CASE(token_cpus),
	KUNIT_CASE(param_find),
	KUNIT_CASE(token_pci),
	KUNIT_CASE(pci_allowed),
	KUNIT_CASE(set_ms),
	{}
};

static struct kunit_suite param_suite = {
	.name		= "mint_param",
	.test_cases	= param_cases,
};

kunit_test_suite(param_suite);
