// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the image of a node.
 *
 * Owns the way of kernel, initrd, boot_params and hand-over from the caller's
 * segments into the node's memory. An image that is kept goes to where it is
 * kept, and nowhere else: the node's boot core itself puts it in place, at the
 * launch as at every own reboot (core/gateway.S). One that is not kept goes
 * straight to its place.
 */

#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/cmdline.h>
#include <asm/e820/types.h>
#include <asm/setup.h>
#include <asm/tsc.h>

#include "../area/area.h"
#include "../own/own.h"
#include "launch.h"

#define COPY_PIECE		((size_t)SZ_16M)

/* Parameters that a successor needs and that only a command line can give */
#define FORCED_PARAMS		"dis_ucode_ldr mce=no_cmci mce=ignore_ce apic_extnmi=none pcie_aspm=off "

/* The segment whose bytes go to a physical address, or NULL */
static struct kexec_segment *segment_at(struct mint_kexec *rq, u64 address)
{
	struct kexec_segment *seg;
	unsigned long i;

	for (i = 0; i < rq->nr_segments; i++) {
		seg = &rq->segments[i];
		if (address >= seg->mem && address - seg->mem < seg->bufsz)
			return seg;
	}
	return NULL;
}

/* Where the caller has the bytes for a physical address, and how many */
static void __user *image_at(struct mint_kexec *rq, u64 address, size_t *avail)
{
	struct kexec_segment *seg = segment_at(rq, address);

	if (!seg)
		return NULL;
	*avail = seg->bufsz - (address - seg->mem);
	return seg->buf + (address - seg->mem);
}

