/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: what is made of windows of shared memory: links between nodes, and shares.
 */
#ifndef _ARCH_X86_MINT_LINK_H
#define _ARCH_X86_MINT_LINK_H

#include <linux/list.h>

#include "../area/area.h"

struct net_device;

/* ring.c */

/**
 * struct mint_link_ring - a ring of a window
 * @data:	its first byte
 * @size:	bytes, a multiple of MINT_LINK_ALIGN
 */
struct mint_link_ring {
	void	*data;
	u32	size;
};

void mint_link_ring_place(const struct mint_window *window, void *addr,
			  struct mint_link_ring rings[MINT_WINDOW_MEMBERS]);
bool mint_link_ring_valid(const struct mint_link_ring *ring, u32 pos);
u32 mint_link_ring_used(const struct mint_link_ring *ring, u32 tail, u32 head);
u32 mint_link_ring_room(const struct mint_link_ring *ring, u32 tail, u32 head);
u32 mint_link_ring_need(u32 len);
u32 mint_link_ring_next(const struct mint_link_ring *ring, u32 pos, u32 len);
bool mint_link_ring_passed(const struct mint_link_ring *ring, u32 from, u32 to, u32 at);
u32 mint_link_ring_put(const struct mint_link_ring *ring, u32 pos, const void *from,
		       u32 len);
u32 mint_link_ring_get(const struct mint_link_ring *ring, u32 pos, void *to, u32 len);
bool mint_frame_read(const struct mint_link_ring *ring, u32 tail, u32 head,
		     struct mint_frame *frame);

/* net.c */

/**
 * struct mint_window_use - a window that this kernel has mapped
 * @list:	of all of them
 * @index:	index of its record
 * @window:	copy of it
 * @addr:	where it is mapped
 * @dev:	what this kernel makes of it; NULL while another device has its name
 */
struct mint_window_use {
	struct list_head	list;
	u32			index;
	struct mint_window	window;
	void			*addr;
	struct net_device	*dev;
};

int mint_link_add(struct mint_window_use *use);
void mint_link_remove(struct mint_window_use *use);
void mint_links_poll(void);
void mint_links_setup(void);
#ifdef CONFIG_MINT_NET
bool mint_link_part(u32 i, void **addr, u32 *size);
#else
static inline bool mint_link_part(u32 i, void **addr, u32 *size)
{
	return false;
}
#endif

/* adopt.c */
#ifdef CONFIG_MINT_NET
void mint_windows_poll(void);
void mint_links_disown(void);
#else
static inline void mint_windows_poll(void) { }
static inline void mint_links_disown(void) { }
#endif

/* share.c */
#ifdef CONFIG_MINT_SHARE
void mint_share_poll(void);
void mint_share_poll_sync(void);
#else
static inline void mint_share_poll(void) { }
static inline void mint_share_poll_sync(void) { }
#endif

#endif /* _ARCH_X86_MINT_LINK_H */
