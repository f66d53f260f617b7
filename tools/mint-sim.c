// SPDX-License-Identifier: GPL-2.0
/*
 * mint-sim: what mintd would have decided on a trace, and what came of it.
 *
 * A node is a heap of work that grows by what is offered and shrinks by what its
 * cores do; it reports the heap as runnable tasks. mint-sim(1) has the format.
 */

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define STEP_MS		1000
/* After the last line of the trace: until all work is done, but no longer */
#define DRAIN_S		3600
#define LINE_MAX_LEN	256

enum scheme { POLICY, STATIC, ONE, CLAIRVOYANT, SCHEMES };

static const char * const scheme_names[] = { "mintd", "static", "one kernel", "clairvoyant" };

/* A node as the trace tells it, and as it is at the moment */
struct node {
	struct policy_facts	facts;
	u32		cores;
	u32		offered, width;	/* thousandths of a core; tasks, 0: any */
	u64		work;		/* thousandths of a core and second */
	u32		needs;		/* MiB */
	u32		stall, enough;	/* tasks wait with less than @enough MiB */
	s64			lie;		/* reported instead; -1: the truth */
	bool			refuses, full;
};

struct event {
	u32	at;		/* seconds */
	char		what[16];
	u32	node;
	s64		value, more;
};

struct trace {
	struct node	nodes[POLICY_NODES];
	unsigned int	nr_nodes;
	struct event	*events;
	size_t		nr_events;
	u32	free_cores, free_memory, cost_ms, end;
	bool		free_told, cost_told, end_told;
};

struct result {
	u64	makespan, waste;
	u32	moves, reversals, blocks;
	bool		finished;
};

/* One of them would be read over */
#define TWICE	"that stands there already: once is enough"
#define BEHIND_END	"something happens after the end: let that be later"

static int wrong(const char *name, int line, const char *why)
{
	if (line)
		fprintf(stderr, "mint-sim: %s: line %d: %s\n", name, line, why);
	else
		fprintf(stderr, "mint-sim: %s: %s\n", name, why);
	return 2;
}

static struct node *node_of(struct trace *trace, u32 number)
{
	unsigned int i;

	for (i = 0; i < trace->nr_nodes; i++)
		if (trace->nodes[i].facts.node == number)
			return &trace->nodes[i];
	return NULL;
}

/* Fields behind the first: numbers, none too large, none negative unless @negative */
static bool good_numbers(const char *text, bool negative)
{
	char *end;

	while ((text = strchr(text, ','))) {
		text++;
		/* A mode, which is compared later */
		if (isalpha((unsigned char)*text))
			continue;
		text += negative && *text == '-';
		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		if (strtoul(text, &end, 10) > INT32_MAX || errno || (*end && *end != ','))
			return false;
	}
	return true;
}

static const char *take_node(struct trace *trace, const char *text)
{
	struct node *node = &trace->nodes[trace->nr_nodes];
	struct policy_facts *facts = &node->facts;
	char mode[16];
	unsigned int i;
	int end = 0;

	if (trace->nr_nodes == POLICY_NODES)
		return "too many nodes";
	memset(node, 0, sizeof(*node));
	if (sscanf(text, "node,%u,%u,%u,%u,%u,%u,%15[A-Za-z]%n", &facts->node, &node->cores,
		   &facts->limits.cores_min, &facts->limits.cores_max,
		   &facts->limits.weight, &facts->limits.priority, mode, &end) != 7 ||
	    text[end])
		return "a node is node,<number>,<cores>,<min>,<max>,<weight>,<priority>,<mode>";
	for (i = 0; i < ARRAY_SIZE(policy_modes) && strcmp(mode, policy_modes[i]); i++)
		;
	if (i == ARRAY_SIZE(policy_modes))
		return "the mode is fixed, autonomous or cooperative";
	if (!facts->limits.weight || facts->limits.weight > 10000 ||
	    facts->limits.priority > 99 || !node->cores ||
	    node->cores > POLICY_CORES || !facts->limits.cores_min ||
	    facts->limits.cores_min > facts->limits.cores_max || node_of(trace, facts->node))
		return "numbers from 1 on, min to max, weight to 10000, priority to 99, each once";
	facts->limits.mode = i;
	facts->limits.memory_max = UINT32_MAX;
	facts->incarnation = 1;
	facts->priority = 99;
	node->lie = -1;
	trace->nr_nodes++;
	return NULL;
}

