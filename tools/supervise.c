// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: supervise, diff, and the generator for systemd.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out.h"
#include "run.h"
#include "verbs.h"

/* A node that fails so often within so many seconds is not launched again */
#define STARTS_MAX	5
#define STARTS_SECONDS	300
/* For a node with which one has a link to be launched */
#define LINKS_SECONDS	60
/* As in mint@.service */
#define START_SECONDS	180
/* Of a log that grows as fast as it is read: more than the kernel keeps of it */
#define LOG_AT_ONCE	(1 << 20)

#define UNIT		"/lib/systemd/system/mint@.service"

/* ---- one node ---------------------------------------------------------------- */

/* What is known of the node that is watched */
struct watch {
	const struct ctl	*ctl;
	const struct spec	*spec;
	u32			n;
	bool			up;		/* it has been running */
	double			silent;		/* since when, or 0 */
	int			state_fd;
	int			signal_fd;
	int			log_fd;		/* what is copied to standard output, or -1 */
};

static void close_log(struct watch *watch)
{
	if (watch->log_fd >= 0)
		close(watch->log_fd);
	watch->log_fd = -1;
}

/* What the node has logged since; @to: where it goes, or -1 */
static void copy_log(struct watch *watch, int to)
{
	size_t copied = 0;
	char text[4096];
	ssize_t got;

	while (watch->log_fd >= 0 && copied < LOG_AT_ONCE) {
		got = read(watch->log_fd, text, sizeof(text));
		if (got < 0 && errno == EINTR)
			continue;
		/* The end for now */
		if (!got || (got < 0 && errno == EAGAIN))
			break;
		if (got < 0 || (to >= 0 && !write_all(to, text, got)))
			close_log(watch);
		else
			copied += got;
	}
}

static void open_log(struct watch *watch, bool adopted)
{
	char *path = ctl_path(watch->ctl, MINT_DIR "/nodes/%u/log", watch->n);

	watch->log_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (watch->log_fd < 0)
		fail(ST_OK, "%s: %s: the log of %s is not copied", path, error_text(errno),
		     watch->spec->name);
	free(path);
	/* What stands there was copied by the supervisor before this one */
	if (adopted)
		copy_log(watch, -1);
}

static int fate(const struct watch *watch, int status, const char *what)
{
	printf("node %u (%s) %s\n", watch->n, watch->spec->name, what);
	fflush(stdout);
	return status;
}

/* Silent for too long: take back what it has */
static int force(struct watch *watch)
{
	char *path = ctl_path(watch->ctl, MINT_DIR "/nodes/%u/stop", watch->n);
	int err = write_word(path, "force");

	free(path);
	if (err && err != ESRCH)
		return fail(watch->up ? ST_LOST : ST_NOTUP,
			    "node %u (%s) is silent, and is not stopped by 'force': %s",
			    watch->n, watch->spec->name, strerror(err));
	return watch->up ? fate(watch, ST_LOST, "was lost: it was silent, and was stopped") :
			   fate(watch, ST_NOTUP, "did not come up, and was stopped");
}

/* Look once; -1: it goes on */
static int look(struct watch *watch, const struct node *node)
{
	const char *state = node ? node->state : "gone";
	char *text;

	/* The number may be another node's by now */
	if (!node || strcmp(node->name, watch->spec->name))
		return fate(watch, ST_LOST, "is gone");
	if (!strcmp(state, "running") && !watch->up) {
		watch->up = true;
		text = xasprintf("READY=1\nSTATUS=node %u runs", watch->n);
		notify(text);
		free(text);
	}
	if (strcmp(state, "silent"))
		watch->silent = 0;
	else if (!watch->silent)
		watch->silent = monotonic();
	if (watch->silent && monotonic() - watch->silent >= watch->spec->lost_sec)
		return force(watch);
	if (!strcmp(state, "ended"))
		return fate(watch, ST_OK, "has ended");
	/* One that starts again by itself still owns what it had */
	if (!strcmp(state, "panicked") && !node_owns(node))
		return fate(watch, ST_PANICKED, "has panicked");
	if (!strcmp(state, "quarantine"))
		return fate(watch, ST_LOST, "is in quarantine");
	return -1;
}

