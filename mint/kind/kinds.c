// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the table of what nodes own, and the walks over it.
 *
 * Owns the order: forwards when things are checked and lent, backwards when
 * they are taken back. A function comes back before its pin, with its line
 * quiet; the memory follows, to which it may have written; the cores come last.
 */

#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "../area/area.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

/*
 * Of kinds that share a parameter the one with the fewest words comes first: it
 * is asked first, and named last where a word is nobody's. Links come before shares,
 * which leave them the room that they need.
 */
static const struct mint_kind * const kinds[] = {
	&mint_kind_core,
	&mint_kind_memory,
	&mint_kind_legacy,
	&mint_kind_pin,
	&mint_kind_function,
	&mint_kind_window,
	&mint_kind_share,
};

static_assert(ARRAY_SIZE(kinds) <= MINT_KINDS_MAX);

/**
 * mint_kind() - a kind of thing that nodes own
 * @i:	from 0, in the order in which they are lent
 *
 * Context: any.
 * Return: the kind, NULL behind the last one.
 */
const struct mint_kind *mint_kind(u32 i)
{
	return i < ARRAY_SIZE(kinds) ? kinds[i] : NULL;
}

/**
 * mint_kind_moving() - the kind of a record of a move
 * @move:	MINT_MOVE_*
 *
 * Context: any.
 * Return: the kind, NULL if nothing moves by this name here.
 */
const struct mint_kind *mint_kind_moving(u32 move)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (move && kinds[i]->move == move)
			return kinds[i];
	return NULL;
}

static bool has_param(const struct mint_kind *kind, const char *param)
{
	return kind->param && !strcmp(kind->param, param);
}

static int refuse_word(struct mint_kexec *rq, const char *param,
		       const struct mint_token *word)
{
	DECLARE_SEQ_BUF(syntax, 128);
	int i;

	for (i = ARRAY_SIZE(kinds) - 1; i >= 0; i--)
		if (has_param(kinds[i], param))
			seq_buf_printf(&syntax, "%s%s",
				       seq_buf_used(&syntax) ? ", " : "",
				       kinds[i]->syntax);
	return mint_refuse(rq, -EINVAL, "%s: '%.*s' is not %s", param,
			   word->len, word->text, seq_buf_str(&syntax));
}

static int read_word(struct mint_kexec *rq, const char *param,
		     const struct mint_token *word)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!has_param(kinds[i], param))
			continue;
		err = kinds[i]->parse(rq, word);
		if (err != MINT_WORD_FOREIGN)
			return err;
	}
	return refuse_word(rq, param, word);
}

static int read_words(struct mint_kexec *rq, const char *param)
{
	struct mint_token list, word;
	int err;

	if (!mint_param_find(rq->cmdline, param, &list))
		return 0;
	while (mint_token_next(&list.text, &word)) {
		err = read_word(rq, param, &word);
		if (err)
			return err;
	}
	return 0;
}

/* The words of a parameter are read once, for all kinds that share it */
static bool first_with_param(u32 i)
{
	const char *param = kinds[i]->param;

	if (!param)
		return false;
	while (i--)
		if (has_param(kinds[i], param))
			return false;
	return true;
}

/**
 * mint_kinds_check() - may a new node have what it asks for?
 * @rq:		the request; what the node will own is entered into it
 *
 * Context: predecessor, process, under mint_claims_lock().
 * Return: 0; what mint_refuse() returned, or -ENOMEM.
 */
int mint_kinds_check(struct mint_kexec *rq)
{
	const struct mint_kind *kind;
	int i, err = 0;

	mint_claims_assert_held();
	for (i = 0; i < ARRAY_SIZE(kinds) && !err; i++) {
		kind = kinds[i];
		if (kind->begin)
			err = kind->begin(rq);
		if (!err && first_with_param(i))
			err = read_words(rq, kind->param);
		if (!err && kind->check)
			err = kind->check(rq);
	}
	return err;
}

/**
 * mint_kinds_claim() - what was checked is now the node's
 * @rq:		the request
 * @claim:	the node, entered by mint_claim_use()
 *
 * Context: predecessor, process, under mint_claims_lock() and the claim's lock.
 * Return: 0; a negative error, and then mint_claim_forget() undoes what was
 * done.
 */
int mint_kinds_claim(struct mint_kexec *rq, struct mint_claim *claim)
{
	int i, err = 0;

	lockdep_assert_held(&claim->lock);
	mint_claims_assert_held();
	for (i = 0; i < ARRAY_SIZE(kinds) && !err; i++)
		if (kinds[i]->claim)
			err = kinds[i]->claim(rq, claim);
	return err;
}

