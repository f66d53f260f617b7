// SPDX-License-Identifier: GPL-2.0
/*
 * mintd: cores and memory follow the load.
 *
 * Each second: read what the kernel tells of all nodes, have policy.c decide, write
 * the decision to /sys/kernel/mint/move. For the next mintd it keeps which wishes have
 * counted, and nothing else; when it ends, all stays as it is.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "spec.h"
#include "sysfs.h"
#include "topology.h"

#define STEP_MS		1000
#define LOCK_DIR	"/run/mint"
#define LOCK		LOCK_DIR "/mintd.lock"
/* Who holds the lock writes it: BOOT_ID, then a line "<node> <incarnation> <wish>" for each */
#define WISHES		LOCK_DIR "/mintd.wishes"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
/* Steps for which a giver with an agent may look for a core that is idle */
#define PATIENCE	2
/* Without a change for so long, no task waits for memory any more */
#define STALL_MS	4000

/**
 * struct seen - a node, from step to step
 * @n:		number
 * @incarnation: which node of it
 * @told:	@beats and @sum are of an earlier step
 * @fresh_ms:	when beats were new last
 * @runnable:	mean then, thousandths of a core's worth
 * @stall_ms:	for how long tasks have waited for memory, when that was new last
 * @stall_at_ms: that moment; 0: it was never read
 * @stalled:	mean then, thousandths of the time
 * @limits:	of its file
 * @want:	its wish
 * @want_seq:	how often that has changed
 * @victims:	cores that its agent would give first, APIC IDs
 * @waited:	steps for which the decision waits for such a core
 * @boot:	APIC ID of the core on which it began, once the kernel has said so
 * @knows_boot:	it has
 * @twin:	another node is called so, too
 * @recorded:	the trace has it
 */
struct seen {
	u32			n, incarnation;
	bool			told;
	u32			beats, sum;
	u64			fresh_ms;
	u32			runnable;
	u32			stall_ms;
	u64			stall_at_ms;
	u32			stalled;
	struct policy_limits	limits;
	char			*want;
	u32			want_seq;
	struct ids		victims;
	unsigned int		waited;
	u32			boot;
	bool			knows_boot;
	bool			twin;
	bool			recorded;
};

/* A core that its giver refused, or that somebody refused to take, and when; 0: it moved since */
struct refused {
	u32	apic_id;
	u64	at_ms;
};

/* The wish of a node that counted last, without victims; of any mintd since this kernel started */
struct counted {
	u32	n, incarnation;
	char	*wish;
};

struct broker {
	const struct ctl	*ctl;
	struct policy		policy;
	struct seen		*seen;
	size_t			nr_seen;
	struct refused		*refused;	/* once each */
	size_t			nr_refused;
	unsigned int		shift;		/* of an APIC ID, to its core */
	u32			threads;	/* of a core */
	char			*said;		/* what would be moved, last */
	bool			crowded;	/* has been said */
	bool			looked;		/* at several nodes, once at least */
	struct counted		*counted;	/* once for each number */
	size_t			nr_counted;
	bool			wished;		/* one has counted that WISHES has not */
	bool			unkept;		/* has been said */
	FILE			*record;
	u64			began_ms;
};

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* ---- what nodes say -------------------------------------------------------------- */

/*
 * A node file that is wrong says nothing: the node is left alone until it is mended. A node
 * chooses its name itself, so only a good name becomes a part of a path. That of node 0 is
 * none, so that no other node gets the limits of node 0's file.
 */
static void read_limits(const struct ctl *ctl, const struct node *node, struct seen *seen)
{
	struct spec spec;

	spec_init(&spec, node->name);
	if ((!node->n || good_name(node->name)) && spec_read(ctl, &spec, false)) {
		spec.limits.mode = POLICY_FIXED;
		fail(ST_REFUSED, "node %u (%s) is left alone until that is mended and SIGHUP comes",
		     node->n, node->name);
	}
	seen->limits = spec.limits;
	spec_free(&spec);
}

/*
 * kexec takes a name that another node has. Whose the file of that name is nobody can tell,
 * so it is nobody's while there are two.
 */
static void look_for_twin(struct mint *mint, const struct node *node, struct seen *seen,
			  struct policy_limits *limits)
{
	bool twin = false;
	size_t nr;

