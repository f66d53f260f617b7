// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: move.
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "sysfs.h"
#include "verbs.h"

/* What can be moved, and how it is named */
static const struct {
	const char	*kind, *form;
} kinds[] = {
	{ "core", "core <APIC ID>[-<APIC ID>] <node>" },
	{ "thread", "thread <APIC ID> <node>" },
	{ "memory", "memory <size>[@<start>|:<node>] <node>" },
	{ "pci", "pci [<segment>:]<bus>:<device>.<function> <node>" },
};

static bool good_what(const char *kind, const char *what)
{
	unsigned int a = 0, b = 0, c, d;
	u64 size, start;
	char *giver, *number;
	int end = 0;

	giver = strchr(what, ':');
	if (!strcmp(kind, "memory") && giver) {
		number = xasprintf("%.*s", (int)(giver - what), what);
		return parse_size(number, &size) && size && giver[1];
	}
	if (!strcmp(kind, "memory"))
		return parse_memory(what, &size, &start);
	if (!strcmp(kind, "pci"))
		return !strchr(what, 'x') &&
		       ((sscanf(what, "%x:%x:%x.%x%n", &a, &b, &c, &d, &end) == 4 &&
			 !what[end]) ||
			(sscanf(what, "%x:%x.%x%n", &b, &c, &d, &end) == 3 && !what[end]));
	if (!strcmp(kind, "thread"))
		return parse_number(what, UINT32_MAX, &size);
	return sscanf(what, "%u%n-%u%n", &a, &end, &b, &end) >= 1 && !what[end];
}

/* The number of the last line of "moves"; 0: there is none */
static u32 last_move(const struct ctl *ctl)
{
	char *text = ctl_read(ctl, MINT_DIR "/moves"), *line;
	u32 number = 0;

	line = text ? strrchr(text, '\n') : NULL;
	if (text)
		number = strtoul(line ? line + 1 : text, NULL, 10);
	free(text);
	return number;
}

/*
 * The line of "moves" that tells of these words, which has the kernel's own reason; NULL
 * without. Others move things, too: their lines say nothing about this move, nor does one
 * that stood there @before.
 */
static char *line_of(const struct ctl *ctl, const char *words, u32 before)
{
	char *rest = ctl_read(ctl, MINT_DIR "/moves"), *line, *what, *found = NULL;
	const char *to = strrchr(words, ' ');
	char *wanted = xasprintf("%.*s ", (int)(to - words), words);
	char *arrow = xasprintf(" >%s ", to);

	while (rest && (line = strsep(&rest, "\n"))) {
		if (strtoul(line, &what, 10) == before)
			found = NULL;
		else if (*what == ' ' && !strncmp(what + 1, wanted, strlen(wanted)) &&
			 strstr(what, arrow))
			found = line;
	}
	free(wanted);
	free(arrow);
	return found;
}

/* What a line of "moves" has, as docs/moving.md calls it */
enum { NUMBER, WHAT, WHICH, FROM, TO, STATE, MS, GIVE, CLEAR, TAKE, REASON, CELLS };

static const struct column columns[CELLS] = {
	[NUMBER] = { "MOVE", true }, [WHAT] = { "WHAT" }, [WHICH] = { "WHICH" },
	[FROM] = { "FROM" }, [TO] = { "TO" }, [STATE] = { "STATE" }, [MS] = { "MS", true },
	[GIVE] = { "GIVE", true }, [CLEAR] = { "CLEAR", true }, [TAKE] = { "TAKE", true },
	[REASON] = { "REASON" },
};

static void add_row(struct table *table, const char * const cells[CELLS])
{
	size_t i;

	for (i = 0; i < CELLS; i++)
		table_cell(table, cells[i] && *cells[i] ? xstrdup(cells[i]) : NULL);
}

/*
 * "<number> <what> <which> <from> > <to> <state> <ms>", behind which stands either what
 * the steps took or a reason. Lines of other forms are passed over.
 */
static void add_move(struct table *table, const char *line)
{
	char number[16], what[16], which[64], from[16], to[16], state[16], ms[32];
	char give[32] = "", clear[32] = "", take[32] = "", *reason = NULL;
	const char *cells[CELLS] = {
		number, what, which, from, to, state, ms, give, clear, take,
	};
	int end = 0;

	if (sscanf(line, "%15[0-9] %15s %63s %15s > %15s %15s %31[0-9.]%n", number, what,
		   which, from, to, state, ms, &end) != 7)
		return;
	line += end;
	if (*line && sscanf(line, " give %31[0-9.] clear %31[0-9.] take %31[0-9.]", give, clear,
			    take) != 3) {
		*give = 0;
		*clear = 0;
		reason = xstrdup(line + 1);
		printable(reason);
		cells[REASON] = reason;
	}
	add_row(table, cells);
	free(reason);
}