static const char *take_memory(struct trace *trace, const char *text)
{
	u32 number, have, low, high;
	struct node *node;
	int end = 0;

	if (sscanf(text, "memory,%u,%u,%u,%u%n", &number, &have, &low, &high, &end) != 4 ||
	    text[end] || have > INT32_MAX || low > high)
		return "memory,<node>,<MiB>,<min>,<max>";
	node = node_of(trace, number);
	if (!node)
		return "there is no such node";
	if (node->facts.limits.memory_max != UINT32_MAX)
		return TWICE;
	node->facts.memory = have;
	node->facts.limits.memory_min = low;
	node->facts.limits.memory_max = high;
	return NULL;
}

/* What can happen, and which values it has */
static const struct {
	const char	*what;
	s64		least, most;
	const char	*right;
} happenings[] = {
	{ "load", 0, INT32_MAX, "work is 0 or more" },
	{ "need", 0, INT32_MAX, "memory is 0 or more" },
	{ "stall", 0, 1000, "thousandths are 0 to 1000" },
	{ "want", INT32_MIN, INT32_MAX, NULL },
	{ "lie", -1, INT32_MAX, "tasks are 0 or more, or -1" },
	{ "stale", 0, 1, "it is 0 or 1" },
	{ "refuse", 0, 1, "it is 0 or 1" },
	{ "full", 0, 1, "it is 0 or 1" },
};

static const char *take_event(struct trace *trace, const char *text)
{
	struct event event = {};
	long long value, more = 0;
	int end = 0;
	size_t i;

	if ((sscanf(text, "%15[a-z],%u,%u,%lld%n,%lld%n", event.what, &event.at,
		    &event.node, &value, &end, &more, &end) < 4) || text[end])
		return "neither a node, memory, free, cost, end nor what happens";
	for (i = 0; i < ARRAY_SIZE(happenings); i++)
		if (!strcmp(event.what, happenings[i].what))
			break;
	if (i == ARRAY_SIZE(happenings))
		return "what happens is load, need, stall, want, lie, stale, refuse or full";
	if (!node_of(trace, event.node))
		return "there is no such node";
	if (trace->nr_events && trace->events[trace->nr_events - 1].at > event.at)
		return "times do not go back";
	if (event.at > 10000000 || value > INT32_MAX || value < INT32_MIN ||
	    more < 0 || more > INT32_MAX)
		return "a number is too large";
	if (value < happenings[i].least || value > happenings[i].most)
		return happenings[i].right;
	if (!strcmp(event.what, "want") && more > 86400)
		return "seconds are 86400 at most";
	event.value = value;
	event.more = more;
	trace->events = reallocarray(trace->events, trace->nr_events + 1, sizeof(event));
	if (!trace->events)
		return "out of memory";
	trace->events[trace->nr_events++] = event;
	if (trace->end < event.at && trace->end_told)
		return BEHIND_END;
	if (trace->end < event.at)
		trace->end = event.at;
	return NULL;
}

static const char *take_free(struct trace *trace, const char *text)
{
	int end = 0;

	if (trace->free_told)
		return TWICE;
	trace->free_told = true;
	return sscanf(text, "free,%u%n,%u%n", &trace->free_cores, &end,
		      &trace->free_memory, &end) < 1 || text[end] ||
	       trace->free_cores > POLICY_CORES ? "free,<cores>[,<MiB>]" : NULL;
}

