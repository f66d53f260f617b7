/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: cores, memory and PCI functions go from one running node to another:
 * docs/moving.md.
 */
#ifndef _ARCH_X86_MINT_MOVE_H
#define _ARCH_X86_MINT_MOVE_H

#include <linux/types.h>

#include "../area/area.h"
#include "../kind/kind.h"

/* transfer.c: in node 0 */
int mint_move_request(const char *text, u32 asker, u64 incarnation, char *reason,
		      size_t size);
unsigned long mint_move_bound(void);

/* party.c: giver and receiver */
#ifdef CONFIG_MINT_PROVOKE
void mint_turn_listen(void (*fn)(u32 turn));
#endif
bool mint_turn_change(struct mint_move *move, u32 seq, u32 from, u32 to);
int mint_move_local(struct mint_transfer *t,
		    int (*what)(struct mint_transfer *t));
void mint_move_forget(void);

/* wish.c: in a successor, and in node 0 what it wishes */
int mint_move_wish(const char *text);
void mint_wishes_rung(u32 n);
int mint_wish_check(struct mint_transfer *t, u32 asker);

/* history.c */

/**
 * enum mint_step - parts of a transfer whose time is told
 * @MINT_STEP_GIVE:	from the request until the giver has given it up
 * @MINT_STEP_CLEAR:	until it is found at rest
 * @MINT_STEP_TAKE:	until the receiver uses it
 * @MINT_STEPS:		how many there are
 */
enum mint_step {
	MINT_STEP_GIVE,
	MINT_STEP_CLEAR,
	MINT_STEP_TAKE,
	MINT_STEPS,
};

/**
 * struct mint_history - a transfer, for people
 * @seq:	its number
 * @what:	as it was asked for, cut down to what fits
 * @from:	who had it
 * @to:		who gets it
 * @state:	what has come of it, one word
 * @us:		microseconds of each step
 * @total_us:	and of the whole
 * @reason:	why it was refused or has failed
 */
struct mint_history {
	u32		seq;
	char		what[48];
	u32		from;
	u32		to;
	const char	*state;
	u64		us[MINT_STEPS];
	u64		total_us;
	char		reason[MINT_MOVE_REASON];
};

void mint_history_set(const struct mint_history *entry);
ssize_t mint_history_show(char *buf);
void mint_history_listen(void (*changed)(void));

#endif /* _ARCH_X86_MINT_MOVE_H */
