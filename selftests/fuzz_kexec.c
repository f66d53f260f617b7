// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong launch requests for kexec_load(): a sound one, with some of it changed
 * at random, again and again.
 *
 *   fuzz_kexec <seed> <rounds> <APIC ID> <first byte> <last byte>
 *   fuzz_kexec fault <APIC ID> <first byte> <last byte>
 *
 * The core and the memory must be free. The same seed makes the same calls. No
 * request asks for a start together with a load, since what would be loaded is
 * no kernel; what is accepted is unloaded at once. Prints how many calls ended
 * how. Fails if an accepted request cannot be unloaded, if the reason of a
 * refusal is not one line of text, or if no sound request is accepted. Of
 * those whose boot header was changed, none may be accepted unless what the
 * start believes of it is what it was.
 *
 * "fault" makes one request that is fine until the kernel copies it, which it
 * cannot: by then all was claimed.
 */
#define _GNU_SOURCE
#include <asm/bootparam.h>
#include <asm/mint.h>
#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAG_MINT	0x10UL
#define FLAG_ON_CRASH	0x1UL
#define ARCH_X86_64	(62UL << 16)
#define PAGE		4096UL
#define MIB		0x100000ULL
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define NR_ERRNO	140
#define SEGMENTS	4

struct segment {
	const void	*buf;
	size_t		bufsz;
	const void	*mem;
	size_t		memsz;
};

/*
 * The protected-mode part of a bzImage, as far as anybody looks at it: a payload
 * by its first bytes and its length, kernel_info and the mark
 */
struct image {
	__u8			entry[1024];
	__u8			payload[2048];
	__u32			info[4];
	struct mint_mark	mark;
	__u8			rest[PAGE];
};

/* Where the parts go, counted from the first byte of the memory */
#define AT_HANDOVER	(16 * MIB)
#define AT_PARAMS	(17 * MIB)
#define AT_IMAGE	(18 * MIB)
#define AT_CMDLINE	(19 * MIB)

/* What the image takes there, with the room for unpacking it */
#define ROOM		(256 * 1024)

#define HDRS_MAGIC	0x53726448
#define INFO_MAGIC	0x506f544c

static __u64 state, mem_min, mem_max;
static __u32 apic_id;

/*
 * What the segments show to the kernel, far from everything else: it writes the
 * reason of a refusal where a wrong request has its hand-over.
 */
#define ARENA		((void *)(1ULL << 40))

static struct parts {
	alignas(65536) struct mint_handover	handover;
	alignas(65536) struct boot_params	params;
	alignas(65536) struct image		image;
	alignas(65536) char			cmdline[MINT_CMDLINE_LEN];
} *const parts = ARENA;

static struct segment segments[20];
static unsigned long nr_segments, entry, flags;
static unsigned long calls[NR_ERRNO], accepted;

/* SplitMix64, by its published constants: the same everywhere */
static __u64 rnd(void)
{
	__u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int n)
{
	return rnd() % n;
}

/* Numbers at which arithmetic goes wrong, and some that do not mean anything */
static __u64 number(void)
{
	const __u64 some[] = {
		0, 1, 2, 7, 8, 15, 4095, 4096, 4097, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffff81000000, 0xfffffffffffff000, 0xffffffffffffffff,
		0xfee00000, 0xfec00000, 0xa0000, mem_min, mem_max, mem_min - 1,
		mem_max + 1, mem_min + AT_HANDOVER, mem_min + AT_PARAMS,
		mem_max + 1 - PAGE, 1ULL << 46, 1ULL << 52,
	};

	switch (below(3)) {
	case 0:
		return rnd();
	case 1:
		return mem_min + rnd() % (mem_max - mem_min);
	default:
		return some[below(ARRAY_SIZE(some))];
	}
}

static void add_segment(const void *buf, size_t size, __u64 at)
{
	struct segment *seg = &segments[nr_segments++];

	seg->buf = buf;
	seg->bufsz = size;
	seg->mem = (void *)(mem_min + at);
	seg->memsz = (size + PAGE - 1) / PAGE * PAGE;
}

/* What the build would write there, which is all that the kernel believes */
static void sound_header(struct setup_header *hdr)
{
	hdr->boot_flag = 0xaa55;
	hdr->header = HDRS_MAGIC;
	hdr->version = 0x020f;
	hdr->syssize = sizeof(parts->image) / 16;
	hdr->relocatable_kernel = 1;
	hdr->min_alignment = 21;
	hdr->kernel_alignment = 2 * MIB;
	hdr->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G |
			  XLF_5LEVEL | XLF_5LEVEL_ENABLED;
	hdr->cmdline_size = MINT_CMDLINE_LEN - 1;
	hdr->payload_offset = offsetof(struct image, payload);
	hdr->payload_length = sizeof(parts->image.payload);
	hdr->pref_address = 16 * MIB;
	hdr->init_size = ROOM;
	hdr->kernel_info_offset = offsetof(struct image, info);
}