static const char *take_cost(struct trace *trace, const char *text)
{
	int end = 0;

	if (trace->cost_told)
		return TWICE;
	trace->cost_told = true;
	return sscanf(text, "cost,%u%n", &trace->cost_ms, &end) != 1 || text[end] ||
	       trace->cost_ms > 60000 ? "cost,<ms>, up to 60000" : NULL;
}

static const char *take_end(struct trace *trace, const char *text)
{
	u32 last = trace->end;
	int end = 0;

	if (trace->end_told)
		return TWICE;
	trace->end_told = true;
	if (sscanf(text, "end,%u%n", &trace->end, &end) != 1 || text[end] ||
	    trace->end > 10000000)
		return "end,<seconds>";
	return trace->end < last ? BEHIND_END : NULL;
}

/* Does the line describe the machine? All others are events */
static bool describes(const char *text)
{
	static const char * const words[] = { "node,", "memory,", "free,", "cost,", "end," };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(text, words[i], strlen(words[i])))
			return true;
	return false;
}

/* A comment may be longer than a line of data */
static void skip_line(FILE *file)
{
	int c;

	do
		c = fgetc(file);
	while (c != '\n' && c != EOF);
}

static int read_trace(struct trace *trace, const char *name, FILE *file)
{
	char text[LINE_MAX_LEN], *rest;
	const char *why = NULL;
	int line = 0;

	trace->cost_ms = 100;
	while (!why && fgets(text, sizeof(text), file)) {
		line++;
		if (!strchr(text, '\n') && !feof(file)) {
			if (*text != '#' || strlen(text) < sizeof(text) - 1)
				return wrong(name, line,
					     "the line is too long, or has a zero byte in it");
			skip_line(file);
		}
		if (*text == '#')
			continue;
		rest = text + strcspn(text, "\r\n");
		if (rest[strspn(rest, "\r\n")])
			return wrong(name, line, "there is a carriage return in the line: its end is a line feed");
		*rest = 0;
		if (!*text)
			continue;
		if (!good_numbers(text, !describes(text)))
			why = "one of its numbers is wrong: up to 2147483647, without blanks";
		else if (!strncmp(text, "node,", 5))
			why = take_node(trace, text);
		else if (!strncmp(text, "free,", 5))
			why = take_free(trace, text);
		else if (!strncmp(text, "memory,", 7))
			why = take_memory(trace, text);
		else if (!strncmp(text, "cost,", 5))
			why = take_cost(trace, text);
		else if (!strncmp(text, "end,", 4))
			why = take_end(trace, text);
		else
			why = take_event(trace, text);
	}
	if (why)
		return wrong(name, line, why);
	if (ferror(file))
		return wrong(name, 0, strerror(errno));
	return trace->nr_nodes ? 0 : wrong(name, 0, "the trace has no node");
}

static void happen(struct trace *trace, const struct event *event)
{
	struct node *node = node_of(trace, event->node);

	if (!strcmp(event->what, "load")) {
		node->offered = event->value < 0 ? 0 : event->value;
		node->width = event->more;
	} else if (!strcmp(event->what, "want")) {
		node->facts.want_cores = event->value;
		node->facts.hold_ms = event->more * 1000;
		node->facts.want_seq++;
	} else if (!strcmp(event->what, "need")) {
		node->needs = event->value < 0 ? 0 : event->value;
	} else if (!strcmp(event->what, "stall")) {
		node->stall = event->value < 0 ? 0 : event->value;
		node->enough = event->more;
	} else if (!strcmp(event->what, "lie")) {
		node->lie = event->value;
	} else if (!strcmp(event->what, "stale")) {
		node->facts.age_ms = event->value ? UINT32_MAX : 0;
	} else if (!strcmp(event->what, "full")) {
		node->full = event->value;
	} else {
		node->refuses = event->value;
	}
}