/* As the kernel has them, or as JSON; changes @text */
static int print_moves(const struct ctl *ctl, char *text)
{
	struct table table = {
		.name		= "moves",
		.columns	= columns,
		.nr_columns	= CELLS,
	};
	char *line;

	if (!ctl->json) {
		if (*text)
			puts(text);
		return ST_OK;
	}
	while ((line = strsep(&text, "\n")))
		add_move(&table, line);
	return table_print(ctl, &table);
}

/* What was moved. A successor, whose kernel has no list, knows no more than what it asked for */
static int print_moved(const struct ctl *ctl, const char *words, const char *line)
{
	struct table table = {
		.name		= "moved",
		.columns	= columns,
		.nr_columns	= CELLS,
	};
	const char *cells[CELLS] = { [STATE] = "taken" };
	char *copy = xstrdup(words);

	if (!ctl->json) {
		if (line)
			puts(line);
		return ST_OK;
	}
	cells[WHAT] = strsep(&copy, " ");
	cells[WHICH] = strsep(&copy, " ");
	cells[TO] = copy;
	if (line)
		add_move(&table, line);
	else
		add_row(&table, cells);
	return table_print(ctl, &table);
}

static int show_moves(const struct ctl *ctl)
{
	char *text = ctl_read(ctl, MINT_DIR "/moves");

	if (!text && ctl_there(ctl, MINT_DIR "/move"))
		return fail(ST_ABSENT, "node 0 has the list of moves, this is a successor");
	if (!text)
		return fail(ST_ABSENT,
			    "this kernel moves nothing between nodes: there is no " MINT_DIR "/moves");
	return print_moves(ctl, text);
}

static int refused(const struct ctl *ctl, const char *words, u32 before, int err)
{
	char *line = line_of(ctl, words, before);

	if (err == ENOENT)
		return fail(ST_ABSENT,
			    "this kernel moves nothing between nodes: there is no " MINT_DIR "/move");
	if (line)
		return fail(err == ETIMEDOUT ? ST_TIMEOUT : ST_REFUSED, "move %s: %s: %s",
			    words, strerror(err), line);
	return fail(err == ETIMEDOUT ? ST_TIMEOUT : ST_REFUSED, "move %s: %s", words,
		    error_text(err));
}

int do_move(const struct ctl *ctl, int argc, char **argv)
{
	char *words, *path, *to, *colon;
	struct node *node;
	struct mint mint;
	int status, err;
	u32 before;
	size_t i;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage("move", NULL);
	argv += optind;
	argc -= optind;
	if (argc && argc != 3)
		return usage("move", "what, which and where to are wanted");
	for (i = 0; argc && i < ARRAY_SIZE(kinds) && strcmp(kinds[i].kind, argv[0]); i++)
		;
	if (argc && i == ARRAY_SIZE(kinds))
		return usage("move", "'%s' cannot be moved: core, thread, memory or pci", argv[0]);
	if (argc && !good_what(argv[0], argv[1]))
		return usage("move", "'%s' is not as in '%s'", argv[1], kinds[i].form);

	status = mint_read(ctl, &mint);
	if (status)
		return status;
	if (!argc)
		return show_moves(ctl);
	if (strcmp(argv[2], "free")) {
		node = mint_find(&mint, argv[2]);
		if (!node)
			return mint_absent(&mint, argv[2]);
		to = xasprintf("%u", node->n);
	} else {
		to = xstrdup("free");
	}
	/* Memory that was added to a node, by its name */
	colon = strcmp(argv[0], "memory") ? NULL : strchr(argv[1], ':');
	if (colon) {
		node = mint_find(&mint, colon + 1);
		if (!node)
			return mint_absent(&mint, colon + 1);
		argv[1] = xasprintf("%.*s:%u", (int)(colon - argv[1]), argv[1], node->n);
	}
	/* One core is all of its threads, a range is these alone */
	if (!strcmp(argv[0], "thread"))
		words = xasprintf("core %s-%s %s", argv[1], argv[1], to);
	else
		words = xasprintf("%s %s %s", argv[0], argv[1], to);
	path = ctl_path(ctl, MINT_DIR "/move");
	if (ctl->dry_run) {
		printf("echo %s >%s\n", words, path);
		return ST_OK;
	}
	before = last_move(ctl);
	err = write_word(path, words);
	if (err)
		return refused(ctl, words, before, err);
	return print_moved(ctl, words, line_of(ctl, words, before));
}
