// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: plan, run.
 *
 * kexec stays the launcher: what it refuses, and what it says of it, passes
 * through unchanged.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out.h"
#include "run.h"
#include "topology.h"
#include "verbs.h"

#define RUN_DIR		"/run/mint"
#define WAIT_SECONDS	60
#define LOCK_SECONDS	120

/* ---- programs ---------------------------------------------------------------- */

/**
 * run_program() - execute a program and wait for it
 * @ctl:	with its @json, output does not pass through
 * @argv:	its words
 * @output:	what it printed on standard output; to be freed
 *
 * Return: its exit status; 127 if there is no such program, after saying so.
 */
int run_program(const struct ctl *ctl, char *const argv[], char **output)
{
	int pipes[2], status;
	pid_t child;

	fflush(stdout);
	if (pipe2(pipes, O_CLOEXEC))
		return fail(127, "no pipe: %s", strerror(errno));
	child = fork();
	if (child < 0) {
		close(pipes[0]);
		close(pipes[1]);
		return fail(127, "%s: no process: %s", argv[0], strerror(errno));
	}
	if (!child) {
		dup2(pipes[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(fail(127, "%s: %s%s", argv[0], strerror(errno),
			   strcmp(argv[0], ctl->kexec) ? "" :
			   ": install mint-kexec, or name the program by --kexec="));
	}
	close(pipes[1]);
	*output = read_fd(pipes[0], NULL) ?: xstrdup("");
	close(pipes[0]);
	if (!ctl->json)
		fputs(*output, stdout);
	fflush(stdout);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void add_word(char ***argv, size_t *nr, char *word)
{
	*argv = xgrow(*argv, *nr, sizeof(**argv));
	(*argv)[(*nr)++] = word;
}

/* A word as a shell would have to read it */
static void print_quoted(const char *word)
{
	const char *p = word;

	while (isalnum((unsigned char)*p) || (*p && strchr("-_=+,.:/@%", *p)))
		p++;
	if (*word && !*p) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	putchar('\'');
}

/* ---- waiting ----------------------------------------------------------------- */

/**
 * wait_for_state() - wait by poll(2) until a node is in a state
 * @ctl:	where it lies
 * @n:		its number
 * @seconds:	at most
 * @wanted:	is it this one?
 * @state:	the last one seen, "gone" if the number is no node's any more
 *
 * Return: ST_OK or ST_TIMEOUT.
 */
int wait_for_state(const struct ctl *ctl, u32 n, unsigned int seconds,
		   bool (*wanted)(const char *state), char **state)
{
	char *path = ctl_path(ctl, MINT_DIR "/nodes/%u/state", n), *text;
	double end = monotonic() + seconds;
	struct pollfd pollfd = { .events = POLLPRI };
	int status = ST_TIMEOUT;

	*state = NULL;
	pollfd.fd = open(path, O_RDONLY | O_CLOEXEC);
	while (status) {
		free(*state);
		text = pollfd.fd < 0 || lseek(pollfd.fd, 0, SEEK_SET) ? NULL :
		       read_fd(pollfd.fd, NULL);
		*state = xstrdup(text ? trim(text) : "gone");
		free(text);
		if (wanted(*state) || !strcmp(*state, "gone"))
			status = ST_OK;
		if (!status || monotonic() >= end)
			break;
		/* Once a second for what nobody announces */
		poll(&pollfd, 1, 1000);
	}
	if (pollfd.fd >= 0)
		close(pollfd.fd);
	free(path);
	return status;
}

/* ---- what it had before ------------------------------------------------------ */

static char *memory_text(const struct placement *placement, const char *between)
{
	char *text = xstrdup(""), *next;
	size_t i;

	for (i = 0; i < placement->nr_ranges; i++) {
		next = xasprintf("%s%s0x%llx-0x%llx", text, i ? between : "",
				 (unsigned long long)placement->ranges[i].start,
				 (unsigned long long)placement->ranges[i].end);
		free(text);
		text = next;
	}
	return text;
}

/* A line for each: placement, image, initrd, command line, devices, links, shares */
static void remember(const struct ctl *ctl, const struct spec *spec,
		     const struct placement *placement)
{
	char *path = ctl_path(ctl, RUN_DIR "/%s.launched", spec->name);
	char *ids = format_ids(&placement->apic_ids);
	char *memory = memory_text(placement, " ");
	char *text = xasprintf("%s %s\n%s\n%s\n%s\n%s\n%s\n%s\n", ids, memory, spec->image,
			       spec->initrd ?: "", spec->command_line ?: "",
			       spec->devices ?: "", spec->links ?: "",
			       spec->shares ?: "");

	/* Without it the next launch chooses anew */
	write_file(path, text);
	free(text);
	free(memory);
	free(ids);
	free(path);
}

/* Its text, and the first line of it; NULL if there is none */
static char *read_launched(const struct ctl *ctl, const char *name, char **rest)
{
	*rest = ctl_read(ctl, RUN_DIR "/%s.launched", name);
	return *rest ? strsep(rest, "\n") : NULL;
}

/**
 * launched_read() - what a node was launched with
 * @ctl:	where that was noted
 * @name:	of the node
 * @launched:	filled in
 *
 * Return: false if nothing was noted.
 */
bool launched_read(const struct ctl *ctl, const char *name, struct launched *launched)
{
	char **words[] = { &launched->image, &launched->initrd, &launched->command_line,
			   &launched->devices, &launched->links, &launched->shares };
	char *rest, *word;
	size_t i;

	if (!read_launched(ctl, name, &rest))
		return false;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		word = strsep(&rest, "\n");
		*words[i] = word ?: "";
	}
	return true;
}

/**
 * launched_keys() - what a node was launched with beside its file, key by key
 * @launched:	the former
 * @spec:	the latter
 * @keys:	filled in
 */
void launched_keys(const struct launched *launched, const struct spec *spec,
		   struct launched_key keys[LAUNCHED_KEYS])
{
	const struct launched_key all[LAUNCHED_KEYS] = {
		{ "Image", launched->image, spec->image },
		{ "Initrd", launched->initrd, spec->initrd },
		{ "CommandLine", launched->command_line, spec->command_line },
		{ "Devices", launched->devices, spec->devices },
		{ "Links", launched->links, spec->links },
		{ "Shares", launched->shares, spec->shares },
	};

	memcpy(keys, all, sizeof(all));
}

/**
 * keys_not_taken() - what is another in a node's file than the node was launched with
 * @ctl:	where that was noted
 * @name:	of the node
 *
 * Only a launch reads them: what a node has got by them stays when it reboots by itself.
 *
 * Return: keys with commas between them; NULL: none, or it cannot be told.
 */
char *keys_not_taken(const struct ctl *ctl, const char *name)
{
	struct launched_key rows[LAUNCHED_KEYS];
	struct launched launched;
	char *keys = NULL, *before;
	struct spec spec;
	size_t i;

	if (!good_name(name) || !ctl_there(ctl, NODE_DIR "/%s.node", name) ||
	    !launched_read(ctl, name, &launched))
		return NULL;
	spec_init(&spec, name);
	if (!spec_read(ctl, &spec, false)) {
		launched_keys(&launched, &spec, rows);
		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!strcmp(rows[i].is, rows[i].shall ?: ""))
				continue;
			before = keys;
			keys = xasprintf("%s%s%s", before ?: "", before ? ", " : "", rows[i].name);
			free(before);
		}
	}
	spec_free(&spec);
	return keys;
}

