// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: streams of bytes through the common area.
 *
 * Owns the rings of a node: how bytes get in and out of one. The other side
 * may be a broken kernel. Every count that it wrote is masked before it is an
 * index and compared before it is a length, so the worst that it can do is to
 * lose or invent text.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/string.h>

#include "../area/area.h"
#include "../own/own.h"
#include "talk.h"

/**
 * mint_stream_get() - find a ring of a node
 * @stream:	out: the ring
 * @n:		number of the node
 * @which:	MINT_RING_*
 *
 * Context: any.
 * Return: false while the common area is not mapped, or without such a node.
 */
bool mint_stream_get(struct mint_stream *stream, u32 n, u32 which)
{
	stream->ring = mint_ring(n, which, &stream->data, &stream->size);
	return stream->ring;
}

/**
 * mint_stream_kept() - how many bytes back a ring can be read
 * @stream:	a ring
 *
 * Less than its size: the next few may be in the making.
 *
 * Context: any.
 * Return: bytes.
 */
u32 mint_stream_kept(const struct mint_stream *stream)
{
	return stream->size - MINT_RING_CHUNK;
}

/**
 * mint_stream_room() - how much can be written that nobody has to miss
 * @stream:	a ring whose reader keeps @tail
 *
 * Context: any.
 * Return: bytes; 0 as well when the reader is already behind.
 */
u32 mint_stream_room(const struct mint_stream *stream)
{
	u64 used = READ_ONCE(stream->ring->head) - READ_ONCE(stream->ring->tail);
	u32 kept = mint_stream_kept(stream);

	return used < kept ? kept - used : 0;
}

/**
 * mint_stream_write() - append to a ring, over what is oldest
 * @stream:	a ring that this kernel writes
 * @from:	bytes
 * @count:	how many
 *
 * Context: any; the caller keeps other writers away.
 */
void mint_stream_write(const struct mint_stream *stream, const void *from,
		       size_t count)
{
	u64 head = READ_ONCE(stream->ring->head);
	u32 at, len;

	while (count) {
		at = head & (stream->size - 1);
		len = min3(count, (size_t)MINT_RING_CHUNK,
			   (size_t)stream->size - at);
		memcpy(stream->data + at, from, len);
		head += len;
		/* Pairs with mint_stream_read() */
		smp_store_release(&stream->ring->head, head);
		from += len;
		count -= len;
	}
}

/**
 * mint_stream_read() - copy what is new in a ring
 * @stream:	a ring that another kernel writes
 * @pos:	in, out: place in the stream, moved behind what was read or missed
 * @to:		room for the bytes
 * @count:	how much room
 * @missed:	added to: bytes that were overwritten before they could be read
 *
 * Context: any. The caller's @pos and @to are its own; there may be many
 *	    readers.
 * Return: bytes copied.
 */
size_t mint_stream_read(const struct mint_stream *stream, u64 *pos, void *to,
			size_t count, u64 *missed)
{
	u32 at, part, kept = mint_stream_kept(stream);
	u64 head, oldest, lost;

	/* Pairs with mint_stream_write() */
	head = smp_load_acquire(&stream->ring->head);
	if (head - *pos > kept) {
		/* Too far behind, or ahead of a stream that began anew */
		oldest = head > kept ? head - kept : 0;
		if (oldest > *pos)
			*missed += oldest - *pos;
		*pos = oldest;
	}

	count = min_t(u64, count, head - *pos);
	at = *pos & (stream->size - 1);
	part = min_t(size_t, count, stream->size - at);
	memcpy(to, stream->data + at, part);
	memcpy(to + part, stream->data, count - part);

	/* What the writer has passed meanwhile is not what was there */
	smp_rmb();
	lost = READ_ONCE(stream->ring->head) - *pos;
	lost = lost > kept ? min_t(u64, lost - kept, count) : 0;
	memmove(to, to + lost, count - lost);
	*missed += lost;
	*pos += count;
	return count - lost;
}

/**
 * mint_stream_clear() - empty a ring
 * @stream:	a ring that nobody writes meanwhile
 *
 * A reader that looks in between sees less than it has read already, and
 * begins anew.
 *
 * Context: any.
 */
void mint_stream_clear(const struct mint_stream *stream)
{
	WRITE_ONCE(stream->ring->head, 0);
	WRITE_ONCE(stream->ring->tail, 0);
	WRITE_ONCE(stream->ring->open, 0);
}

/*
 * Empty the rings of a node about to be launched.
 *
 * The node that had the number is proven parked, so it writes none of them.
 * Node 0 itself writes to the terminal: tty.c keeps it away. Who reads the log
 * is told: log.c.
 */
static void reset_rings(u32 n)
{
	mint_log_reset(n);
	mint_tty_reset(n);
}

static int on_node(struct notifier_block *nb, unsigned long what, void *n)
{
	if (what == MINT_NODE_NEW)
		reset_rings(*(u32 *)n);
	return NOTIFY_DONE;
}

static struct notifier_block node_block = {
	.notifier_call	= on_node,
};

static int __init mint_rings_init(void)
{
	return mint_node_listen(&node_block);
}
core_initcall(mint_rings_init);
