// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: KUnit tests of the checks on an image's own words (launch/bzimage.c), and
 * of its places in memory (launch/image.c).
 */

#include <kunit/test.h>
#include <linux/kexec.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../area/area.h"
#include "../launch/launch.h"

#define BYTES	SZ_4M
#define START	(SZ_1G + SZ_2M)

/* A header as the build writes it, and what belongs to it */
struct sound {
	struct setup_header	hdr;
	struct mint_bzimage	image;
};

static struct sound *sound(struct kunit *test)
{
	struct sound *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct setup_header *hdr;

	KUNIT_ASSERT_NOT_NULL(test, s);
	hdr = &s->hdr;
	hdr->boot_flag = 0xaa55;
	hdr->header = 0x53726448;
	hdr->version = 0x020f;
	hdr->syssize = BYTES / 16;
	hdr->relocatable_kernel = 1;
	hdr->min_alignment = 21;
	hdr->kernel_alignment = SZ_2M;
	hdr->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G |
			  XLF_5LEVEL | XLF_5LEVEL_ENABLED;
	hdr->payload_offset = 0x2c4;
	hdr->payload_length = SZ_2M;
	hdr->pref_address = SZ_16M;
	hdr->init_size = SZ_16M + SZ_4M;
	hdr->kernel_info_offset = SZ_2M + SZ_1M;

	s->image = (struct mint_bzimage) {
		.hdr		= hdr,
		.start		= START,
		.bytes		= BYTES,
		.memory		= SZ_16M + SZ_4M,
		.mark_at	= SZ_2M + SZ_1M + sizeof(struct kernel_info),
		.mark_flags	= MINT_MARKER_64BIT | MINT_MARKER_5LEVEL,
		.info		= {
			.header		= 0x506f544c,
			.size		= sizeof(struct kernel_info),
			.size_total	= sizeof(struct kernel_info) +
					  sizeof(struct mint_mark),
		},
		.payload	= { 0x28, 0xb5, 0x2f, 0xfd },
	};
	put_unaligned_le32(SZ_16M - 1, s->image.payload_end);
	return s;
}

static void sound_header(struct kunit *test)
{
	struct sound *s = sound(test);

	KUNIT_EXPECT_NULL(test, mint_bzimage_fault(&s->image));
	/* Signed: the file goes on behind what the header counts */
	s->image.bytes += 4096;
	KUNIT_EXPECT_NULL(test, mint_bzimage_fault(&s->image));
	/* Of a later kernel, whose kernel_info is longer */
	s->image.info.size += 8;
	s->image.info.size_total += 8;
	s->image.mark_at += 8;
	KUNIT_EXPECT_NULL(test, mint_bzimage_fault(&s->image));
	s->hdr.handover_offset = 0x190;
	KUNIT_EXPECT_NULL(test, mint_bzimage_fault(&s->image));
}

/* A field is given a value, and is what is complained of */
#define FAULT(_field, _value, _name) do {				\
	struct sound *s = sound(test);					\
									\
	s->_field = (_value);						\
	KUNIT_EXPECT_STREQ_MSG(test,					\
			       mint_bzimage_fault(&s->image) ?: "none",	\
			       _name, "%s = %s", #_field, #_value);	\
} while (0)

static void header_magic(struct kunit *test)
{
	FAULT(hdr.boot_flag, 0, "magic");
	FAULT(hdr.header, 0x53726449, "magic");
	FAULT(hdr.version, 0x020e, "version");
	FAULT(hdr.version, 0x820f, "version");
	FAULT(hdr.setup_data, 1, "setup_data");
	FAULT(hdr.hardware_subarch, X86_SUBARCH_INTEL_MID, "hardware_subarch");
}

static void header_kind(struct kunit *test)
{
	FAULT(hdr.relocatable_kernel, 0, "relocatable_kernel");
	FAULT(hdr.relocatable_kernel, 0xff, "relocatable_kernel");
	FAULT(hdr.xloadflags, 0, "xloadflags");
	FAULT(hdr.xloadflags, XLF_KERNEL_64 | XLF_5LEVEL_ENABLED, "xloadflags");
	/* It says one thing, and its mark another */
	FAULT(hdr.xloadflags, XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G,
	      "xloadflags");
	FAULT(image.mark_flags, MINT_MARKER_64BIT, "xloadflags");
}