/*
 * Until the state changes, a signal comes, or a second has passed; what the node logs is
 * copied meanwhile. False: a signal
 */
static bool pause_watch(struct watch *watch)
{
	struct pollfd fds[] = {
		{ .fd = watch->state_fd, .events = POLLPRI },
		{ .fd = watch->signal_fd, .events = POLLIN },
		{ .fd = watch->log_fd, .events = POLLIN },
	};
	double end = monotonic() + 1, left = 1;

	while (left > 0 && poll(fds, ARRAY_SIZE(fds), left * 1000 + 1) > 0 &&
	       !fds[0].revents && !fds[1].revents) {
		copy_log(watch, STDOUT_FILENO);
		/* It goes with its node */
		if (!(fds[2].revents & POLLIN))
			close_log(watch);
		fds[2].fd = watch->log_fd;
		left = end - monotonic();
	}
	return !fds[1].revents;
}

static int watch_node(struct watch *watch)
{
	char *path = ctl_path(watch->ctl, MINT_DIR "/nodes/%u/state", watch->n);
	struct mint mint;
	int status = -1;

	watch->state_fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	while (status < 0) {
		/* What was not read is news for ever */
		if (!lseek(watch->state_fd, 0, SEEK_SET))
			free(read_fd(watch->state_fd, NULL));
		status = mint_read(watch->ctl, &mint);
		if (status)
			break;
		/* What it logged before it came to an end is told before that */
		copy_log(watch, STDOUT_FILENO);
		status = look(watch, mint_number(&mint, watch->n));
		mint_free(&mint);
		/* The node lives on without us, and is adopted by the next one */
		if (status < 0 && !pause_watch(watch))
			status = fate(watch, ST_OK, "is not watched any more, and runs on");
	}
	if (watch->state_fd >= 0)
		close(watch->state_fd);
	close_log(watch);
	return status;
}

/* Is there a node of this name that a launch can have a link with? */
static bool launched(const struct ctl *ctl, const char *word)
{
	struct mint mint;
	size_t nr;

	if (mint_read(ctl, &mint))
		return true;
	mint_owner(&mint, word, &nr);
	mint_free(&mint);
	return nr;
}

/* Does a node of this name start with the machine, by its node file? */
static bool starts_too(const struct ctl *ctl, const char *name)
{
	struct spec spec;
	bool starts;

	if (!good_name(name) || !ctl_there(ctl, NODE_DIR "/%s.node", name))
		return false;
	spec_init(&spec, name);
	starts = !spec_read(ctl, &spec, true) && spec.autostart;
	spec_free(&spec);
	return starts;
}

/* Is a node waited for by another one that has a link with it? */
static bool waited_for(const struct ctl *ctl, const char *word, const char *name)
{
	return starts_too(ctl, word) && !asks_for(ctl, word, name, true) && !launched(ctl, word);
}

/* Is there one that this node waits for? */
static bool has_to_wait(const struct ctl *ctl, const struct spec *spec)
{
	char *copy = xstrdup(spec->links ?: ""), *rest = copy, *word;
	bool wait = false;

	while (!wait && (word = strsep(&rest, ",")))
		wait = waited_for(ctl, word, spec->name);
	free(copy);
	return wait;
}

/* Names of nodes that were looked at */
struct names {
	char	**name;
	size_t	nr;
};

/* Does the node of a file wait for another one, itself or by those for which it waits? */
static bool waits_for(const struct ctl *ctl, const char *name, const char *other,
		      struct names *seen)
{
	char *copy, *rest, *word;
	bool waits = false;
	struct spec spec;
	size_t i;