/* NULL if there is nothing, or nothing sensible */
static struct placement *remembered(const struct ctl *ctl, const struct spec *spec)
{
	struct placement *before;
	char *rest, *line, *word;
	unsigned long long start, end;

	line = read_launched(ctl, spec->name, &rest);
	if (!line)
		return NULL;
	before = xcalloc(1, sizeof(*before));
	word = strsep(&line, " ");
	if (!parse_ids(word, &before->apic_ids))
		goto bad;
	while ((word = strsep(&line, " "))) {
		if (before->nr_ranges == PLACE_RANGES_MAX ||
		    sscanf(word, "0x%llx-0x%llx", &start, &end) != 2 || end < start)
			goto bad;
		before->ranges[before->nr_ranges++] =
			(struct place_range){ start, end, 0 };
	}
	return before;
bad:
	free(before);
	return NULL;
}

/* ---- a plan ------------------------------------------------------------------ */

struct plan {
	struct placement	placement;
	char			*links;		/* words of mint.links=, or NULL */
	char			**argv;
};

/* Legacy devices and virtual ports know no addresses above or below */
static bool wants_low(const struct spec *spec)
{
	return spec->devices && strchr(spec->devices, ':');
}

static char *further_memory(const struct placement *placement)
{
	char *text = NULL, *size;
	size_t i;

	for (i = 1; i < placement->nr_ranges; i++) {
		const struct place_range *range = &placement->ranges[i];

		size = exact_size(range->end - range->start + 1);
		text = xasprintf("%s%s%s@0x%llx", text ?: "--mint-mem=", text ? "," : "",
				 size, (unsigned long long)range->start);
		free(size);
	}
	return text;
}

