// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: timeline: who owned which core, from move to move.
 *
 * Made from the moves that the kernel remembers and the present owners. Launches
 * and ends are no moves: a core that changes hands by one is seen with its new
 * owner from its next move on.
 */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "sysfs.h"
#include "verbs.h"

#define CELL_W	48
#define CELL_H	22
#define LEFT	56
#define TOP	30

/* A move of cores that was done */
struct step {
	u32	seq;
	u32	first, last;	/* APIC IDs */
	int	from, to;	/* nodes, or OWNER_FREE */
};

struct steps {
	struct step	*step;
	size_t		nr;
};

/* "free" or a number; false: neither */
static bool parse_owner(const char *text, int *owner)
{
	u64 n;

	*owner = OWNER_FREE;
	if (!strcmp(text, "free"))
		return true;
	if (!parse_number(text, INT32_MAX, &n))
		return false;
	*owner = n;
	return true;
}

/* "<seq> core <first>[-<last>] <from> > <to> taken .." */
static bool parse_step(const char *line, struct step *step)
{
	char ids[32], from[16], to[16], state[16];
	int end = 0;

	if (sscanf(line, "%u core %31s %15s > %15s %15s", &step->seq, ids, from, to,
		   state) != 5 || strcmp(state, "taken") ||
	    !parse_owner(from, &step->from) || !parse_owner(to, &step->to))
		return false;
	if (sscanf(ids, "%u%n-%u%n", &step->first, &end, &step->last, &end) < 1 || ids[end])
		return false;
	if (!strchr(ids, '-'))
		step->last = step->first;
	return step->last >= step->first;
}

static void parse_steps(char *text, struct steps *steps)
{
	char *line, *rest = text;
	struct step step;

	while ((line = strsep(&rest, "\n"))) {
		if (!parse_step(line, &step))
			continue;
		steps->step = xgrow(steps->step, steps->nr, sizeof(step));
		steps->step[steps->nr++] = step;
	}
}

static bool moves(const struct step *step, u32 id)
{
	return step->first <= id && id <= step->last;
}

/* Whose a core was after the first @done moves */
static int owner_after(const struct steps *steps, const struct core *core, size_t done)
{
	size_t i;

	for (i = done; i; i--)
		if (moves(&steps->step[i - 1], core->apic_id))
			return steps->step[i - 1].to;
	for (i = done; i < steps->nr; i++)
		if (moves(&steps->step[i], core->apic_id))
			return steps->step[i].from;
	return core->owner;
}

static char *owner_word(int owner)
{
	if (owner == OWNER_FREE || owner == OWNER_IN_FLIGHT)
		return xstrdup(owner == OWNER_FREE ? "free" : "in flight");
	return xasprintf("%d", owner);
}

/* A row for each core and move after which it had another owner than before */
static int print_text(const struct ctl *ctl, const struct mint *mint,
		      const struct steps *steps)
{
	static const struct column columns[] = {
		{ "APIC_ID", true }, { "MOVE", true }, { "OWNER" },
	};
	struct table table = {
		.name		= "timeline",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	size_t i, done;

	for (i = 0; i < mint->nr_cores; i++) {
		const struct core *core = &mint->cores[i];
		int owner, last = owner_after(steps, core, 0);

		table_cell(&table, xasprintf("%u", core->apic_id));
		table_cell(&table, NULL);
		table_cell(&table, owner_word(last));
		for (done = 1; done <= steps->nr; done++) {
			owner = owner_after(steps, core, done);
			if (owner == last)
				continue;
			last = owner;
			table_cell(&table, xasprintf("%u", core->apic_id));
			table_cell(&table, xasprintf("%u", steps->step[done - 1].seq));
			table_cell(&table, owner_word(owner));
		}
	}
	return table_print(ctl, &table);
}

/* Free is white, node 0 grey, and the others go round */
static const char *colour(int owner)
{
	static const char * const colours[] = {
		"#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#edc948",
	};

	if (owner < 0)
		return "#ffffff";
	return owner ? colours[(owner - 1) % ARRAY_SIZE(colours)] : "#bab0ac";
}

static void print_cell(size_t column, size_t row, int owner)
{
	size_t x = LEFT + column * CELL_W, y = TOP + row * CELL_H;
	char *word = owner_word(owner);

	printf("<rect x=\"%zu\" y=\"%zu\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#888\"/>\n",
	       x, y, CELL_W, CELL_H, colour(owner));
	printf("<text x=\"%zu\" y=\"%zu\" text-anchor=\"middle\">%s</text>\n",
	       x + CELL_W / 2, y + CELL_H - 7, word);
	free(word);
}

/* Cores by rows, moves by columns */
static int print_svg(const struct mint *mint, const struct steps *steps)
{
	size_t width = LEFT + (steps->nr + 1) * CELL_W + 8;
	size_t height = TOP + mint->nr_cores * CELL_H + 8, i, done;

	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" font-family=\"sans-serif\" font-size=\"12\">\n",
	       width, height);
	printf("<title>Owners of cores, from move to move</title>\n");
	for (done = 0; done <= steps->nr; done++) {
		printf("<text x=\"%zu\" y=\"%d\" text-anchor=\"middle\">",
		       LEFT + done * CELL_W + CELL_W / 2, TOP - 10);
		if (done)
			printf("move %u</text>\n", steps->step[done - 1].seq);
		else
			printf("before</text>\n");
	}
	for (i = 0; i < mint->nr_cores; i++) {
		const struct core *core = &mint->cores[i];

		printf("<text x=\"4\" y=\"%zu\">core %u</text>\n",
		       TOP + i * CELL_H + CELL_H - 7, core->apic_id);
		for (done = 0; done <= steps->nr; done++)
			print_cell(done, i, owner_after(steps, core, done));
	}
	printf("</svg>\n");
	return fflush(stdout) ? fail(ST_REFUSED, "the picture could not be written") : ST_OK;
}

int do_timeline(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "svg", no_argument, NULL, 's' },
		{}
	};
	struct steps steps = {};
	bool svg = false;
	struct mint mint;
	int c, status;
	char *text;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 's')
			return usage("timeline", NULL);
		svg = true;
	}
	if (optind < argc)
		return usage("timeline", "'%s' is too much", argv[optind]);
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	text = ctl_read(ctl, MINT_DIR "/moves");
	if (!text)
		return fail(ST_ABSENT,
			    "there is no list of moves: node 0 has it, if its kernel moves anything");
	parse_steps(text, &steps);
	return svg ? print_svg(&mint, &steps) : print_text(ctl, &mint, &steps);
}