static void header_place(struct kunit *test)
{
	FAULT(hdr.kernel_alignment, 0, "kernel_alignment");
	FAULT(hdr.kernel_alignment, 1, "kernel_alignment");
	FAULT(hdr.kernel_alignment, SZ_1M, "kernel_alignment");
	FAULT(hdr.kernel_alignment, SZ_2M + SZ_4M, "kernel_alignment");
	/* Sound, but not what it was loaded by */
	FAULT(hdr.kernel_alignment, SZ_4M, "kernel_alignment");
	FAULT(hdr.kernel_alignment, SZ_32M, "kernel_alignment");
	FAULT(hdr.kernel_alignment, 0x80000000, "kernel_alignment");
	FAULT(hdr.min_alignment, 12, "kernel_alignment");
	FAULT(image.start, START + SZ_4K, "kernel_alignment");
	FAULT(hdr.pref_address, 0, "pref_address");
	FAULT(hdr.pref_address, SZ_16M + SZ_4K, "pref_address");
	FAULT(hdr.pref_address, 1ULL << 40, "pref_address");
}

static void header_room(struct kunit *test)
{
	FAULT(hdr.syssize, 0, "syssize");
	FAULT(hdr.syssize, BYTES / 16 + 1, "syssize");
	FAULT(hdr.syssize, 0xffffffff, "syssize");
	FAULT(image.bytes, BYTES - 1, "syssize");
	FAULT(hdr.init_size, 0, "init_size");
	FAULT(hdr.init_size, BYTES - 1, "init_size");
	FAULT(hdr.init_size, SZ_16M, "init_size");
	/* No room for the decompressor beside what it unpacks */
	FAULT(hdr.init_size, SZ_16M + SZ_2M, "init_size");
	FAULT(hdr.init_size, SZ_16M + SZ_4M - 1, "init_size");
	FAULT(hdr.init_size, SZ_16M + SZ_4M + SZ_4K, "init_size");
	FAULT(hdr.init_size, 0xffffffff, "init_size");
	FAULT(image.memory, SZ_16M + SZ_4M - 1, "init_size");
	FAULT(image.payload_end[3], 0xff, "init_size");
}

static void header_payload(struct kunit *test)
{
	FAULT(hdr.payload_offset, 0, "payload_offset");
	FAULT(hdr.payload_offset, 0x1ff, "payload_offset");
	FAULT(hdr.payload_offset, SZ_2M + 1, "payload_offset");
	FAULT(hdr.payload_offset, 0xffffffff, "payload_offset");
	FAULT(hdr.payload_length, 0, "payload_offset");
	FAULT(hdr.payload_length, 7, "payload_offset");
	FAULT(hdr.payload_length, BYTES, "payload_offset");
	FAULT(hdr.payload_length, 0xffffffff, "payload_offset");
	FAULT(image.payload[0], 0x29, "payload_offset");
}

static void header_mark(struct kunit *test)
{
	FAULT(hdr.handover_offset, BYTES, "handover_offset");
	FAULT(hdr.handover_offset, 0xffffffff, "handover_offset");
	FAULT(hdr.kernel_info_offset, 0, "kernel_info_offset");
	FAULT(hdr.kernel_info_offset, 0xffffffff, "kernel_info_offset");
	FAULT(image.mark_at, SZ_2M, "kernel_info_offset");
	FAULT(image.info.header, 0, "kernel_info_offset");
	FAULT(image.info.size, 0, "kernel_info_offset");
	FAULT(image.info.size, 0xffffffff, "kernel_info_offset");
	FAULT(image.info.size_total, 0, "kernel_info_offset");
	FAULT(image.info.size_total, SZ_2M, "kernel_info_offset");
	FAULT(image.info.size_total, 0xffffffff, "kernel_info_offset");
}

/* No byte of the header makes the checks read elsewhere */
static void header_bytes(struct kunit *test)
{
	struct sound *s = sound(test);
	u8 *byte = (u8 *)&s->hdr;
	size_t i, bad = 0;
	int bit;

	for (i = 0; i < sizeof(s->hdr); i++) {
		for (bit = 0; bit < 8; bit++) {
			byte[i] ^= 1 << bit;
			bad += !!mint_bzimage_fault(&s->image);
			byte[i] ^= 1 << bit;
		}
	}
	KUNIT_EXPECT_NULL(test, mint_bzimage_fault(&s->image));
	KUNIT_EXPECT_GT(test, bad, 100);
}

static void note(struct kunit *test)
{
	struct mint_note_head head = {
		.head.n_namesz	= 5,
		.head.n_descsz	= sizeof(struct mint_mark),
		.head.n_type	= 1,
		.name		= "Mint",
	};

	KUNIT_EXPECT_TRUE(test, mint_note_is_mark(&head));
	head.head.n_descsz += 8;
	KUNIT_EXPECT_TRUE(test, mint_note_is_mark(&head));
	head.head.n_descsz = sizeof(struct mint_mark) - 1;
	KUNIT_EXPECT_FALSE(test, mint_note_is_mark(&head));
	head.head.n_descsz = sizeof(struct mint_mark);
	head.head.n_type = 2;
	KUNIT_EXPECT_FALSE(test, mint_note_is_mark(&head));
	head.head.n_type = 1;
	head.name[7] = 1;
	KUNIT_EXPECT_FALSE(test, mint_note_is_mark(&head));
}

