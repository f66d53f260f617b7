// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: console, log.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sysfs.h"
#include "verbs.h"

#define LEAVE_KEY	0x1d	/* Ctrl-] */

/* The node that the one argument means; NULL after saying what is wrong */
static struct node *one_node(const struct ctl *ctl, struct mint *mint,
			     const char *verb, int argc, char **argv, int *status)
{
	struct node *node;

	if (optind + 1 != argc) {
		*status = usage(verb, "one node is wanted");
		return NULL;
	}
	*status = mint_read(ctl, mint);
	if (*status)
		return NULL;
	node = mint_find(mint, argv[optind]);
	if (!node)
		*status = mint_absent(mint, argv[optind]);
	return node;
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			struct pollfd room = { .fd = fd, .events = POLLOUT };

			poll(&room, 1, -1);
			continue;
		}
		if (put < 0)
			return false;
		text += put;
		len -= put;
	}
	return true;
}

/* ---- log --------------------------------------------------------------------- */

int do_log(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{}
	};
	struct pollfd pollfd = { .events = POLLIN };
	bool follow = false;
	char *path, text[4096];
	struct node *node;
	struct mint mint;
	ssize_t got;
	int c, status;

	while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (c != 'f')
			return usage("log", NULL);
		follow = true;
	}
	node = one_node(ctl, &mint, "log", argc, argv, &status);
	if (!node)
		return status;
	path = ctl_path(ctl, MINT_DIR "/nodes/%u/log", node->n);
	pollfd.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pollfd.fd < 0 && errno == ENOENT)
		return fail(ST_ABSENT,
			    "there is no log of node %u (%s) here: node 0 has those of its successors, dmesg has the own one",
			    node->n, node->name);
	if (pollfd.fd < 0)
		return fail(ST_REFUSED, "%s: %s", path, error_text(errno));
	for (;;) {
		got = read(pollfd.fd, text, sizeof(text));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(ST_REFUSED, "%s: %s", path, strerror(errno));
		if (!write_all(STDOUT_FILENO, text, got))
			return fail(ST_REFUSED, "standard output: %s", strerror(errno));
		if (got)
			continue;
		if (!follow)
			return ST_OK;
		poll(&pollfd, 1, -1);
		if (pollfd.revents & (POLLERR | POLLNVAL) && !(pollfd.revents & POLLIN))
			return fail(ST_ABSENT, "node %u is gone, and its log with it",
				    node->n);
	}
}

/* ---- console ----------------------------------------------------------------- */

static bool raw(int fd, struct termios *before)
{
	struct termios settings;

	if (tcgetattr(fd, before))
		return false;
	settings = *before;
	cfmakeraw(&settings);
	return !tcsetattr(fd, TCSANOW, &settings);
}

enum carried {
	CARRIED,
	NO_MORE,
	LEAVE,
	BROKEN,
};

/* Carry what comes to where it goes; the key @leave, if not negative, ends it */
static enum carried carry(int from, int to, int leave)
{
	char text[4096], *key = NULL;
	ssize_t got = read(from, text, sizeof(text));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? CARRIED : BROKEN;
	if (leave >= 0)
		key = memchr(text, leave, got);
	if (!write_all(to, text, key ? (size_t)(key - text) : (size_t)got))
		return BROKEN;
	if (key)
		return LEAVE;
	return got ? CARRIED : NO_MORE;
}

static int talk(const struct ctl *ctl, const struct node *node, int line, bool terminal)
{
	char *path = ctl_path(ctl, MINT_DIR "/nodes/%u/state", node->n), *state = NULL;
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = line, .events = POLLIN },
		{ .fd = open(path, O_RDONLY | O_CLOEXEC), .events = POLLPRI },
	};
	enum carried carried;
	bool ended;

	for (;;) {
		if (fds[2].fd >= 0 && !lseek(fds[2].fd, 0, SEEK_SET)) {
			free(state);
			state = read_fd(fds[2].fd, NULL);
		}
		/* What it said last is still read */
		ended = state && node_ended(trim(state));
		if (poll(fds, ARRAY_SIZE(fds), ended ? 0 : 1000) < 0 && errno != EINTR)
			break;
		if (fds[1].revents) {
			if (carry(line, STDOUT_FILENO, -1) != CARRIED)
				break;
			continue;
		}
		if (ended) {
			fprintf(stderr, "\r\nmintctl: node %u (%s) is %s\r\n", node->n,
				node->name, state);
			return ST_OK;
		}
		if (!fds[0].revents)
			continue;
		carried = carry(STDIN_FILENO, line, terminal ? LEAVE_KEY : -1);
		if (carried == LEAVE)
			return ST_OK;
		if (carried == BROKEN)
			break;
		/* A file or a pipe has an end, what the node says has none */
		if (carried == NO_MORE)
			fds[0].fd = -1;
	}
	return fail(ST_REFUSED, "console of node %u: %s", node->n, strerror(errno));
}

int do_console(const struct ctl *ctl, int argc, char **argv)
{
	struct termios before, line_before;
	bool terminal, line_raw;
	struct node *node;
	struct mint mint;
	int line, status;
	char *path;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage("console", NULL);
	node = one_node(ctl, &mint, "console", argc, argv, &status);
	if (!node)
		return status;
	if (mint.self || !node->n)
		return fail(ST_ABSENT,
			    "there is no console of node %u (%s) here: node 0 has those of its successors",
			    node->n, node->name);
	path = ctl_path(ctl, "/dev/mint%u", node->n);
	line = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line < 0)
		return fail(errno == ENOENT ? ST_ABSENT : ST_REFUSED, "%s: %s", path,
			    error_text(errno));
	line_raw = raw(line, &line_before);
	terminal = raw(STDIN_FILENO, &before);
	if (terminal)
		fprintf(stderr, "mintctl: console of node %u (%s), Ctrl-] leaves\r\n",
			node->n, node->name);
	status = talk(ctl, node, line, terminal);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (line_raw)
		tcsetattr(line, TCSANOW, &line_before);
	close(line);
	free(path);
	return status;
}