static int read_image(struct mint_kexec *rq, u64 address, void *to, size_t size)
{
	size_t avail;
	void __user *from = image_at(rq, address, &avail);

	if (!from || avail < size)
		return -ENOENT;
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

/**
 * mint_image_read_request() - read the hand-over among the segments
 * @rq:	request; its address is known
 *
 * Context: process.
 * Return: 0; -EINVAL if there is none or it asks for what nobody knows;
 * -EFAULT.
 */
int mint_image_read_request(struct mint_kexec *rq)
{
	struct mint_handover *h = &rq->handover;
	size_t avail;
	int err;

	err = read_image(rq, rq->address, h, sizeof(*h));
	if (err)
		return err == -ENOENT ? -EINVAL : err;
	memset(h->report, 0, sizeof(h->report));
	rq->user = image_at(rq, rq->address, &avail);

	if (h->magic != MINT_MAGIC || h->version >> 16 != MINT_VERSION_MAJOR)
		return mint_refuse(rq, -EINVAL,
				   "request of version %u.%u, this kernel knows %u.%u: use a kexec of the same release",
				   h->version >> 16, h->version & 0xffff,
				   MINT_VERSION_MAJOR, MINT_VERSION_MINOR);
	switch (h->op) {
	case MINT_OP_START:
	case MINT_OP_UNLOAD:
		return 0;
	case MINT_OP_LOAD:
	case MINT_OP_LOAD | MINT_OP_START:
	case MINT_OP_REBOOT:
		/* With one segment it was not counted: mint_kexec_permitted() */
		if (rq->nr_segments > 1)
			return 0;
		return mint_refuse(rq, -EINVAL,
				   "an image has more than one segment: put the request into one of its own");
	}
	return mint_refuse(rq, -EINVAL, "operation %#x is none", h->op);
}

static int read_cmdline(struct mint_kexec *rq)
{
	u64 address = rq->params.hdr.cmd_line_ptr |
		      (u64)rq->params.ext_cmd_line_ptr << 32;
	size_t avail;
	void __user *from = image_at(rq, address, &avail);
	long len;

	if (!from)
		return mint_refuse(rq, -EINVAL,
				   "the command line is not in the image");
	avail = min(avail, sizeof(rq->cmdline) - sizeof(FORCED_PARAMS));
	len = strncpy_from_user(rq->cmdline, from, avail);
	if (len < 0)
		return len;
	if (len == avail)
		return mint_refuse(rq, -E2BIG,
				   "the command line is longer than %zu bytes",
				   sizeof(rq->cmdline) - sizeof(FORCED_PARAMS) - 1);
	len += sizeof(FORCED_PARAMS) - 1;
	if (rq->bzimage && len > rq->params.hdr.cmdline_size)
		return mint_refuse(rq, -E2BIG,
				   "the command line has %ld characters, with what a successor needs, and the image takes %u: shorten it",
				   len, rq->params.hdr.cmdline_size);
	if (cmdline_find_option_bool(rq->cmdline, "no5lvl"))
		rq->la57 = false;
	return 0;
}

/* The mark of a vmlinux is a note; its header is the launcher's own */
static bool is_vmlinux(struct mint_kexec *rq)
{
	struct mint_note_head note;

	return rq->handover.marker >= sizeof(note) &&
	       !read_image(rq, rq->handover.marker - sizeof(note), &note,
			   sizeof(note)) && mint_note_is_mark(&note);
}

/*
 * A bzImage: its header against what is in its segment. What cannot be read is
 * left zero, which no field may be.
 */
static int check_bzimage(struct mint_kexec *rq, const struct mint_mark *mark)
{
	struct kexec_segment *seg = segment_at(rq, rq->handover.marker);
	const struct setup_header *hdr = &rq->params.hdr;
	struct mint_bzimage image = {
		.hdr		= hdr,
		.start		= seg->mem,
		.bytes		= seg->bufsz,
		.memory		= seg->memsz,
		.mark_at	= rq->handover.marker - seg->mem,
		.mark_flags	= mark->flags,
	};
	u64 payload = seg->mem + hdr->payload_offset;
	const char *field;

	if (read_image(rq, seg->mem + hdr->kernel_info_offset, &image.info,
		       sizeof(image.info)))
		memset(&image.info, 0, sizeof(image.info));
	if (mint_bzimage_payload(hdr, image.bytes) &&
	    (read_image(rq, payload, image.payload, sizeof(image.payload)) ||
	     read_image(rq, payload + hdr->payload_length -
			sizeof(image.payload_end), image.payload_end,
			sizeof(image.payload_end))))
		return -EFAULT;
	field = mint_bzimage_fault(&image);
	if (field)
		return mint_refuse(rq, -ENOEXEC,
				   "the boot header of the image is damaged (%s), or it is no relocatable 64-bit kernel: build it with CONFIG_X86_64 and CONFIG_RELOCATABLE, or copy it again",
				   field);
	rq->bzimage = true;
	rq->kernel = seg - rq->segments;
	return 0;
}

/* What a successor's first instructions read of boot_params */
static int check_params(struct mint_kexec *rq)
{
	const struct boot_params *params = &rq->params;
	u64 initrd = params->hdr.ramdisk_image |
		     (u64)params->ext_ramdisk_image << 32;
	u64 size = params->hdr.ramdisk_size |
		   (u64)params->ext_ramdisk_size << 32;
	size_t avail;

	if (!size)
		return 0;
	if (!image_at(rq, initrd, &avail) || avail < size)
		return mint_refuse(rq, -ENOEXEC,
				   "the initrd at %#llx, %llu bytes, is not in the image: the file is truncated",
				   initrd, size);
	return 0;
}

/**
 * mint_image_check() - is it a relocatable 64-bit kernel with Mint?
 * @rq:	request; its boot_params and command line are read
 *
 * Context: process.
 * Return: 0; -ENOEXEC, -EINVAL, -E2BIG with the reason in the report; -EFAULT.
 */
int mint_image_check(struct mint_kexec *rq)
{
	struct mint_mark mark;
	int err;

	if (rq->handover.boot_params & 15 ||
	    read_image(rq, rq->handover.boot_params, &rq->params,
		       sizeof(rq->params)))
		return mint_refuse(rq, -ENOEXEC,
				   "boot_params at %#llx are not in the image: the file is truncated or no Linux kernel",
				   rq->handover.boot_params);
	mint_params_clean(&rq->params);
	if (read_image(rq, rq->handover.marker, &mark, sizeof(mark)) ||
	    memcmp(mark.text, MINT_MARKER, MINT_MARKER_LEN))
		return mint_refuse(rq, -ENOEXEC,
				   "the image has no Mint: build it with CONFIG_MINT=y");
	if (mark.version >> 16 != MINT_VERSION_MAJOR ||
	    !(mark.flags & MINT_MARKER_64BIT))
		return mint_refuse(rq, -ENOEXEC,
				   "the image has Mint %u.%u, this kernel %u.%u: launch an image of the same major version",
				   mark.version >> 16, mark.version & 0xffff,
				   MINT_VERSION_MAJOR, MINT_VERSION_MINOR);
	err = is_vmlinux(rq) ? 0 : check_bzimage(rq, &mark);
	err = err ?: check_params(rq);
	if (err)
		return err;

	rq->la57 = mint_layout.pml5 && (mark.flags & MINT_MARKER_5LEVEL);
	return read_cmdline(rq);
}

static struct mint_range segment_range(const struct mint_kexec *rq, unsigned long i)
{
	struct mint_range range = {
		.start	= rq->segments[i].mem,
		.size	= rq->segments[i].memsz,
	};

	return range;
}

/* A kernel below the address that it prefers unpacks itself there; else empty */
static struct mint_range unpacking_range(const struct mint_kexec *rq)
{
	const struct setup_header *hdr = &rq->params.hdr;
	struct mint_range room = { .size = 0 };

	if (rq->bzimage && rq->segments[rq->kernel].mem < hdr->pref_address) {
		room.start = hdr->pref_address;
		room.size = hdr->init_size;
	}
	return room;
}

/*
 * Where the kernel unpacks itself, and not to where it was loaded, has to be the
 * node's memory, and nothing else's: no segment's, nor the place where a node that
 * runs keeps its image. Where that is to be at a launch is found later.
 */
static int check_unpacked(struct mint_kexec *rq)
{
	struct mint_range room = unpacking_range(rq), other;
	unsigned long i;

	if (!room.size)
		return 0;
	if (!mint_range_inside(&room, rq->node.mem, rq->node.nr_mem) ||
	    mint_ranges_overlap(&room, &rq->keep))
		goto refuse;
	for (i = 0; i < rq->nr_segments; i++) {
		other = segment_range(rq, i);
		if (i != rq->kernel && mint_ranges_overlap(&room, &other))
			goto refuse;
	}
	return 0;
refuse:
	return mint_refuse(rq, -EADDRNOTAVAIL,
			   "the kernel unpacks itself at %#llx-%#llx, which is not all its own: raise --mem-min to %#llx",
			   room.start, room.start + room.size - 1, room.start);
}

/**
 * mint_image_check_memory() - does all of it lie in the node's memory?
 * @rq:	request with the node's memory
 *
 * Context: process.
 * Return: 0; -EINVAL, -EADDRNOTAVAIL with the reason in the report.
 */
int mint_image_check_memory(struct mint_kexec *rq)
{
	struct mint_range seg, other;
	unsigned long i, k;

	if (!segment_at(rq, rq->handover.entry))
		return mint_refuse(rq, -EINVAL,
				   "at the entry %#llx is nothing of the image",
				   rq->handover.entry);

	for (i = 0; i < rq->nr_segments; i++) {
		seg = segment_range(rq, i);
		if (!seg.size || rq->segments[i].bufsz > seg.size ||
		    (seg.start | seg.size) & ~PAGE_MASK ||
		    !mint_range_inside(&seg, rq->node.mem, rq->node.nr_mem))
			return mint_refuse(rq, -EADDRNOTAVAIL,
					   "segment %#llx-%#llx of the image is not within the node's memory: raise --mem-max",
					   seg.start, seg.start + seg.size - 1);
		for (k = 0; k < i; k++) {
			other = segment_range(rq, k);
			if (mint_ranges_overlap(&seg, &other))
				return mint_refuse(rq, -EINVAL,
						   "segments %#llx and %#llx of the image overlap",
						   seg.start, other.start);
		}
	}
	return check_unpacked(rq);
}

/*
 * Bytes of a segment that are written. The rest is room in which the kernel
 * unpacks itself: it clears there what it wants to be clear, after any boot
 * loader. Nothing but the last page is filled up.
 */
static u64 written(const struct kexec_segment *seg)
{
	return min_t(u64, PAGE_ALIGN(seg->bufsz), seg->memsz);
}

static u64 keep_need(const struct mint_kexec *rq)
{
	u64 need = PAGE_ALIGN(sizeof(struct mint_kept));
	unsigned long i;

	for (i = 0; i < rq->nr_segments; i++)
		need += PAGE_ALIGN(rq->segments[i].bufsz);
	return need;
}

/*
 * The highest place in @mem for @size bytes that neither a segment needs nor the
 * kernel to unpack itself, or 0
 */
static u64 find_hole(const struct mint_kexec *rq, const struct mint_range *mem,
		     u64 size)
{
	struct mint_range hole, seg, room = unpacking_range(rq);
	u64 top = mem->start + mem->size;
	unsigned long i;

	while (top - mem->start >= size) {
		hole.start = top - size;
		hole.size = size;
		for (i = 0; i < rq->nr_segments; i++) {
			seg = segment_range(rq, i);
			if (mint_ranges_overlap(&seg, &hole))
				break;
		}
		if (i == rq->nr_segments) {
			if (!mint_ranges_overlap(&room, &hole))
				return hole.start;
			seg = room;
		}
		/* Next below the one in the way, which lies in some range */
		if (seg.start <= mem->start)
			break;
		top = seg.start;
	}
	return 0;
}

/**
 * mint_image_find_keep() - where does the image wait for an own reboot?
 * @rq:	request with the node's memory and checked segments
 *
 * mint.keep=<size> of the node says how much room there is, so that a later
 * image may be larger; 0: the image is not kept, and a reboot is the node's
 * end. By default it is a quarter more than the image takes.
 *
 * Context: process.
 * Return: 0; -EINVAL, -ENOSPC with the reason in the report.
 */
int mint_image_find_keep(struct mint_kexec *rq)
{
	u64 need = keep_need(rq), size = PAGE_ALIGN(need + need / 4);
	struct mint_token value;
	char buf[24];
	u32 i;

	if (mint_param_find(rq->cmdline, "mint.keep=", &value)) {
		snprintf(buf, sizeof(buf), "%.*s", value.len, value.text);
		if (value.len >= sizeof(buf) || mint_param_size(buf, &size) ||
		    size > PHYSICAL_PAGE_MASK)
			return mint_refuse(rq, -EINVAL,
					   "mint.keep=: '%.*s' is not a size in bytes",
					   min(value.len, 24), value.text);
		size = PAGE_ALIGN(size);
		if (!size)
			return 0;
		if (size < need)
			return mint_refuse(rq, -ENOSPC,
					   "mint.keep=%.*s: the image needs %llu KiB to be kept; 0 keeps none, a reboot of the node is its end then",
					   value.len, value.text, need >> 10);
	}
	for (i = 0; i < rq->node.nr_mem; i++) {
		rq->keep.start = find_hole(rq, &rq->node.mem[i], size);
		if (!rq->keep.start)
			continue;
		rq->keep.size = size;
		return 0;
	}
	return mint_refuse(rq, -ENOSPC,
			   "the node's memory has no %llu KiB beside the image to keep it for a reboot: raise --mem-max or append mint.keep=0",
			   size >> 10);
}

/**
 * mint_image_layout() - say where each segment is kept
 * @rq:	request; a place to keep the image was found
 *
 * Context: process.
 * Return: 0; -ENOSPC with the reason in the report.
 */
int mint_image_layout(struct mint_kexec *rq)
{
	struct mint_kept *kept = &rq->kept;
	struct mint_segment *seg = kept->segment;
	u64 from = rq->keep.start + PAGE_ALIGN(sizeof(*kept));
	unsigned long i;

	if (!rq->keep.size)
		return 0;
	if (rq->nr_segments > MINT_SEGMENTS_MAX || keep_need(rq) > rq->keep.size)
		return mint_refuse(rq, -ENOSPC,
				   "the image needs %llu KiB to be kept, this node has %llu: launch it with mint.keep=%lluK",
				   keep_need(rq) >> 10, rq->keep.size >> 10,
				   keep_need(rq) >> 10);

	kept->magic = MINT_MAGIC;
	kept->version = MINT_VERSION;
	kept->entry = rq->handover.entry;
	kept->levels = rq->la57 ? 5 : 4;
	kept->count = rq->nr_segments;
	for (i = 0; i < rq->nr_segments; i++, seg++) {
		seg->to = rq->segments[i].mem;
		seg->from = from;
		seg->bytes = ALIGN(rq->segments[i].bufsz, 8);
		seg->zero = written(&rq->segments[i]) - seg->bytes;
		from += PAGE_ALIGN(seg->bytes);
	}
	return 0;
}

/**
 * mint_image_finish() - fill in what only the kernel knows
 * @rq:	request; the memory map in its boot_params is made
 *
 * Context: process.
 */
void mint_image_finish(struct mint_kexec *rq)
{
	struct mint_handover *h = &rq->handover;
	u64 cmdline = rq->address + offsetof(struct mint_handover, cmdline);

	scnprintf(h->cmdline, sizeof(h->cmdline), FORCED_PARAMS "%s", rq->cmdline);
	h->next = 0;
	h->type = SETUP_MINT;
	h->len = sizeof(*h) - offsetof(struct mint_handover, magic);
	h->common = mint_common_pa;
	h->node = rq->number;
	h->legacy = rq->node.legacy;
	/* What a successor cannot measure for itself */
	h->tsc_khz = tsc_khz;
	h->wall_tsc = rdtsc_ordered();
	h->wall_ns = ktime_get_real_ns();
	h->kept = rq->keep.size ? rq->keep.start : 0;
	h->kept_size = rq->keep.size;

	rq->params.hdr.setup_data = rq->address;
	rq->params.hdr.cmd_line_ptr = cmdline;
	rq->params.ext_cmd_line_ptr = cmdline >> 32;
	memset(&rq->params.efi_info, 0, sizeof(rq->params.efi_info));
	rq->params.acpi_rsdp_addr = 0;
	/* For mint_no_early_pci(), which comes before the hand-over is read */
	rq->params.hdr.hardware_subarch_data = MINT_MAGIC;
	if (rq->node.legacy & BIT(MINT_LEGACY_VGA))
		rq->params.screen_info = boot_params.screen_info;
	else
		memset(&rq->params.screen_info, 0, sizeof(rq->params.screen_info));
}

/* In pieces: a segment may be gigabytes long, and a caller may be killed */
static int copy_piecewise(void *to, const struct kexec_segment *seg, u64 size)
{
	u64 done, len;

	for (done = 0; done < size; done += len) {
		len = min_t(u64, (done < seg->bufsz ? seg->bufsz : size) - done,
			    COPY_PIECE);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (done >= seg->bufsz)
			memset(to + done, 0, len);
		else if (copy_from_user(to + done, seg->buf + done, len))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/* Lay @from over the part of the segment at @start that holds @address */
static void overlay(void *to, u64 start, u64 size, u64 address,
		    const void *from, size_t len)
{
	if (address >= start && address - start < size &&
	    len <= size - (address - start))
		memcpy(to + (address - start), from, len);
}

/* One segment, with what mint_image_finish() knows of its contents */
static int fill_segment(struct mint_kexec *rq, unsigned long i, void *to, u64 size)
{
	const struct kexec_segment *seg = &rq->segments[i];
	int err = copy_piecewise(to, seg, size);

	if (err)
		return err;
	overlay(to, seg->mem, size, rq->handover.boot_params, &rq->params,
		sizeof(rq->params));
	overlay(to, seg->mem, size, rq->address, &rq->handover,
		sizeof(rq->handover));
	return 0;
}

static int write_segment(struct mint_kexec *rq, unsigned long i)
{
	u64 size = written(&rq->segments[i]), start = rq->segments[i].mem;
	void *to;
	int err;

	if (rq->keep.size) {
		size = rq->kept.segment[i].bytes;
		start = rq->kept.segment[i].from;
	}
	if (!size)
		return 0;
	to = mint_map_memory(start, size);
	if (!to)
		return -ENOMEM;
	err = fill_segment(rq, i, to, size);
	mint_unmap_memory(to);
	return err;
}

/**
 * mint_image_write() - write the image to where it is kept, or to its place
 * @rq:	request, finished
 *
 * Context: process, may sleep; the memory is the new node's, which does not run.
 * Return: 0; -ENOMEM, -EFAULT, -EINTR.
 */
int mint_image_write(struct mint_kexec *rq)
{
	unsigned long i;
	void *to;
	int err;

	for (i = 0; i < rq->nr_segments; i++) {
		err = write_segment(rq, i);
		if (err)
			return err;
	}
	if (!rq->keep.size)
		return 0;
	to = mint_map_memory(rq->keep.start, sizeof(rq->kept));
	if (!to)
		return -ENOMEM;
	memcpy(to, &rq->kept, sizeof(rq->kept));
	mint_unmap_memory(to);
	return 0;
}

/**
 * mint_image_replace() - put another image where one is kept
 * @rq:		request, finished, with as much room as the old one has
 * @kept:	where that is mapped
 *
 * Context: process, may sleep; one caller at a time.
 * Return: 0; -ENOMEM, -EFAULT, -EINTR: the old image is still there.
 */
int mint_image_replace(struct mint_kexec *rq, struct mint_kept *kept)
{
	u64 head = PAGE_ALIGN(sizeof(*kept)), size = keep_need(rq) - head;
	const struct mint_segment *seg = rq->kept.segment;
	unsigned long i;
	int err = 0;
	void *buf;

	buf = vzalloc(size);
	if (!buf)
		return -ENOMEM;
	for (i = 0; i < rq->nr_segments && !err; i++, seg++)
		err = fill_segment(rq, i, buf + (seg->from - rq->keep.start - head),
				   seg->bytes);
	if (!err) {
		/* Whoever reboots in between finds none, not half of one */
		WRITE_ONCE(kept->magic, 0);
		smp_wmb();	/* before the rest; pairs with nobody but a reboot */
		memcpy((void *)kept + head, buf, size);
		memcpy(&kept->version, &rq->kept.version, sizeof(*kept) -
		       offsetof(struct mint_kept, version));
		/* A reboot in between sees all of it or none */
		smp_store_release(&kept->magic, rq->kept.magic);
	}
	vfree(buf);
	return err;
}