/* Where a kernel stops reading its line: at a word "--", behind which all is for init */
static size_t kernel_part(const char *line)
{
	const char *p = line, *word = line;
	bool quoted = false;

	for (;; p++) {
		quoted ^= *p == '"';
		if (*p && (quoted || !isspace((unsigned char)*p)))
			continue;
		if (p - word == 2 && !memcmp(word, "--", 2))
			return word - line;
		if (!*p)
			return p - line;
		word = p + 1;
	}
}

/**
 * asks_for() - does a node file ask for a link with another node?
 * @ctl:	where it lies
 * @name:	whose file; there may be none
 * @other:	name of the other node
 * @all:	by "all", too, which means those that are there when it is launched
 *
 * Return: whether its Links= has that name, or all.
 */
bool asks_for(const struct ctl *ctl, const char *name, const char *other, bool all)
{
	char *copy, *rest, *word;
	bool asks = false;
	struct spec spec;

	if (!good_name(name) || !ctl_there(ctl, NODE_DIR "/%s.node", name))
		return false;
	spec_init(&spec, name);
	copy = xstrdup(spec_read(ctl, &spec, false) || !spec.links ? "" : spec.links);
	for (rest = copy; !asks && (word = strsep(&rest, ","));)
		asks = !strcmp(word, other) || (all && !strcmp(word, "all"));
	free(copy);
	spec_free(&spec);
	return asks;
}

static char *add_link(char *links, const char *word)
{
	char *more = links ? xasprintf("%s,%s", links, word) : xstrdup(word);

	free(links);
	return more;
}

static void add_note(struct placement *placement, const char *text)
{
	char *notes = placement->notes;

	placement->notes = notes ? xasprintf("%s\n%s", notes, text) : xstrdup(text);
	free(notes);
}

/* Does a parameter, with its equals sign, stand on a command line? */
static bool has_param(const char *line, const char *param)
{
	size_t part = kernel_part(line);
	const char *at = line;

	while ((at = strstr(at, param)) && at < line + part) {
		if (at == line || isspace((unsigned char)at[-1]))
			return true;
		at++;
	}
	return false;
}

/* Is a link with this node among those words? */
static bool names_node(struct mint *mint, const char *words, const struct node *node)
{
	char *copy = xstrdup(words ?: ""), *rest = copy, *word;
	bool named = false;

	while (!named && (word = strsep(&rest, ",")))
		named = !strcmp(word, "all") || mint_find(mint, word) == node;
	free(copy);
	return named;
}

/*
 * The links of a launch: Links= but for nodes that are not launched yet and ask for the link
 * themselves. The kernel refuses those, and one of both has to be launched first. Besides,
 * nodes that run and whose files name this one: a link ends with one of its nodes, and who
 * comes back is the one that can ask for it again. Who has no Links= but mint.links= on the
 * command line has said all of it there.
 */
static char *links_now(const struct ctl *ctl, struct mint *mint, const struct spec *spec,
		       struct placement *placement)
{
	char *copy = xstrdup(spec->links ?: ""), *rest = copy, *word, *links = NULL, *note;
	size_t i, nr;

