// SPDX-License-Identifier: GPL-2.0
/*
 * mintd: who should have how many cores and how much memory.
 *
 * Two questions, answered apart. Who lacks, who could do without, and how many
 * should each have: shares(). Is it time: paid(), rested(), and whether one was
 * refused what it would ask for, by the same node, a while ago: barred().
 */

#include <stdio.h>
#include <string.h>

#include "policy.h"

/* Thousandths of a task that wait: more is a lack, and a giver keeps to less */
#define LACK		250
#define SPARE		100
/* A node whose facts are older is left as it is */
#define STALE_MS	3000
/* A wish without hold=, and the longest */
#define HOLD_MS		30000
#define HOLD_MAX_MS	300000
/* A giver that refused a receiver is left alone by it */
#define BAR_MS		30000
#define BAR_MAX_MS	480000
/* Lack that pays for a move, in thousandths of a core and second; of its cost */
#define DEBT_TIMES	20
#define DEBT_MIN	500
#define DEBT_MAX	4000
/* Lack of memory that pays for a move, ms */
#define DEBT_MEMORY	2000
/* Tasks wait for memory for so many thousandths of the time: they lack it */
#define STALLED		100
/* Rest after a move: of its cost; doubles with each bad return */
#define DWELL_TIMES	10
#define DWELL_MIN_MS	1000
#define DWELL_MAX_MS	10000
/* A return is early within so many rests of a single move, and bad if it is not earned, too */
#define EARLY_TIMES	10
#define STEP_MAX_MS	10000

/* A node at this step: facts, memory, and what follows from both */
struct view {
	const struct policy_facts	*facts;
	struct policy_node		*node;
	u32			need, share;
	bool				frozen;
	bool				stuck;	/* it gets no core for a while */
	bool				asks, gives, asks_memory, gives_memory;
	bool				passed[POLICY_KINDS];	/* nobody has anything for it */
};

static u32 clamp_to(u64 value, u32 low, u32 high)
{
	return value < low ? low : value > high ? high : value;
}

static u32 bounded(u32 cores, const struct policy_limits *limits)
{
	if (cores < limits->cores_min)
		cores = limits->cores_min;
	return cores > limits->cores_max ? limits->cores_max : cores;
}

/**
 * policy_init() - remember nothing
 */
void policy_init(struct policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->cost_ms[POLICY_CORE] = 100;
	policy->cost_ms[POLICY_MEMORY] = 400;
}

/**
 * policy_dwell() - rest after a move that was no return
 *
 * Return: ms, by what such moves take.
 */
u32 policy_dwell(const struct policy *policy, enum policy_kind kind)
{
	return clamp_to((u64)policy->cost_ms[kind] * DWELL_TIMES,
			DWELL_MIN_MS, DWELL_MAX_MS);
}

static struct policy_node *find(struct policy *policy, u32 number)
{
	unsigned int i;

	for (i = 0; i < POLICY_NODES; i++)
		if (policy->nodes[i].used && policy->nodes[i].node == number)
			return &policy->nodes[i];
	return NULL;
}

/* Where a pair of nodes stands; NULL is what is nobody's */
static struct policy_pair *pair_of(struct policy *policy, enum policy_kind kind,
				   const struct policy_node *from,
				   const struct policy_node *to)
{
	size_t giver = from ? from - policy->nodes : POLICY_NODES;
	size_t receiver = to ? to - policy->nodes : POLICY_NODES;

	return &policy->pairs[kind][giver][receiver];
}

/* Nobody has been refused anything by a node that is new, nor has it */
static void forget_pairs(struct policy *policy, const struct policy_node *node)
{
	size_t at = node - policy->nodes;
	unsigned int kind, i;

	for (kind = 0; kind < POLICY_KINDS; kind++) {
		for (i = 0; i <= POLICY_NODES; i++) {
			policy->pairs[kind][at][i] = (struct policy_pair){};
			policy->pairs[kind][i][at] = (struct policy_pair){};
		}
	}
}

static bool named(const struct policy_facts *facts, unsigned int nr, u32 number)
{
	unsigned int i;

	for (i = 0; i < nr && facts[i].node != number; i++)
		;
	return i < nr;
}

/*
 * What is remembered of this node; another one of its number begins anew. One that is not
 * named for a while, as it is silent, makes room only where that is needed.
 */