/* A request that is fine, for an image that would do nothing good */
static void sound(void)
{
	/* Whole 2 MiB, as the header asks for */
	__u64 image = (mem_min + AT_IMAGE) / (2 * MIB) * (2 * MIB);

	memset(&parts->handover, 0, sizeof(parts->handover));
	parts->handover.magic = MINT_MAGIC;
	parts->handover.version = MINT_VERSION;
	parts->handover.op = MINT_OP_LOAD;
	parts->handover.boot_apic_id = apic_id;
	parts->handover.entry = image;
	parts->handover.boot_params = mem_min + AT_PARAMS;
	parts->handover.marker = image + offsetof(struct image, mark);
	parts->handover.mem_min = mem_min;
	parts->handover.mem_max = mem_max;

	memset(&parts->params, 0, sizeof(parts->params));
	parts->params.hdr.cmd_line_ptr = mem_min + AT_CMDLINE;
	parts->params.ext_cmd_line_ptr = (mem_min + AT_CMDLINE) >> 32;

	sound_header(&parts->params.hdr);
	memset(&parts->image, 0, sizeof(parts->image));
	/* lz4, of three bytes when unpacked */
	memcpy(parts->image.payload, "\x02\x21\x4c\x18", 4);
	parts->image.payload[sizeof(parts->image.payload) - 4] = 3;
	parts->image.info[0] = INFO_MAGIC;
	parts->image.info[1] = sizeof(parts->image.info);
	parts->image.info[2] = sizeof(parts->image.info) +
			       sizeof(parts->image.mark);
	memcpy(parts->image.mark.text, MINT_MARKER, MINT_MARKER_LEN);
	parts->image.mark.version = MINT_VERSION;
	parts->image.mark.flags = MINT_MARKER_64BIT | MINT_MARKER_5LEVEL;

	memset(parts->cmdline, 0, sizeof(parts->cmdline));
	memcpy(parts->cmdline, "maxcpus=1", sizeof("maxcpus=1"));

	memset(segments, 0, sizeof(segments));
	nr_segments = 0;
	add_segment(&parts->handover, sizeof(parts->handover), AT_HANDOVER);
	add_segment(&parts->params, sizeof(parts->params), AT_PARAMS);
	add_segment(&parts->image, sizeof(parts->image), image - mem_min);
	segments[nr_segments - 1].memsz = ROOM;
	add_segment(parts->cmdline, sizeof(parts->cmdline), AT_CMDLINE);
	entry = mem_min + AT_HANDOVER;
	flags = FLAG_MINT | ARCH_X86_64;
}

/* Tokens of our own, with values that are wrong more often than not */
static void change_cmdline(void)
{
	static const char * const words[] = {
		"maxcpus=", "mint.cpus=", "mint.mem=", "mint.devices=",
		"mint.name=", "mint.keep=", "no5lvl", "mint.", "=", "\"",
	};
	static const char * const values[] = {
		"", "0", "1", "-1", "99999999999999999999", "1-4294967295",
		"4294967295", "1,1,1", "3-1", "com1", "com2,com2", "vga,rtc",
		"ffff:ff:1f.7", "00:00.0", "00:1f.0", "zz", "64M@0",
		"16M@0xfec00000", "1@1", "0x7fffffffffffffff@0x7fffffffffffffff",
		"4K@0x100000000000", "%s%n%p", ",,,,", "@", "64K", "1E", "'", "\n",
	};
	size_t len;
	int i;

	if (!below(8)) {
		/* No end, no text */
		for (len = 0; len < sizeof(parts->cmdline); len++)
			parts->cmdline[len] = 1 + below(255);
		return;
	}
	for (i = below(6); i >= 0; i--) {
		len = strnlen(parts->cmdline, sizeof(parts->cmdline));
		if (len == sizeof(parts->cmdline))
			return;
		snprintf(parts->cmdline + len, sizeof(parts->cmdline) - len,
			 " %s%s",
			 words[below(ARRAY_SIZE(words))],
			 values[below(ARRAY_SIZE(values))]);
	}
}

static void change_segment(void)
{
	struct segment *seg = &segments[below(SEGMENTS)];

	switch (below(6)) {
	case 0:
		seg->buf = (void *)number();
		break;
	case 1:
		seg->bufsz = number();
		break;
	case 2:
		seg->mem = (void *)number();
		break;
	case 3:
		seg->memsz = number();
		break;
	case 4:
		/* The same place as another */
		seg->mem = segments[below(SEGMENTS)].mem;
		break;
	case 5:
		/* Larger than its buffer: zeroes */
		seg->memsz = (1 + below(4096)) * PAGE;
	}
}

static void change_word(void *where, size_t size)
{
	__u32 word = number();

	memcpy((char *)where + below(size / 4) * 4, &word, sizeof(word));
}

