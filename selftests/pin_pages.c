// SPDX-License-Identifier: GPL-2.0
/*
 * Holds pages of its memory in a pipe, where nothing can move them, until it is
 * killed: "pin_pages <MiB>" touches so much memory and holds a page of each MiB.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define MIB		0x100000UL

int main(int argc, char *argv[])
{
	unsigned long i, count = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	struct iovec iov;
	int fds[2];
	char *mem;

	if (!count || pipe(fds) || fcntl(fds[1], F_SETPIPE_SZ, MIB) < 0) {
		perror("pin_pages: pipe");
		return 1;
	}
	mem = mmap(NULL, count * MIB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) {
		perror("pin_pages: mmap");
		return 1;
	}
	memset(mem, 0x5a, count * MIB);
	for (i = 0; i < count; i++) {
		iov.iov_base = mem + i * MIB;
		iov.iov_len = 1;
		if (vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK) != 1) {
			perror("pin_pages: vmsplice");
			return 1;
		}
	}
	printf("pinned\n");
	fflush(stdout);
	pause();
	return 0;
}
