// SPDX-License-Identifier: GPL-2.0
/*
 * Wait for the end of a move by poll(2).
 *
 *   poll_moves <moves> <seconds> [<move> <request>]
 *
 * Prints "waits" once it does. Then it prints the last line of the file each time that
 * poll() has reported something, and ends with 0 at the first one that tells of an end.
 * A request is written at once then; what its write says, 0 or an error, is printed as
 * "again <error>". Ends with 1 when the time is over, with 2 if poll() says what it
 * should not. It looks at the file only when poll() has reported something: an end that
 * is not announced is not seen. It comes before all other tasks, so that an end which is
 * announced too early is seen as it is then.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

/* The last line of the file; of an empty one, nothing */
static const char *last_line(int fd)
{
	static char text[8192];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	char *end;

	if (len < 0)
		err(2, "read");
	text[len] = '\0';
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	end = strrchr(text, '\n');
	return end ? end + 1 : text;
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static int ask(const char *path, const char *request)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		err(2, "%s", path);
	return write(fd, request, strlen(request)) < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	struct sched_param priority = { .sched_priority = 80 };
	struct pollfd wait = { .events = POLLPRI };
	long long end, left;
	const char *line;
	int ready, over;

	if (argc != 3 && argc != 5)
		errx(2, "usage: poll_moves <moves> <seconds> [<move> <request>]");
	end = now_ms() + atoll(argv[2]) * 1000;
	wait.fd = open(argv[1], O_RDONLY);
	if (wait.fd < 0)
		err(2, "%s", argv[1]);
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		err(2, "sched_setscheduler");
	last_line(wait.fd);
	say("waits");
	for (;;) {
		left = end - now_ms();
		ready = left > 0 ? poll(&wait, 1, left) : 0;
		if (!ready)
			return 1;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0 || !(wait.revents & POLLPRI))
			errx(2, "poll: %d, %#x", ready, wait.revents);
		line = last_line(wait.fd);
		over = !strstr(line, " moving ");
		if (over && argc == 5)
			printf("again %d\n", ask(argv[3], argv[4]));
		say(line);
		if (over)
			return 0;
	}
}
