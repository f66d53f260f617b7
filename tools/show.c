// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: list, show, links.
 */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out.h"
#include "sysfs.h"
#include "verbs.h"

static char *number(u64 n)
{
	return xasprintf("%llu", (unsigned long long)n);
}

/* "2", or "1/2" while not all of them are up */
static char *cores_text(const struct node *node)
{
	if (!node->cpus.nr)
		return NULL;
	if (node->cpus_up.nr == node->cpus.nr)
		return number(node->cpus.nr);
	return xasprintf("%zu/%zu", node->cpus_up.nr, node->cpus.nr);
}

static int list_nodes(const struct ctl *ctl, const struct mint *mint)
{
	static const struct column people[] = {
		{ "NODE", true }, { "NAME" }, { "STATE" }, { "CORES" }, { "MEM" },
		{ "BOOTS", true }, { "SINCE" }, { "REASON" },
	};
	/* Without units, and all of it */
	static const struct column json[] = {
		{ "NODE", true }, { "NAME" }, { "STATE" }, { "CORES", true },
		{ "CORES_UP", true }, { "APIC_IDS" }, { "MEMORY", true },
		{ "BOOTS", true }, { "SINCE", true }, { "REASON" },
	};
	struct table table = {
		.name		= "nodes",
		.columns	= ctl->json ? json : people,
		.nr_columns	= ctl->json ? ARRAY_SIZE(json) : ARRAY_SIZE(people),
	};
	double today = now();
	size_t i;

	for (i = 0; i < mint->nr_nodes; i++) {
		const struct node *node = &mint->nodes[i];

		table_cell(&table, number(node->n));
		table_cell(&table, node->name);
		table_cell(&table, node->state);
		if (ctl->json) {
			table_cell(&table, number(node->cpus.nr));
			table_cell(&table, number(node->cpus_up.nr));
			table_cell(&table, node->cpus.nr ?
					   format_ids(&node->cpus) : NULL);
			table_cell(&table, number(node->memory));
		} else {
			table_cell(&table, cores_text(node));
			table_cell(&table, node->memory ?
					   format_size(node->memory) : NULL);
		}
		table_cell(&table, number(node->boots));
		table_cell(&table, ctl->json ? xasprintf("%.3f", node->since) :
					       format_age(today - node->since));
		table_cell(&table, *node->reason ? node->reason : NULL);
	}
	return table_print(ctl, &table);
}

static char *owner_text(const struct mint *mint, int owner)
{
	size_t i;

	for (i = 0; i < mint->nr_nodes; i++)
		if (owner >= 0 && mint->nodes[i].n == (u32)owner)
			return xasprintf("node %d (%s)", owner, mint->nodes[i].name);
	if (owner == OWNER_FREE || owner == OWNER_IN_FLIGHT)
		return xstrdup(owner == OWNER_FREE ? "free" : "in flight");
	return xasprintf("node %d", owner);
}

static int list_cores(const struct ctl *ctl, const struct mint *mint)
{
	static const struct column columns[] = { { "APIC_ID", true }, { "OWNER" } };
	struct table table = {
		.name		= "cores",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	size_t i;

	for (i = 0; i < mint->nr_cores; i++) {
		table_cell(&table, number(mint->cores[i].apic_id));
		table_cell(&table, owner_text(mint, mint->cores[i].owner));
	}
	return table_print(ctl, &table);
}

static int list_memory(const struct ctl *ctl, const struct mint *mint)
{
	static const struct column people[] = {
		{ "START" }, { "END" }, { "SIZE" }, { "OWNER" },
	};
	static const struct column json[] = {
		{ "START" }, { "END" }, { "SIZE", true }, { "OWNER" },
	};
	struct table table = {
		.name		= "memory",
		.columns	= ctl->json ? json : people,
		.nr_columns	= ARRAY_SIZE(people),
	};
	size_t i;

	for (i = 0; i < mint->nr_ranges; i++) {
		const struct range *range = &mint->ranges[i];
		u64 size = range->end - range->start + 1;

		table_cell(&table, xasprintf("0x%llx", (unsigned long long)range->start));
		table_cell(&table, xasprintf("0x%llx", (unsigned long long)range->end));
		table_cell(&table, ctl->json ? number(size) : format_size(size));
		table_cell(&table, xstrdup(range->owner));
	}
	return table_print(ctl, &table);
}

int do_list(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "cores", no_argument, NULL, 'c' },
		{ "memory", no_argument, NULL, 'm' },
		{}
	};
	int (*list)(const struct ctl *ctl, const struct mint *mint) = list_nodes;
	struct mint mint;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (list != list_nodes)
			return usage("list", "one of --cores, --memory");
		switch (c) {
		case 'c':
			list = list_cores;
			break;
		case 'm':
			list = list_memory;
			break;
		default:
			return usage("list", NULL);
		}
	}
	if (optind < argc)
		return usage("list", "'%s' is too much", argv[optind]);
	status = mint_read(ctl, &mint);
	return status ?: list(ctl, &mint);
}