static void params_clean(struct kunit *test)
{
	struct boot_params *params, *clean;

	params = kunit_kmalloc(test, sizeof(*params), GFP_KERNEL);
	clean = kunit_kzalloc(test, sizeof(*clean), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, params);
	KUNIT_ASSERT_NOT_NULL(test, clean);
	memset(params, 0xa5, sizeof(*params));
	mint_params_clean(params);

	memset(&clean->hdr, 0xa5, sizeof(clean->hdr));
	clean->ext_ramdisk_image = 0xa5a5a5a5;
	clean->ext_ramdisk_size = 0xa5a5a5a5;
	clean->ext_cmd_line_ptr = 0xa5a5a5a5;
	KUNIT_EXPECT_MEMEQ(test, params, clean, sizeof(*params));
}

#define KERNEL_ROOM	(SZ_16M + SZ_8M + SZ_2M)
#define INITRD		(SZ_32M + SZ_16M + SZ_4M + SZ_2M)

/* A kernel that is loaded at 2 MiB and unpacks itself at 16, and an initrd at 54 */
static struct mint_kexec *low_request(struct kunit *test)
{
	struct mint_kexec *rq = kunit_kzalloc(test, sizeof(*rq), GFP_KERNEL);
	struct kexec_segment *segments = kunit_kcalloc(test, 2, sizeof(*segments),
						       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rq);
	KUNIT_ASSERT_NOT_NULL(test, segments);
	segments[0].mem = SZ_2M;
	segments[0].bufsz = SZ_8M;
	segments[0].memsz = KERNEL_ROOM;
	segments[1].mem = INITRD;
	segments[1].bufsz = SZ_2M;
	segments[1].memsz = SZ_2M;
	rq->segments = segments;
	rq->nr_segments = 2;
	rq->bzimage = true;
	rq->params.hdr.pref_address = SZ_16M;
	rq->params.hdr.init_size = KERNEL_ROOM;
	rq->handover.entry = SZ_2M;
	rq->node.mem[0].start = SZ_1M;
	rq->node.mem[0].size = INITRD + SZ_2M - SZ_1M;
	rq->node.nr_mem = 1;
	return rq;
}

/* What is kept for a reboot is not written over by the kernel that unpacks itself */
static void keep_of_low_kernel(struct kunit *test)
{
	struct mint_kexec *rq = low_request(test);

	KUNIT_ASSERT_EQ(test, mint_image_check_memory(rq), 0);
	KUNIT_EXPECT_EQ(test, mint_image_find_keep(rq), -ENOSPC);

	rq->segments[1].mem += SZ_4M;
	rq->node.mem[0].size += SZ_4M;
	KUNIT_ASSERT_EQ(test, mint_image_check_memory(rq), 0);
	KUNIT_ASSERT_EQ(test, mint_image_find_keep(rq), 0);
	KUNIT_EXPECT_GE(test, rq->keep.start, SZ_16M + KERNEL_ROOM);
	KUNIT_EXPECT_EQ(test, rq->keep.start + rq->keep.size, INITRD + SZ_4M);

	/* An image for a reboot, which finds it there */
	KUNIT_EXPECT_EQ(test, mint_image_check_memory(rq), 0);
	rq->keep.start = SZ_16M + KERNEL_ROOM - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, mint_image_check_memory(rq), -EADDRNOTAVAIL);
}

/* Below the kernel there is room */
static void keep_below_low_kernel(struct kunit *test)
{
	struct mint_kexec *rq = low_request(test);

	rq->segments[0].mem = SZ_16M;
	rq->handover.entry = SZ_16M;
	rq->params.hdr.pref_address = SZ_16M + SZ_2M;
	KUNIT_ASSERT_EQ(test, mint_image_find_keep(rq), 0);
	KUNIT_EXPECT_EQ(test, rq->keep.start + rq->keep.size, SZ_16M);
}

static struct kunit_case image_cases[] = {
	KUNIT_CASE(sound_header),
	KUNIT_CASE(header_magic),
	KUNIT_CASE(header_kind),
	KUNIT_CASE(header_place),
	KUNIT_CASE(header_room),
	KUNIT_CASE(header_payload),
	KUNIT_CASE(header_mark),
	KUNIT_CASE(header_bytes),
	KUNIT_CASE(note),
	KUNIT_CASE(params_clean),
	KUNIT_CASE(keep_of_low_kernel),
	KUNIT_CASE(keep_below_low_kernel),
	{}
};

static struct kunit_suite image_suite = {
	.name		= "mint_image",
	.test_cases	= image_cases,
};

kunit_test_suite(image_suite);
