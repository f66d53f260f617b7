/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: a call of kexec_load() with KEXEC_MINT. What the new node shall own is
 * entered by the kinds, all else by launch/.
 */
#ifndef _ARCH_X86_MINT_REQUEST_H
#define _ARCH_X86_MINT_REQUEST_H

#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/bootparam.h>

#include "../area/area.h"

struct kexec_segment;

/* So many shares may one launch name */
#define MINT_SHARES_NAMED	8

/**
 * struct mint_share_wish - a share that a launch names
 * @name:	what it is called
 * @size:	bytes, whole pages
 * @index:	of its record
 * @slot:	where it will lie, in units of MINT_LINK_SIZE
 * @fresh:	nobody has it yet
 */
struct mint_share_wish {
	char	name[MINT_NAME_LEN];
	u64	size;
	u32	index;
	u32	slot;
	bool	fresh;
};

/**
 * struct mint_kexec - a call of kexec_load() with KEXEC_MINT
 * @segments:	as the caller gave them
 * @nr_segments: how many
 * @user:	the caller's hand-over, for the report
 * @address:	where the hand-over goes
 * @handover:	our copy of it
 * @params:	our copy of the successor's boot_params
 * @cmdline:	its command line
 * @node:	what the node's record will be
 * @movable:	ranges of its memory that its memory map does not call RAM: they
 *		are added at boot, and can leave
 * @nr_movable:	how many
 * @cores:	its cores, boot core first
 * @nr_cores:	how many
 * @la57:	five levels of page tables at entry
 * @kernel:	index of the segment with a bzImage's protected-mode part
 * @bzimage:	it is one
 * @keep:	where the image is kept for the node's own reboot; size 0: nowhere
 * @kept:	what will stand there
 * @links:	nodes to which it shall have a link
 * @links_named: they are named, and not what every node gets
 * @shares:	windows with a name that it shall have
 * @nr_shares:	how many
 * @fits:	does the image fit into the memory of @node? Returns 0 or what
 *		mint_refuse() returned
 * @number:	of the node, once claimed; MINT_NODE_FREE before
 * @began:	TSC when the request arrived
 */
struct mint_kexec {
	struct kexec_segment	*segments;
	unsigned long		nr_segments;
	void __user		*user;
	u64			address;
	struct mint_handover	handover;
	struct boot_params	params;
	char			cmdline[MINT_CMDLINE_LEN];
	struct mint_node	node;
	struct mint_range	movable[MINT_RANGES_MAX];
	u32			nr_movable;
	struct mint_core	**cores;
	u32			nr_cores;
	bool			la57;
	unsigned long		kernel;
	bool			bzimage;
	struct mint_range	keep;
	struct mint_kept	kept;
	DECLARE_BITMAP(links, MINT_NODE_MAX);
	bool			links_named;
	struct mint_share_wish	shares[MINT_SHARES_NAMED];
	u32			nr_shares;
	int			(*fits)(struct mint_kexec *rq);
	u32			number;
	u64			began;
};

/* request.c */
__printf(3, 4)
int mint_refuse(struct mint_kexec *rq, int err, const char *fmt, ...);

#endif /* _ARCH_X86_MINT_REQUEST_H */