	if (!spec->links && spec->command_line && has_param(spec->command_line, "mint.links=")) {
		free(copy);
		return NULL;
	}
	while (spec->links && (word = strsep(&rest, ","))) {
		mint_owner(mint, word, &nr);
		if (!strcmp(word, "none"))
			continue;
		if (nr || !asks_for(ctl, word, spec->name, true)) {
			links = add_link(links, word);
			continue;
		}
		note = xasprintf("%s is not launched yet: it asks for the link with %s when it is",
				 word, spec->name);
		add_note(placement, note);
		free(note);
	}
	free(copy);
	for (i = 0; i < mint->nr_nodes; i++) {
		const struct node *node = &mint->nodes[i];

		if (!node->n || mint_owner(mint, node->name, &nr) != node || nr > 1 ||
		    names_node(mint, spec->links, node) ||
		    !asks_for(ctl, node->name, spec->name, false))
			continue;
		/* Without a word the kernel takes node 0 */
		if (!links && !spec->links)
			links = xstrdup("0");
		links = add_link(links, node->name);
	}
	return links || !spec->links ? links : xstrdup("none");
}

/* NULL if there is none. kexec has no option for links and shares: they are words of it */
static char *command_line(const struct spec *spec, const char *links)
{
	const char *own = spec->command_line ?: "", *rest = own + kernel_part(own);
	char *kernel = xasprintf("%.*s", (int)(rest - own), own);
	const char *parts[][2] = {
		{ "", spec->command_line ? kernel : NULL },
		{ "mint.links=", links },
		{ "mint.share=", spec->shares },
		{ "", *rest ? rest : NULL },
	};
	char *text = NULL;
	size_t i;

	/* It had a blank behind it, and gets one */
	if (*rest && *kernel)
		kernel[strlen(kernel) - 1] = '\0';

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		char *before = text;

		if (!parts[i][1])
			continue;
		text = xasprintf("%s%s%s%s", before ?: "--command-line=", before ? " " : "",
				 parts[i][0], parts[i][1]);
		free(before);
	}
	free(kernel);
	return text;
}

/* Do quotes stand around all of a command line, as a shell would want them? */
static bool one_quoted(const char *line)
{
	const char *end = *line == '"' ? strchr(line + 1, '"') : NULL;

	return end && !end[1] && memchr(line, ' ', end - line);
}

/* Of a parameter that stands twice the last one counts, and what is given here stands last */
static void note_params(const struct spec *spec, const char *links, struct placement *placement)
{
	const struct {
		const char	*param, *instead;
		bool		given;
	} params[] = {
		{ "mint.cpus=", "Cores= or ApicIds=", true },
		{ "mint.mem=", "Memory=, which is in pieces here,", placement->nr_ranges > 1 },
		{ "mint.name=", "the name of the node", true },
		{ "mint.devices=", "Devices=", spec->devices },
		{ "mint.links=", "Links=", links },
		{ "mint.share=", "Shares=", spec->shares },
	};
	size_t i;

	if (spec->command_line && one_quoted(spec->command_line))
		add_note(placement, "the quotes around the command line make one parameter of it: leave them out if it is several");
	for (i = 0; spec->command_line && i < ARRAY_SIZE(params); i++) {
		char *note;

		if (!params[i].given || !has_param(spec->command_line, params[i].param))
			continue;
		note = xasprintf("%s on the command line is not heeded: %s says that",
				 params[i].param, params[i].instead);
		add_note(placement, note);
		free(note);
	}
}

static void make_command(const struct ctl *ctl, const struct spec *spec, const char *links,
			 struct plan *plan)
{
	const struct placement *placement = &plan->placement;
	char *ids = format_ids(&placement->apic_ids);
	char *memory = further_memory(placement), *words;
	size_t nr = 0;

