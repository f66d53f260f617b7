// SPDX-License-Identifier: GPL-2.0
/*
 * Run a command as nobody: without root's user ID and capabilities.
 *
 * For initrds in which there is no su.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: nobody <command> [<argument>...]\n");
		return 125;
	}
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)) {
		fprintf(stderr, "nobody: %s\n", strerror(errno));
		return 125;
	}
	execvp(argv[1], argv + 1);
	fprintf(stderr, "nobody: %s: %s\n", argv[1], strerror(errno));
	return 127;
}