/* Tasks that could run now, thousandths */
static u64 runnable(const struct node *node)
{
	u64 widest = (u64)node->width * 1000;

	return node->width && node->work > widest ? widest : node->work;
}

/* All cores serve whoever has work, or the best split that limits allow */
static void share_out(struct trace *trace, enum scheme scheme, u32 total)
{
	u32 left = total;
	unsigned int i;

	for (i = 0; i < trace->nr_nodes; i++) {
		struct node *node = &trace->nodes[i];

		node->cores = scheme == ONE ? 0 : node->facts.limits.cores_min;
		node->cores = node->cores < left ? node->cores : left;
		left -= node->cores;
	}
	while (left) {
		struct node *best = NULL;

		for (i = 0; i < trace->nr_nodes; i++) {
			struct node *node = &trace->nodes[i];

			if (runnable(node) <= (u64)node->cores * 1000 ||
			    (scheme != ONE && node->cores >= node->facts.limits.cores_max))
				continue;
			if (!best || runnable(node) * (best->cores + 1) >
				     runnable(best) * (node->cores + 1))
				best = node;
		}
		if (!best)
			break;
		best->cores++;
		left--;
	}
}

/* One second of work; what is idle while others wait is waste */
static bool work(struct trace *trace, u32 free_cores, u32 now,
		 struct result *result)
{
	u64 idle = (u64)free_cores * 1000, wait = 0;
	bool any = false;
	unsigned int i;

	for (i = 0; i < trace->nr_nodes; i++) {
		struct node *node = &trace->nodes[i];
		u64 can = (u64)node->cores * 1000, have = runnable(node);
		u64 done = have < can ? have : can;

		if (node->work)
			result->makespan = now + 1;
		node->work -= done;
		idle += can - done;
		wait += have - done;
		any |= node->work > 0;
	}
	result->waste += idle < wait ? idle : wait;
	return any;
}

static void report(struct trace *trace)
{
	unsigned int i;

	for (i = 0; i < trace->nr_nodes; i++) {
		struct node *node = &trace->nodes[i];
		u64 told = node->lie >= 0 ? (u64)node->lie : runnable(node);

		node->facts.cores = node->cores;
		node->facts.movable = node->cores ? node->cores - 1 : 0;
		node->facts.room = POLICY_CORES - node->cores;
		node->facts.runnable = told > UINT32_MAX ? UINT32_MAX : told;
		node->facts.owned = node->facts.memory;
		node->facts.available = node->facts.memory > node->needs ?
					node->facts.memory - node->needs : 0;
		node->facts.stalled = node->facts.memory < node->enough ? node->stall : 0;
	}
}

static void name_side(u32 node)
{
	if (node == POLICY_FREE)
		printf("free");
	else
		printf("%u", node);
}

static void say(u32 now, const struct policy_decision *decision)
{
	printf("%u %s ", now, decision->kind == POLICY_CORE ? "core" : "memory");
	name_side(decision->from);
	printf(" > ");
	name_side(decision->to);
	printf("%s: %s\n", decision->urgent ? " at once" : "", decision->why);
}

static void simulate(const struct trace *original, enum scheme scheme, bool quiet,
		     struct result *result)
{
	struct policy_facts facts[POLICY_NODES];
	int last[POLICY_NODES] = {};
	struct policy_decision decision;
	static struct policy policy;
	struct trace trace = *original;
	u32 total = trace.free_cores, free_cores = trace.free_cores, now;
	u32 arrives = 0, flying = 0;
	struct node *to = NULL, *from;
	size_t at = 0;
	unsigned int i;