	plan->argv = NULL;
	add_word(&plan->argv, &nr, xstrdup(ctl->kexec));
	add_word(&plan->argv, &nr, xasprintf("--mint-cpu=%u", placement->apic_ids.id[0]));
	add_word(&plan->argv, &nr, xasprintf("--mint-cpus=%s", ids));
	add_word(&plan->argv, &nr,
		 xasprintf("--mem-min=0x%llx",
			   (unsigned long long)placement->ranges[0].start));
	add_word(&plan->argv, &nr,
		 xasprintf("--mem-max=0x%llx",
			   (unsigned long long)placement->ranges[0].end));
	if (memory)
		add_word(&plan->argv, &nr, memory);
	if (spec->devices)
		add_word(&plan->argv, &nr, xasprintf("--mint-devices=%s", spec->devices));
	add_word(&plan->argv, &nr, xasprintf("--mint-name=%s", spec->name));
	if (spec->initrd)
		add_word(&plan->argv, &nr, xasprintf("--initrd=%s", spec->initrd));
	words = command_line(spec, links);
	if (words)
		add_word(&plan->argv, &nr, words);
	add_word(&plan->argv, &nr, xstrdup(spec->image));
	add_word(&plan->argv, &nr, NULL);
	free(ids);
}

/* The name is free, and this node may launch */
static int may_launch(struct mint *mint, const struct spec *spec)
{
	struct node *node;
	size_t nr;

	if (mint->self)
		return fail(ST_REFUSED, "only node 0 launches: this is node %u", mint->self);
	node = mint_owner(mint, spec->name, &nr);
	if (nr > 1)
		return mint_absent(mint, spec->name);
	if (node)
		return fail(ST_REFUSED,
			    "node %u is called %s already: 'mintctl stop %s' ends it; or choose another name",
			    node->n, spec->name, spec->name);
	return ST_OK;
}

/* What kexec could not read, by the key that names it */
static int may_read(const struct spec *spec, const char *key, const char *path)
{
	struct stat file;

	if (!path)
		return ST_OK;
	if (access(path, R_OK) || stat(path, &file))
		return fail(ST_REFUSED, "%s: %s=%s: %s", spec->name, key, path,
			    error_text(errno));
	if (!S_ISREG(file.st_mode))
		return fail(ST_REFUSED, "%s: %s=%s: it is no file", spec->name, key, path);
	return ST_OK;
}

/* A name in Links= that two nodes have means none of them; the kernel would take one */
static int check_links(struct mint *mint, const struct spec *spec)
{
	char *copy = xstrdup(spec->links ?: ""), *rest = copy, *word;
	int status = ST_OK;
	size_t nr;

	while (!status && (word = strsep(&rest, ","))) {
		mint_owner(mint, word, &nr);
		if (nr > 1 && !isdigit((unsigned char)*word))
			status = mint_absent(mint, word);
	}
	free(copy);
	return status;
}

static int make_plan(const struct ctl *ctl, const struct spec *spec,
		     struct plan *plan)
{
	struct place_request request = {
		.cores		= spec->apic_ids.nr ?: spec->cores ?: 1,
		.split		= spec->split,
		.apic_ids	= spec->apic_ids,
		.memory		= spec->memory,
		.start		= spec->start,
		.low		= wants_low(spec),
		.before		= remembered(ctl, spec),
	};
	struct place_machine machine;
	struct mint mint;
	char *why;
	int status;

	status = mint_read(ctl, &mint);
	status = status ?: may_launch(&mint, spec);
	status = status ?: may_read(spec, "Image", spec->image);
	status = status ?: may_read(spec, "Initrd", spec->initrd);
	if (status)
		return status;
	topology_machine(ctl, &mint, &machine);
	if (place(&machine, &request, &plan->placement, &why))
		return fail(ST_REFUSED, "%s: %s", spec->name, why);
	status = check_links(&mint, spec);
	if (status)
		return status;
	plan->links = links_now(ctl, &mint, spec, &plan->placement);
	note_params(spec, plan->links, &plan->placement);
	make_command(ctl, spec, plan->links, plan);
	return ST_OK;
}

