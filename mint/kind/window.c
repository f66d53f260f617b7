// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a window of shared memory is.
 *
 * Owns node 0's book of windows, in private memory, and the records that repeat
 * it for the others; which links a launch asks for (mint.links=) and gets.
 *
 * A window belongs to its members, not to one node. When a member has ended the
 * window is closed, which delays nobody: it is used again once the other member
 * says that it has left it, or has ended, too. A node that ends is a node whose
 * cores are proven parked, so nobody writes there any more.
 */

#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

#define LINKS_PARAM	"mint.links="

/**
 * struct book - what node 0 knows of a window
 * @window:	what its record says, too
 * @named:	its memory is part of a share: kind/share.c
 */
struct book {
	struct mint_window	window;
	bool			named;
};

/* Under mint_claims_lock(), as all that is here */
static struct book *book;
static void *pool;		/* the shared memory, mapped */
static u32 closing;		/* windows that a member has still to leave */
static u32 changes;		/* of the records */

/* Made by the first launch. Return: false if there is no memory for it. */
static bool open_book(void)
{
	if (book)
		return true;
	if (!pool)
		pool = mint_map_memory(mint_layout.shared.start,
				       mint_layout.shared.size);
	if (pool)
		book = kcalloc(mint_layout.windows.count, sizeof(*book),
			       GFP_KERNEL);
	return book;
}

static struct mint_end *end_of(const struct mint_window *window, u32 member)
{
	return pool + (window->start - mint_layout.shared.start) +
	       member * MINT_END_SIZE;
}

/* Tell the others what the book says of a window */
static void publish(u32 i)
{
	struct mint_window *record = mint_window_record(i);
	u32 state = book[i].window.state;

	if (state == MINT_WINDOW_OPEN) {
		WRITE_ONCE(record->epoch, book[i].window.epoch);
		WRITE_ONCE(record->kind, book[i].window.kind);
		WRITE_ONCE(record->member[0], book[i].window.member[0]);
		WRITE_ONCE(record->member[1], book[i].window.member[1]);
		WRITE_ONCE(record->start, book[i].window.start);
		WRITE_ONCE(record->size, book[i].window.size);
	}
	WRITE_ONCE(record->gone, book[i].window.gone);
	/* Pairs with mint_window_read() */
	virt_store_release(&record->state, state);
	/* Pairs with mint_windows_changed() */
	virt_store_release(&mint_common->window_changes, ++changes);
}

static void open_window(u32 i, u32 a, u32 b)
{
	struct mint_window *window = &book[i].window;

	window->state = MINT_WINDOW_OPEN;
	window->kind = MINT_WINDOW_LINK;
	window->epoch++;
	window->member[0] = min(a, b);
	window->member[1] = max(a, b);
	window->start = mint_layout.shared.start + (u64)i * MINT_LINK_SIZE;
	window->size = MINT_LINK_SIZE;
	/* Without links of its own node 0 has nothing to leave */
	window->gone = !IS_ENABLED(CONFIG_MINT_NET) && !window->member[0] ? BIT(0) : 0;
	/* Nothing of its former members is left for these */
	memset(end_of(window, 0), 0, window->size);
	publish(i);
}

/* A member uses a window no more */
static void leave(u32 i, u32 member)
{
	struct mint_window *window = &book[i].window;

	window->gone |= BIT(member);
	if (window->gone == BIT(MINT_WINDOW_MEMBERS) - 1) {
		if (window->state == MINT_WINDOW_CLOSED)
			WRITE_ONCE(closing, closing - 1);
		window->state = MINT_WINDOW_FREE;
	} else if (window->state == MINT_WINDOW_OPEN) {
		WRITE_ONCE(closing, closing + 1);
		window->state = MINT_WINDOW_CLOSED;
		/* The member that has ended may have forged that the other one has left */
		WRITE_ONCE(end_of(window, !member)->left, 0);
	} else {
		return;
	}
	publish(i);
}

/**
 * mint_window_get() - copy what is known of a window
 * @i:		index of its record
 * @window:	out: the copy, as mint_window_read() has it
 *
 * Context: process, may sleep; mint_claims_lock() is not held.
 * Return: false if there is no such window, or what its record says cannot be.
 */
