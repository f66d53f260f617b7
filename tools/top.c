// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: top: what the nodes have to do, again and again.
 *
 * Kernels count; what is shown are differences of two looks, so a node has
 * figures from the second one on.
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "out.h"
#include "sysfs.h"
#include "verbs.h"

/* What a node said, and when, seconds */
struct sample {
	u32		n;
	double		at;
	struct load	load;
};

/* All nodes at one moment */
struct look {
	struct mint	mint;
	struct sample	*samples;
	size_t		nr;
};

static int take_look(const struct ctl *ctl, struct look *look)
{
	int status = mint_read(ctl, &look->mint);
	struct sample sample;
	size_t i;

	look->samples = NULL;
	look->nr = 0;
	if (status)
		return status;
	for (i = 0; i < look->mint.nr_nodes; i++) {
		sample.n = look->mint.nodes[i].n;
		if (!load_read(ctl, sample.n, &sample.load))
			continue;
		sample.at = monotonic();
		look->samples = xgrow(look->samples, look->nr, sizeof(sample));
		look->samples[look->nr++] = sample;
	}
	return ST_OK;
}

static const struct sample *sample_of(const struct look *look, u32 n)
{
	size_t i;

	for (i = 0; i < look->nr; i++)
		if (look->samples[i].n == n)
			return &look->samples[i];
	return NULL;
}

/* Tasks that ran or waited, in the mean; NULL: no beat in between */
static char *runnable_text(const struct sample *old, const struct sample *new)
{
	u32 beats = new->load.beats - old->load.beats;
	u32 sum = new->load.runnable_sum - old->load.runnable_sum;

	return beats ? xasprintf("%.1f", (double)sum / beats) : NULL;
}

/* So many of its CPUs were busy, in the mean */
static char *busy_text(const struct sample *old, const struct sample *new)
{
	double ms = (new->at - old->at) * 1000, busy;

	if (new->load.beats == old->load.beats || ms <= 0)
		return NULL;
	busy = (u32)(new->load.busy_ms - old->load.busy_ms) / ms;
	/* Two clocks do not quite agree */
	return xasprintf("%.2f", busy < new->load.cpus ? busy : new->load.cpus);
}

/* Hundredths of the time for which a task waited */
static u32 percent(u32 old, u32 new, double ms)
{
	double part = 100 * (double)(u32)(new - old) / ms;

	return part < 100 ? part : 100;
}

/* For a CPU, for memory, for a device: one cell for people, three for programs */
static void stall_cells(struct table *table, const struct ctl *ctl,
			const struct sample *old, const struct sample *new)
{
	double ms = old && new ? (new->at - old->at) * 1000 : 0;
	char *cells[3] = {}, *all = NULL;
	size_t i;

	if (ms > 0 && old->load.stalls && new->load.stalls) {
		cells[0] = xasprintf("%u", percent(old->load.cpu_ms, new->load.cpu_ms, ms));
		cells[1] = xasprintf("%u", percent(old->load.memory_ms, new->load.memory_ms,
						   ms));
		cells[2] = xasprintf("%u", percent(old->load.io_ms, new->load.io_ms, ms));
	}
	if (ctl->json) {
		for (i = 0; i < ARRAY_SIZE(cells); i++)
			table_cell(table, cells[i]);
		return;
	}
	if (cells[0])
		all = xasprintf("%s/%s/%s", cells[0], cells[1], cells[2]);
	for (i = 0; i < ARRAY_SIZE(cells); i++)
		free(cells[i]);
	table_cell(table, all);
}

static char *mib_text(const struct ctl *ctl, u32 mib)
{
	u64 size = (u64)mib << 20;

	return ctl->json ? xasprintf("%llu", (unsigned long long)size) : format_size(size);
}

static int print_look(const struct ctl *ctl, const struct look *old,
		      const struct look *new)
{
	static const struct column people[] = {
		{ "NODE", true }, { "NAME" }, { "STATE" }, { "CPUS", true },
		{ "RUNNABLE", true }, { "BUSY", true }, { "STALL%" }, { "MEM" },
		{ "AVAILABLE" }, { "WANT" },
	};
	static const struct column json[] = {
		{ "NODE", true }, { "NAME" }, { "STATE" }, { "CPUS", true },
		{ "RUNNABLE", true }, { "BUSY", true }, { "CPU_STALL", true },
		{ "MEMORY_STALL", true }, { "IO_STALL", true }, { "MEM", true },
		{ "AVAILABLE", true }, { "WANT" },
	};
	struct table table = {
		.name		= "top",
		.columns	= ctl->json ? json : people,
		.nr_columns	= ctl->json ? ARRAY_SIZE(json) : ARRAY_SIZE(people),
	};
	int status;
	size_t i;

	for (i = 0; i < new->mint.nr_nodes; i++) {
		const struct node *node = &new->mint.nodes[i];
		const struct sample *now = sample_of(new, node->n);
		const struct sample *then = sample_of(old, node->n);
		char *want = ctl_read(ctl, MINT_DIR "/nodes/%u/want", node->n);

		if (want)
			printable(want);
		table_cell(&table, xasprintf("%u", node->n));
		table_cell(&table, xstrdup(*node->name || ctl->json ? node->name : "-"));
		table_cell(&table, xstrdup(node->state));
		table_cell(&table, now ? xasprintf("%u", now->load.cpus) : NULL);
		table_cell(&table, now && then ? runnable_text(then, now) : NULL);
		table_cell(&table, now && then ? busy_text(then, now) : NULL);
		stall_cells(&table, ctl, then, now);
		table_cell(&table, now ? mib_text(ctl, now->load.mem_mib) : NULL);
		table_cell(&table, now ? mib_text(ctl, now->load.available_mib) : NULL);
		table_cell(&table, want && *want ? want : NULL);
	}
	status = table_print(ctl, &table);
	for (i = 0; i < table.nr_cells; i++)
		free(table.cells[i]);
	free(table.cells);
	return status;
}

static void free_look(struct look *look)
{
	mint_free(&look->mint);
	free(look->samples);
}

static void wait_for(double seconds)
{
	struct timespec left = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static int watch(const struct ctl *ctl, double interval, bool once)
{
	bool clear = !once && !ctl->json && isatty(STDOUT_FILENO);
	struct look old, new;
	int status;

	status = take_look(ctl, &old);
	while (!status) {
		wait_for(interval);
		status = take_look(ctl, &new);
		if (status)
			break;
		if (clear)
			fputs("\033[H\033[2J", stdout);
		status = print_look(ctl, &old, &new);
		free_look(&old);
		old = new;
		if (once)
			break;
	}
	free_look(&old);
	return status;
}

int do_top(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "interval", required_argument, NULL, 'i' },
		{}
	};
	double interval = 1;
	bool once = false;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			once = true;
			break;
		case 'i':
			interval = strtod(optarg, &end);
			/* So that heartbeats are in between, and a time_t holds it */
			if (*end || end == optarg || !(interval >= 0.2 && interval <= 86400))
				return usage("top", "--interval=%s: what is allowed is seconds, 0.2 or more",
					     optarg);
			break;
		default:
			return usage("top", NULL);
		}
	}
	if (optind < argc)
		return usage("top", "'%s' is too much", argv[optind]);
	return watch(ctl, interval, once);
}