/* Is something of the plan not free any more, or has a node come or gone that has a link? */
static bool outdated(const struct ctl *ctl, const struct spec *spec, const struct plan *plan)
{
	struct placement unused = {};
	struct mint mint;
	char *links;
	bool differ;
	size_t i, j;

	if (mint_read(ctl, &mint))
		return false;
	links = links_now(ctl, &mint, spec, &unused);
	differ = strcmp(links ?: "", plan->links ?: "");
	free(links);
	free(unused.notes);
	if (differ)
		return true;
	for (i = 0; i < mint.nr_cores; i++)
		if (has_id(&plan->placement.apic_ids, mint.cores[i].apic_id) &&
		    mint.cores[i].owner != OWNER_FREE)
			return true;
	for (i = 0; i < mint.nr_ranges; i++)
		for (j = 0; j < plan->placement.nr_ranges; j++)
			if (strcmp(mint.ranges[i].owner, "free") &&
			    plan->placement.ranges[j].start <= mint.ranges[i].end &&
			    mint.ranges[i].start <= plan->placement.ranges[j].end)
				return true;
	return false;
}

static void print_notes(const struct plan *plan)
{
	char *copy, *rest, *line;

	if (!plan->placement.notes)
		return;
	copy = xstrdup(plan->placement.notes);
	for (rest = copy; (line = strsep(&rest, "\n"));)
		fprintf(stderr, "mintctl: note: %s\n", line);
	free(copy);
}

static void print_command(const struct plan *plan)
{
	size_t i;

	for (i = 0; plan->argv[i]; i++) {
		if (i)
			putchar(' ');
		print_quoted(plan->argv[i]);
	}
	putchar('\n');
}

static int print_plan(const struct ctl *ctl, const struct spec *spec,
		      const struct plan *plan)
{
	static const struct column columns[] = {
		{ "NAME" }, { "CORES" }, { "NUMA", true }, { "MEMORY" }, { "KEPT" },
		{ "NOTES" },
	};
	struct table table = {
		.name		= "plan",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	const struct placement *placement = &plan->placement;

	table_cell(&table, spec->name);
	table_cell(&table, format_ids(&placement->apic_ids));
	table_cell(&table, placement->one_numa ? xasprintf("%u", placement->numa) : NULL);
	table_cell(&table, memory_text(placement, "\n"));
	table_cell(&table, placement->kept ? "yes" : "no");
	table_cell(&table, placement->notes);
	if (ctl->json)
		return table_print(ctl, &table);
	table_print_vertical(ctl, &table);
	print_command(plan);
	return ST_OK;
}

/* ---- a launch ---------------------------------------------------------------- */

static void alarm_rings(int number)
{
	(void)number;
}

/* Wait for the lock of another launch, LOCK_SECONDS at most; 0 or the errno */
static int wait_for_lock(int fd)
{
	/* One that rings before flock() sleeps is followed by others */
	struct itimerval every = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	struct sigaction action = { .sa_handler = alarm_rings }, before;
	double end = monotonic() + LOCK_SECONDS;
	int err;

	fprintf(stderr, "mintctl: waiting for another launch\n");
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &every, NULL);
	do
		err = flock(fd, LOCK_EX) ? errno : 0;
	while (err == EINTR && monotonic() < end);
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
	sigaction(SIGALRM, &before, NULL);
	return err;
}

/* One launch at a time: two would plan for the same cores. Never stale. -1: refused */
static int lock_launches(const struct ctl *ctl)
{
	char *dir = ctl_path(ctl, RUN_DIR), *path = ctl_path(ctl, RUN_DIR "/lock");
	int fd, err = 0;

	if (mkdir(dir, 0755) && errno != EEXIST)
		err = errno;
	fd = err ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!err && (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)))
		err = errno;
	if (fd >= 0 && err == EWOULDBLOCK)
		err = wait_for_lock(fd);
	if (err == EINTR)
		fail(ST_REFUSED, "%s: another launch has it for %d s: see what its kexec does",
		     path, LOCK_SECONDS);
	else if (err)
		fail(ST_REFUSED, "%s: %s", path, error_text(err));
	if (err && fd >= 0) {
		close(fd);
		fd = -1;
	}
	free(dir);
	free(path);
	return fd;
}