	for (i = 0; i < seen->nr; i++)
		if (!strcmp(seen->name[i], name))
			return false;
	seen->name = xgrow(seen->name, seen->nr, sizeof(*seen->name));
	seen->name[seen->nr++] = xstrdup(name);
	spec_init(&spec, name);
	copy = xstrdup(spec_read(ctl, &spec, false) || !spec.links ? "" : spec.links);
	for (rest = copy; !waits && (word = strsep(&rest, ","));)
		waits = waited_for(ctl, word, name) &&
			(!strcmp(word, other) || waits_for(ctl, word, other, seen));
	free(copy);
	spec_free(&spec);
	return waits;
}

/* Would a node wait for one that waits for it? Nothing ends that: say so */
static int check_ring(const struct ctl *ctl, const struct spec *spec)
{
	char *copy = xstrdup(spec->links ?: ""), *rest = copy, *word;
	struct names seen = {};
	int status = ST_OK;

	while (!status && (word = strsep(&rest, ",")))
		if (waited_for(ctl, word, spec->name) &&
		    waits_for(ctl, word, spec->name, &seen))
			status = fail(ST_REFUSED,
				      "%s: its Links= names %s, which waits for %s by its own Links=: none of them can be launched first; let %s name %s in its file, too",
				      spec->name, word, spec->name, word, spec->name);
	free(copy);
	while (seen.nr)
		free(seen.name[--seen.nr]);
	free(seen.name);
	return status;
}

/*
 * All nodes with Autostart=yes start at once, and the kernel refuses a link to one that
 * is not launched yet: wait for those, LINKS_SECONDS at most. One that asks for the link
 * itself is not waited for: it may wait for this one. False: a signal says to end.
 */
static bool wait_for_links(const struct ctl *ctl, const struct spec *spec)
{
	double end = monotonic() + LINKS_SECONDS;
	char *copy = xstrdup(spec->links ?: ""), *rest = copy, *word, *text;
	struct pollfd fds[] = {
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLPRI },
	};
	bool on = true;

	while (on && !ctl->dry_run && (word = strsep(&rest, ","))) {
		if (!waited_for(ctl, word, spec->name))
			continue;
		if (fds[0].fd < 0) {
			text = ctl_path(ctl, MINT_DIR "/generation");
			fds[0].fd = signals(0);
			fds[1].fd = open(text, O_RDONLY | O_CLOEXEC);
			free(text);
		}
		fprintf(stderr, "mintctl: %s waits for %s, with which it has a link\n", spec->name,
			word);
		/* TimeoutStartSec= of mint@.service is for the start alone */
		text = xasprintf("EXTEND_TIMEOUT_USEC=%llu\nSTATUS=waits for %s",
				 (LINKS_SECONDS + START_SECONDS) * 1000000ull, word);
		notify(text);
		free(text);
		for (;;) {
			/* What was not read is news for ever */
			if (!lseek(fds[1].fd, 0, SEEK_SET))
				free(read_fd(fds[1].fd, NULL));
			if (!on || launched(ctl, word) || monotonic() >= end)
				break;
			poll(fds, ARRAY_SIZE(fds), 1000);
			on = !fds[0].revents;
		}
	}
	if (fds[0].fd >= 0)
		close(fds[0].fd);
	if (fds[1].fd >= 0)
		close(fds[1].fd);
	free(copy);
	return on;
}

