/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: what nodes own, as one table of operations.
 *
 * A kind of thing that can be lent is one file with one struct mint_kind, and
 * one line in kinds.c. Launch, release and sysfs walk the table and know no
 * kind by name.
 */
#ifndef _ARCH_X86_MINT_KIND_H
#define _ARCH_X86_MINT_KIND_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "../area/area.h"

struct mint_claim;
struct mint_kexec;
struct seq_file;

/**
 * struct mint_transfer - a thing on its way from one running node to another
 * @kind:	what it is
 * @from:	whose it was: a node, or MINT_NODE_FREE
 * @to:		whose it becomes: a node, or MINT_NODE_FREE
 * @start:	which, as MINT_MOVE_* of the kind says
 * @size:	how much, the same
 * @bound:	jiffies after which who works on it should give up
 * @begun:	@give or @take was called in this kernel: there may be something to
 *		undo
 * @again:	@take: this node had begun to use it before its own reboot
 * @memo:	what @give leaves for @keep
 * @claim:	for @clear: of the node that has let go of it, the giver or a receiver
 *		that failed, to say that it makes progress; NULL if that is no successor
 * @reason:	why it is refused: resource, owner, remedy, in one line
 */
struct mint_transfer {
	const struct mint_kind	*kind;
	u32			from;
	u32			to;
	u64			start;
	u64			size;
	unsigned long		bound;
	bool			begun;
	bool			again;
	u64			memo;
	struct mint_claim	*claim;
	char			reason[MINT_MOVE_REASON];
};

/* What mint_kind.parse() returns for a word that is none of its own */
#define MINT_WORD_FOREIGN	1

/* Room for files of kinds in sysfs */
#define MINT_KINDS_MAX		16

/**
 * struct mint_kind - a kind of thing that nodes own
 * @file:	its file in /sys/kernel/mint/; kinds may share one
 * @node_file:	its file in nodes/<n>/, or NULL; kinds may share one
 * @param:	parameter of a launch whose words name such things, with its
 *		"="; kinds may share one, and then the first in the table that
 *		knows a word has it. NULL: nothing is named
 * @syntax:	what such a word looks like, for a refusal
 * @begin:	enter into the request what no word names, before any word is
 *		read
 * @parse:	read one word of @param, check each thing that it names and
 *		enter it into the request. Returns MINT_WORD_FOREIGN for a word
 *		of another kind
 * @check:	check what can only be seen once all words of @param are read
 * @claim:	the things are now the node's, for others to see
 * @lend:	bring them to rest on their way to the node; may take long
 * @take_back:	undo @lend, and bring to rest what the node has left; may take
 *		long, and is called for what was never lent or lent by half, too
 * @set_free:	undo @claim: from then on somebody else may have them; is called
 *		for what was never claimed or claimed by half, too
 * @quiet:	this node leaves the machine: bring to rest what it has of them
 * @show:	print all of this kind on this machine, by owner. NULL: the file
 *		is what @show_node says of each node, its number behind it
 * @show_node:	print what node @n has, a line for each, and where there is no
 *		@show with @suffix behind it
 *
 * @move:	MINT_MOVE_* of such things, 0 if none moves between running nodes
 * @word:	what they are called in a request to move one
 * @proves:	@take itself makes sure that nobody else uses it: node 0, which does
 *		so by @clear, may be dead
 * @crowded:	a node has room for a few only: one at a time comes to a node, or
 *		leaves it
 * @plan:	read which thing a request names, and enter it; check that it may
 *		go to @to, as far as node 0 can see, and say whose it is (@from)
 * @give:	the kernel that gives it stops using it for good. For node 0,
 *		giver of what is free, too: to bring it to where @clear finds it
 * @keep:	undo @give, which was called before and may have failed half-way: it
 *		stays with this kernel
 * @clear:	prove that nobody uses it, and bring it to rest; also after its
 *		receiver could not use it
 * @hand:	the book says now that it is @to's and not @from's any more; either
 *		may be MINT_NODE_FLIGHT. Returns false, and changes nothing, if
 *		it is not @from's
 * @handed:	what of that takes long
 * @take:	the kernel that receives it begins to use it; if it cannot, the
 *		thing is left as it was
 *
 * An operation that is NULL has nothing to do.
 *
 * @plan, @give, @keep, @clear, @take: process, may sleep; return 0 or what
 * mint_transfer_refuse() returned.
 *
 * @plan: predecessor, under mint_claims_lock(); changes nothing. @to is a node
 * that runs, whose kernel can take such things, or MINT_NODE_FREE.
 *
 * @give, @keep, @take: one transfer at a time in this kernel, no other lock
 * held. What @start and @size say was copied; in a successor nothing of it was
 * checked. They give up at @bound where they can. In node 0, as giver or for what
 * is free, the book says MINT_NODE_FLIGHT during @give and @from again during
 * @keep; in all of them it says @to during @take.
 *
 * @clear: predecessor, the thing being MINT_NODE_FLIGHT's in the book; under the
 * lock of the claim of who gave it, unless that was node 0 or nobody.
 *
 * @hand: predecessor, under mint_claims_lock() and the locks of the claims of
 * @from and @to, where these are successors; quick.
 *
 * @handed: predecessor, after @hand, mint_claims_lock() not held; may sleep.
 *
 * @begin, @parse, @check: predecessor, process, under mint_claims_lock(); may
 * sleep. They change nothing but the request. Each returns 0 or what
 * mint_refuse() returns, after which the request is dropped.
 *
 * @claim: predecessor, process, under mint_claims_lock() and the lock of the
 * claim, which is in use and holds what the request asked for. It fails only
 * for a reason that @check could not see, and undoes nothing then: @take_back
 * and @set_free of all kinds follow.
 *
 * @lend: predecessor, process, under the claim's lock; may sleep. As to errors
 * it is as @claim.
 *
 * @take_back: predecessor, process, under the claim's lock, with all cores of
 * the node parked; mint_claims_lock() is not held. It calls
 * mint_claim_inc_progress() after each step that takes long.
 *
 * @set_free: predecessor, process, under both locks, quick.
 *
 * @quiet: successor, the last core that it has, interrupts off, from wherever the
 * end came: waits for no lock that a core which was stopped may hold.
 *
 * @show, @show_node: process, no lock; what a peer wrote is checked first. They are
 * called again, with more room, when the text does not fit.
 */