/**
 * launch() - choose cores and memory for a node and have kexec start it
 * @ctl:	how
 * @spec:	what it shall be
 * @n:		its number; NODE_NONE after a dry run
 *
 * What was taken by others since it was chosen is chosen once more.
 *
 * Return: an exit status; what is wrong has been said.
 */
int launch(const struct ctl *ctl, const struct spec *spec, u32 *n)
{
	int lock = -1, status, again;
	struct plan plan = {};
	char *output = NULL;
	struct mint mint;

	*n = NODE_NONE;
	/* Where there is no Mint, no lock is missing */
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	mint_free(&mint);
	if (!ctl->dry_run) {
		lock = lock_launches(ctl);
		if (lock < 0)
			return ST_REFUSED;
	}
	for (again = 0; again < 2; again++) {
		status = make_plan(ctl, spec, &plan);
		if (status)
			break;
		print_notes(&plan);
		if (ctl->dry_run) {
			print_command(&plan);
			break;
		}
		status = run_program(ctl, plan.argv, &output);
		if (!status) {
			if (sscanf(output, "node %u started on", n) != 1)
				status = fail(ST_REFUSED, "%s did not say which node it started",
					      ctl->kexec);
			else
				remember(ctl, spec, &plan.placement);
			break;
		}
		if (status != 127)
			status = ST_REFUSED;
		if (status == 127 || !outdated(ctl, spec, &plan)) {
			status = ST_REFUSED;
			break;
		}
		fail(status, "something was taken, or a node came or went, meanwhile: choosing once more");
	}
	if (lock >= 0)
		close(lock);
	return status;
}

/* ---- the verbs --------------------------------------------------------------- */

static const struct option run_options[] = {
	{ "image", required_argument, NULL, 'i' },
	{ "initrd", required_argument, NULL, 'r' },
	{ "command-line", required_argument, NULL, 'c' },
	{ "cores", required_argument, NULL, 'n' },
	{ "apic-ids", required_argument, NULL, 'a' },
	{ "split", no_argument, NULL, 's' },
	{ "memory", required_argument, NULL, 'm' },
	{ "devices", required_argument, NULL, 'd' },
	{ "links", required_argument, NULL, 'l' },
	{ "shares", required_argument, NULL, 'h' },
	{ "wait", optional_argument, NULL, 'w' },
	{}
};

/* Options are keys of a node file that is not written */
static const struct {
	int		option;
	const char	*section, *key;
} option_keys[] = {
	{ 'i', "Node", "Image" }, { 'r', "Node", "Initrd" },
	{ 'n', "Node", "Cores" }, { 'a', "Node", "ApicIds" },
	{ 'm', "Node", "Memory" },
};

/* Paths are made absolute, as a node file has them */
static int take_option(const struct ctl *ctl, const char *verb, struct spec *spec,
		       int option, const char *value)
{
	const char *problem = NULL;
	char *path = NULL;
	size_t i;

	if (option == 'i' || option == 'r') {
		path = realpath(value, NULL);
		if (!path)
			return fail(ST_REFUSED, "--%s=%s: %s", option == 'i' ? "image" : "initrd",
				    value, strerror(errno));
		value = path;
	}
	/* What a node was launched with is noted by lines */
	if (option == 'c' && strpbrk(value, "\r\n"))
		return usage(verb, "--command-line= is more than one line");
	if (option == 's') {
		spec->split = true;
	} else if (option == 'c') {
		free(spec->command_line);
		spec->command_line = xstrdup(value);
	} else if (option == 'd') {
		spec->devices = NULL;
		problem = spec_set(ctl, spec, "Node", "Devices", value);
	} else if (option == 'l') {
		spec->links = NULL;
		problem = spec_set(ctl, spec, "Node", "Links", value);
	} else if (option == 'h') {
		spec->shares = NULL;
		problem = spec_set(ctl, spec, "Node", "Shares", value);
	}
	for (i = 0; i < ARRAY_SIZE(option_keys); i++)
		if (option_keys[i].option == option)
			problem = spec_set(ctl, spec, option_keys[i].section,
					   option_keys[i].key, value);
	/* Of a file's, they have the last word */
	if (option == 'n')
		spec->apic_ids = (struct ids){};
	else if (option == 'a')
		spec->cores = 0;
	free(path);
	return problem ? usage(verb, "%s", problem) : ST_OK;
}

