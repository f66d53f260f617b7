// SPDX-License-Identifier: GPL-2.0
/*
 * What a network between two kernels, or two namespaces of one, does.
 *
 *	talk_speed serve PORT			answer, one connection at a time
 *	talk_speed stream ADDRESS PORT MIB	send so much by TCP
 *	talk_speed trips ADDRESS PORT COUNT	send a byte, wait for one, so often
 *	talk_speed reads DISK COUNT		read 4 KiB, past all caches, so often
 *
 * It prints nanoseconds of CLOCK_MONOTONIC: of a connection from its first byte
 * until the other side has said that it has got the last one. What is asked for
 * goes ahead as a byte: s or t.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What is handed to the kernel at once, and taken from it */
#define PIECE	(128 << 10)

/* Of a read of a disk, and how far apart two are: 2 MiB and a block */
#define BLOCK	4096
#define STRIDE	((2 << 20) + BLOCK)

static char *buffer;	/* of PIECE bytes */

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void put(int fd, const char *data, size_t len)
{
	ssize_t done;

	for (; len; data += done, len -= done) {
		done = write(fd, data, len);
		if (done <= 0)
			err(1, "write");
	}
}

static void get_byte(int fd, char *byte)
{
	if (read(fd, byte, 1) != 1)
		err(1, "no answer");
}

/* Until the other side has no more: all at once, or a byte for a byte */
static void answer(int fd)
{
	ssize_t len;
	char what;

	get_byte(fd, &what);
	if (what == 't') {
		while (read(fd, buffer, 1) == 1)
			put(fd, buffer, 1);
		return;
	}
	do {
		len = read(fd, buffer, PIECE);
		if (len < 0)
			err(1, "read");
	} while (len);
	put(fd, "e", 1);
}

static void serve(struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, peer;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)to, sizeof(*to)) || listen(fd, 1))
		err(1, "serve");
	for (;;) {
		peer = accept(fd, NULL, NULL);
		if (peer < 0 || setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one,
					   sizeof(one)))
			err(1, "accept");
		answer(peer);
		close(peer);
	}
}

static void ask(const struct sockaddr_in *to, char what, long count)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	long long begin;
	char byte = 0;

	if (fd < 0 || connect(fd, (const void *)to, sizeof(*to)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "connect");
	put(fd, &what, 1);
	begin = now_ns();
	if (what == 't') {
		while (count--) {
			put(fd, &byte, 1);
			get_byte(fd, &byte);
		}
	} else {
		for (count *= (1 << 20) / PIECE; count; count--)
			put(fd, buffer, PIECE);
		if (shutdown(fd, SHUT_WR))
			err(1, "shutdown");
		get_byte(fd, &byte);
	}
	printf("%lld\n", now_ns() - begin);
}

static void read_disk(const char *name, long count)
{
	int fd = open(name, O_RDONLY | O_DIRECT);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END), at = 0;
	long long begin;

	if (size < BLOCK)
		err(1, "%s", name);
	begin = now_ns();
	for (; count; count--) {
		if (pread(fd, buffer, BLOCK, at) != BLOCK)
			err(1, "read");
		at = (at + STRIDE) % (size & -BLOCK);
	}
	printf("%lld\n", now_ns() - begin);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	buffer = aligned_alloc(BLOCK, PIECE);
	if (!buffer)
		err(1, "buffer");
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		to.sin_port = htons(atoi(argv[2]));
		serve(&to);
	}
	if (argc == 4 && !strcmp(argv[1], "reads")) {
		read_disk(argv[2], atol(argv[3]));
		return 0;
	}
	if (argc != 5 || !inet_aton(argv[2], &to.sin_addr) ||
	    (strcmp(argv[1], "stream") && strcmp(argv[1], "trips")))
		errx(2, "usage: talk_speed serve|stream|trips|reads ..");
	to.sin_port = htons(atoi(argv[3]));
	ask(&to, argv[1][0], atol(argv[4]));
	return 0;
}