/* Adopt a live node of that name, or launch it; then stay until its end. @log: copy its log */
static int supervise(const struct ctl *ctl, const struct spec *spec, bool log)
{
	struct watch watch = { .ctl = ctl, .spec = spec, .log_fd = -1 };
	struct node *node;
	bool again = true, all;
	struct mint mint;
	int status;
	size_t nr;

	status = mint_read(ctl, &mint);
	if (status)
		return status;
	node = mint_owner(&mint, spec->name, &nr);
	if (nr > 1)
		return mint_absent(&mint, spec->name);
	if (node) {
		watch.n = node->n;
		if (ctl->dry_run) {
			printf("node %u (%s) would be adopted\n", watch.n, spec->name);
			return ST_OK;
		}
		printf("node %u (%s) is adopted\n", watch.n, spec->name);
		fflush(stdout);
	} else {
		status = check_ring(ctl, spec);
		if (status)
			return status;
		/* Who had a link and panicked may end between the wait and the launch */
		do {
			if (!wait_for_links(ctl, spec))
				return fail(ST_OK, "%s is not launched: asked to end", spec->name);
			all = !has_to_wait(ctl, spec);
			status = launch(ctl, spec, &watch.n);
			again = again && all && status == ST_REFUSED && has_to_wait(ctl, spec);
		} while (again);
		if (status || watch.n == NODE_NONE)
			return status;
	}
	if (log)
		open_log(&watch, node);
	watch.signal_fd = signals(0);
	status = watch_node(&watch);
	close(watch.signal_fd);
	return status;
}

/* ---- all of them ------------------------------------------------------------- */

/* Without a service manager: launch again, but not for ever */
static int respawn(const struct ctl *ctl, const struct spec *spec)
{
	double starts[STARTS_MAX] = {};
	unsigned int at = 0;
	int status;

	for (;;) {
		if (starts[at] && monotonic() - starts[at] < STARTS_SECONDS)
			return fail(ST_REFUSED, "%s has failed %d times in %d s: it is left alone",
				    spec->name, STARTS_MAX, STARTS_SECONDS);
		starts[at] = monotonic();
		at = (at + 1) % STARTS_MAX;
		status = supervise(ctl, spec, false);
		if (!spec->respawn || status < ST_PANICKED || status > ST_NOTUP)
			return status;
	}
}

/* Processes that look after a node each, and signals to the one that has them */
struct family {
	pid_t	*child;
	size_t	nr;
	int	signal_fd;
};

/* A process that supervises a node as long as this one lives; false: there is none */
static bool add_child(struct family *family, const struct ctl *ctl,
		      const struct spec *spec, const sigset_t *mask)
{
	pid_t parent = getpid(), child;

	fflush(stdout);
	child = fork();
	if (!child) {
		close(family->signal_fd);
		sigprocmask(SIG_SETMASK, mask, NULL);
		/* One that is left behind would be joined by one of the next start */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent)
			exit(ST_REFUSED);
		exit(respawn(ctl, spec));
	}
	if (child < 0) {
		fail(ST_REFUSED, "%s: no process: %s", spec->name, strerror(errno));
		return false;
	}
	family->child = xgrow(family->child, family->nr, sizeof(*family->child));
	family->child[family->nr++] = child;
	return true;
}

/* Those that have ended; returns how many of them failed */
static int reap(struct family *family)
{
	int status, failed = 0;
	pid_t child;
	size_t i;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < family->nr; i++)
			if (family->child[i] == child)
				family->child[i] = family->child[--family->nr];
		failed += !(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	return failed;
}

