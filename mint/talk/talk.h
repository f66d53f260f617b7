/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: text between nodes: logs and terminals.
 */
#ifndef _ARCH_X86_MINT_TALK_H
#define _ARCH_X86_MINT_TALK_H

#include "../area/area.h"

struct kobject;

/* ring.c */

/**
 * struct mint_stream - how to reach a ring
 * @ring:	its counts
 * @data:	its bytes
 * @size:	how many there are, a power of two
 */
struct mint_stream {
	struct mint_ring	*ring;
	void			*data;
	u32			size;
};

bool mint_stream_get(struct mint_stream *stream, u32 n, u32 which);
u32 mint_stream_kept(const struct mint_stream *stream);
u32 mint_stream_room(const struct mint_stream *stream);
void mint_stream_write(const struct mint_stream *stream, const void *from,
		       size_t count);
size_t mint_stream_read(const struct mint_stream *stream, u64 *pos, void *to,
			size_t count, u64 *missed);
void mint_stream_clear(const struct mint_stream *stream);

/* log.c */
void mint_log_setup_early(void);
void mint_log_flush(void);
void mint_log_last(void);
void mint_log_reset(u32 n);
int mint_log_add(u32 n, struct kobject *kobj);
void mint_log_remove(u32 n);

/* tty.c */
#ifdef CONFIG_TTY
void mint_tty_poll(void);
void mint_tty_reset(u32 n);
#else
static inline void mint_tty_poll(void) { }

static inline void mint_tty_reset(u32 n)
{
	struct mint_stream stream;
	u32 i;

	for (i = MINT_RING_OUT; i <= MINT_RING_IN; i++)
		if (mint_stream_get(&stream, n, i))
			mint_stream_clear(&stream);
}
#endif

#endif /* _ARCH_X86_MINT_TALK_H */