bool mint_window_get(u32 i, struct mint_window *window)
{
	if (mint_role != MINT_PREDECESSOR)
		return mint_window_read(i, window);

	guard(mint_claims)();
	if (!book || i >= mint_layout.windows.count)
		return false;
	*window = book[i].window;
	return true;
}

/**
 * mint_windows_closing() - has a member still to leave a window?
 *
 * Context: any; false in all but node 0.
 * Return: true while node 0 waits for one.
 */
bool mint_windows_closing(void)
{
	return READ_ONCE(closing);
}

/* A member says that it has left a window */
static bool has_left(u32 i, u32 member)
{
	struct mint_end *end = end_of(&book[i].window, member);

	/* Pairs with drop() of the member, link/adopt.c */
	return virt_load_acquire(&end->left) == book[i].window.epoch;
}

static void collect(void)
{
	u32 i, member;

	for (i = 0; closing && i < mint_layout.windows.count; i++)
		for (member = 0; member < MINT_WINDOW_MEMBERS; member++)
			if (book[i].window.state == MINT_WINDOW_CLOSED &&
			    has_left(i, member))
				leave(i, member);
}

/**
 * mint_windows_collect() - look who has left windows that are closed
 *
 * Context: predecessor, process; may sleep.
 */
void mint_windows_collect(void)
{
	guard(mint_claims)();
	collect();
}

/* The first free window; as many as there are if all are in use */
static u32 find_free(void)
{
	u32 i;

	for (i = 0; i < mint_layout.windows.count; i++)
		if (book[i].window.state == MINT_WINDOW_FREE && !book[i].named)
			break;
	return i;
}

static u32 count_free(void)
{
	u32 i, count = 0;

	if (!mint_layout.windows.count || !open_book())
		return 0;
	collect();
	for (i = 0; i < mint_layout.windows.count; i++)
		count += book[i].window.state == MINT_WINDOW_FREE &&
			 !book[i].named;
	return count;
}

/**
 * mint_slots_used() - the parts of the shared memory that are in use
 * @links:	so many free ones are taken for used, too: the next that links get
 *
 * Context: predecessor, process, under mint_claims_lock().
 * Return: a bit for each MINT_LINK_SIZE bytes of it, to be freed by
 * bitmap_free(); NULL if there is none, or no memory.
 */
unsigned long *mint_slots_used(u32 links)
{
	unsigned long *used;
	u32 i;

	if (!mint_layout.windows.count || !open_book())
		return NULL;
	collect();
	used = bitmap_zalloc(mint_layout.windows.count, GFP_KERNEL);
	for (i = 0; used && i < mint_layout.windows.count; i++) {
		if (book[i].window.state != MINT_WINDOW_FREE || book[i].named) {
			__set_bit(i, used);
		} else if (links) {
			links--;
			__set_bit(i, used);
		}
	}
	return used;
}

/**
 * mint_slots_take() - no link gets these parts of the shared memory
 * @first:	the first one, free as mint_slots_used() has said
 * @count:	how many
 *
 * They are filled with zeroes.
 *
 * Context: predecessor, process, under mint_claims_lock().
 */
void mint_slots_take(u32 first, u32 count)
{
	u32 i;

	for (i = first; i < first + count; i++) {
		book[i].named = true;
		memset(pool + (u64)i * MINT_LINK_SIZE, 0, MINT_LINK_SIZE);
		cond_resched();
	}
}

/**
 * mint_slots_return() - undo mint_slots_take(): nobody uses them
 * @first:	the first one
 * @count:	how many
 *
 * Context: predecessor, process, under mint_claims_lock().
 */
void mint_slots_return(u32 first, u32 count)
{
	u32 i;

	for (i = first; i < first + count; i++)
		book[i].named = false;
}

static int begin(struct mint_kexec *rq)
{
	struct mint_token list;

	rq->links_named = mint_param_find(rq->cmdline, LINKS_PARAM, &list);
	if (!rq->links_named && IS_ENABLED(CONFIG_MINT_NET))
		__set_bit(mint_self, rq->links);
	return 0;
}

static bool is_word(const struct mint_token *word, const char *text)
{
	return word->len == strlen(text) && !memcmp(word->text, text, word->len);
}