	if (node->n && good_name(node->name)) {
		mint_owner(mint, node->name, &nr);
		twin = nr > 1;
	}
	if (twin)
		limits->mode = POLICY_FIXED;
	if (twin && !seen->twin)
		fail(ST_REFUSED, "node %u (%s) is left alone: another node is called so, too, until one of them has ended",
		     node->n, node->name);
	seen->twin = twin;
}

/* ---- wishes that have counted ---------------------------------------------------- */

static struct counted *find_counted(struct broker *broker, u32 n)
{
	size_t i;

	for (i = 0; i < broker->nr_counted; i++)
		if (broker->counted[i].n == n)
			return &broker->counted[i];
	return NULL;
}

/* "" if there was none, or it was another node's of this number */
static const char *wish_that_counted(struct broker *broker, u32 n, u32 incarnation)
{
	const struct counted *counted = find_counted(broker, n);

	return counted && counted->incarnation == incarnation ? counted->wish : "";
}

/* Takes @wish */
static void set_counted(struct broker *broker, u32 n, u32 incarnation, char *wish)
{
	struct counted *counted = find_counted(broker, n);

	if (!counted) {
		broker->counted = xgrow(broker->counted, broker->nr_counted,
					sizeof(*broker->counted));
		counted = &broker->counted[broker->nr_counted++];
		counted->wish = NULL;
	}
	free(counted->wish);
	*counted = (struct counted){ .n = n, .incarnation = incarnation, .wish = wish };
}

/* What the last mintd has kept, if this kernel runs since then. A damaged line says nothing. */
static void read_wishes(struct broker *broker)
{
	char *text = ctl_read(broker->ctl, WISHES), *rest = text, *line;
	char *boot = ctl_read(broker->ctl, BOOT_ID);
	u32 n, incarnation;
	int end;

	line = strsep(&rest, "\n");
	if (line && !strcmp(line, boot ? trim(boot) : ""))
		while ((line = strsep(&rest, "\n")))
			if (sscanf(line, "%u %u %n", &n, &incarnation, &end) == 2)
				set_counted(broker, n, incarnation, xstrdup(line + end));
	free(boot);
	free(text);
}

static void keep_wishes(struct broker *broker)
{
	char *path = ctl_path(broker->ctl, WISHES), *boot = ctl_read(broker->ctl, BOOT_ID);
	char *text = xasprintf("%s\n", boot ? trim(boot) : ""), *next;
	size_t i;
	int err;

	for (i = 0; i < broker->nr_counted; i++) {
		next = xasprintf("%s%u %u %s\n", text, broker->counted[i].n,
				 broker->counted[i].incarnation, broker->counted[i].wish);
		free(text);
		text = next;
	}
	err = write_file(path, text);
	if (err && !broker->unkept)
		fail(ST_REFUSED, "%s: %s: a wish that stands counts again for the next mintd", path,
		     strerror(err));
	broker->unkept = err;
	broker->wished = err;
	free(boot);
	free(text);
	free(path);
}

/* The policy has taken what this node wishes */
static void note_wish(struct broker *broker, u32 n)
{
	const struct seen *seen = NULL;
	char *wish;
	size_t i;

	for (i = 0; i < broker->nr_seen && !seen; i++)
		if (broker->seen[i].n == n)
			seen = &broker->seen[i];
	if (!seen)
		return;
	wish = wish_without_victims(seen->want);
	if (strcmp(wish, wish_that_counted(broker, n, seen->incarnation))) {
		set_counted(broker, n, seen->incarnation, wish);
		broker->wished = true;
	} else {
		free(wish);
	}
}

static struct seen *find_seen(struct broker *broker, const struct node *node)
{
	u32 incarnation = 0;
	struct seen *seen = NULL;
	bool recorded = false, twin = false;
	char *text;
	size_t i;

