// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: windows of shared memory that have a name, for processes.
 *
 * Owns node 0's book of shares, in private memory, and the records that repeat
 * it for the others; which shares a launch asks for (mint.share=) and gets.
 *
 * A share begins with the first node that names it, and node 0 is a member
 * always. A successor is one until it has ended, its cores proven parked. When
 * the last one has, node 0 gives its own mappings up (link/share.c), and only
 * then is the memory free.
 */

#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/find.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

#define SHARE_PARAM	"mint.share="

/**
 * struct book - what node 0 knows of a share
 * @share:	what its record says, too
 * @members:	the nodes that may map it
 */
struct book {
	struct mint_share	share;
	DECLARE_BITMAP(members, MINT_NODE_MAX);
};

/* Under mint_claims_lock(), as all that is here */
static struct book book[MINT_SHARES];
static bool changed;	/* since mint_shares_changed() */
static bool mapped;	/* this kernel maps shares: link/share.c */

static u32 slots(u64 size)
{
	return DIV_ROUND_UP(size, MINT_LINK_SIZE);
}

static u32 first_slot(const struct mint_share *share)
{
	return (share->start - mint_layout.shared.start) / MINT_LINK_SIZE;
}

/* Tell the others what the book says of a share */
static void publish(u32 i)
{
	struct mint_share *record = mint_share_record(i);
	const struct mint_share *share = &book[i].share;

	bitmap_copy(mint_share_members(i), book[i].members,
		    mint_layout.nodes.count);
	if (share->state == MINT_WINDOW_OPEN) {
		WRITE_ONCE(record->start, share->start);
		WRITE_ONCE(record->size, share->size);
		memcpy(record->name, share->name, sizeof(record->name));
	}
	/* Pairs with mint_share_read() */
	virt_store_release(&record->state, share->state);
	WRITE_ONCE(changed, true);
}

static void open_share(const struct mint_share_wish *wish)
{
	struct mint_share *share = &book[wish->index].share;

	/* Nothing of its former members is left for these */
	mint_slots_take(wish->slot, slots(wish->size));
	share->state = MINT_WINDOW_OPEN;
	share->start = mint_layout.shared.start +
		       (u64)wish->slot * MINT_LINK_SIZE;
	share->size = wish->size;
	strscpy_pad(share->name, wish->name);
	bitmap_zero(book[wish->index].members, MINT_NODE_MAX);
	__set_bit(mint_self, book[wish->index].members);
}

static void free_share(u32 i)
{
	struct mint_share *share = &book[i].share;

	mint_slots_return(first_slot(share), slots(share->size));
	share->state = MINT_WINDOW_FREE;
}

/**
 * mint_shares_changed() - is there anything new about shares in node 0's book?
 *
 * Context: predecessor, any; says so once.
 * Return: true if something has changed since the last call.
 */
bool mint_shares_changed(void)
{
	if (!READ_ONCE(changed))
		return false;
	WRITE_ONCE(changed, false);
	/* What has changed is looked at after that */
	smp_mb();
	return true;
}

/**
 * mint_share_member() - may a node map a share?
 * @i:		index of its record
 * @n:		number of the node
 *
 * Context: any.
 * Return: true if it is a member.
 */
bool mint_share_member(u32 i, u32 n)
{
	const unsigned long *members = mint_share_members(i);

	return members && n < mint_layout.nodes.count && test_bit(n, members);
}

/* What node 0's book says; elsewhere what its record does */
static bool known(u32 i, struct mint_share *share, unsigned long *members)
{
	if (mint_role != MINT_PREDECESSOR) {
		if (!mint_share_read(i, share))
			return false;
		bitmap_copy(members, mint_share_members(i),
			    mint_layout.nodes.count);
		return true;
	}

	guard(mint_claims)();
	*share = book[i].share;
	bitmap_copy(members, book[i].members, MINT_NODE_MAX);
	return share->state != MINT_WINDOW_FREE;
}

/**
 * mint_share_get() - copy what is known of a share of this node
 * @i:		index of its record
 * @share:	out: the copy
 *
 * Context: process, may sleep; mint_claims_lock() is not held.
 * Return: false if there is none, if this node is no member, or if what its record
 * says cannot be.
 */
bool mint_share_get(u32 i, struct mint_share *share)
{
	DECLARE_BITMAP(members, MINT_NODE_MAX);

	return i < mint_layout.shares.count && i < MINT_SHARES &&
	       known(i, share, members) && test_bit(mint_self, members);
}

