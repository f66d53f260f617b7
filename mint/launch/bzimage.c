// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what the boot protocol header of an image may say.
 *
 * Owns the rules, as functions of bytes that were copied before. The first
 * instructions of a bzImage believe its header: where it is to be unpacked, how
 * much room there is, at which multiple it goes. A wrong word there makes them
 * write elsewhere, with no handler for a fault yet, and a triple fault resets
 * the machine and not the node. See Documentation/arch/x86/boot.rst for the
 * fields.
 */

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../area/area.h"
#include "launch.h"

#define HDRS_MAGIC		0x53726448	/* "HdrS" */
#define BOOT_FLAG		0xaa55
#define PROTOCOL_KERNEL_INFO	0x020f
#define KERNEL_INFO_MAGIC	0x506f544c	/* "LToP" */

/* startup_64 of the decompressor, and what comes before it */
#define STARTUP_64		0x200

#define ALIGNMENT_MAX		SZ_16M		/* of CONFIG_PHYSICAL_ALIGN */
#define PREF_ADDRESS_MAX	SZ_2G		/* an immediate operand */

/* What the payload of a compressed kernel begins with */
static const struct {
	size_t	len;
	u8	magic[4];
} formats[] = {
	{ 2, { 0x1f, 0x8b } },			/* gzip */
	{ 3, { 'B', 'Z', 'h' } },		/* bzip2 */
	{ 3, { 0x5d, 0x00, 0x00 } },		/* lzma */
	{ 4, { 0xfd, '7', 'z', 'X' } },		/* xz */
	{ 4, { 0x89, 'L', 'Z', 'O' } },		/* lzo */
	{ 4, { 0x02, 0x21, 0x4c, 0x18 } },	/* lz4 */
	{ 4, { 0x28, 0xb5, 0x2f, 0xfd } },	/* zstd */
};

static bool payload_known(const u8 *magic)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (!memcmp(magic, formats[i].magic, formats[i].len))
			return true;
	return false;
}

/* @size bytes at @offset lie within @bytes */
static bool within(u64 offset, u64 size, u64 bytes)
{
	return offset <= bytes && size <= bytes - offset;
}

/*
 * How far behind the place of the kernel that it unpacks the decompressor has to
 * stand, so that it does not write over what it has yet to read: the sum of
 * arch/x86/boot/header.S.
 */
static u64 unpacking_room(u32 packed, u32 unpacked)
{
	u64 extra = (unpacked >> 8) + SZ_128K;

	return unpacked + extra > packed ? unpacked + extra - packed : extra;
}

/**
 * mint_bzimage_payload() - where the compressed kernel is
 * @hdr:	boot protocol header
 * @bytes:	length of the protected-mode part
 *
 * Context: any.
 * Return: true if it is within the part, behind the entry, and long enough to
 * have the four bytes at its end that say how much it unpacks to.
 */
bool mint_bzimage_payload(const struct setup_header *hdr, u64 bytes)
{
	return hdr->payload_offset >= STARTUP_64 && hdr->payload_length >= 8 &&
	       within(hdr->payload_offset, hdr->payload_length, bytes);
}

/**
 * mint_bzimage_fault() - is a bzImage what its header says?
 * @image:	copied from the caller's segments
 *
 * Context: any.
 * Return: NULL, or the field that cannot be true.
 */
const char *mint_bzimage_fault(const struct mint_bzimage *image)
{
	const struct setup_header *hdr = image->hdr;
	const u32 flags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
	const struct kernel_info *info = &image->info;
	u32 unpacked = get_unaligned_le32(image->payload_end);

	if (hdr->header != HDRS_MAGIC || hdr->boot_flag != BOOT_FLAG)
		return "magic";
	if (hdr->version < PROTOCOL_KERNEL_INFO || hdr->version >> 8 != 2)
		return "version";
	if (hdr->relocatable_kernel != 1)
		return "relocatable_kernel";
	if ((hdr->xloadflags & flags) != flags ||
	    !(hdr->xloadflags & XLF_5LEVEL_ENABLED) !=
	    !(image->mark_flags & MINT_MARKER_5LEVEL))
		return "xloadflags";
	if (hdr->setup_data)
		return "setup_data";
	if (hdr->hardware_subarch)
		return "hardware_subarch";

	/* The early page tables have pages of 2 MiB */
	if (!is_power_of_2(hdr->kernel_alignment) ||
	    hdr->kernel_alignment < SZ_2M ||
	    hdr->kernel_alignment > ALIGNMENT_MAX ||
	    hdr->min_alignment != PMD_SHIFT ||
	    image->start & (hdr->kernel_alignment - 1))
		return "kernel_alignment";
	if (!hdr->pref_address || hdr->pref_address > PREF_ADDRESS_MAX ||
	    hdr->pref_address & (hdr->kernel_alignment - 1))
		return "pref_address";

	if (!hdr->syssize || hdr->syssize * 16ULL > image->bytes)
		return "syssize";
	if (!mint_bzimage_payload(hdr, hdr->syssize * 16ULL) ||
	    !payload_known(image->payload))
		return "payload_offset";
	if (!PAGE_ALIGNED(hdr->init_size) || hdr->init_size < unpacked ||
	    hdr->init_size < hdr->syssize * 16ULL +
			     unpacking_room(hdr->payload_length, unpacked) ||
	    hdr->init_size > image->memory)
		return "init_size";

	if (hdr->handover_offset &&
	    !within(hdr->handover_offset, 1, hdr->syssize * 16ULL))
		return "handover_offset";
	if (info->header != KERNEL_INFO_MAGIC || info->size < sizeof(*info) ||
	    info->size_total < info->size ||
	    info->size_total - info->size < sizeof(struct mint_mark) ||
	    !within(hdr->kernel_info_offset, info->size_total,
		    hdr->syssize * 16ULL) ||
	    image->mark_at != (u64)hdr->kernel_info_offset + info->size)
		return "kernel_info_offset";
	return NULL;
}

/**
 * mint_note_is_mark() - is this what comes before the mark of a vmlinux?
 * @note:	the bytes right before the mark
 *
 * Context: any.
 * Return: true if it is the head of the ELF note "Mint".
 */
bool mint_note_is_mark(const struct mint_note_head *note)
{
	return note->head.n_namesz == sizeof("Mint") &&
	       note->head.n_descsz >= sizeof(struct mint_mark) &&
	       note->head.n_type == 1 &&
	       !memcmp(note->name, "Mint\0\0\0", sizeof(note->name));
}

/**
 * mint_params_clean() - keep of boot_params what a launcher may say
 * @params:	copied from the caller's segments
 *
 * The header, and where initrd and command line are. All else would describe
 * this machine's firmware, which a successor has not.
 *
 * Context: any.
 */
void mint_params_clean(struct boot_params *params)
{
	const size_t keep = offsetof(struct boot_params, ext_ramdisk_image);
	const size_t kept = offsetofend(struct boot_params, ext_cmd_line_ptr);
	const size_t hdr = offsetof(struct boot_params, hdr);
	const size_t end = offsetofend(struct boot_params, hdr);

	memset(params, 0, keep);
	memset((void *)params + kept, 0, hdr - kept);
	memset((void *)params + end, 0, sizeof(*params) - end);
}