	memset(result, 0, sizeof(*result));
	policy_init(&policy);
	for (i = 0; i < trace.nr_nodes; i++)
		total += trace.nodes[i].cores;
	for (now = 0; now < trace.end + DRAIN_S; now++) {
		bool any;

		while (at < trace.nr_events && trace.events[at].at <= now)
			happen(&trace, &trace.events[at++]);
		for (i = 0; i < trace.nr_nodes && now < trace.end; i++)
			trace.nodes[i].work += trace.nodes[i].offered;
		if (scheme == ONE || scheme == CLAIRVOYANT)
			share_out(&trace, scheme, total);
		report(&trace);
		any = work(&trace, free_cores, now, result);
		if (now + 1 >= trace.end && !any) {
			result->finished = true;
			break;
		}
		if (scheme != POLICY)
			continue;
		if (flying) {
			/* A core in flight is nobody's, and mintd waits for it */
			if (now < arrives)
				continue;
			flying = 0;
			if (to)
				to->cores++;
			else
				free_cores++;
			report(&trace);
		}
		for (i = 0; i < trace.nr_nodes; i++)
			facts[i] = trace.nodes[i].facts;
		policy_step(&policy, STEP_MS, facts, trace.nr_nodes, free_cores,
			    trace.free_memory, &decision);
		if (!decision.any)
			continue;
		from = decision.from == POLICY_FREE ? NULL : node_of(&trace, decision.from);
		to = decision.to == POLICY_FREE ? NULL : node_of(&trace, decision.to);
		if ((from && from->refuses) || (to && to->full)) {
			if (!quiet)
				printf("%u refused %s\n", now, decision.why);
			policy_done(&policy, &decision, false, 0);
			continue;
		}
		if (!quiet)
			say(now, &decision);
		if (decision.kind == POLICY_MEMORY) {
			if (from)
				from->facts.memory -= POLICY_BLOCK;
			else
				trace.free_memory -= POLICY_BLOCK;
			if (to)
				to->facts.memory += POLICY_BLOCK;
			else
				trace.free_memory += POLICY_BLOCK;
			result->blocks++;
			policy_done(&policy, &decision, true, trace.cost_ms);
			continue;
		}
		if (from)
			from->cores--;
		else
			free_cores--;
		flying = 1;
		arrives = now + trace.cost_ms / STEP_MS + 1;
		result->moves++;
		for (i = 0; i < trace.nr_nodes; i++) {
			struct node *node = &trace.nodes[i];
			int way = node == to ? 1 : node == from ? -1 : 0;

			if (!way)
				continue;
			result->reversals += last[i] == -way;
			last[i] = way;
		}
		policy_done(&policy, &decision, true, trace.cost_ms);
	}
	if (scheme == POLICY && !quiet)
		for (i = 0; i < trace.nr_nodes; i++)
			printf("end: node %u has %u\n", trace.nodes[i].facts.node,
			       trace.nodes[i].cores + (flying && to == &trace.nodes[i]));
	if (scheme == POLICY && !quiet)
		printf("end: free %u\nend: %u blocks of memory moved\n",
		       free_cores + (flying && !to), result->blocks);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	static const char usage[] = "usage: mint-sim [--quiet | --help] TRACE\n";
	static struct trace trace;
	enum scheme scheme;
	bool quiet = false;
	FILE *file;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'q') {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
		quiet = true;
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "mint-sim: one trace is wanted\n%s", usage);
		return 2;
	}
	file = fopen(argv[optind], "re");
	if (!file) {
		fprintf(stderr, "mint-sim: %s: %s\n", argv[optind], strerror(errno));
		return 3;
	}
	c = read_trace(&trace, argv[optind], file);
	fclose(file);
	if (c)
		return c;
	for (scheme = 0; scheme < SCHEMES; scheme++) {
		struct result result;

		simulate(&trace, scheme, quiet, &result);
		printf("%s: makespan %llu s%s, waste %llu.%03llu core-s, %u moves, %u reversals\n",
		       scheme_names[scheme], (unsigned long long)result.makespan,
		       result.finished ? "" : " and not done",
		       (unsigned long long)result.waste / 1000,
		       (unsigned long long)result.waste % 1000, result.moves, result.reversals);
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "mint-sim: standard output: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