/* One field that the start believes is another: nobody may accept that */
static void change_header(void)
{
	struct setup_header *hdr = &parts->params.hdr;
	__u32 wrong = 1U << below(32);

	switch (below(9)) {
	case 0:
		hdr->header ^= wrong;
		break;
	case 1:
		hdr->kernel_alignment ^= wrong;
		break;
	case 2:
		hdr->relocatable_kernel ^= 1 << below(8);
		break;
	case 3:
		hdr->min_alignment ^= 1 << below(8);
		break;
	case 4:
		/* Without these it is entered wrongly */
		hdr->xloadflags ^= below(2) ? XLF_KERNEL_64 : XLF_5LEVEL_ENABLED;
		break;
	case 5:
		hdr->kernel_info_offset ^= wrong;
		break;
	case 6:
		/* More than there is, or less than is there */
		hdr->init_size = below(2) ? parts->image.info[0] : below(4096);
		break;
	case 7:
		hdr->setup_data = 1 + number() % 0xffff;
		break;
	case 8:
		hdr->syssize |= 0x80000000 >> below(8);
	}
}

static void change(void)
{
	switch (below(10)) {
	case 0:
	case 1:
		change_segment();
		break;
	case 2:
		change_word(&parts->handover, offsetof(struct mint_handover, cmdline));
		break;
	case 3:
		change_word(&parts->handover, sizeof(parts->handover));
		break;
	case 4:
		change_word(&parts->params, sizeof(parts->params));
		break;
	case 5:
		change_word(&parts->params.hdr, sizeof(parts->params.hdr));
		break;
	case 6:
		change_word(&parts->image.info, sizeof(parts->image.info) +
			    sizeof(parts->image.mark));
		break;
	case 7:
		change_cmdline();
		break;
	case 8:
		nr_segments = below(4) ? below(18) : number();
		break;
	case 9:
		if (below(2))
			entry = number();
		else
			flags ^= 1UL << below(20);
	}
}

static long call(void)
{
	long ret = syscall(SYS_kexec_load, entry, nr_segments, segments, flags);

	return ret < 0 ? -errno : ret;
}

static void die(const char *what, long ret)
{
	printf("after %lu accepted: %s: %ld (%s)\n", accepted, what, ret,
	       ret < 0 ? strerror(-ret) : "");
	exit(1);
}

/* What was accepted goes again, by the means of whoever accepted it */
static void unload(void)
{
	long ret;

	if (!(flags & FLAG_MINT)) {
		ret = syscall(SYS_kexec_load, 0, 0, NULL,
			      (flags & FLAG_ON_CRASH) | ARCH_X86_64);
	} else {
		sound();
		parts->handover.op = MINT_OP_UNLOAD;
		ret = call();
	}
	if (ret < 0)
		die("cannot be unloaded", ret);
}

static void check_report(void)
{
	const char *text = parts->handover.report;
	size_t len = strnlen(text, sizeof(parts->handover.report));

	if (len == sizeof(parts->handover.report))
		die("the reason has no end", 0);
	if (memchr(text, '\n', len))
		die("the reason has several lines", 0);
}

/* Only what comes behind the first page of a segment cannot be read */
static int fault(void)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long ret;

	if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE))
		die("no memory", -errno);
	sound();
	add_segment(pages, 2 * PAGE, 20 * MIB);
	ret = call();
	if (ret != -EFAULT)
		die("EFAULT was expected", ret);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long rounds = 0, round, good = 0;
	int i, wrong, one;
	long ret;

	one = argc == 5 && !strcmp(argv[1], "fault");
	if (argc != 6 && !one) {
		fprintf(stderr,
			"usage: fuzz_kexec <seed> <rounds> <APIC ID> <first byte> <last byte>\n"
			"       fuzz_kexec fault <APIC ID> <first byte> <last byte>\n");
		return 2;
	}
	if (!one) {
		state = strtoull(argv[1], NULL, 0);
		rounds = strtoul(argv[2], NULL, 0);
	}
	apic_id = strtoul(argv[argc - 3], NULL, 0);
	mem_min = strtoull(argv[argc - 2], NULL, 0);
	mem_max = strtoull(argv[argc - 1], NULL, 0);

	if (mmap(ARENA, sizeof(*parts), PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != ARENA)
		die("no memory at its place", -errno);
	if (one)
		return fault();
	for (round = 0; round < rounds; round++) {
		sound();
		/*
		 * One in sixteen stays sound, one has a wrong header and is
		 * fine besides, the others are changed a little
		 */
		i = below(16);
		wrong = i == 1;
		if (wrong)
			change_header();
		for (i = i > 1 ? 1 + below(4) : 0; i; i--)
			change();
		if (parts->handover.op & MINT_OP_LOAD)
			parts->handover.op &= ~MINT_OP_START;
		memset(parts->handover.report, 0, sizeof(parts->handover.report));
		ret = call();
		if (ret >= 0 && wrong)
			die("a wrong boot header was accepted", ret);
		if (ret >= 0) {
			accepted++;
			unload();
		} else {
			calls[-ret < NR_ERRNO ? -ret : 0]++;
			if (ret != -EFAULT)
				check_report();
		}
	}

	sound();
	ret = call();
	if (ret < 0)
		die("a sound request is refused", ret);
	unload();
	for (i = 0; i < NR_ERRNO; i++)
		good += calls[i];
	printf("seed %s: %lu accepted, %lu refused:", argv[1], accepted, good);
	for (i = 0; i < NR_ERRNO; i++)
		if (calls[i])
			printf(" %lu %s", calls[i], strerror(i));
	putchar('\n');
	return accepted && good ? 0 : 1;
}
