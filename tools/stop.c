// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: stop, reboot.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "verbs.h"

#define BUSY_TRIES	50
#define BUSY_MS		100

/* From the mildest on; docs/states.md has what each does and its bound */
static const char * const strengths[] = { "ask", "park", "force" };

/* kexec takes back what was only loaded */
static int unload(const struct ctl *ctl, const struct node *node)
{
	char *cpu = xasprintf("--mint-cpu=%u", node->cpus.nr ? node->cpus.id[0] : 0);
	char *argv[] = { (char *)ctl->kexec, "-u", cpu, NULL }, *output;

	if (ctl->dry_run) {
		printf("%s -u %s\n", ctl->kexec, cpu);
		return ST_OK;
	}
	return run_program(ctl, argv, &output) ? ST_REFUSED : ST_OK;
}

static int refused(const struct ctl *ctl, const struct node *node,
		   const char *strength, int err)
{
	const char *name = node->name, *state;
	u32 n = node->n;

	switch (err) {
	case ETIMEDOUT:
		if (!strcmp(strength, "ask"))
			return fail(ST_TIMEOUT,
				    "node %u (%s) did not end when asked: use --park, then --force, or --ladder for all three",
				    n, name);
		return fail(ST_TIMEOUT,
			    "node %u (%s) was not stopped by '%s': use --force; the log of node 0 says which core is in the way",
			    n, name, strength);
	case EBUSY:
		return fail(ST_REFUSED,
			    "node %u (%s) is being loaded, started or stopped by somebody else: try again",
			    n, name);
	case ESRCH:
		/* It may have ended meanwhile */
		state = ctl_read(ctl, MINT_DIR "/nodes/%u/state", n) ?: "gone";
		if (node_ended(state) || !strcmp(state, "gone"))
			return fail(ST_ABSENT, "node %u (%s) is %s: there is nothing to stop",
				    n, name, state);
		return fail(ST_REFUSED,
			    "node %u (%s) is %s: nobody there can be asked: use --park, then --force, or --ladder for all three",
			    n, name, state);
	case EIO:
		return fail(ST_REFUSED,
			    "node %u (%s): a core does not answer INIT; it stays in quarantine, see 'mintctl show %u'",
			    n, name, n);
	case ENOENT:
		if (!n)
			return fail(ST_REFUSED,
				    "node 0 (%s) cannot be stopped from here: it is the machine's, whose poweroff or reboot ends it",
				    name);
		return fail(ST_REFUSED,
			    "node %u (%s) cannot be stopped from here: node 0 stops its successors",
			    n, name);
	}
	return fail(ST_REFUSED, "node %u (%s): %s: %s", n, name, strength, error_text(err));
}

/*
 * Write it. Node 0 itself may be looking after the node for a moment, and
 * nothing tells when it has done.
 */
static int write_strength(const struct ctl *ctl, const struct node *node,
			  const char *path, const char *strength)
{
	char *state = ctl_path(ctl, MINT_DIR "/nodes/%u/state", node->n);
	struct pollfd pollfd = { .events = POLLPRI };
	int err, tries = 0;

	pollfd.fd = open(state, O_RDONLY | O_CLOEXEC);
	free(state);
	while ((err = write_word(path, strength)) == EBUSY && tries++ < BUSY_TRIES) {
		/* What was not read is news */
		if (!lseek(pollfd.fd, 0, SEEK_SET))
			free(read_fd(pollfd.fd, NULL));
		poll(&pollfd, 1, BUSY_MS);
	}
	if (pollfd.fd >= 0)
		close(pollfd.fd);
	return err;
}

/* Strengths from @first to @last, until one of them did it */
static int stop(const struct ctl *ctl, const struct node *node, size_t first, size_t last)
{
	char *path = ctl_path(ctl, MINT_DIR "/nodes/%u/stop", node->n);
	int err = 0;
	size_t i;

	for (i = first; i <= last; i++) {
		if (ctl->dry_run) {
			printf("echo %s >%s\n", strengths[i], path);
			continue;
		}
		err = write_strength(ctl, node, path, strengths[i]);
		/* A node that is silent has nobody who can be asked */
		if (err != ETIMEDOUT && !(err == ESRCH && !i))
			break;
		if (i < last)
			fprintf(stderr, "mintctl: node %u (%s): %s did not do\n",
				node->n, node->name, strengths[i]);
	}
	free(path);
	return err ? refused(ctl, node, strengths[i > last ? last : i], err) : ST_OK;
}

