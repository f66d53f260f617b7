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

#include <linux/types.h>

#include "../area/area.h"

struct mint_claim;
struct request;

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
 * @show:	print all of this kind on this machine, by owner. NULL: the file
 *		is what @show_node says of each node, its number behind it
 * @show_node:	print what node @n has to @buf from @at on, a line for each, and
 *		where there is no @show with @suffix behind it. Returns the
 *		number of bytes
 *
 * An operation that is NULL has nothing to do.
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
 * the node parked; mint_claims_lock() is not held. It says
 * mint_claim_progressed() after each step that takes long.
 *
 * @set_free: predecessor, process, under both locks, quick.
 *
 * @show, @show_node: process, no lock; what a peer wrote is checked first.
 */
struct mint_kind {
	const char	*file;
	const char	*node_file;
	const char	*param;
	const char	*syntax;
	int		(*begin)(struct request *rq);
	int		(*parse)(struct request *rq,
				 const struct mint_token *word);
	int		(*check)(struct request *rq);
	int		(*claim)(struct request *rq, struct mint_claim *claim);
	int		(*lend)(struct request *rq, struct mint_claim *claim);
	void		(*take_back)(struct mint_claim *claim);
	void		(*set_free)(struct mint_claim *claim);
	ssize_t		(*show)(char *buf);
	int		(*show_node)(char *buf, int at, u32 n,
				     const char *suffix);
};

extern const struct mint_kind mint_kind_core;		/* core.c */
extern const struct mint_kind mint_kind_memory;		/* memory.c */
extern const struct mint_kind mint_kind_legacy;		/* legacy.c */
extern const struct mint_kind mint_kind_pin;		/* pin.c */
extern const struct mint_kind mint_kind_function;	/* function.c */

/* kinds.c */
const struct mint_kind *mint_kind(u32 i);
int mint_kinds_check(struct request *rq);
int mint_kinds_claim(struct request *rq, struct mint_claim *claim);
int mint_kinds_lend(struct request *rq, struct mint_claim *claim);
void mint_kinds_take_back(struct mint_claim *claim);
void mint_kinds_set_free(struct mint_claim *claim);
ssize_t mint_kinds_show(const char *file, char *buf);
ssize_t mint_kinds_show_node(const char *file, u32 n, char *buf);

/* For kinds that are numbers: owner of the one with an index, and its number */
typedef u32 (*mint_owner_fn)(u32 index, u32 *id);

int mint_show_list(char *buf, int at, mint_owner_fn fn, u32 count, u32 owner,
		   const char *label);
int mint_show_owners(char *buf, mint_owner_fn fn, u32 count);

/* pin.c */
const char *mint_pin_problem(const struct mint_device *dev);
int mint_request_device(struct request *rq, struct mint_device *dev,
			const char *name);

#endif /* _ARCH_X86_MINT_KIND_H */
