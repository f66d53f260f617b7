// SPDX-License-Identifier: GPL-2.0
/*
 * How often is a text in physical memory that this kernel maps?
 * "find_text <start> <size> <text>" reads /proc/kcore, prints a number, and fails
 * if not all of the range is there.
 */

#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE	0x100000UL

static int fd;

static unsigned long count_in(off_t at, unsigned long size, const char *text)
{
	static char buf[PIECE];
	unsigned long found = 0, len;
	const char *p;

	for (; size; size -= len, at += len) {
		len = size < PIECE ? size : PIECE;
		if (pread(fd, buf, len, at) != (ssize_t)len) {
			perror("find_text: /proc/kcore");
			exit(1);
		}
		/* What lies across two pieces is not counted */
		for (p = buf; (p = memmem(p, buf + len - p, text, strlen(text)));
		     p += strlen(text))
			found++;
	}
	return found;
}

int main(int argc, char *argv[])
{
	unsigned long start, end, from, to, seen = 0, found = 0;
	Elf64_Ehdr head;
	Elf64_Phdr part;
	int i;

	fd = open("/proc/kcore", O_RDONLY);
	if (argc != 4 || fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head)) {
		perror("find_text: /proc/kcore");
		return 1;
	}
	start = strtoul(argv[1], NULL, 0);
	end = start + strtoul(argv[2], NULL, 0);
	for (i = 0; i < head.e_phnum; i++) {
		if (pread(fd, &part, sizeof(part), head.e_phoff + i * sizeof(part)) !=
		    sizeof(part) || part.p_type != PT_LOAD)
			continue;
		from = part.p_paddr > start ? part.p_paddr : start;
		to = part.p_paddr + part.p_memsz;
		to = to < end ? to : end;
		/* The text of the kernel is mapped twice, other parts nowhere */
		if (part.p_paddr == ~(Elf64_Addr)0 || from >= to)
			continue;
		found += count_in(part.p_offset + (from - part.p_paddr), to - from,
				  argv[3]);
		seen += to - from;
	}
	if (seen < end - start) {
		fprintf(stderr, "find_text: %#lx of %#lx bytes are mapped\n", seen,
			end - start);
		return 1;
	}
	printf("%lu\n", found);
	return 0;
}