static int reboot_refused(const struct ctl *ctl, const struct node *node, int err)
{
	const char *name = node->name;
	u32 n = node->n;

	switch (err) {
	case ESRCH:
		return fail(ST_REFUSED,
			    "node %u (%s) is %s: only a node that runs can be asked to reboot",
			    n, name, ctl_read(ctl, MINT_DIR "/nodes/%u/state", n) ?: "gone");
	case EOPNOTSUPP:
		return fail(ST_REFUSED,
			    "node %u (%s) has a kernel that knows no such request: 'reboot' inside it does it",
			    n, name);
	case ENODATA:
		return fail(ST_REFUSED,
			    "node %u (%s) keeps no image to reboot with: launch it without mint.keep=0",
			    n, name);
	case EINVAL:
		return fail(ST_ABSENT, "node 0 has a kernel that asks no node to reboot");
	case ETIMEDOUT:
		return fail(ST_TIMEOUT,
			    "node %u (%s) has not rebooted yet: 'mintctl stop --ladder %u' ends it",
			    n, name, n);
	case EIO:
		return fail(ST_REFUSED,
			    "node %u (%s) has ended or fallen silent instead: see 'mintctl show %u'",
			    n, name, n);
	}
	return refused(ctl, node, "reboot", err);
}

static int reboot_one(const struct ctl *ctl, struct mint *mint, const char *word)
{
	struct node *node = mint_find(mint, word);
	char *path, *keys;
	int err;

	if (!node)
		return mint_absent(mint, word);
	keys = keys_not_taken(ctl, node->name);
	if (keys)
		fprintf(stderr, "mintctl: note: node %u (%s) keeps what it was launched with, and %s of its file are others: 'mintctl stop %u', then 'mintctl run %s' has it take them\n",
			node->n, node->name, keys, node->n, node->name);
	free(keys);
	path = ctl_path(ctl, MINT_DIR "/nodes/%u/stop", node->n);
	if (ctl->dry_run) {
		printf("echo reboot >%s\n", path);
		return ST_OK;
	}
	err = write_word(path, "reboot");
	free(path);
	return err ? reboot_refused(ctl, node, err) : ST_OK;
}

int do_reboot(const struct ctl *ctl, int argc, char **argv)
{
	struct mint mint;
	int status;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage("reboot", NULL);
	if (argc - optind != 1)
		return usage("reboot", "one node is wanted");
	status = mint_read(ctl, &mint);
	return status ?: reboot_one(ctl, &mint, argv[optind]);
}

static int stop_one(const struct ctl *ctl, struct mint *mint, const char *word,
		    size_t first, size_t last)
{
	struct node *node = mint_find(mint, word);

	if (!node)
		return mint_absent(mint, word);
	if (!strcmp(node->state, "loaded"))
		return unload(ctl, node);
	if (node_ended(node->state) && !node_owns(node))
		return refused(ctl, node, strengths[first], ESRCH);
	return stop(ctl, node, first, last);
}

int do_stop(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "park", no_argument, NULL, 'p' },
		{ "force", no_argument, NULL, 'f' },
		{ "ladder", no_argument, NULL, 'l' },
		{}
	};
	size_t first = 0, last = 0;
	int c, i, status, worst = 0, failed = 0;
	struct mint mint;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (last)
			return usage("stop", "one of --park, --force, --ladder");
		switch (c) {
		case 'p':
			first = 1;
			last = 1;
			break;
		case 'f':
			first = 2;
			last = 2;
			break;
		case 'l':
			first = 0;
			last = 2;
			break;
		default:
			return usage("stop", NULL);
		}
	}
	if (optind == argc)
		return usage("stop", "a node is wanted");
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	for (i = optind; i < argc; i++) {
		status = stop_one(ctl, &mint, argv[i], first, last);
		failed += !!status;
		worst = status ?: worst;
	}
	return failed && failed < argc - optind ? ST_PARTLY : worst;
}