/* The last word is the name; the file of that name, if any, then the options */
static int read_spec(const struct ctl *ctl, int argc, char **argv,
		     struct spec *spec, unsigned int *wait)
{
	bool count = false, list = false;
	const char *verb = argv[0];
	int c, status;
	u64 number;

	*wait = 0;
	/* The name stands behind all options, wherever the user had it */
	while (getopt_long(argc, argv, "", run_options, NULL) != -1)
		;
	if (optind + 1 < argc)
		return usage(verb, "one name is wanted, and '%s' is too much", argv[optind + 1]);
	if (optind == argc)
		return usage(verb, "one name is wanted");
	if (!good_name(argv[optind]))
		return usage(verb,
			     "'%s' is no name: a letter, then letters, digits, '_', '.', '-', 31 in all, and not predecessor, free, all or none",
			     argv[optind]);
	spec_init(spec, argv[optind]);
	status = spec_read(ctl, spec, false);
	if (status)
		return status;
	optind = 0;
	while ((c = getopt_long(argc, argv, "", run_options, NULL)) != -1) {
		if (c == '?')
			return usage(verb, NULL);
		count |= c == 'n';
		list |= c == 'a';
		if (c != 'w') {
			status = take_option(ctl, verb, spec, c, optarg);
			if (status)
				return status;
			continue;
		}
		number = WAIT_SECONDS;
		if (optarg && (!parse_number(optarg, 86400, &number) || !number))
			return usage(verb, "--wait=%s: seconds from 1 to 86400", optarg);
		*wait = number;
	}
	if (count && list)
		return usage(verb, "one of --cores= and --apic-ids= says which cores");
	if (!spec->image)
		return fail(ST_USAGE,
			    "%s: no image: --image=FILE, or Image= in " NODE_DIR "/%s.node, see mint.node(5)",
			    verb, spec->name);
	if (!spec->memory)
		return fail(ST_USAGE,
			    "%s: no size: --memory=SIZE, or Memory= in " NODE_DIR "/%s.node, see mint.node(5)",
			    verb, spec->name);
	return ST_OK;
}

int do_plan(const struct ctl *ctl, int argc, char **argv)
{
	struct plan plan;
	struct spec spec;
	unsigned int wait;
	int status;

	status = read_spec(ctl, argc, argv, &spec, &wait);
	status = status ?: make_plan(ctl, &spec, &plan);
	return status ?: print_plan(ctl, &spec, &plan);
}

static bool decided(const char *state)
{
	return strcmp(state, "loaded") && strcmp(state, "starting");
}

static int print_launched(const struct ctl *ctl, const struct spec *spec, u32 n,
			  const char *state)
{
	static const struct column columns[] = {
		{ "NODE", true }, { "NAME" }, { "STATE" },
	};
	struct table table = {
		.name		= "launched",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};

	if (!ctl->json)
		return ST_OK;
	table_cell(&table, xasprintf("%u", n));
	table_cell(&table, spec->name);
	table_cell(&table, xstrdup(state));
	return table_print(ctl, &table);
}

int do_run(const struct ctl *ctl, int argc, char **argv)
{
	char *state = "starting";
	struct spec spec;
	unsigned int wait;
	int status;
	u32 n;

	status = read_spec(ctl, argc, argv, &spec, &wait);
	status = status ?: launch(ctl, &spec, &n);
	if (status || n == NODE_NONE)
		return status;
	if (wait)
		status = wait_for_state(ctl, n, wait, decided, &state);
	print_launched(ctl, &spec, n, state);
	if (status)
		return fail(ST_TIMEOUT,
			    "node %u (%s) is not up after %u s: 'mintctl log %s' says how far it is",
			    n, spec.name, wait, spec.name);
	if (wait && strcmp(state, "running"))
		return fail(ST_NOTUP, "node %u (%s) is %s: 'mintctl log %s' says why",
			    n, spec.name, state, spec.name);
	return ST_OK;
}