/* As the clock on the wall shows it */
static char *date_text(double since)
{
	time_t seconds = since;
	char text[32];
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%F %T", &tm))
		return NULL;
	return xstrdup(text);
}

int do_show(const struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "NODE", true }, { "NAME" }, { "STATE" }, { "REASON" },
		{ "SINCE", true }, { "BOOTS", true }, { "HEARTBEAT", true },
		{ "CORES" }, { "CORES_UP" }, { "MEMORY" }, { "DEVICES" },
		{ "LINKS" },
	};
	struct table table = {
		.name		= "node",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	struct node *node;
	struct mint mint;
	int status;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage("show", NULL);
	if (optind + 1 != argc)
		return usage("show", "one node is wanted");
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	node = mint_find(&mint, argv[optind]);
	if (!node)
		return mint_absent(&mint, argv[optind]);

	table_cell(&table, number(node->n));
	table_cell(&table, node->name);
	table_cell(&table, node->state);
	table_cell(&table, *node->reason ? node->reason : NULL);
	table_cell(&table, ctl->json ? xasprintf("%.3f", node->since) :
				       date_text(node->since));
	table_cell(&table, number(node->boots));
	table_cell(&table, number(node->heartbeat));
	table_cell(&table, node->cpus.nr ? format_ids(&node->cpus) : NULL);
	table_cell(&table, node->cpus_up.nr ? format_ids(&node->cpus_up) : NULL);
	table_cell(&table, *node->ranges ? node->ranges : NULL);
	table_cell(&table, *node->devices ? node->devices : NULL);
	table_cell(&table, *node->links ? node->links : NULL);
	return table_print_vertical(ctl, &table);
}

/*
 * "<index> link <node>,<node> <start>-<end> <state>", or
 * "<index> share <name> <nodes> <start>-<end> <state>"
 */
static void add_window(struct table *table, const char *line)
{
	char state[16], nodes[64], name[32] = "";
	unsigned long long start, end;
	unsigned int index;

	/* Windows of uses that this program does not know are passed over */
	if ((sscanf(line, "%u link %63s 0x%llx-0x%llx %15s", &index, nodes, &start, &end,
		    state) != 5 &&
	     sscanf(line, "%u share %31s %63s 0x%llx-0x%llx %15s", &index, name, nodes,
		    &start, &end, state) != 6) || end < start)
		return;
	table_cell(table, number(index));
	table_cell(table, xstrdup(*name ? "share" : "link"));
	table_cell(table, *name ? xstrdup(name) : NULL);
	table_cell(table, xstrdup(nodes));
	table_cell(table, xasprintf("0x%llx", start));
	table_cell(table, xasprintf("0x%llx", end));
	table_cell(table, xstrdup(state));
}

int do_links(const struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "WINDOW", true }, { "KIND" }, { "NAME" }, { "NODES" }, { "START" },
		{ "END" }, { "STATE" },
	};
	struct table table = {
		.name		= "links",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	char *text, *rest, *line;
	struct mint mint;
	int status;

	if (argc > 1)
		return usage("links", "'%s' is too much", argv[1]);
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	text = ctl_read(ctl, MINT_DIR "/windows");
	if (!text)
		return fail(ST_ABSENT,
			    "this kernel has no links between nodes: there is no " MINT_DIR "/windows");
	for (rest = text; (line = strsep(&rest, "\n"));)
		add_window(&table, line);
	free(text);
	return table_print(ctl, &table);
}