/**
 * mint_kinds_lend() - bring what a node gets to rest on its way there
 * @rq:		the request
 * @claim:	the node, after mint_kinds_claim()
 *
 * Context: predecessor, process, under the claim's lock; may take long.
 * Return: as mint_kinds_claim().
 */
int mint_kinds_lend(struct mint_kexec *rq, struct mint_claim *claim)
{
	int i, err = 0;

	lockdep_assert_held(&claim->lock);
	for (i = 0; i < ARRAY_SIZE(kinds) && !err; i++)
		if (kinds[i]->lend)
			err = kinds[i]->lend(rq, claim);
	return err;
}

/**
 * mint_kinds_take_back() - bring to rest all that a node had
 * @claim:	the node; all of its cores are parked
 *
 * Context: predecessor, process, under the claim's lock, mint_claims_lock() not
 *	    held; may take long.
 */
void mint_kinds_take_back(struct mint_claim *claim)
{
	int i;

	lockdep_assert_held(&claim->lock);
	for (i = ARRAY_SIZE(kinds) - 1; i >= 0; i--)
		if (kinds[i]->take_back)
			kinds[i]->take_back(claim);
}

/**
 * mint_kinds_set_free() - from now on others may have what a node had
 * @claim:	the node, after mint_kinds_take_back()
 *
 * Context: predecessor, process, under mint_claims_lock() and the claim's lock.
 */
void mint_kinds_set_free(struct mint_claim *claim)
{
	int i;

	lockdep_assert_held(&claim->lock);
	mint_claims_assert_held();
	for (i = ARRAY_SIZE(kinds) - 1; i >= 0; i--)
		if (kinds[i]->set_free)
			kinds[i]->set_free(claim);
}

/**
 * mint_kinds_quiet() - bring to rest what this node has, as it ends
 *
 * Context: successor, its last core, interrupts off; any.
 */
void mint_kinds_quiet(void)
{
	int i;

	for (i = ARRAY_SIZE(kinds) - 1; i >= 0; i--)
		if (kinds[i]->quiet)
			kinds[i]->quiet();
}

/**
 * mint_kinds_show_node() - print a file of nodes/<n>/
 * @m:		where to
 * @file:	its name
 * @n:		number of the node
 *
 * Context: process.
 */
void mint_kinds_show_node(struct seq_file *m, const char *file, u32 n)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->node_file && !strcmp(kinds[i]->node_file, file))
			kinds[i]->show_node(m, n, "");
}

/**
 * mint_kinds_show() - print a file of /sys/kernel/mint/
 * @m:		where to
 * @file:	its name
 *
 * Context: process.
 */
void mint_kinds_show(struct seq_file *m, const char *file)
{
	bool whole = false;
	char suffix[24];
	u32 n;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kinds[i]->show || strcmp(kinds[i]->file, file))
			continue;
		kinds[i]->show(m);
		whole = true;
	}
	if (whole)
		return;
	for (n = 0; mint_node(n); n++) {
		snprintf(suffix, sizeof(suffix), " node %u", n);
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			if (!strcmp(kinds[i]->file, file))
				kinds[i]->show_node(m, n, suffix);
	}
}

/**
 * mint_show_list() - print what one owner has, as "1,4-7"
 * @m:		where to
 * @fn:		owner and number of each
 * @count:	how many there are
 * @owner:	a node, or MINT_NODE_FREE
 * @label:	what comes before; nothing is printed if the owner has nothing
 *
 * Context: process.
 */
void mint_show_list(struct seq_file *m, mint_owner_fn fn, u32 count, u32 owner,
		    const char *label)
{
	const char *before = label;
	u32 i, id, first, last;

	for (i = 0; i < count; i++) {
		if (fn(i, &id) != owner)
			continue;
		first = id;
		do {
			last = id;
		} while (i + 1 < count && fn(i + 1, &id) == owner &&
			 id == last + 1 && ++i);

		seq_printf(m, "%s%u", before, first);
		if (last > first)
			seq_printf(m, "-%u", last);
		before = ",";
	}
	if (before != label)
		seq_putc(m, '\n');
}

/**
 * mint_show_owners() - print who has what, a line for each node, then the free
 * @m:		where to
 * @fn:		owner and number of each
 * @count:	how many there are
 *
 * Context: process.
 */
void mint_show_owners(struct seq_file *m, mint_owner_fn fn, u32 count)
{
	char label[24];
	u32 n;

	for (n = 0; mint_node(n); n++) {
		snprintf(label, sizeof(label), "node %u: ", n);
		mint_show_list(m, fn, count, n, label);
	}
	mint_show_list(m, fn, count, MINT_NODE_FLIGHT, "in flight: ");
	mint_show_list(m, fn, count, MINT_NODE_FREE, "free: ");
}