	text = ctl_read(broker->ctl, MINT_DIR "/nodes/%u/incarnation", node->n);
	if (text)
		incarnation = strtoul(text, NULL, 10);
	free(text);
	for (i = 0; i < broker->nr_seen && !seen; i++)
		if (broker->seen[i].n == node->n)
			seen = &broker->seen[i];
	if (seen && seen->incarnation == incarnation)
		return seen;
	if (!seen) {
		broker->seen = xgrow(broker->seen, broker->nr_seen, sizeof(*broker->seen));
		seen = &broker->seen[broker->nr_seen++];
	} else {
		recorded = seen->recorded;
		twin = seen->twin;
		free(seen->want);
		free(seen->victims.id);
	}
	/* A trace names each number once, and so does look_for_twin() */
	*seen = (struct seen){ .n = node->n, .incarnation = incarnation, .recorded = recorded,
			       .twin = twin };
	seen->want = xstrdup(wish_that_counted(broker, node->n, incarnation));
	read_limits(broker->ctl, node, seen);
	return seen;
}

/* What is wrong in another kernel's wish is read over */
static void parse_want(struct seen *seen, struct policy_facts *facts)
{
	char *copy = xstrdup(seen->want), *rest = copy, *word, *value, *end;
	long number;
	u64 size;

	free(seen->victims.id);
	seen->victims = (struct ids){};
	while ((word = strsep(&rest, " "))) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = 0;
		number = strtol(value, &end, 10);
		if (!strcmp(word, "cores") && end != value && !*end &&
		    number >= -POLICY_CORES && number <= POLICY_CORES)
			facts->want_cores = number;
		else if (!strcmp(word, "memory") && (*value == '+' || *value == '-') &&
			 parse_size(value + 1, &size) && size >> 20 <= INT32_MAX)
			facts->want_memory = *value == '-' ? -(s32)(size >> 20) :
							     (s32)(size >> 20);
		else if (!strcmp(word, "prio") && end != value && !*end && number >= 0 &&
			 number <= 99)
			facts->priority = number;
		else if (!strcmp(word, "hold") && end != value && !strcmp(end, "s") &&
			 number > 0 && number <= 86400)
			facts->hold_ms = number * 1000;
		else if (!strcmp(word, "urgency"))
			facts->urgent = !strcmp(value, "high");
		else if (!strcmp(word, "victim") && seen->limits.mode == POLICY_COOPERATIVE &&
			 !parse_ids_max(value, &seen->victims, POLICY_CORES))
			seen->victims.nr = 0;
	}
	free(copy);
}

static void read_want(struct broker *broker, struct seen *seen, struct policy_facts *facts)
{
	char *want = ctl_read(broker->ctl, MINT_DIR "/nodes/%u/want", seen->n);
	char *old, *new;

	if (!want)
		want = xstrdup("");
	printable(want);
	/* A wish is new when more has changed than which core would go first */
	old = wish_without_victims(seen->want);
	new = wish_without_victims(want);
	seen->want_seq += !!strcmp(old, new);
	free(old);
	free(new);
	free(seen->want);
	seen->want = want;
	facts->want_seq = seen->want_seq;
	facts->priority = 99;
	parse_want(seen, facts);
}

/* The kernel counts every two seconds: in between the mean is that of before */
static void count_stalls(struct seen *seen, const struct load *load, u64 now)
{
	u64 span = now - seen->stall_at_ms, part;
	u32 ms;

	if (!load->stalls) {
		seen->stalled = 0;
		return;
	}
	ms = load->memory_ms;
	if (seen->stall_at_ms && ms == seen->stall_ms && span < STALL_MS)
		return;
	part = seen->stall_at_ms && span ? 1000ull * (u32)(ms - seen->stall_ms) / span : 0;
	seen->stalled = part < 1000 ? part : 1000;
	seen->stall_ms = ms;
	seen->stall_at_ms = now;
}

static void read_load(struct broker *broker, struct seen *seen, struct policy_facts *facts)
{
	u64 now = now_ms(), mean;
	struct load load;

	if (load_read(broker->ctl, seen->n, &load)) {
		if (seen->told && load.beats != seen->beats) {
			mean = 1000ull * (u32)(load.runnable_sum - seen->sum) /
			       (u32)(load.beats - seen->beats);
			mean /= broker->threads;
			seen->runnable = mean > UINT32_MAX ? UINT32_MAX : mean;
			seen->fresh_ms = now;
		}
		seen->told = true;
		seen->beats = load.beats;
		seen->sum = load.runnable_sum;
		facts->memory = load.mem_mib;
		facts->available = load.available_mib;
		count_stalls(seen, &load, now);
	}
	facts->runnable = seen->runnable;
	facts->stalled = seen->stalled;
	facts->age_ms = !seen->fresh_ms || now - seen->fresh_ms > UINT32_MAX ? UINT32_MAX :
			now - seen->fresh_ms;
}