/* The node that a word means, by number or by name; as many as there may be */
static u32 find_node(const struct mint_token *word)
{
	u32 count = mint_layout.nodes.count, n;
	const struct mint_node *node;
	char buf[MINT_NAME_LEN];

	if (word->len >= sizeof(buf))
		return count;
	memcpy(buf, word->text, word->len);
	buf[word->len] = '\0';
	if (!kstrtou32(buf, 10, &n))
		return n < count && mint_claim(n) ? n : count;
	for (n = 0; n < count; n++) {
		node = mint_claim(n);
		if (node && node->name[0] && !strcmp(node->name, buf))
			break;
	}
	return n;
}

static int parse(struct mint_kexec *rq, const struct mint_token *word)
{
	u32 count = mint_layout.nodes.count, n;

	if (!word->len)
		return MINT_WORD_FOREIGN;
	if (is_word(word, "none"))
		return 0;
	if (is_word(word, "all")) {
		for (n = 0; n < count; n++)
			if (mint_claim(n))
				__set_bit(n, rq->links);
		return 0;
	}
	n = find_node(word);
	if (n == count)
		return mint_refuse(rq, -ENOENT,
				   "mint.links=: '%.*s' is no node's number or name: launch that node first, or leave it out",
				   word->len, word->text);
	__set_bit(n, rq->links);
	return 0;
}

static int check(struct mint_kexec *rq)
{
	u32 links = bitmap_weight(rq->links, MINT_NODE_MAX), free, n;

	if (!links)
		return 0;
	free = count_free();
	if (links <= free)
		return 0;
	if (!rq->links_named) {
		bitmap_zero(rq->links, MINT_NODE_MAX);
		if (mint_layout.windows.count)
			pr_notice("no shared memory is free: the new node gets no link\n");
		return 0;
	}
	/* The first one for which there is none */
	n = find_nth_bit(rq->links, MINT_NODE_MAX, free);
	return mint_refuse(rq, -ENOSPC,
			   "link to node %u needs %u KiB of shared memory, 0 KiB are free: boot node 0 with a larger mint.shared= or end a node",
			   n, MINT_LINK_SIZE >> 10);
}

static int claim_windows(struct mint_kexec *rq, struct mint_claim *claim)
{
	u32 n;

	for_each_set_bit(n, rq->links, MINT_NODE_MAX)
		open_window(find_free(), n, claim->n);
	return 0;
}

static void set_free(struct mint_claim *claim)
{
	u32 i, member;

	for (i = 0; book && i < mint_layout.windows.count; i++) {
		member = mint_window_index(&book[i].window, claim->n);
		if (book[i].window.state != MINT_WINDOW_FREE &&
		    member < MINT_WINDOW_MEMBERS)
			leave(i, member);
	}
}

static void show(struct seq_file *m)
{
	struct mint_window window;
	u32 i;

	for (i = 0; i < mint_layout.windows.count; i++) {
		if (!mint_window_get(i, &window) ||
		    window.state == MINT_WINDOW_FREE)
			continue;
		seq_printf(m, "%u link %u,%u %#010llx-%#010llx %s\n", i,
			   window.member[0], window.member[1], window.start,
			   window.start + window.size - 1,
			   window.state == MINT_WINDOW_OPEN ? "open" : "closed");
	}
}

static void show_node(struct seq_file *m, u32 n, const char *suffix)
{
	struct mint_window window;
	u32 i, member;

	for (i = 0; i < mint_layout.windows.count; i++) {
		if (!mint_window_get(i, &window) ||
		    window.state != MINT_WINDOW_OPEN)
			continue;
		member = mint_window_index(&window, n);
		if (member < MINT_WINDOW_MEMBERS)
			seq_printf(m, "%u%s\n", window.member[!member], suffix);
	}
}

const struct mint_kind mint_kind_window = {
	.file		= "windows",
	.node_file	= "links",
	.param		= LINKS_PARAM,
	.syntax		= "<node>, <name of a node>, all or none",
	.begin		= begin,
	.parse		= parse,
	.check		= check,
	.claim		= claim_windows,
	.set_free	= set_free,
	.show		= show,
	.show_node	= show_node,
};