static struct policy_node *remember(struct policy *policy, const struct policy_facts *facts,
				    const struct policy_facts *all, unsigned int nr)
{
	struct policy_node *node = find(policy, facts->node);
	unsigned int i;

	for (i = 0; !node && i < POLICY_NODES; i++)
		if (!policy->nodes[i].used)
			node = &policy->nodes[i];
	for (i = 0; !node && i < POLICY_NODES; i++) {
		if (!named(all, nr, policy->nodes[i].node)) {
			node = &policy->nodes[i];
			node->used = false;
		}
	}
	if (!node)
		return NULL;
	if (!node->used || node->incarnation != facts->incarnation) {
		memset(node, 0, sizeof(*node));
		node->used = true;
		node->node = facts->node;
		node->incarnation = facts->incarnation;
		for (i = 0; i < POLICY_KINDS; i++)
			node->side[i].refused_by = POLICY_FREE;
		forget_pairs(policy, node);
	}
	return node;
}

/* Up within a second or two, down within five or so */
static void smooth(struct policy_node *node, u32 runnable)
{
	u64 old = node->demand;

	if (runnable >= old)
		node->demand = (3 * old + 5 * (u64)runnable + 7) / 8;
	else
		node->demand = (13 * old + 3 * (u64)runnable) / 16;
}

/* Fewest cores with which no more than @waits thousandths of a task wait */
static u32 cores_for(u32 demand, u32 waits)
{
	return demand > waits ? (demand - waits + 999) / 1000 : 0;
}

/*
 * How many a node should have for itself. Between what it lacks and what it could
 * do without lies more than a core, in which all stays as it is.
 */
static void see(struct policy *policy, struct view *view, u32 total)
{
	const struct policy_facts *facts = view->facts;
	struct policy_node *node = view->node;
	u32 low, high, hold, most;
	bool wish;

	view->frozen = facts->limits.mode == POLICY_FIXED || facts->age_ms > STALE_MS ||
		       facts->cores > POLICY_CORES;
	if (view->frozen)
		return;
	/* More than it could ever use says no more, and would be forgotten slowly */
	most = facts->limits.cores_max < total ? facts->limits.cores_max : total;
	most = (most + 1) * 1000;
	smooth(node, facts->runnable < most ? facts->runnable : most);
	low = cores_for(node->demand, LACK);
	high = cores_for(node->demand, SPARE);
	view->need = facts->cores < low ? low : facts->cores > high ? high : facts->cores;

	if (facts->limits.mode == POLICY_COOPERATIVE && facts->want_seq != node->want_seq) {
		hold = facts->hold_ms ? facts->hold_ms : HOLD_MS;
		node->want_seq = facts->want_seq;
		node->want_base = facts->cores;
		node->want_base_memory = facts->owned;
		node->want_until_ms = policy->now_ms + clamp_to(hold, 1000, HOLD_MAX_MS);
	}
	wish = facts->limits.mode == POLICY_COOPERATIVE && policy->now_ms < node->want_until_ms;
	if (wish && facts->want_cores) {
		s64 wished = (s64)node->want_base + facts->want_cores;

		wished = wished < 0 ? 0 : wished > POLICY_CORES ? POLICY_CORES : wished;
		view->asks = facts->want_cores > 0 && facts->cores < wished;
		view->gives = facts->want_cores < 0 && facts->cores > wished;
		/* Also when it is fulfilled: what it has got stays while the wish stands */
		if (facts->want_cores > 0 && view->need < wished)
			view->need = wished;
		if (facts->want_cores < 0 && view->need > wished)
			view->need = wished;
	}
	if (wish && facts->want_memory) {
		s64 wished = (s64)node->want_base_memory + facts->want_memory;

		view->asks_memory = facts->want_memory > 0 && facts->owned < wished;
		view->gives_memory = facts->want_memory < 0 &&
				     facts->owned >= wished + POLICY_BLOCK;
	}
	view->need = bounded(view->need, &facts->limits);
}

/* Is the next core of @a due before that of @b? Ties go to who has it already */
static bool before(const struct view *a, const struct view *b)
{
	u64 one = (u64)a->share * b->facts->limits.weight;
	u64 two = (u64)b->share * a->facts->limits.weight;
	bool has_one = a->facts->cores > a->share, has_two = b->facts->cores > b->share;

	return one != two ? one < two : has_one && !has_two;
}

