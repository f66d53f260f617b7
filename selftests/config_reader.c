// SPDX-License-Identifier: GPL-2.0
/*
 * Reads of PCI configuration space that must not be torn.
 *
 * Reads the header of each function again and again, word by word, and
 * compares it with what it was first. Command and status are left out.
 *
 *   config_reader <milliseconds> <config file of sysfs>..
 *
 * Prints how many words it read. Fails at the first one that differs.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

#define FILES_MAX	32
#define WORDS		16
#define COMMAND		1

static unsigned int word(int fd, int i)
{
	unsigned int val;

	if (pread(fd, &val, sizeof(val), 4 * i) != sizeof(val))
		err(1, "pread");
	return val;
}

int main(int argc, char **argv)
{
	unsigned int first[FILES_MAX][WORDS], val;
	int fd[FILES_MAX], count = argc - 2, f, i;
	unsigned long reads = 0;
	long long end;

	if (count < 1 || count > FILES_MAX) {
		fprintf(stderr, "usage: config_reader <ms> <file>..\n");
		return 1;
	}
	for (f = 0; f < count; f++) {
		fd[f] = open(argv[f + 2], O_RDONLY);
		if (fd[f] < 0)
			err(1, "%s", argv[f + 2]);
		for (i = 0; i < WORDS; i++)
			first[f][i] = word(fd[f], i);
	}
	end = now_ms() + atoi(argv[1]);
	while (now_ms() < end) {
		for (f = 0; f < count; f++) {
			for (i = 0; i < WORDS; i++, reads++) {
				val = word(fd[f], i);
				if (i == COMMAND || val == first[f][i])
					continue;
				fprintf(stderr, "%s: word %d is %08x, was %08x, after %lu reads\n",
					argv[f + 2], i, val, first[f][i], reads);
				return 1;
			}
		}
	}
	printf("%lu words\n", reads);
	return 0;
}
