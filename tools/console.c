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
#define TYPED_MAX	65536

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

/* ---- log --------------------------------------------------------------------- */

/*
 * For a terminal: what another kernel logged may be any bytes, and UTF-8 stays. A file
 * gets all as it is.
 */
static void harmless(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\t' &&
		    ((unsigned char)text[i] < ' ' || text[i] == 0x7f))
			text[i] = '?';
}

int do_log(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{}
	};
	struct pollfd pollfd = { .events = POLLIN };
	bool follow = false, terminal = isatty(STDOUT_FILENO);
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
		if (terminal)
			harmless(text, got);
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

/* Carry what the node says to standard output */
static enum carried hear(int line)
{
	char text[4096];
	ssize_t got = read(line, text, sizeof(text));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? CARRIED : BROKEN;
	if (!write_all(STDOUT_FILENO, text, got))
		return BROKEN;
	return got ? CARRIED : NO_MORE;
}

/* What was typed and does not fit into the line yet: its other end may have no reader */
struct typed {
	char	text[TYPED_MAX];
	size_t	len;
};

/* Write as much as fits into the line, without waiting; false: the line is broken */
static bool send(int line, struct typed *typed)
{
	ssize_t put = typed->len ? write(line, typed->text, typed->len) : 0;

	if (put < 0)
		return errno == EINTR || errno == EAGAIN;
	typed->len -= put;
	memmove(typed->text, typed->text + put, typed->len);
	return true;
}

/* Read what is typed. On a terminal the key ends it. What does not fit is lost */
static enum carried take(struct typed *typed, bool terminal)
{
	char text[4096], *key;
	ssize_t got = read(STDIN_FILENO, text, sizeof(text));
	size_t len = got;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? CARRIED : BROKEN;
	key = terminal ? memchr(text, LEAVE_KEY, len) : NULL;
	if (key)
		len = key - text;
	if (len > sizeof(typed->text) - typed->len)
		len = sizeof(typed->text) - typed->len;
	memcpy(typed->text + typed->len, text, len);
	typed->len += len;
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
	static struct typed typed;
	enum carried carried;
	bool ended, more = true;

	for (;;) {
		if (fds[2].fd >= 0 && !lseek(fds[2].fd, 0, SEEK_SET)) {
			free(state);
			state = read_fd(fds[2].fd, NULL);
		}
		/* What it said last is still read */
		ended = state && node_ended(trim(state));
		/* A terminal is read in any case, for the key; a file or a pipe can wait */
		fds[0].fd = more && (terminal || !typed.len) ? STDIN_FILENO : -1;
		fds[1].events = typed.len ? POLLIN | POLLOUT : POLLIN;
		if (poll(fds, ARRAY_SIZE(fds), ended ? 0 : 1000) < 0 && errno != EINTR)
			break;
		if (fds[1].revents & ~POLLOUT) {
			if (hear(line) != CARRIED)
				break;
		} else if (ended) {
			fprintf(stderr, "\r\nmintctl: node %u (%s) is %s\r\n", node->n,
				node->name, state);
			return ST_OK;
		}
		carried = fds[0].revents ? take(&typed, terminal) : CARRIED;
		if (carried == BROKEN || !send(line, &typed))
			break;
		if (carried == LEAVE)
			return ST_OK;
		/* A file or a pipe has an end, what the node says has none */
		more = carried != NO_MORE && more;
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
	line = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line < 0 && errno == ENOENT)
		return fail(ST_ABSENT,
			    "there is no %s: the kernel makes it in a devtmpfs, which has to be mounted on /dev; 'dmesg | grep mint' has why it could not",
			    path);
	if (line < 0)
		return fail(ST_REFUSED, "%s: %s", path, error_text(errno));
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