/* How many it needs of those that it could have */
static u32 due(const struct view *view)
{
	return view->stuck && view->facts->cores < view->need ? view->facts->cores :
								 view->need;
}

/*
 * Weighted max-min shares in whole cores: each has its minimum, then core after
 * core goes to the node with the fewest for its weight that needs one more.
 */
static void share_out(struct view *views, unsigned int nr, u32 free_cores)
{
	u64 left = free_cores;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!views[i].frozen)
			left += views[i].facts->cores;
	for (i = 0; i < nr; i++) {
		struct view *view = &views[i];
		u32 least = view->facts->limits.cores_min;

		if (view->frozen)
			continue;
		/* One below its minimum needs no more than that to be whole */
		view->share = least < due(view) ? least : due(view);
		if (view->share > left)
			view->share = left;
		left -= view->share;
	}
	while (left) {
		struct view *best = NULL;

		for (i = 0; i < nr; i++) {
			struct view *view = &views[i];

			if (!view->frozen && view->share < due(view) &&
			    (!best || before(view, best)))
				best = view;
		}
		if (!best)
			break;
		best->share++;
		left--;
	}
}

static u64 since(const struct policy *policy, u64 then)
{
	return policy->now_ms - then;
}

/* Has @from, NULL for nobody, refused @to a while ago? */
static bool barred(struct policy *policy, enum policy_kind kind,
		   const struct view *from, const struct view *to)
{
	const struct policy_pair *pair = pair_of(policy, kind, from ? from->node : NULL,
						 to ? to->node : NULL);

	return policy->now_ms < pair->until_ms;
}

/* Has it refused that more than once? Once may be chance */
static bool refuses(struct policy *policy, const struct view *from, const struct view *to)
{
	return barred(policy, POLICY_CORE, from, to) &&
	       pair_of(policy, POLICY_CORE, from ? from->node : NULL, to->node)->bar_ms > BAR_MS;
}

/* Has it more than its share, and a core that can go? */
static bool can_give(const struct view *view)
{
	return !view->frozen && view->facts->cores > view->share &&
	       view->facts->cores > view->facts->limits.cores_min && view->facts->movable;
}

/* Is it below its share, and nobody's core can become its own for a while? Who rests may */
static bool gets_nothing(struct policy *policy, const struct view *views, unsigned int nr,
			 u32 free_cores, const struct view *to)
{
	unsigned int i;

	if (to->frozen || to->facts->cores >= to->share)
		return false;
	if (!to->facts->room)
		return true;
	if (policy->now_ms < to->node->side[POLICY_CORE].barred_ms)
		return to->node->side[POLICY_CORE].bar_ms > BAR_MS;
	if (free_cores && !refuses(policy, NULL, to))
		return false;
	for (i = 0; i < nr; i++)
		if (can_give(&views[i]) && !refuses(policy, &views[i], to))
			return false;
	return true;
}

/*
 * Shares of all. What a node would have that can get nothing is of use to nobody: the
 * others share it, until that node is tried again.
 */
static void shares(struct policy *policy, struct view *views, unsigned int nr,
		   u32 free_cores)
{
	unsigned int i;
	bool changed;

	do {
		changed = false;
		share_out(views, nr, free_cores);
		for (i = 0; i < nr; i++) {
			struct view *view = &views[i];

			if (!gets_nothing(policy, views, nr, free_cores, view))
				continue;
			view->stuck = true;
			changed = true;
		}
	} while (changed);
}

/* May it get, or give, now? Onward always, back after its rest */
static bool rested(const struct policy *policy, const struct policy_side *side,
		   enum policy_kind kind, int direction)
{
	u32 dwell = side->dwell_ms ? side->dwell_ms : policy_dwell(policy, kind);

	if (direction > 0 && policy->now_ms < side->barred_ms)
		return false;
	return !side->direction || side->direction == direction ||
	       since(policy, side->moved_ms) >= dwell;
}

/* What waits there with @cores cores, thousandths of a core */
static u32 waiting(const struct view *view, u32 cores)
{
	u64 have = (u64)cores * 1000;

	return view->node->demand > have ? view->node->demand - have : 0;
}

static u32 priority_of(const struct view *view)
{
	u32 wish = view->facts->priority, limit = view->facts->limits.priority;

	return view->asks && wish < limit ? wish : limit;
}