/* ---- cores ----------------------------------------------------------------------- */

static struct refused *find_refused(const struct broker *broker, u32 apic_id)
{
	size_t i;

	for (i = 0; i < broker->nr_refused; i++)
		if (broker->refused[i].apic_id == apic_id)
			return &broker->refused[i];
	return NULL;
}

/* How a move of it went */
static void core_tried(struct broker *broker, u32 apic_id, bool moved)
{
	struct refused *refused = find_refused(broker, apic_id);

	if (!refused && moved)
		return;
	if (!refused) {
		broker->refused = xgrow(broker->refused, broker->nr_refused,
					sizeof(*broker->refused));
		refused = &broker->refused[broker->nr_refused++];
		refused->apic_id = apic_id;
	}
	refused->at_ms = moved ? 0 : now_ms();
}

/*
 * Walk whole cores: the one at *@at or behind it, all of whose threads @owner has.
 * False: there is none. @apic_id is its first thread.
 */
static bool next_core(const struct broker *broker, const struct mint *mint, int owner,
		      size_t *at, u32 *apic_id)
{
	while (*at < mint->nr_cores) {
		size_t first = *at, i = first;
		u32 core = mint->cores[first].apic_id >> broker->shift;
		bool whole = true;

		while (i < mint->nr_cores && mint->cores[i].apic_id >> broker->shift == core)
			whole &= mint->cores[i++].owner == owner;
		*at = i;
		*apic_id = mint->cores[first].apic_id;
		if (whole)
			return true;
	}
	return false;
}

/*
 * The core on which a node began stays: the BSP, or, as it is placed, the lowest. It is
 * another one where a lower one has joined; learn_boot_core() finds out.
 */
static u32 boot_core(const struct mint *mint, const struct node *node,
		     const struct seen *seen)
{
	if (!node->n)
		return mint->bsp;
	if (seen->knows_boot)
		return seen->boot;
	return node->cpus.nr ? node->cpus.id[0] : UINT32_MAX;
}

/*
 * EPERM is how the kernel says that a node began on this core. Nothing has changed, and
 * nobody is to blame. Once a node: a kernel that says so of two cores means something else.
 */
static bool learn_boot_core(struct broker *broker, const struct policy_decision *decision,
			    u32 apic_id, int err)
{
	size_t i;

	if (err != EPERM || decision->kind != POLICY_CORE)
		return false;
	for (i = 0; i < broker->nr_seen; i++) {
		struct seen *seen = &broker->seen[i];

		if (seen->n != decision->from || seen->knows_boot)
			continue;
		seen->boot = apic_id;
		seen->knows_boot = true;
		return true;
	}
	return false;
}

static void count_cores(const struct broker *broker, const struct mint *mint,
			const struct node *node, const struct seen *seen,
			struct policy_facts *facts)
{
	u32 boot = boot_core(mint, node, seen) >> broker->shift, apic_id;
	size_t at = 0;

	while (next_core(broker, mint, node->n, &at, &apic_id)) {
		facts->cores++;
		facts->movable += apic_id >> broker->shift != boot;
	}
	/* Whether it has a number for one more only the kernel knows, and refuses */
	facts->room = POLICY_CORES;
}

/*
 * Which core goes: one that nobody has refused, else the one that was refused longest ago;
 * of these the first that its agent names, else the last one, of free ones the first.
 */
static bool choose_core(const struct broker *broker, const struct mint *mint,
			const struct seen *seen, const struct node *node, u32 *chosen)
{
	u32 boot = node ? boot_core(mint, node, seen) >> broker->shift : UINT32_MAX;
	int owner = node ? (int)node->n : OWNER_FREE;
	bool found = false, named = false;
	u64 refused_ms = 0;
	size_t at = 0;
	u32 apic_id;

	while (next_core(broker, mint, owner, &at, &apic_id)) {
		const struct refused *refused = find_refused(broker, apic_id);
		u64 then_ms = refused ? refused->at_ms : 0;
		bool victim = seen && has_id(&seen->victims, apic_id);

		if (apic_id >> broker->shift == boot)
			continue;
		if (found && (then_ms != refused_ms ? then_ms > refused_ms :
			      victim != named ? named : !node || named))
			continue;
		*chosen = apic_id;
		refused_ms = then_ms;
		named = victim;
		found = true;
	}
	return found;
}

