/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: from an image to a running node.
 */
#ifndef _ARCH_X86_MINT_LAUNCH_H
#define _ARCH_X86_MINT_LAUNCH_H

#include <linux/compiler.h>
#include <linux/elf.h>
#include <linux/types.h>
#include <asm/bootparam.h>

#include "../area/area.h"
#include "../kind/request.h"

/* The head of kernel_info (Documentation/arch/x86/boot.rst) */
struct kernel_info {
	u32	header;
	u32	size;
	u32	size_total;
	u32	setup_type_max;
};

/**
 * struct mint_bzimage - what is looked at in a bzImage
 * @hdr:	boot protocol header, from boot_params
 * @start:	physical address at which the protected-mode part goes
 * @bytes:	of it in the file
 * @memory:	bytes that it has there
 * @mark_at:	offset of the mark in it
 * @mark_flags:	MINT_MARKER_*
 * @info:	what is where the header says that kernel_info is
 * @payload:	first bytes of the payload
 * @payload_end: last bytes of it, bytes after decompression
 */
struct mint_bzimage {
	const struct setup_header *hdr;
	u64			start;
	u64			bytes;
	u64			memory;
	u64			mark_at;
	u32			mark_flags;
	struct kernel_info	info;
	u8			payload[4];
	u8			payload_end[4];
};

/**
 * struct mint_note_head - what comes before the mark of a vmlinux
 * @head:	of the ELF note
 * @name:	its name, padded
 */
struct mint_note_head {
	struct elf32_note	head;
	char			name[8];
};

/* image.c */
int mint_image_read_request(struct mint_kexec *rq);
int mint_image_check(struct mint_kexec *rq);
int mint_image_check_memory(struct mint_kexec *rq);
int mint_image_find_keep(struct mint_kexec *rq);
int mint_image_layout(struct mint_kexec *rq);
void mint_image_finish(struct mint_kexec *rq);
int mint_image_write(struct mint_kexec *rq);
int mint_image_replace(struct mint_kexec *rq, struct mint_kept *kept);

/* bzimage.c */
bool mint_bzimage_payload(const struct setup_header *hdr, u64 bytes);
const char *mint_bzimage_fault(const struct mint_bzimage *image);
bool mint_note_is_mark(const struct mint_note_head *note);
void mint_params_clean(struct boot_params *params);

/* reload.c */
int mint_restart_load(struct mint_kexec *rq);

#endif /* _ARCH_X86_MINT_LAUNCH_H */