/* Is @a served before @b? */
static bool first(const struct view *a, const struct view *b)
{
	u64 one, two;

	if (priority_of(a) != priority_of(b))
		return priority_of(a) > priority_of(b);
	one = (u64)(a->share - a->facts->cores) * b->facts->limits.weight;
	two = (u64)(b->share - b->facts->cores) * a->facts->limits.weight;
	return one > two;
}

static bool urgent(const struct view *view)
{
	return view->facts->limits.mode == POLICY_COOPERATIVE && view->asks &&
	       view->facts->urgent;
}

/* Has it lacked for so long that a move pays? */
static bool paid(const struct policy *policy, const struct view *view)
{
	u64 price = clamp_to((u64)policy->cost_ms[POLICY_CORE] * DEBT_TIMES,
				  DEBT_MIN, DEBT_MAX);

	return urgent(view) || view->asks ||
	       view->facts->cores < view->facts->limits.cores_min ||
	       view->node->side[POLICY_CORE].debts[0] >= price;
}

/*
 * What each has lacked so far. Each core that it lacks has an account of its own: all of them
 * are waited for at the same time.
 */
static void count_debts(struct view *views, unsigned int nr, u32 step_ms)
{
	unsigned int i, k;

	for (i = 0; i < nr; i++) {
		struct view *view = &views[i];
		u64 *debts = view->node->side[POLICY_CORE].debts;
		u32 cores = view->facts->cores;

		for (k = 0; k < POLICY_DEBTS; k++) {
			u32 lack = view->frozen ? 0 : waiting(view, cores + k);

			if (!lack || cores + k >= view->need)
				debts[k] = 0;
			else
				debts[k] += (u64)(lack > 1000 ? 1000 : lack) * step_ms / 1000;
		}
	}
}

/* What cores have done since their node began to get some: as much as ran on them */
static void count_gains(struct view *views, unsigned int nr, u32 step_ms)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		const struct policy_facts *facts = views[i].facts;
		struct policy_side *side = &views[i].node->side[POLICY_CORE];
		u64 base = (u64)side->base * 1000, have = (u64)facts->cores * 1000;
		u64 ran = facts->runnable < have ? facts->runnable : have;

		if (side->direction <= 0)
			side->base = facts->cores;
		else if (!views[i].frozen && ran > base)
			side->gained += (ran - base) * step_ms / 1000;
	}
}

/* Has what it got since it began to get done as much as pays for all of these moves? */
static bool earned(const struct policy *policy, const struct policy_side *side)
{
	u64 price = (u64)policy->cost_ms[POLICY_CORE] * DEBT_TIMES;

	return side->gained >= side->got * (price < DEBT_MIN ? DEBT_MIN : price);
}

/* Who is to get a core, of those that were not passed over */
static struct view *receiver(struct policy *policy, struct view *views, unsigned int nr)
{
	struct view *best = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct view *view = &views[i];

		if (view->passed[POLICY_CORE] || view->frozen ||
		    view->facts->cores >= view->share || !view->facts->room ||
		    !paid(policy, view) ||
		    !rested(policy, &view->node->side[POLICY_CORE], POLICY_CORE, 1))
			continue;
		if (!best || first(view, best))
			best = view;
	}
	return best;
}

/*
 * Who could best do without: a giver by its own wish, then who has most to spare. Without
 * a receiver only the former.
 */
static const struct view *giver(struct policy *policy, struct view *views,
				unsigned int nr, const struct view *to)
{
	const struct view *best = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct view *view = &views[i];

		if (!can_give(view) || (!to && !view->gives) ||
		    barred(policy, POLICY_CORE, view, to) ||
		    !rested(policy, &view->node->side[POLICY_CORE], POLICY_CORE, -1))
			continue;
		if (!best || (view->gives && !best->gives) ||
		    (view->gives == best->gives &&
		     (waiting(view, view->facts->cores - 1) <
		      waiting(best, best->facts->cores - 1) ||
		      (waiting(view, view->facts->cores - 1) ==
		       waiting(best, best->facts->cores - 1) &&
		       view->facts->cores - view->share >
		       best->facts->cores - best->share))))
			best = view;
	}
	return best;
}

