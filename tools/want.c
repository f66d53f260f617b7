// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: want, give: what this node would like to have, or could do without.
 *
 * The kernel passes the text on to all nodes and does not read it; who shares
 * out cores and memory does.
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "policy.h"
#include "sysfs.h"
#include "verbs.h"

#define AGAIN		" again"

static int show_wants(const struct ctl *ctl, const struct mint *mint)
{
	static const struct column columns[] = {
		{ "NODE", true }, { "NAME" }, { "WANT" },
	};
	struct table table = {
		.name		= "wants",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	size_t i;

	for (i = 0; i < mint->nr_nodes; i++) {
		const struct node *node = &mint->nodes[i];
		char *want = ctl_read(ctl, MINT_DIR "/nodes/%u/want", node->n);

		if (want)
			printable(want);
		table_cell(&table, xasprintf("%u", node->n));
		table_cell(&table, node->name);
		table_cell(&table, want && *want ? want : NULL);
	}
	return table_print(ctl, &table);
}

/* "<number>s" as mintd takes it, which ignores what is longer than a day */
static bool good_hold(const char *value)
{
	size_t len = strspn(value, "0123456789");
	char *number = xasprintf("%.*s", (int)len, value);
	u64 n;
	bool good = !strcmp(value + len, "s") && parse_number(number, 86400, &n) && n;

	free(number);
	return good;
}

/*
 * How a word is written, with the sign of the verb where a quantity is meant;
 * NULL: it is no such word, or one that mintd would ignore. Numbers are decimal there.
 */
static char *wish_word(const char *word, char sign)
{
	const char *value;
	u64 n;

	value = value_of(word, "cores");
	if (value) {
		value += *value == sign;
		return parse_number(value, POLICY_CORES, &n) && n ?
		       xasprintf("cores=%c%u", sign, (u32)n) : NULL;
	}
	value = value_of(word, "memory");
	if (value) {
		value += *value == sign;
		return parse_size(value, &n) && n >> 20 && n >> 20 <= INT32_MAX ?
		       xasprintf("memory=%c%s", sign, value) : NULL;
	}
	value = value_of(word, "prio");
	if (value)
		return parse_number(value, 99, &n) ? xasprintf("prio=%u", (u32)n) : NULL;
	value = value_of(word, "urgency");
	if (value)
		return !strcmp(value, "low") || !strcmp(value, "high") ?
		       xstrdup(word) : NULL;
	value = value_of(word, "hold");
	return value && good_hold(value) ? xstrdup(word) : NULL;
}

/* Is this what stands there, but for the cores that mint-agent names? */
static bool stands(const struct ctl *ctl, const char *text)
{
	char *want = ctl_read(ctl, MINT_DIR "/want"), *old = NULL;
	bool same;

	if (want)
		old = wish_without_victims(want);
	same = old && !strcmp(old, text);
	free(old);
	free(want);
	return same;
}

static int write_want(const struct ctl *ctl, const char *verb, const char *text)
{
	char *path = ctl_path(ctl, MINT_DIR "/want"), *line;
	int err;

	/* Only another text is a new wish; mintd ignores that word */
	if (*text && strlen(text) + strlen(AGAIN) <= WANT_MAX && stands(ctl, text))
		text = xasprintf("%s" AGAIN, text);

	if (ctl->dry_run) {
		printf("echo %s >%s\n", text, path);
		return ST_OK;
	}
	/* A write of nothing would be no write */
	line = xasprintf("%s\n", text);
	err = write_word(path, line);
	free(line);
	free(path);
	switch (err) {
	case 0:
		return ST_OK;
	case ENOENT:
		return fail(ST_ABSENT,
			    "this kernel passes no wishes on: there is no " MINT_DIR "/want");
	case EOPNOTSUPP:
		return fail(ST_ABSENT,
			    "node 0 has a kernel of before version 1.6, which passes no wishes on");
	}
	return fail(ST_REFUSED, "%s %s: %s", verb, text, error_text(err));
}

static int change_want(const struct ctl *ctl, int argc, char **argv, char sign)
{
	const char *verb = argv[0];
	char *text = xstrdup(""), *word, *next;
	struct mint mint;
	int i, status;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage(verb, NULL);
	for (i = optind; i < argc; i++) {
		/* Alone it is the end of all wishes */
		if (!strcmp(argv[i], "nothing") && argc == optind + 1)
			break;
		word = wish_word(argv[i], sign);
		if (!word)
			return usage(verb,
				     "'%s' is not cores=N, memory=SIZE, prio=N, urgency=low, urgency=high or hold=SECONDSs",
				     argv[i]);
		next = xasprintf("%s%s%s", text, *text ? " " : "", word);
		free(text);
		free(word);
		text = next;
	}
	if (strlen(text) > WANT_MAX)
		return usage(verb, "that is longer than %d characters", WANT_MAX);
	if (sign == '-' && !*text)
		return usage(verb, "what is there to give?");
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	return optind == argc ? show_wants(ctl, &mint) : write_want(ctl, verb, text);
}

int do_want(const struct ctl *ctl, int argc, char **argv)
{
	return change_want(ctl, argc, argv, '+');
}

int do_give(const struct ctl *ctl, int argc, char **argv)
{
	return change_want(ctl, argc, argv, '-');
}
