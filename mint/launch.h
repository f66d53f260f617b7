/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: a call of kexec_load() with KEXEC_MINT, on its way through launch.c,
 * image.c and restart.c.
 */
#ifndef _ARCH_X86_MINT_LAUNCH_H
#define _ARCH_X86_MINT_LAUNCH_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/bootparam.h>

#include "mint.h"

struct kexec_segment;

/**
 * struct request - a call of kexec_load() with KEXEC_MINT
 * @segments:	as the caller gave them
 * @nr_segments: how many
 * @user:	the caller's hand-over, for the report
 * @address:	where the hand-over goes
 * @handover:	our copy of it
 * @params:	our copy of the successor's boot_params
 * @cmdline:	its command line
 * @node:	what the node's record will be
 * @cores:	its cores, boot core first
 * @nr_cores:	how many
 * @la57:	five levels of page tables at entry
 * @keep:	where the image is kept for the node's own reboot; size 0: nowhere
 * @kept:	what will stand there
 * @number:	of the node, once claimed; MINT_NODE_FREE before
 * @began:	TSC when the request arrived
 */
struct request {
	struct kexec_segment	*segments;
	unsigned long		nr_segments;
	void __user		*user;
	u64			address;
	struct mint_handover	handover;
	struct boot_params	params;
	char			cmdline[MINT_CMDLINE_LEN];
	struct mint_node	node;
	struct mint_core	**cores;
	u32			nr_cores;
	bool			la57;
	struct mint_range	keep;
	struct mint_kept	kept;
	u32			number;
	u64			began;
};

/* launch.c */
__printf(3, 4)
int mint_refuse(struct request *rq, int err, const char *fmt, ...);

/* image.c */
int mint_image_read_request(struct request *rq);
int mint_image_check(struct request *rq);
int mint_image_check_place(struct request *rq);
int mint_image_find_keep(struct request *rq);
int mint_image_layout(struct request *rq);
void mint_image_finish(struct request *rq);
int mint_image_write(struct request *rq);
int mint_image_replace(struct request *rq, struct mint_kept *kept);

/* restart.c */
int mint_restart_load(struct request *rq);

#endif /* _ARCH_X86_MINT_LAUNCH_H */