/**
 * mint_shares_set_mapped() - note that this kernel maps shares
 *
 * From now on one that closes is free once mint_share_free() was called for it.
 *
 * Context: predecessor, initcall.
 */
void mint_shares_set_mapped(void)
{
	mapped = true;
}

/**
 * mint_share_free() - free a closed share, of which node 0 maps nothing any more
 * @i:		index of its record
 *
 * Context: predecessor, process; may sleep.
 */
void mint_share_free(u32 i)
{
	guard(mint_claims)();
	if (book[i].share.state != MINT_WINDOW_CLOSED)
		return;
	free_share(i);
	publish(i);
}

/**
 * mint_share_word() - read a word of mint.share=
 * @word:	<name>:<size>
 * @name:	out: MINT_NAME_LEN bytes
 * @size:	out: bytes, whole pages
 *
 * Context: any.
 * Return: 0; -EINVAL if it is none.
 */
VISIBLE_IF_KUNIT int mint_share_word(const struct mint_token *word, char *name,
				     u64 *size)
{
	char buf[MINT_NAME_LEN + 24], *colon;

	if (word->len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, word->text, word->len);
	buf[word->len] = '\0';
	colon = strchr(buf, ':');
	if (!colon)
		return -EINVAL;
	*colon++ = '\0';
	if (mint_param_size(colon, size) || !*size || !PAGE_ALIGNED(*size) ||
	    *size >= SZ_4G || !mint_share_name_valid(buf) ||
	    strscpy_pad(name, buf, MINT_NAME_LEN) < 0)
		return -EINVAL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(mint_share_word);

static int parse(struct mint_kexec *rq, const struct mint_token *word)
{
	struct mint_share_wish *wish = &rq->shares[rq->nr_shares];
	u32 i;

	if (rq->nr_shares == MINT_SHARES_NAMED)
		return mint_refuse(rq, -E2BIG,
				   "mint.share=: a node may have %u shares: name fewer",
				   MINT_SHARES_NAMED);
	if (mint_share_word(word, wish->name, &wish->size))
		return MINT_WORD_FOREIGN;
	for (i = 0; i < rq->nr_shares; i++)
		if (!strcmp(rq->shares[i].name, wish->name))
			return mint_refuse(rq, -EINVAL,
					   "mint.share=: the new node names '%s' twice: name it once",
					   wish->name);
	rq->nr_shares++;
	return 0;
}

/**
 * mint_slots_find() - a place in the shared memory
 * @used:	a bit for each part of it
 * @count:	how many parts there are
 * @want:	how many in one piece
 *
 * The last one, since links take the first ones.
 *
 * Context: any.
 * Return: the first part of the place; @count if there is none.
 */
VISIBLE_IF_KUNIT u32 mint_slots_find(const unsigned long *used, u32 count,
				     u32 want)
{
	u32 at;

	if (want > count)
		return count;
	at = count - want + 1;
	while (at--)
		if (find_next_bit(used, at + want, at) >= at + want)
			return at;
	return count;
}
EXPORT_SYMBOL_IF_KUNIT(mint_slots_find);

/* The most parts that are free in one piece */
static u32 largest(const unsigned long *used, u32 count)
{
	u32 want = 0;

	while (mint_slots_find(used, count, want + 1) < count)
		want++;
	return want;
}

/* The share of a name; MINT_SHARES if there is none */
static u32 find_share(const char *name)
{
	u32 i;

	for (i = 0; i < MINT_SHARES; i++)
		if (book[i].share.state != MINT_WINDOW_FREE &&
		    !strcmp(book[i].share.name, name))
			break;
	return i;
}

/* A share that is there already */
static int check_known(struct mint_kexec *rq, struct mint_share_wish *wish)
{
	const struct book *known = &book[wish->index];
	u32 owner;

	if (known->share.state == MINT_WINDOW_CLOSED)
		return mint_refuse(rq, -EBUSY,
				   "share '%s': node 0 has still to leave the one of nodes that have ended: try again",
				   wish->name);
	if (known->share.size == wish->size)
		return 0;
	owner = find_next_bit(known->members, MINT_NODE_MAX, 1);
	return mint_refuse(rq, -EEXIST,
			   "share '%s' of node %u has %llu KiB, not %llu KiB: name it with that size, or another one",
			   wish->name, owner, known->share.size >> 10,
			   wish->size >> 10);
}

/* Would there be a place for @wish if the new node had no links? */
static bool links_in_the_way(const struct mint_kexec *rq,
			     const struct mint_share_wish *wish)
{
	unsigned long *used = mint_slots_used(0);
	const struct mint_share_wish *other;
	bool fits;

	for (other = rq->shares; used && other < wish; other++)
		if (other->fresh)
			bitmap_set(used, other->slot, slots(other->size));
	fits = used && mint_slots_find(used, mint_layout.windows.count,
				       slots(wish->size)) < mint_layout.windows.count;
	bitmap_free(used);
	return fits;
}

static int check_fresh(struct mint_kexec *rq, struct mint_share_wish *wish,
		       unsigned long *records, unsigned long *used)
{
	u32 count = mint_layout.windows.count, want = slots(wish->size);

	if (!mint_layout.shares.count)
		return mint_refuse(rq, -ENOSPC,
				   "share '%s': node 0 has no shared memory: boot it with mint.shared=",
				   wish->name);
	if (!used)
		return mint_refuse(rq, -ENOMEM,
				   "share '%s': node 0 has no memory left for its books: free some",
				   wish->name);
	wish->fresh = true;
	wish->index = find_first_zero_bit(records, MINT_SHARES);
	if (wish->index >= mint_layout.shares.count)
		return mint_refuse(rq, -ENOSPC,
				   "share '%s': node 0 has room for %u shares, all are in use: end a node",
				   wish->name, mint_layout.shares.count);
	wish->slot = mint_slots_find(used, count, want);
	if (wish->slot == count)
		return mint_refuse(rq, -ENOSPC,
				   "share '%s' needs %u KiB of shared memory in one piece, the largest free one of node 0 has %u KiB: %sboot node 0 with a larger mint.shared= or end a node",
				   wish->name, want * (MINT_LINK_SIZE >> 10),
				   largest(used, count) * (MINT_LINK_SIZE >> 10),
				   links_in_the_way(rq, wish) ?
				   "launch without links (mint.links=none), " : "");
	__set_bit(wish->index, records);
	bitmap_set(used, wish->slot, want);
	return 0;
}

static int check(struct mint_kexec *rq)
{
	DECLARE_BITMAP(records, MINT_SHARES) = {};
	struct mint_share_wish *wish;
	unsigned long *used;
	int err = 0;
	u32 i;

	if (!rq->nr_shares)
		return 0;
	for (i = 0; i < MINT_SHARES; i++)
		if (book[i].share.state != MINT_WINDOW_FREE)
			__set_bit(i, records);
	used = mint_slots_used(bitmap_weight(rq->links, MINT_NODE_MAX));
	for (i = 0; i < rq->nr_shares && !err; i++) {
		wish = &rq->shares[i];
		wish->index = find_share(wish->name);
		err = wish->index < MINT_SHARES ? check_known(rq, wish) :
		      check_fresh(rq, wish, records, used);
	}
	bitmap_free(used);
	return err;
}

static int claim_shares(struct mint_kexec *rq, struct mint_claim *claim)
{
	const struct mint_share_wish *wish;

	for (wish = rq->shares; wish < rq->shares + rq->nr_shares; wish++) {
		/* Rings that were for the node that had this number before */
		WRITE_ONCE(*mint_share_rings(claim->n), 0);
		if (wish->fresh)
			open_share(wish);
		__set_bit(claim->n, book[wish->index].members);
		publish(wish->index);
	}
	return 0;
}

static void set_free(struct mint_claim *claim)
{
	u32 i;

	for (i = 0; i < MINT_SHARES; i++) {
		if (book[i].share.state == MINT_WINDOW_FREE ||
		    !__test_and_clear_bit(claim->n, book[i].members))
			continue;
		if (find_next_bit(book[i].members, MINT_NODE_MAX, 1) ==
		    MINT_NODE_MAX) {
			if (mapped)
				book[i].share.state = MINT_WINDOW_CLOSED;
			else
				free_share(i);
		}
		publish(i);
	}
}

static void show(struct seq_file *m)
{
	DECLARE_BITMAP(members, MINT_NODE_MAX);
	struct mint_share share;
	u32 i;

	for (i = 0; i < mint_layout.shares.count; i++) {
		if (!known(i, &share, members))
			continue;
		seq_printf(m, "%u share %s %*pbl %#010llx-%#010llx %s\n",
			   first_slot(&share), share.name,
			   (int)mint_layout.nodes.count, members, share.start,
			   share.start + share.size - 1,
			   share.state == MINT_WINDOW_OPEN ? "open" : "closed");
	}
}

const struct mint_kind mint_kind_share = {
	.file		= "windows",
	.param		= SHARE_PARAM,
	.syntax		= "<name>:<size>, in whole pages",
	.parse		= parse,
	.check		= check,
	.claim		= claim_shares,
	.set_free	= set_free,
	.show		= show,
};