static void decide_core(struct policy *policy, struct view *views, unsigned int nr,
			u32 free_cores, u32 step_ms,
			struct policy_decision *decision)
{
	const struct view *from = NULL;
	const char *why = "lacks";
	struct view *to;

	count_debts(views, nr, step_ms);
	count_gains(views, nr, step_ms);
	while ((to = receiver(policy, views, nr))) {
		if (free_cores && !barred(policy, POLICY_CORE, NULL, to))
			break;
		from = giver(policy, views, nr, to);
		if (from)
			break;
		/* Who can have none is in the way of nobody behind it */
		to->passed[POLICY_CORE] = true;
	}
	if (!to)
		from = giver(policy, views, nr, NULL);
	if (!to && !from)
		return;
	decision->any = true;
	decision->kind = POLICY_CORE;
	decision->from = from ? from->facts->node : POLICY_FREE;
	decision->to = to ? to->facts->node : POLICY_FREE;
	if (!to) {
		snprintf(decision->why, sizeof(decision->why),
			 "node %u gives: %u cores, demand %u.%02u", from->facts->node,
			 from->facts->cores, from->node->demand / 1000,
			 from->node->demand % 1000 / 10);
		return;
	}
	if (to->facts->cores < to->facts->limits.cores_min)
		why = "is below its minimum";
	else if (to->asks)
		why = "asks";
	/* Who takes back what is due to it does not wait for the other */
	decision->urgent = urgent(to) ||
			   (from && waiting(from, from->facts->cores - 1) > LACK);
	if (!from)
		snprintf(decision->why, sizeof(decision->why),
			 "node %u %s: %u cores, share %u, demand %u.%02u; a core is free",
			 to->facts->node, why, to->facts->cores, to->share,
			 to->node->demand / 1000, to->node->demand % 1000 / 10);
	else
		snprintf(decision->why, sizeof(decision->why),
			 "node %u %s: %u cores, share %u, demand %u.%02u; node %u has %u, share %u, demand %u.%02u",
			 to->facts->node, why, to->facts->cores, to->share,
			 to->node->demand / 1000, to->node->demand % 1000 / 10,
			 from->facts->node, from->facts->cores, from->share,
			 from->node->demand / 1000, from->node->demand % 1000 / 10);
}

/* ---- memory -------------------------------------------------------------------- */

/* Tasks wait for memory, whatever is said to be available: it is read in again */
static bool stalls(const struct policy_facts *facts)
{
	return facts->stalled >= STALLED;
}

/* Less than an eighth is available, or tasks wait for it */
static bool lacks_memory(const struct view *view)
{
	const struct policy_facts *facts = view->facts;

	return !view->frozen && facts->memory &&
	       (u64)facts->owned + POLICY_BLOCK <= facts->limits.memory_max &&
	       (view->asks_memory || stalls(facts) ||
		(u64)facts->available * 8 < facts->memory);
}

/* A quarter is available, with a block less as well, and nobody waits for it */
static bool spares_memory(const struct view *view)
{
	const struct policy_facts *facts = view->facts;

	return !view->frozen && facts->memory >= POLICY_BLOCK &&
	       facts->owned >= (u64)facts->limits.memory_min + POLICY_BLOCK &&
	       facts->available > POLICY_BLOCK && !stalls(facts) &&
	       (u64)(facts->available - POLICY_BLOCK) * 4 >= facts->memory - POLICY_BLOCK;
}

static bool first_memory(const struct view *a, const struct view *b)
{
	if (priority_of(a) != priority_of(b))
		return priority_of(a) > priority_of(b);
	return (u64)a->facts->available * b->facts->memory <
	       (u64)b->facts->available * a->facts->memory;
}

/* Who is to get memory, of those that were not passed over */
static struct view *memory_receiver(struct policy *policy, struct view *views,
				    unsigned int nr)
{
	struct view *best = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct view *view = &views[i];
		struct policy_side *side = &view->node->side[POLICY_MEMORY];

		if (!view->passed[POLICY_MEMORY] && lacks_memory(view) &&
		    (side->debt >= DEBT_MEMORY || view->asks_memory) &&
		    rested(policy, side, POLICY_MEMORY, 1) &&
		    (!best || first_memory(view, best)))
			best = view;
	}
	return best;
}

