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

/**
 * struct load - nodes/<n>/load
 * @n:		number of the node
 * @at:		when it was read, seconds
 * Counters wrap at 32 bits; docs/sysfs.md has the rest.
 */
struct load {
	u32	n;
	double	at;
	u32	beats, runnable_sum, busy_ms, cpus, mem_mib, available_mib;
	bool	stalls;		/* its kernel counts what follows */
	u32	cpu_ms, memory_ms, io_ms;
};

/* All nodes at one moment */
struct look {
	struct mint	mint;
	struct load	*loads;
	size_t		nr;
};

static double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* False: the node says nothing */
static bool read_load(const struct ctl *ctl, u32 n, struct load *load)
{
	char *text = ctl_read(ctl, MINT_DIR "/nodes/%u/load", n);
	int words = 0;

	load->n = n;
	load->at = uptime();
	if (text)
		words = sscanf(text,
			       "beats=%u runnable_sum=%u busy_ms=%u cpus=%u mem_mib=%u available_mib=%u cpu_stall_ms=%u memory_stall_ms=%u io_stall_ms=%u",
			       &load->beats, &load->runnable_sum, &load->busy_ms,
			       &load->cpus, &load->mem_mib, &load->available_mib,
			       &load->cpu_ms, &load->memory_ms, &load->io_ms);
	load->stalls = words == 9;
	free(text);
	return words >= 6;
}

static int take_look(const struct ctl *ctl, struct look *look)
{
	int status = mint_read(ctl, &look->mint);
	struct load load;
	size_t i;

	look->loads = NULL;
	look->nr = 0;
	if (status)
		return status;
	for (i = 0; i < look->mint.nr_nodes; i++) {
		if (!read_load(ctl, look->mint.nodes[i].n, &load))
			continue;
		look->loads = xgrow(look->loads, look->nr, sizeof(load));
		look->loads[look->nr++] = load;
	}
	return ST_OK;
}

static const struct load *load_of(const struct look *look, u32 n)
{
	size_t i;

	for (i = 0; i < look->nr; i++)
		if (look->loads[i].n == n)
			return &look->loads[i];
	return NULL;
}

/* Tasks that ran or waited, in the mean; NULL: no beat in between */
static char *runnable_text(const struct load *old, const struct load *new)
{
	u32 beats = new->beats - old->beats;
	u32 sum = new->runnable_sum - old->runnable_sum;

	return beats ? xasprintf("%.1f", (double)sum / beats) : NULL;
}

/* So many of its CPUs were busy, in the mean */
static char *busy_text(const struct load *old, const struct load *new)
{
	double ms = (new->at - old->at) * 1000, busy;

	if (new->beats == old->beats || ms <= 0)
		return NULL;
	busy = (u32)(new->busy_ms - old->busy_ms) / ms;
	/* Two clocks do not quite agree */
	return xasprintf("%.2f", busy < new->cpus ? busy : new->cpus);
}

/* Hundredths of the time for which a task waited */
static u32 percent(u32 old, u32 new, double ms)
{
	double part = 100 * (double)(u32)(new - old) / ms;

	return part < 100 ? part : 100;
}

/* For a CPU, for memory, for a device: one cell for people, three for programs */
static void stall_cells(struct table *table, const struct ctl *ctl,
			const struct load *old, const struct load *new)
{
	double ms = old && new ? (new->at - old->at) * 1000 : 0;
	char *cells[3] = {}, *all = NULL;
	size_t i;

	if (ms > 0 && old->stalls && new->stalls) {
		cells[0] = xasprintf("%u", percent(old->cpu_ms, new->cpu_ms, ms));
		cells[1] = xasprintf("%u", percent(old->memory_ms, new->memory_ms, ms));
		cells[2] = xasprintf("%u", percent(old->io_ms, new->io_ms, ms));
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
		const struct load *now = load_of(new, node->n);
		const struct load *then = load_of(old, node->n);
		char *want = ctl_read(ctl, MINT_DIR "/nodes/%u/want", node->n);

		if (want)
			printable(want);
		table_cell(&table, xasprintf("%u", node->n));
		table_cell(&table, xstrdup(*node->name || ctl->json ? node->name : "-"));
		table_cell(&table, xstrdup(node->state));
		table_cell(&table, now ? xasprintf("%u", now->cpus) : NULL);
		table_cell(&table, now && then ? runnable_text(then, now) : NULL);
		table_cell(&table, now && then ? busy_text(then, now) : NULL);
		stall_cells(&table, ctl, then, now);
		table_cell(&table, now ? mib_text(ctl, now->mem_mib) : NULL);
		table_cell(&table, now ? mib_text(ctl, now->available_mib) : NULL);
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
	free(look->loads);
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