/* With SMT off an APIC ID has room for threads that are not there */
static u32 threads_of(const struct broker *broker, const struct mint *mint)
{
	u32 cores = 0;
	size_t i;

	for (i = 0; i < mint->nr_cores; i++)
		cores += !i || mint->cores[i].apic_id >> broker->shift !=
			       mint->cores[i - 1].apic_id >> broker->shift;
	return cores ? mint->nr_cores / cores : 1;
}

static u32 free_cores(const struct broker *broker, const struct mint *mint)
{
	size_t at = 0;
	u32 nr = 0, apic_id;

	while (next_core(broker, mint, OWNER_FREE, &at, &apic_id))
		nr++;
	return nr;
}

/* Whole blocks, MiB */
static u32 free_memory(const struct mint *mint)
{
	u64 block = (u64)POLICY_BLOCK << 20, sum = 0, start, end;
	size_t i;

	for (i = 0; i < mint->nr_ranges; i++) {
		if (strcmp(mint->ranges[i].owner, "free"))
			continue;
		start = (mint->ranges[i].start + block - 1) / block;
		end = (mint->ranges[i].end + 1) / block;
		sum += end > start ? end - start : 0;
	}
	return sum > UINT32_MAX / POLICY_BLOCK ? UINT32_MAX : sum * POLICY_BLOCK;
}

/* ---- a step ---------------------------------------------------------------------- */

static char *side_name(u32 node)
{
	return node == POLICY_FREE ? xstrdup("free") : xasprintf("%u", node);
}

static void say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

/* The words for the kernel, or NULL: there is no such core after all, or not yet */
static char *words_of(struct broker *broker, struct mint *mint,
		      const struct policy_decision *decision, u32 *core)
{
	struct node *node = decision->from == POLICY_FREE ? NULL :
			    mint_number(mint, decision->from);
	char *to = side_name(decision->to), *words = NULL;
	struct seen *seen = node ? find_seen(broker, node) : NULL;

	if (decision->kind == POLICY_MEMORY && node)
		words = xasprintf("memory %uM:%u %s", POLICY_BLOCK, node->n, to);
	else if (decision->kind == POLICY_MEMORY)
		words = xasprintf("memory %uM %s", POLICY_BLOCK, to);
	else if (seen && !decision->urgent && seen->limits.mode == POLICY_COOPERATIVE &&
		 strstr(seen->want, VICTIM) && !seen->victims.nr &&
		 seen->waited++ < PATIENCE)
		;	/* An agent is there, and looks for a core that is idle */
	else if (choose_core(broker, mint, seen, node, core))
		words = xasprintf("core %u %s", *core, to);
	if (seen && words)
		seen->waited = 0;
	free(to);
	return words;
}

/*
 * A receiver has no CPU number for that core. It may have one for another core of this giver,
 * so the giver has refused nothing until all of them were tried.
 */
static bool another_may_go(const struct broker *broker, const struct policy_decision *decision,
			   u32 apic_id, int err)
{
	const struct refused *refused = find_refused(broker, apic_id);

	return err == ENOSPC && decision->kind == POLICY_CORE && (!refused || !refused->at_ms);
}

static void carry_out(struct broker *broker, struct mint *mint,
		      const struct policy_decision *decision)
{
	char *path, *words, *text;
	u32 core = 0, took;
	bool another;
	u64 began;
	int err;

	words = words_of(broker, mint, decision, &core);
	if (!words)
		return;
	if (broker->ctl->dry_run) {
		text = xasprintf("would move %s: %s", words, decision->why);
		/* Nothing changes, so that is so at each step from now on */
		if (!broker->said || strcmp(broker->said, words))
			say(text);
		free(broker->said);
		broker->said = xstrdup(words);
		goto out;
	}
	path = ctl_path(broker->ctl, MINT_DIR "/move");
	began = now_ms();
	err = write_word(path, words);
	took = now_ms() - began;
	free(path);
	another = another_may_go(broker, decision, core, err);
	if (!learn_boot_core(broker, decision, core, err)) {
		if (decision->kind == POLICY_CORE)
			core_tried(broker, core, !err);
		if (!another)
			policy_done(&broker->policy, decision, !err, took);
	}
	if (err)
		text = xasprintf("move %s: %s: %s", words, decision->why, strerror(err));
	else
		text = xasprintf("move %s: %s: done in %u ms%s", words, decision->why, took,
				 decision->urgent ? ", at once" : "");
	say(text);
out:
	free(text);
	free(words);
}