/* Who could best do without; without a receiver who offers it */
static const struct view *memory_giver(struct policy *policy, struct view *views,
				       unsigned int nr, const struct view *to)
{
	const struct view *best = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct view *view = &views[i];

		if (view == to || !spares_memory(view) || (!to && !view->gives_memory) ||
		    barred(policy, POLICY_MEMORY, view, to) ||
		    !rested(policy, &view->node->side[POLICY_MEMORY], POLICY_MEMORY, -1))
			continue;
		if (!best || (view->gives_memory && !best->gives_memory) ||
		    (view->gives_memory == best->gives_memory &&
		     view->facts->available > best->facts->available))
			best = view;
	}
	return best;
}

static void decide_memory(struct policy *policy, struct view *views, unsigned int nr,
			  u32 free_memory, u32 step_ms,
			  struct policy_decision *decision)
{
	const struct view *from = NULL;
	struct view *to;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct policy_side *side = &views[i].node->side[POLICY_MEMORY];

		side->debt = lacks_memory(&views[i]) ? side->debt + step_ms : 0;
	}
	while ((to = memory_receiver(policy, views, nr))) {
		if (free_memory >= POLICY_BLOCK && !barred(policy, POLICY_MEMORY, NULL, to))
			break;
		from = memory_giver(policy, views, nr, to);
		if (from)
			break;
		to->passed[POLICY_MEMORY] = true;
	}
	if (!to)
		from = memory_giver(policy, views, nr, NULL);
	if (!to && !from)
		return;
	decision->any = true;
	decision->kind = POLICY_MEMORY;
	decision->from = from ? from->facts->node : POLICY_FREE;
	decision->to = to ? to->facts->node : POLICY_FREE;
	if (to && stalls(to->facts))
		snprintf(decision->why, sizeof(decision->why),
			 "node %u %s memory: %u of %u MiB are available, tasks wait for it %u %% of the time",
			 to->facts->node, to->asks_memory ? "asks for" : "lacks",
			 to->facts->available, to->facts->memory,
			 to->facts->stalled / 10);
	else if (to)
		snprintf(decision->why, sizeof(decision->why),
			 "node %u %s memory: %u of %u MiB are available",
			 to->facts->node, to->asks_memory ? "asks for" : "lacks",
			 to->facts->available, to->facts->memory);
	else
		snprintf(decision->why, sizeof(decision->why),
			 "node %u gives memory: %u of %u MiB are available",
			 from->facts->node, from->facts->available, from->facts->memory);
}

/* ---- steps --------------------------------------------------------------------- */

/* A rest that was doubled is halved again for each span without a bad return */
static void calm(struct policy *policy, struct policy_node *node)
{
	unsigned int kind;

	for (kind = 0; kind < POLICY_KINDS; kind++) {
		struct policy_side *side = &node->side[kind];
		u32 base = policy_dwell(policy, kind);

		if (side->dwell_ms > base &&
		    since(policy, side->turned_ms) > (u64)base * EARLY_TIMES +
						     side->dwell_ms) {
			side->dwell_ms /= 2;
			side->turned_ms = policy->now_ms;
		}
	}
}

/**
 * policy_step() - look at all nodes, and decide on at most one move
 * @policy:	what is remembered
 * @step_ms:	since the last step; made for about 1000
 * @facts:	nodes, each once
 * @nr:		how many; those beyond POLICY_NODES are left alone
 * @free_cores:	nobody's
 * @free_memory: nobody's, MiB
 * @decision:	filled in
 *
 * The caller carries a decision out and says by policy_done() how that went, before
 * the next step.
 */
void policy_step(struct policy *policy, u32 step_ms,
		 const struct policy_facts *facts, unsigned int nr,
		 u32 free_cores, u32 free_memory,
		 struct policy_decision *decision)
{
	struct view views[POLICY_NODES];
	unsigned int i, seen = 0;
	u32 total;

	memset(decision, 0, sizeof(*decision));
	step_ms = step_ms > STEP_MAX_MS ? STEP_MAX_MS : step_ms;
	policy->now_ms += step_ms;
	free_cores = free_cores > POLICY_CORES ? POLICY_CORES : free_cores;
	total = free_cores;
	for (i = 0; i < nr; i++)
		if (facts[i].cores <= POLICY_CORES && total <= POLICY_CORES)
			total += facts[i].cores;
	for (i = 0; i < nr && seen < POLICY_NODES; i++) {
		struct view *view = &views[seen];

		*view = (struct view){
			.facts	= &facts[i],
			.node	= remember(policy, &facts[i], facts, nr),
		};
		if (!view->node)
			continue;
		see(policy, view, total);
		calm(policy, view->node);
		seen++;
	}
	shares(policy, views, seen, free_cores);
	decide_core(policy, views, seen, free_cores, step_ms, decision);
	if (!decision->any)
		decide_memory(policy, views, seen, free_memory, step_ms, decision);
}

