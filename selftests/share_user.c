// SPDX-License-Identifier: GPL-2.0
/*
 * A process that uses a share, which it finds by its name among the UIO devices.
 *
 *   share_user <name> put <offset> <byte>	fill the page there
 *   share_user <name> has <offset> <byte>	0 if the page there is full of it
 *   share_user <name> ring			ring the other members
 *   share_user <name> wait <seconds>		0 once another member rings
 *   share_user <name> ping <count>		ring, and wait for an answer, so often;
 *						prints for how many ms
 *   share_user <name> pong <count>		answer so often
 *   share_user <name> rules			0 if what must not be mapped is refused
 *   share_user <name> hold <byte> <seconds>	0 once all of it is taken away by SIGBUS
 *						from this process and its child; its
 *						first page is full of that until then
 *
 * Ends with 1 if that is not so, or not in time, and with 2 if something fails.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define PAGE	4096UL

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* Read a line of a file of a device; 0 if it is there */
static int read_line(const char *dev, const char *file, char *line, int size)
{
	char path[320];
	FILE *in;
	int ok;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/%s", dev, file);
	in = fopen(path, "r");
	if (!in)
		return -1;
	ok = !!fgets(line, size, in);
	fclose(in);
	line[strcspn(line, "\n")] = '\0';
	return ok ? 0 : -1;
}

/* Open the device of a share, and say how long that is */
static int open_share(const char *name, unsigned long *size)
{
	char wanted[64], line[64], path[280];
	struct dirent *entry;
	DIR *dir = opendir("/sys/class/uio");
	int fd;

	if (!dir)
		die("/sys/class/uio");
	snprintf(wanted, sizeof(wanted), "mint:%s", name);
	while ((entry = readdir(dir))) {
		if (read_line(entry->d_name, "name", line, sizeof(line)) ||
		    strcmp(line, wanted))
			continue;
		if (read_line(entry->d_name, "maps/map0/size", line, sizeof(line)))
			die("size");
		*size = strtoul(line, NULL, 0);
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		closedir(dir);
		fd = open(path, O_RDWR);
		if (fd < 0)
			die(path);
		return fd;
	}
	fprintf(stderr, "share_user: no share '%s'\n", name);
	exit(2);
}

static int full_of(const uint8_t *page, int byte)
{
	unsigned long i;

	for (i = 0; i < PAGE; i++)
		if (__atomic_load_n(&page[i], __ATOMIC_RELAXED) != byte)
			return 0;
	return 1;
}

/* Wait for another member; 0 if it rings */
static int wait_ring(int fd, int seconds)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint32_t before, now;

	puts("ready");
	fflush(stdout);
	if (poll(&wait, 1, seconds * 1000) != 1)
		return 1;
	if (read(fd, &before, sizeof(before)) != sizeof(before))
		die("read");
	/* Read: it does not poll as readable again until the next ring */
	if (poll(&wait, 1, 0) == 1 &&
	    (read(fd, &now, sizeof(now)) != sizeof(now) || now == before))
		die("poll");
	puts("rung");
	return 0;
}

/* The other one rings within a minute */
static void wait_answer(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint32_t count;

	if (poll(&wait, 1, 60000) != 1) {
		fputs("share_user: no answer\n", stderr);
		exit(1);
	}
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		die("read");
}

static void ring(int fd)
{
	uint32_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		die("write");
}

static int ping(int fd, int count)
{
	long long begin = now_ms();
	int i;

	for (i = 0; i < count; i++) {
		ring(fd);
		wait_answer(fd);
	}
	printf("%lld\n", now_ms() - begin);
	return 0;
}

static int pong(int fd, int count)
{
	puts("ready");
	fflush(stdout);
	while (count--) {
		wait_answer(fd);
		ring(fd);
	}
	return 0;
}

static int refused(int fd, unsigned long size, int flags)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED;
}

/* No private copies, nothing behind its end, no writing by who may only read */
static int rules(int fd, unsigned long size)
{
	char path[64], device[64];
	int read_only;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, device, sizeof(device) - 1);
	if (len < 0)
		die(path);
	device[len] = '\0';
	read_only = open(device, O_RDONLY);
	if (read_only < 0)
		die(device);
	return !(refused(fd, size, MAP_PRIVATE) &&
		 refused(fd, size + PAGE, MAP_SHARED) &&
		 refused(read_only, size, MAP_SHARED));
}

static sigjmp_buf back;

static void taken(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* 0 if a process that reads there gets SIGBUS */
static int is_gone(const uint8_t *page)
{
	if (sigsetjmp(back, 1))
		return 0;
	__atomic_load_n(page, __ATOMIC_RELAXED);
	return 1;
}

/* Read a page until it is taken away: then all of it is, for the kernel, too */
static int hold(int fd, uint8_t *mem, unsigned long size, int byte, int seconds)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	long long end = now_ms() + seconds * 1000LL;
	int null = open("/dev/zero", O_RDONLY);

	signal(SIGBUS, taken);
	if (!sigsetjmp(back, 1)) {
		while (now_ms() < end) {
			/* The device's end is an event */
			poll(&wait, 1, 100);
			if (!full_of(mem, byte)) {
				puts("somebody else's page");
				return 1;
			}
		}
		puts("still mapped");
		return 1;
	}
	if (is_gone(mem) || is_gone(mem + size - PAGE)) {
		puts("partly mapped");
		return 1;
	}
	if (read(null, mem, 1) != -1 || errno != EFAULT) {
		puts("mapped for the kernel");
		return 1;
	}
	return 0;
}

/* So does a child, and a mapping that was moved; the last page was never touched */
static int hold_twice(int fd, uint8_t *mem, unsigned long size, int byte, int seconds)
{
	uint8_t *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status, bad;
	pid_t child;

	if (!full_of(mem, byte))
		return 1;
	mem = mremap(mem, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (mem == MAP_FAILED)
		die("mremap");
	puts("mapped");
	fflush(stdout);
	child = fork();
	if (child < 0)
		die("fork");
	bad = hold(fd, mem, size, byte, seconds);
	fflush(stdout);
	if (!child)
		_exit(bad);
	if (waitpid(child, &status, 0) != child || status)
		bad = 1;
	if (!bad)
		puts("SIGBUS");
	return bad;
}

int main(int argc, char *argv[])
{
	unsigned long size, offset;
	uint8_t *mem;
	int fd;

	if (argc < 3)
		return 2;
	fd = open_share(argv[1], &size);
	if (!strcmp(argv[2], "rules"))
		return rules(fd, size);
	if (!strcmp(argv[2], "ring")) {
		ring(fd);
		return 0;
	}
	if (!strcmp(argv[2], "wait") && argc == 4)
		return wait_ring(fd, atoi(argv[3]));
	if (!strcmp(argv[2], "ping") && argc == 4)
		return ping(fd, atoi(argv[3]));
	if (!strcmp(argv[2], "pong") && argc == 4)
		return pong(fd, atoi(argv[3]));
	if (argc != 5)
		return 2;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	if (!strcmp(argv[2], "hold"))
		return hold_twice(fd, mem, size, atoi(argv[3]), atoi(argv[4]));
	offset = strtoul(argv[3], NULL, 0);
	if (offset % PAGE || offset >= size)
		return 2;
	if (!strcmp(argv[2], "has"))
		return !full_of(mem + offset, atoi(argv[4]));
	if (strcmp(argv[2], "put"))
		return 2;
	memset(mem + offset, atoi(argv[4]), PAGE);
	return 0;
}
