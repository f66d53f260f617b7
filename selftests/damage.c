// SPDX-License-Identifier: GPL-2.0
/*
 * Damage a file in place, at random:
 *
 *   damage <seed> <file> <offset> <length> <count>
 *
 * <count> bytes between <offset> and <offset> + <length> become others. The same
 * seed makes the same. Prints where, what was there and what is now.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long long state;

/* SplitMix64, by its published constants: the same everywhere */
static unsigned long long rnd(void)
{
	unsigned long long z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

int main(int argc, char **argv)
{
	unsigned long long offset, length;
	unsigned char was, now;
	int fd, count;
	off_t at;

	if (argc != 6) {
		fprintf(stderr,
			"usage: damage <seed> <file> <offset> <length> <count>\n");
		return 2;
	}
	state = strtoull(argv[1], NULL, 0);
	offset = strtoull(argv[3], NULL, 0);
	length = strtoull(argv[4], NULL, 0);
	count = atoi(argv[5]);
	fd = open(argv[2], O_RDWR);
	if (fd < 0 || !length) {
		perror(argv[2]);
		return 1;
	}
	for (; count > 0; count--) {
		at = offset + rnd() % length;
		if (pread(fd, &was, 1, at) != 1)
			break;
		/* Half of them a single bit, as memory and disks have it */
		now = was ^ (rnd() & 1 ? 1 << rnd() % 8 : 1 + rnd() % 255);
		if (pwrite(fd, &now, 1, at) != 1)
			break;
		printf(" %#llx: %02x>%02x", (unsigned long long)at, was, now);
	}
	if (count) {
		perror(argv[2]);
		return 1;
	}
	putchar('\n');
	return 0;
}