/**
 * policy_counts() - does the present wish of a node count, or has it?
 * @policy:	what is remembered
 * @facts:	of the last step
 *
 * Return: false if it is new, and nothing was made of it yet.
 */
bool policy_counts(struct policy *policy, const struct policy_facts *facts)
{
	const struct policy_node *node = find(policy, facts->node);

	return node && node->incarnation == facts->incarnation &&
	       facts->limits.mode == POLICY_COOPERATIVE && node->want_seq == facts->want_seq;
}

static void moved_now(struct policy *policy, struct policy_node *node,
		      enum policy_kind kind, int direction)
{
	struct policy_side *side = &node->side[kind];
	u32 base = policy_dwell(policy, kind);
	unsigned int i;

	if (side->dwell_ms < base)
		side->dwell_ms = base;
	if (side->direction && side->direction != direction) {
		/* Of two returns in a row one ends what it got: that one is judged */
		if (direction < 0 && !(kind == POLICY_CORE && earned(policy, side)) &&
		    since(policy, side->moved_ms) < (u64)base * EARLY_TIMES) {
			side->dwell_ms *= 2;
			side->turned_ms = policy->now_ms;
		}
	}
	if (direction > 0 && side->direction <= 0) {
		side->got = 0;
		side->gained = 0;
	}
	side->got += direction > 0;
	side->direction = direction;
	side->moved_ms = policy->now_ms;
	side->debt = 0;
	/* It has got some, or has room for what it gave: it is tried again */
	side->bar_ms = 0;
	side->refused_by = POLICY_FREE;
	if (direction < 0) {
		memset(side->debts, 0, sizeof(side->debts));
		side->barred_ms = 0;
		for (i = 0; i <= POLICY_NODES; i++)
			policy->pairs[kind][i][node - policy->nodes] = (struct policy_pair){};
	} else {
		memmove(side->debts, side->debts + 1,
			sizeof(side->debts) - sizeof(side->debts[0]));
		side->debts[POLICY_DEBTS - 1] = 0;
	}
}

/* For how long next, ms: twice as long as the last time */
static u32 longer(u32 bar_ms)
{
	return bar_ms ? clamp_to(2ull * bar_ms, BAR_MS, BAR_MAX_MS) : BAR_MS;
}

/**
 * policy_done() - how a decision went
 * @policy:	what is remembered
 * @decision:	of the last step
 * @moved:	it was carried out; else it was refused, or failed
 * @took_ms:	how long that took
 *
 * A giver that refuses is left alone by this receiver: which of both is the reason,
 * nobody says. A receiver that is refused by two givers one after the other, or does not
 * take what is free, is the likelier one, and gets nothing for a while.
 */
void policy_done(struct policy *policy, const struct policy_decision *decision,
		 bool moved, u32 took_ms)
{
	struct policy_node *from = find(policy, decision->from);
	struct policy_node *to = find(policy, decision->to);
	enum policy_kind kind = decision->kind;
	struct policy_pair *pair = pair_of(policy, kind, from, to);
	struct policy_side *side;

	if (moved) {
		policy->cost_ms[kind] = (3ull * policy->cost_ms[kind] + took_ms) / 4;
		*pair = (struct policy_pair){};
		if (from)
			moved_now(policy, from, kind, -1);
		if (to)
			moved_now(policy, to, kind, 1);
		return;
	}
	pair->bar_ms = longer(pair->bar_ms);
	pair->until_ms = policy->now_ms + pair->bar_ms;
	if (!to)
		return;
	side = &to->side[kind];
	if (!from || (side->refused_by != POLICY_FREE && side->refused_by != from->node)) {
		side->bar_ms = longer(side->bar_ms);
		side->barred_ms = policy->now_ms + side->bar_ms;
	}
	side->refused_by = from ? from->node : POLICY_FREE;
}