static void record_step(struct broker *broker, struct seen *seen,
			const struct policy_facts *facts)
{
	u32 second = (now_ms() - broker->began_ms) / 1000;

	if (!facts->cores)
		return;
	if (!seen->recorded)
		fprintf(broker->record, "node,%u,%u,%u,%u,%u,%u,%s\n", facts->node,
			facts->cores, facts->limits.cores_min, facts->limits.cores_max,
			facts->limits.weight, facts->limits.priority,
			policy_modes[facts->limits.mode]);
	seen->recorded = true;
	fprintf(broker->record, "load,%u,%u,%u,%u\n", second, facts->node,
		facts->runnable > INT32_MAX ? INT32_MAX : facts->runnable,
		facts->runnable / 1000 + 1);
	if (!fflush(broker->record))
		return;
	/* mintd goes on without a record */
	fail(ST_REFUSED, "--record: %s: nothing is recorded any more", strerror(errno));
	fclose(broker->record);
	broker->record = NULL;
}

static int step(struct broker *broker, u32 step_ms)
{
	struct policy_facts facts[POLICY_NODES];
	struct policy_decision decision;
	bool any = broker->looked;
	unsigned int nr = 0;
	struct mint mint;
	int status;
	size_t i;

	status = mint_read(broker->ctl, &mint);
	if (status)
		return status;
	broker->threads = threads_of(broker, &mint);
	for (i = 0; i < mint.nr_nodes; i++) {
		struct node *node = &mint.nodes[i];
		struct seen *seen;

		if (strcmp(node->state, "running"))
			continue;
		if (nr == POLICY_NODES) {
			if (!broker->crowded)
				fail(ST_REFUSED, "%u nodes are looked after: node %u and those behind it are left alone",
				     nr, node->n);
			broker->crowded = true;
			break;
		}
		seen = find_seen(broker, node);
		any |= seen->limits.mode != POLICY_FIXED;
		facts[nr] = (struct policy_facts){
			.node		= node->n,
			.incarnation	= seen->incarnation,
			.limits		= seen->limits,
			.owned		= node->memory >> 20 > INT32_MAX ? INT32_MAX :
					  node->memory >> 20,
		};
		look_for_twin(&mint, node, seen, &facts[nr].limits);
		read_load(broker, seen, &facts[nr]);
		read_want(broker, seen, &facts[nr]);
		count_cores(broker, &mint, node, seen, &facts[nr]);
		if (broker->record)
			record_step(broker, seen, &facts[nr]);
		nr++;
	}
	/* Node 0 alone has nobody to share with */
	if (nr > 1 && !any)
		say("as yet no node takes part: Mode= in section [Policy] of its file says which does, see mint.node(5)");
	broker->looked |= nr > 1;
	policy_step(&broker->policy, step_ms, facts, nr, free_cores(broker, &mint),
		    free_memory(&mint), &decision);
	for (i = 0; i < nr; i++)
		if (policy_counts(&broker->policy, &facts[i]))
			note_wish(broker, facts[i].node);
	/* Before a move: who ended here again and again would take a core each time */
	if (broker->wished && !broker->ctl->dry_run)
		keep_wishes(broker);
	if (decision.any)
		carry_out(broker, &mint, &decision);
	mint_free(&mint);
	return ST_OK;
}

/* ---- the program ----------------------------------------------------------------- */

/* Held as long as this process lives; says who holds it, if somebody does */
static int take_lock(const struct ctl *ctl)
{
	char *dir = ctl_path(ctl, LOCK_DIR), *path = ctl_path(ctl, LOCK), *text;
	int fd, status = ST_OK;

	if (mkdir(dir, 0755) && errno != EEXIST)
		fd = -1;
	else
		/* Who may open it may lock it, and keep every mintd away */
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		status = fail(ST_REFUSED, "%s: %s", path, error_text(errno));
	} else if (flock(fd, LOCK_EX | LOCK_NB)) {
		text = read_fd(fd, NULL);
		status = fail(ST_REFUSED, "%s: there is a mintd already, process %s: end that",
			      path, text ? trim(text) : "unknown");
		free(text);
		close(fd);
	} else {
		/* An older mintd left it open to all */
		fchmod(fd, 0600);
		text = xasprintf("%d\n", (int)getpid());
		if (ftruncate(fd, 0) || write(fd, text, strlen(text)) < 0)
			status = fail(ST_REFUSED, "%s: %s", path, strerror(errno));
		free(text);
	}
	free(dir);
	free(path);
	return status;
}

