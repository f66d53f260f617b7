// SPDX-License-Identifier: GPL-2.0
/*
 * A process that uses a share, which it finds by its name among the UIO devices.
 *
 *   share_user <name> put <offset> <byte>	fill the page there
 *   share_user <name> has <offset> <byte>	0 if the page there is full of it
 *   share_user <name> ring			ring the other members
 *   share_user <name> wait <seconds>		0 once another member rings
 *   share_user <name> hold <byte> <seconds>	0 once its first page, which is full
 *						of that, is taken away by SIGBUS
 *
 * Ends with 1 if that is not so, or not in time, and with 2 if something fails.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static int full_of(const volatile uint8_t *page, int byte)
{
	unsigned long i;

	for (i = 0; i < PAGE; i++)
		if (page[i] != byte)
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

static void taken(int sig)
{
	static const char text[] = "SIGBUS\n";

	_exit(write(1, text, sizeof(text) - 1) < 0 ? 2 : 0);
}

/* Touch a page until it is taken away */
static int hold(int fd, const volatile uint8_t *page, int byte, int seconds)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	long long end = now_ms() + seconds * 1000LL;

	signal(SIGBUS, taken);
	if (!full_of(page, byte))
		return 1;
	puts("mapped");
	fflush(stdout);
	while (now_ms() < end) {
		/* The device's end is an event */
		poll(&wait, 1, 100);
		if (!full_of(page, byte)) {
			puts("somebody else's page");
			return 1;
		}
	}
	return 1;
}

int main(int argc, char *argv[])
{
	unsigned long size, offset;
	uint32_t one = 1;
	uint8_t *mem;
	int fd;

	if (argc < 3)
		return 2;
	fd = open_share(argv[1], &size);
	if (!strcmp(argv[2], "ring"))
		return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : 2;
	if (!strcmp(argv[2], "wait") && argc == 4)
		return wait_ring(fd, atoi(argv[3]));
	if (argc != 5)
		return 2;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	if (!strcmp(argv[2], "hold"))
		return hold(fd, mem, atoi(argv[3]), atoi(argv[4]));
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