/* Until the last of them has ended; who asks this process to end asks all of them */
static int wait_for_children(struct family *family)
{
	struct signalfd_siginfo info;
	int failed = 0;
	size_t i;

	while (family->nr) {
		if (read(family->signal_fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGCHLD)
			failed += reap(family);
		else
			for (i = 0; i < family->nr; i++)
				kill(family->child[i], SIGTERM);
	}
	return failed;
}

/* A process for each node that starts with the machine */
static int supervise_all(const struct ctl *ctl)
{
	int nr, i, wanted = 0, failed = 0;
	struct family family = {};
	struct mint mint;
	sigset_t mask;
	char **names;

	if (mint_read(ctl, &mint))
		return ST_NOMINT;
	mint_free(&mint);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	family.signal_fd = signals(SIGCHLD);
	if (family.signal_fd < 0)
		return fail(ST_REFUSED, "no signals by a file: %s", strerror(errno));
	nr = node_names(ctl, &names);
	if (nr < 0) {
		close(family.signal_fd);
		return ST_REFUSED;
	}
	for (i = 0; i < nr; i++) {
		struct spec spec;

		spec_init(&spec, names[i]);
		if (spec_read(ctl, &spec, true)) {
			wanted++;
			failed++;
			continue;
		}
		if (!spec.autostart)
			continue;
		wanted++;
		failed += !add_child(&family, ctl, &spec, &mask);
	}
	if (!wanted)
		fprintf(stderr, "mintctl: note: no file in " NODE_DIR " has Autostart=yes\n");
	failed += wait_for_children(&family);
	close(family.signal_fd);
	if (!failed)
		return ST_OK;
	return failed < wanted ? ST_PARTLY : ST_REFUSED;
}

int do_supervise(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "log", no_argument, NULL, 'l' },
		{}
	};
	bool all = false, log = false;
	struct spec spec;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'a' && c != 'l')
			return usage("supervise", NULL);
		all |= c == 'a';
		log |= c == 'l';
	}
	if (optind + !all != argc)
		return usage("supervise", "one name is wanted, or --all");
	if (all && log)
		return usage("supervise", "--log is for one node");
	if (all)
		return supervise_all(ctl);
	if (!good_name(argv[optind]))
		return usage("supervise", "'%s' is no name of a node", argv[optind]);
	spec_init(&spec, argv[optind]);
	status = spec_read(ctl, &spec, true);
	return status ?: supervise(ctl, &spec, log);
}

/* ---- diff -------------------------------------------------------------------- */

static char *or_none(const char *text)
{
	return text && *text ? xstrdup(text) : NULL;
}

/* A row for a key of the file, or the state, if they differ; NULL and "" are nothing */
static void differs(struct table *table, const char *name, const char *what,
		    const char *is, const char *shall)
{
	if (!strcmp(is ?: "", shall ?: ""))
		return;
	table_cell(table, xstrdup(name));
	table_cell(table, xstrdup(what));
	table_cell(table, or_none(is));
	table_cell(table, or_none(shall));
}

/* Cores, of which the file tells either the number or which */
static void cores_differ(struct table *table, const struct node *node,
			 const struct spec *spec)
{
	if (spec->apic_ids.nr)
		differs(table, spec->name, "ApicIds", format_ids(&node->cpus),
			format_ids(&spec->apic_ids));
	else
		differs(table, spec->name, "Cores", xasprintf("%zu", node->cpus.nr),
			xasprintf("%u", spec->cores ?: 1));
}

/* What the file says of a node against what it was launched with */
static int diff_node(const struct ctl *ctl, struct mint *mint, const char *name,
		     struct table *table)
{
	struct launched_key keys[LAUNCHED_KEYS];
	struct launched launched;
	struct spec spec;
	struct node *node;
	const char *state;
	int status;
	size_t nr, i;

	spec_init(&spec, name);
	status = spec_read(ctl, &spec, true);
	if (status)
		return status;
	node = mint_owner(mint, name, &nr);
	if (nr > 1)
		return mint_absent(mint, name);
	if (!node) {
		node = mint_find(mint, name);
		state = node ? node->state : "not there";
		differs(table, name, "state", state, spec.autostart ? "running" : state);
		return ST_OK;
	}
	cores_differ(table, node, &spec);
	/* Placement makes whole pieces of 2 MiB */
	differs(table, name, "Memory", exact_size(node->memory),
		exact_size(spec.start == UINT64_MAX ?
			   (spec.memory + 0x1fffff) & ~0x1fffffull : spec.memory));
	if (launched_read(ctl, name, &launched)) {
		launched_keys(&launched, &spec, keys);
		for (i = 0; i < LAUNCHED_KEYS; i++)
			differs(table, name, keys[i].name, keys[i].is, keys[i].shall);
	}
	return ST_OK;
}