struct mint_kind {
	const char	*file;
	const char	*node_file;
	const char	*param;
	const char	*syntax;
	int		(*begin)(struct mint_kexec *rq);
	int		(*parse)(struct mint_kexec *rq,
				 const struct mint_token *word);
	int		(*check)(struct mint_kexec *rq);
	int		(*claim)(struct mint_kexec *rq, struct mint_claim *claim);
	int		(*lend)(struct mint_kexec *rq, struct mint_claim *claim);
	void		(*take_back)(struct mint_claim *claim);
	void		(*set_free)(struct mint_claim *claim);
	void		(*quiet)(void);
	void		(*show)(struct seq_file *m);
	void		(*show_node)(struct seq_file *m, u32 n,
				     const char *suffix);
	u32		move;
	const char	*word;
	bool		proves;
	bool		crowded;
	int		(*plan)(struct mint_transfer *t,
				const struct mint_token *word);
	int		(*give)(struct mint_transfer *t);
	int		(*keep)(struct mint_transfer *t);
	int		(*clear)(struct mint_transfer *t);
	bool		(*hand)(struct mint_transfer *t, u32 from, u32 to);
	void		(*handed)(struct mint_transfer *t, u32 to);
	int		(*take)(struct mint_transfer *t);
};

extern const struct mint_kind mint_kind_core;		/* core.c */
extern const struct mint_kind mint_kind_memory;		/* memory.c */
extern const struct mint_kind mint_kind_legacy;		/* legacy.c */
extern const struct mint_kind mint_kind_pin;		/* pin.c */
extern const struct mint_kind mint_kind_function;	/* function.c */

extern const struct mint_kind mint_kind_window;		/* window.c */
extern const struct mint_kind mint_kind_share;		/* share.c */

/* window.c */
bool mint_window_get(u32 i, struct mint_window *window);
bool mint_windows_closing(void);
void mint_windows_collect(void);
unsigned long *mint_slots_used(u32 links);
void mint_slots_take(u32 first, u32 count);
void mint_slots_return(u32 first, u32 count);

/* share.c */
bool mint_shares_changed(void);
bool mint_share_member(u32 i, u32 n);
void mint_share_free(u32 i);
bool mint_share_get(u32 i, struct mint_share *share);
void mint_shares_set_mapped(void);
#if IS_ENABLED(CONFIG_KUNIT)
int mint_share_word(const struct mint_token *word, char *name, u64 *size);
u32 mint_slots_find(const unsigned long *used, u32 count, u32 want);
#endif

/* kinds.c */
const struct mint_kind *mint_kind(u32 i);
const struct mint_kind *mint_kind_moving(u32 move);
int mint_kinds_check(struct mint_kexec *rq);
int mint_kinds_claim(struct mint_kexec *rq, struct mint_claim *claim);
int mint_kinds_lend(struct mint_kexec *rq, struct mint_claim *claim);
void mint_kinds_take_back(struct mint_claim *claim);
void mint_kinds_set_free(struct mint_claim *claim);
void mint_kinds_quiet(void);
void mint_kinds_show(struct seq_file *m, const char *file);
void mint_kinds_show_node(struct seq_file *m, const char *file, u32 n);

/* For kinds that are numbers: returns the owner of the @index-th, and its number */
typedef u32 (*mint_owner_fn)(u32 index, u32 *id);

void mint_show_list(struct seq_file *m, mint_owner_fn fn, u32 count, u32 owner,
		    const char *label);
void mint_show_owners(struct seq_file *m, mint_owner_fn fn, u32 count);

/* transfer.c */
bool mint_is_successor(u32 n);
__printf(3, 4)
int mint_transfer_refuse(struct mint_transfer *t, int err, const char *fmt, ...);
void mint_transfer_add(struct mint_transfer *t, const char *more);

/* memory.c */
bool mint_memory_unreached(u32 n);
bool mint_request_unreached(const struct mint_kexec *rq, bool *below);

/* pin.c */

/* Without interrupt remapping devices name no APIC ID above this one */
#define MINT_DEVICE_APIC_ID_MAX	254

const char *mint_pin_problem(const struct mint_device *dev);
struct mint_core *mint_pin_unreached_core(u32 n);
bool mint_pins_can_interrupt(u32 n);
void mint_pin_leave(u32 n, const struct mint_device *dev);
int mint_request_device(struct mint_kexec *rq, struct mint_device *dev,
			const char *name);

#endif /* _ARCH_X86_MINT_KIND_H */
