/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintd: who should have how many cores and how much memory.
 *
 * Pure: no files, no clock, no allocation, integers only. The same facts in the
 * same order give the same decisions; mint-sim replays them. docs/broker.md has
 * the rules, and why they come to rest.
 */
#ifndef MINT_POLICY_H
#define MINT_POLICY_H

#include "mintctl.h"

#define POLICY_NODES	64
#define POLICY_CORES	4096		/* more than that are not shared out */
#define POLICY_FREE	UINT32_MAX	/* in place of a node: nobody's */
#define POLICY_BLOCK	128		/* MiB that move at a time */
#define POLICY_DEBTS	16		/* cores lacked, for which it is counted apart */

enum policy_mode {
	POLICY_FIXED,		/* left alone */
	POLICY_AUTONOMOUS,	/* by what is measured */
	POLICY_COOPERATIVE,	/* and by what it asks for */
};

/* As node files and traces have them */
static const char * const policy_modes[] = {
	[POLICY_FIXED]		= "fixed",
	[POLICY_AUTONOMOUS]	= "autonomous",
	[POLICY_COOPERATIVE]	= "cooperative",
};

enum policy_kind {
	POLICY_CORE,
	POLICY_MEMORY,
	POLICY_KINDS,
};

/**
 * struct policy_limits - what the administrator allows a node
 * @cores_min:	never fewer by a decision
 * @cores_max:	never more
 * @memory_min:	MiB
 * @memory_max:	MiB
 * @weight:	of two that both lack cores, the one of twice the weight has twice
 *		as many; 1 to 10000
 * @priority:	who is served first, 0 to 99
 * @mode:	what is heeded
 */
struct policy_limits {
	u32		cores_min, cores_max, memory_min, memory_max;
	u32		weight, priority;
	enum policy_mode	mode;
};

/**
 * struct policy_facts - a node at one step
 * @node:	its number
 * @incarnation: which node of that number
 * @limits:	what it may have
 * @cores:	how many it owns
 * @movable:	how many of them can leave it
 * @room:	how many more it could take
 * @runnable:	tasks that ran or waited, in the mean since the last step,
 *		thousandths of what a core runs at a time
 * @memory:	MiB that it says it has
 * @owned:	MiB that are its own by node 0's book; limits are about them
 * @available:	MiB of them that are not needed
 * @stalled:	thousandths of the time for which tasks waited for memory
 * @age_ms:	how old these facts are
 * @want_cores:	by how many more (fewer, if negative) it asks for
 * @want_memory: MiB, likewise
 * @want_seq:	changes with each new wish
 * @hold_ms:	for how long the wish stands; 0: the default
 * @priority:	of the wish; the lower of this and @limits.priority counts
 * @urgent:	it cannot wait
 */
struct policy_facts {
	u32		node, incarnation;
	struct policy_limits	limits;
	u32		cores, movable, room, runnable;
	u32		memory, owned, available, stalled;
	u32		age_ms;
	s32			want_cores, want_memory;
	u32		want_seq, hold_ms, priority;
	bool			urgent;
};

/**
 * struct policy_decision - what to do now
 * @any:	anything at all; the rest is valid only then
 * @kind:	what moves: one core, or POLICY_BLOCK MiB
 * @from:	node, or POLICY_FREE
 * @to:		node, or POLICY_FREE
 * @urgent:	the giver does not wait for what runs there
 * @why:	one line
 */
struct policy_decision {
	bool			any;
	enum policy_kind	kind;
	u32		from, to;
	bool			urgent;
	char			why[160];
};

/**
 * struct policy_side - what is remembered of a node for one kind
 * @debts:	what has waited for each core that it lacks, since it lacks that one,
 *		thousandths of a core and second; first that for the next one
 * @debt:	for how long it has lacked memory, ms
 * @dwell_ms:	for how long it does not turn round after a move
 * @turned_ms:	when it made a bad return last, or its rest was halved since then
 * @moved_ms:	when it got or gave last
 * @direction:	1 it got, -1 it gave, 0 neither yet
 * @base:	cores that it had before it began to get
 * @got:	moves since then
 * @gained:	what the cores above @base have done since then, thousandths of a
 *		core and second; of memory nobody knows
 * @barred_ms:	until when it gets nothing, as it was refused again and again
 * @bar_ms:	for how long, the last time
 * @refused_by:	giver that refused it last, or POLICY_FREE
 */
struct policy_side {
	u64	debts[POLICY_DEBTS], debt, turned_ms, moved_ms, gained, barred_ms;
	u32	dwell_ms, base, got, bar_ms, refused_by;
	int		direction;
};

/**
 * struct policy_pair - what is remembered of a giver and a receiver
 * @until_ms:	until when nothing is tried between them, as it was refused
 * @bar_ms:	for how long, the last time; 0: it was not, or has gone well since
 */
struct policy_pair {
	u64	until_ms;
	u32	bar_ms;
};

/* What is remembered of a node */
struct policy_node {
	bool			used;
	u32		node, incarnation;
	u32		demand;
	u32		want_seq, want_base, want_base_memory;
	u64		want_until_ms;
	struct policy_side	side[POLICY_KINDS];
};

/**
 * struct policy - all that is remembered
 * @now_ms:	sum of the steps
 * @cost_ms:	what a move of a kind takes, smoothed
 * @nodes:	of each node; where it stands here does not change while it lives
 * @pairs:	by giver and receiver, as they stand in @nodes; the last is nobody
 */
struct policy {
	u64		now_ms;
	u32		cost_ms[POLICY_KINDS];
	struct policy_node	nodes[POLICY_NODES];
	struct policy_pair	pairs[POLICY_KINDS][POLICY_NODES + 1][POLICY_NODES + 1];
};

void policy_init(struct policy *policy);
void policy_step(struct policy *policy, u32 step_ms,
		 const struct policy_facts *facts, unsigned int nr,
		 u32 free_cores, u32 free_memory,
		 struct policy_decision *decision);
void policy_done(struct policy *policy, const struct policy_decision *decision,
		 bool moved, u32 took_ms);
bool policy_counts(struct policy *policy, const struct policy_facts *facts);
u32 policy_dwell(const struct policy *policy, enum policy_kind kind);

#endif