int do_diff(const struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "NAME" }, { "WHAT" }, { "IS" }, { "SHALL" },
	};
	struct table table = {
		.name		= "differences",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	int nr, i, status, worst = ST_OK;
	struct mint mint;
	char **names;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage("diff", NULL);
	names = argv + optind;
	nr = argc - optind;
	for (i = 0; i < nr; i++)
		if (!good_name(names[i]))
			return usage("diff", "'%s' is no name of a node", names[i]);
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	if (!nr)
		nr = node_names(ctl, &names);
	if (nr < 0)
		return ST_REFUSED;
	/* A file that is wrong leaves the others alone */
	for (i = 0; i < nr; i++)
		worst = diff_node(ctl, &mint, names[i], &table) ?: worst;
	status = table_print(ctl, &table);
	return worst ?: status ?: table.nr_cells ? ST_REFUSED : ST_OK;
}

/* ---- systemd ----------------------------------------------------------------- */

static int link_unit(const struct ctl *ctl, const char *dir, const char *unit,
		     const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int err = 0;

	if (ctl->dry_run)
		printf("ln -s %s %s\n", unit, path);
	else if ((mkdir(dir, 0755) && errno != EEXIST) || (symlink(unit, path) && errno != EEXIST))
		err = fail(ST_REFUSED, "%s: %s", path, strerror(errno));
	free(path);
	return err;
}

static int no_restart(const struct ctl *ctl, const char *dir)
{
	char *path = xasprintf("%s/respawn.conf", dir);
	int err = 0;

	if (ctl->dry_run) {
		printf("echo Restart=no >%s\n", path);
		free(path);
		return ST_OK;
	}
	if (mkdir(dir, 0755) && errno != EEXIST)
		err = errno;
	err = err ?: write_file(path, "[Service]\nRestart=no\n");
	if (err)
		fail(ST_REFUSED, "%s: %s", path, strerror(err));
	free(path);
	return err ? ST_REFUSED : ST_OK;
}

/*
 * What a generator of systemd does, see systemd.generator(7): Autostart= makes a
 * node a want of mint.target, Respawn=no takes it its restart. A file that is
 * wrong leaves the others alone. On a kernel without Mint nothing shall start,
 * so that nothing fails, nor in a successor, which has the files if its disk is
 * a copy of node 0's.
 */
int do_generate(const struct ctl *ctl, int argc, char **argv)
{
	char *self = ctl_read(ctl, MINT_DIR "/node"), **names, *dir;
	bool active = self && !strcmp(self, "0"), any = false;
	int nr, i, status = ST_OK;

	if (getopt_long(argc, argv, "", (struct option[]){ {} }, NULL) != -1)
		return usage("generate", NULL);
	if (optind == argc)
		return usage("generate", "a directory is wanted");
	dir = argv[optind];
	nr = node_names(ctl, &names);
	if (nr < 0)
		return ST_REFUSED;
	for (i = 0; i < nr; i++) {
		struct spec spec;

		spec_init(&spec, names[i]);
		if (spec_read(ctl, &spec, true)) {
			status = ST_PARTLY;
			continue;
		}
		spec.autostart &= active;
		any |= spec.autostart;
		if ((spec.autostart &&
		     link_unit(ctl, xasprintf("%s/mint.target.wants", dir), UNIT,
			       xasprintf("mint@%s.service", spec.name))) ||
		    (!spec.respawn &&
		     no_restart(ctl, xasprintf("%s/mint@%s.service.d", dir, spec.name))))
			return ST_REFUSED;
	}
	if (any && link_unit(ctl, xasprintf("%s/multi-user.target.wants", dir),
			     "/lib/systemd/system/mint.target", "mint.target"))
		return ST_REFUSED;
	return status;
}