static void reread(struct broker *broker)
{
	struct mint mint;
	size_t i, j;

	if (mint_read(broker->ctl, &mint))
		return;
	for (i = 0; i < broker->nr_seen; i++)
		for (j = 0; j < mint.nr_nodes; j++)
			if (mint.nodes[j].n == broker->seen[i].n)
				read_limits(broker->ctl, &mint.nodes[j], &broker->seen[i]);
	mint_free(&mint);
	say("node files are read again");
}

/* Until it is time for the next step; false: a signal says to end */
static bool pause_until(struct broker *broker, int signal_fd, u64 until)
{
	struct pollfd fd = { .fd = signal_fd, .events = POLLIN };
	struct signalfd_siginfo info;
	u64 now;

	while ((now = now_ms()) < until) {
		if (poll(&fd, 1, until - now) <= 0)
			continue;
		if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGHUP)
			return false;
		reread(broker);
	}
	return true;
}

static int run(struct broker *broker, u64 steps)
{
	int signal_fd = signals(SIGHUP), status = ST_OK;
	u64 last, next;

	broker->began_ms = now_ms();
	last = broker->began_ms - STEP_MS;
	notify("READY=1");
	while (!status) {
		next = now_ms();
		status = step(broker, next - last > UINT32_MAX ? UINT32_MAX : next - last);
		last = next;
		if (status || (steps && !--steps) ||
		    !pause_until(broker, signal_fd, next + STEP_MS))
			break;
	}
	notify("STOPPING=1");
	close(signal_fd);
	return status;
}

static int how_to_call(bool asked)
{
	fprintf(asked ? stdout : stderr,
		"usage: mintd [--dry-run] [--record=FILE] [--steps=N] [--sysroot=DIR] [--help]\n");
	return asked ? ST_OK : ST_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'd' },
		{ "record", required_argument, NULL, 'r' },
		{ "steps", required_argument, NULL, 's' },
		{ "sysroot", required_argument, NULL, 'R' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	struct ctl ctl = { .sysroot = "" };
	struct broker broker = { .ctl = &ctl };
	const char *record = NULL;
	struct shifts shifts;
	struct mint mint;
	u64 steps = 0;
	int c, status;

	program = "mintd";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd') {
			ctl.dry_run = true;
		} else if (c == 'r') {
			record = optarg;
		} else if (c == 'R') {
			ctl.sysroot = optarg;
		} else if (c != 's') {
			return how_to_call(c == 'h');
		} else if (!parse_number(optarg, UINT32_MAX, &steps) || !steps) {
			fail(ST_USAGE, "--steps=%s: a number from 1 on", optarg);
			return how_to_call(false);
		}
	}
	if (optind < argc) {
		fail(ST_USAGE, "'%s' is too much", argv[optind]);
		return how_to_call(false);
	}
	status = mint_read(&ctl, &mint);
	if (status)
		return status;
	if (mint.self)
		return fail(ST_REFUSED, "only node 0 shares out cores and memory: this is node %u",
			    mint.self);
	mint_free(&mint);
	if (!ctl_there(&ctl, MINT_DIR "/move"))
		return fail(ST_ABSENT,
			    "this kernel moves nothing: there is no " MINT_DIR "/move");
	/* To look is allowed beside another one */
	status = ctl.dry_run ? ST_OK : take_lock(&ctl);
	if (status)
		return status;
	if (record) {
		broker.record = fopen(record, "we");
		if (!broker.record)
			return fail(ST_REFUSED, "--record=%s: %s", record, error_text(errno));
	}
	topology_shifts(&ctl, &shifts);
	broker.shift = shifts.core;
	read_wishes(&broker);
	policy_init(&broker.policy);
	return run(&broker, steps);
}
