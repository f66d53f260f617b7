// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the rings of a link.
 *
 * Owns the arithmetic with offsets into a ring, the one place where the head of a
 * frame is read, and how bytes get into a ring and out of it. Nothing here trusts
 * the other side: an offset is checked before it is used, and a head is copied
 * before it is checked.
 *
 * A frame begins at a multiple of MINT_LINK_ALIGN and goes on at the start of the
 * ring where that ends. One unit stays free, so that a full ring is not an empty
 * one.
 */

#include <linux/if_ether.h>
#include <linux/kasan-checks.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <asm/asm.h>

#include "link.h"

/**
 * mint_link_ring_place() - where the rings of a window are
 * @window:	the window, valid
 * @addr:	where it is mapped
 * @rings:	out: the ring that each member writes
 *
 * Context: any.
 */
void mint_link_ring_place(const struct mint_window *window, void *addr,
			  struct mint_link_ring rings[MINT_WINDOW_MEMBERS])
{
	u32 ends = MINT_WINDOW_MEMBERS * MINT_END_SIZE, i;
	u32 size = round_down(((u32)window->size - ends) / MINT_WINDOW_MEMBERS,
			      MINT_LINK_ALIGN);

	for (i = 0; i < MINT_WINDOW_MEMBERS; i++) {
		rings[i].data = addr + ends + i * size;
		rings[i].size = size;
	}
}

/**
 * mint_link_ring_valid() - can this be a head or a tail?
 * @ring:	the ring
 * @pos:	offset, as the other side says
 *
 * Context: any.
 * Return: true if it is within the ring, and where a frame can begin.
 */
bool mint_link_ring_valid(const struct mint_link_ring *ring, u32 pos)
{
	return pos < ring->size && !(pos % MINT_LINK_ALIGN);
}

/**
 * mint_link_ring_used() - bytes from tail to head
 * @ring:	the ring
 * @tail:	valid offset
 * @head:	valid offset
 *
 * Context: any.
 * Return: how many.
 */
u32 mint_link_ring_used(const struct mint_link_ring *ring, u32 tail, u32 head)
{
	return head >= tail ? head - tail : ring->size - tail + head;
}

/**
 * mint_link_ring_room() - bytes that can be written
 * @ring:	the ring
 * @tail:	valid offset
 * @head:	valid offset
 *
 * Context: any.
 * Return: how many; the unit that stays free is not counted.
 */
u32 mint_link_ring_room(const struct mint_link_ring *ring, u32 tail, u32 head)
{
	return ring->size - MINT_LINK_ALIGN - mint_link_ring_used(ring, tail, head);
}

/**
 * mint_link_ring_need() - bytes that a frame takes in a ring
 * @len:	of the frame, at most MINT_LINK_FRAME
 *
 * Context: any.
 * Return: how many, a multiple of MINT_LINK_ALIGN.
 */
u32 mint_link_ring_need(u32 len)
{
	return ALIGN(sizeof(struct mint_frame) + len, MINT_LINK_ALIGN);
}

/**
 * mint_link_ring_next() - go on in a ring
 * @ring:	the ring
 * @pos:	valid offset
 * @len:	by how much, less than the size
 *
 * Context: any.
 * Return: an offset below the size.
 */
u32 mint_link_ring_next(const struct mint_link_ring *ring, u32 pos, u32 len)
{
	pos += len;
	return pos < ring->size ? pos : pos - ring->size;
}

/**
 * mint_link_ring_passed() - has a head that moved passed a byte?
 * @ring:	the ring
 * @from:	where it was
 * @to:		where it is
 * @at:		the byte, as the other side says
 *
 * Context: any.
 * Return: true if @at is in between; false for what is no offset.
 */
bool mint_link_ring_passed(const struct mint_link_ring *ring, u32 from, u32 to, u32 at)
{
	return mint_link_ring_valid(ring, at) &&
	       mint_link_ring_used(ring, from, at) < mint_link_ring_used(ring, from, to);
}

/*
 * memcpy() takes string instructions only where they are fast for short copies, too
 * (FSRM), and goes by single words elsewhere. For long ones they are fast without it:
 * SDM vol. 1, "Fast-String Operation". copy_user_generic() takes them for these as well.
 */
#define LONG_COPY	512

static void copy(void *to, const void *from, u32 len)
{
	unsigned long words = len / sizeof(long);

	if (len < LONG_COPY) {
		memcpy(to, from, len);
		return;
	}
	/* As memcpy() does; the compiler does not see what the instruction does */
	kasan_check_read(from, len);
	kasan_check_write(to, len);
	asm volatile("rep " __ASM_SIZE(movs)
		     : "+D"(to), "+S"(from), "+c"(words)
		     : : "memory");
	memcpy(to, from, len % sizeof(long));
}

/* Where a byte of a ring is, and how many of @len lie there without a gap */
static u32 piece(const struct mint_link_ring *ring, u32 pos, u32 len, void **at)
{
	*at = ring->data + pos;
	return min(len, ring->size - pos);
}

/**
 * mint_link_ring_put() - copy bytes into a ring
 * @ring:	the ring
 * @pos:	offset below the size, where they begin
 * @from:	the bytes
 * @len:	how many, less than the size
 *
 * Context: any.
 * Return: the offset behind them.
 */
u32 mint_link_ring_put(const struct mint_link_ring *ring, u32 pos, const void *from,
		       u32 len)
{
	void *at;
	u32 first = piece(ring, pos, len, &at);

	copy(at, from, first);
	copy(ring->data, from + first, len - first);
	return mint_link_ring_next(ring, pos, len);
}

/**
 * mint_link_ring_get() - copy bytes out of a ring
 * @ring:	the ring
 * @pos:	offset below the size, where they begin
 * @to:		where to
 * @len:	how many, less than the size
 *
 * Context: any.
 * Return: the offset behind them.
 */
u32 mint_link_ring_get(const struct mint_link_ring *ring, u32 pos, void *to, u32 len)
{
	void *at;
	u32 first = piece(ring, pos, len, &at);

	copy(to, at, first);
	copy(to + first, ring->data, len - first);
	return mint_link_ring_next(ring, pos, len);
}

/**
 * mint_frame_read() - copy what precedes a frame, and check it
 * @ring:	the ring
 * @tail:	valid offset, where it begins; not @head
 * @head:	valid offset, up to which there are frames
 * @frame:	out: the copy
 *
 * Context: any.
 * Return: false if that is no frame, or none that ends before @head.
 */
bool mint_frame_read(const struct mint_link_ring *ring, u32 tail, u32 head,
		     struct mint_frame *frame)
{
	const u32 *from = ring->data + tail;
	u32 i, words[sizeof(*frame) / sizeof(u32)];

	/* The peer may change it between two looks */
	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = READ_ONCE(from[i]);
	memcpy(frame, words, sizeof(*frame));
	return frame->len >= ETH_HLEN && frame->len <= MINT_LINK_FRAME &&
	       mint_link_ring_need(frame->len) <= mint_link_ring_used(ring, tail, head);
}
