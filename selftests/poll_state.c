// SPDX-License-Identifier: GPL-2.0
/*
 * Wait for a state of a node by poll(2).
 *
 *   poll_state <nodes/n/state> <seconds> <state>...
 *
 * Prints each state that it finds, one a line, and ends with 0 at the first
 * of those that were named. Ends with 1 when the time is over, with 2 if the
 * file is not there or poll() says what it should not. It looks at the file
 * only when poll() has reported something: a state that is not announced is
 * not seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

/* The present state without its line end, "gone" without a directory */
static void read_state(int fd, char *state, size_t size)
{
	ssize_t len = pread(fd, state, size - 1, 0);

	if (len < 0 && errno == ENODEV) {
		snprintf(state, size, "gone");
		return;
	}
	if (len < 0) {
		perror("poll_state: read");
		exit(2);
	}
	state[len] = '\0';
	state[strcspn(state, "\n")] = '\0';
}

int main(int argc, char **argv)
{
	struct pollfd wait = { .events = POLLPRI };
	char state[32], last[32] = "";
	long long end, left;
	int i, ready;

	if (argc < 4) {
		fprintf(stderr, "usage: poll_state <file> <seconds> <state>...\n");
		return 2;
	}
	end = now_ms() + atoll(argv[2]) * 1000;
	wait.fd = open(argv[1], O_RDONLY);
	if (wait.fd < 0) {
		perror(argv[1]);
		return 2;
	}
	for (;;) {
		read_state(wait.fd, state, sizeof(state));
		if (strcmp(state, last)) {
			puts(state);
			fflush(stdout);
			memcpy(last, state, sizeof(last));
		}
		for (i = 3; i < argc; i++)
			if (!strcmp(state, argv[i]))
				return 0;
		if (!strcmp(state, "gone"))
			return 1;
		left = end - now_ms();
		if (left <= 0)
			return 1;
		ready = poll(&wait, 1, left);
		if (!ready)
			return 1;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0 || !(wait.revents & POLLPRI)) {
			fprintf(stderr, "poll_state: poll: %d, %#x\n", ready,
				wait.revents);
			return 2;
		}
	}
}
