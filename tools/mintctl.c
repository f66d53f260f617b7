// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: launch, watch and stop the nodes of Mint.
 *
 * Owns the table of verbs and the options that all of them have. What a verb
 * does is in the file that verbs.h names.
 */

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

#define RUN_ARGS	"[--cores=N | --apic-ids=LIST] [--split] [--memory=SIZE[@START]] [--image=FILE] [--initrd=FILE] [--command-line=TEXT] [--devices=LIST] [--links=LIST] [--shares=LIST]"
#define RUN_OPTIONS	"--cores= --apic-ids= --split --memory= --image= --initrd= --command-line= --devices= --links= --shares="

/* What getopt_long() reads, from the verb on */
static char **words;

const struct verb verbs[] = {
	{ "list", "[--cores | --memory]", "nodes, cores or memory", NO_NODES,
	  "--cores --memory", do_list },
	{ "show", "NODE", "all of one node", NODES, "", do_show },
	{ "plan", RUN_ARGS " NAME", "which cores and memory 'run' would take", NODE_FILES,
	  RUN_OPTIONS, do_plan },
	{ "run", RUN_ARGS " [--wait[=SECONDS]] NAME", "launch a node", NODE_FILES,
	  RUN_OPTIONS " --wait", do_run },
	{ "stop", "[--park | --force | --ladder] NODE..", "end nodes", NODES,
	  "--park --force --ladder", do_stop },
	{ "reboot", "NODE", "have a node reboot by itself", NODES, "", do_reboot },
	{ "log", "[-f | --follow] NODE", "kernel log of a node", NODES, "--follow", do_log },
	{ "console", "NODE", "terminal of a node", NODES, "", do_console },
	{ "move", "[core|thread|memory|pci WHAT NODE|free]",
	  "move a core, memory or a device between nodes", NODES,
	  "core thread memory pci free", do_move },
	{ "links", "", "memory between nodes: links and shares", NO_NODES, "", do_links },
	{ "want", "[cores=N memory=SIZE prio=N urgency=low|high hold=SECONDSs | nothing]",
	  "what this node would like to have", NO_NODES,
	  "cores= memory= prio= urgency=high urgency=low hold= nothing", do_want },
	{ "give", "cores=N memory=SIZE ..", "what this node could do without", NO_NODES,
	  "cores= memory= prio= urgency=high urgency=low hold=", do_give },
	{ "top", "[--once] [--interval=SECONDS]", "load of all nodes, again and again", NO_NODES,
	  "--once --interval=", do_top },
	{ "timeline", "[--svg]", "who owned which core, from move to move", NO_NODES,
	  "--svg", do_timeline },
	{ "diff", "[NAME..]", "node files against what runs", NODE_FILES, "", do_diff },
	{ "supervise", "[--log] NAME | --all", "launch or adopt a node, and stay until its end",
	  NODE_FILES, "--all --log", do_supervise },
	{ "setup", "--keep=SIZE --cores=N [--lend=LIST] [--apply] | --undo | --verify",
	  "boot parameters of node 0", NO_NODES,
	  "--keep= --cores= --lend= --apply --undo --verify", do_setup },
	{ "check", "", "what this machine has and lacks", NO_NODES, "", do_check },
	{ "generate", "DIR [DIR DIR]", "units of systemd for node files", NO_NODES, "",
	  do_generate },
	{ "complete", "[WORD..]", "words that may come next, for the shell", NO_NODES, "",
	  do_complete },
	{}
};

static const char all_options[] =
	"[--json] [--dry-run] [--help] [--kexec=FILE] [--sysroot=DIR]";

static const struct verb *find_verb(const char *name)
{
	const struct verb *verb;

	for (verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}

/**
 * usage() - say how a verb is called
 * @name:	of it
 * @fmt:	what was wrong; NULL: the option that getopt_long() has just read
 *
 * Return: ST_USAGE.
 */
int usage(const char *name, const char *fmt, ...)
{
	const struct verb *verb = find_verb(name);
	va_list ap;
	char *why;

	if (fmt) {
		va_start(ap, fmt);
		if (vasprintf(&why, fmt, ap) < 0)
			why = NULL;
		va_end(ap);
		fail(ST_USAGE, "%s: %s", name, why ?: "wrong");
		free(why);
	} else {
		/* Of several in one word, but for the last, the word is still to be read */
		const char *word = words[optind];

		if (!optopt || !word || word[0] != '-' || word[1] == '-' || !strchr(word, optopt))
			word = words[optind - 1];
		fail(ST_USAGE, "%s: '%s': this option is unknown, or its value is too much or missing",
		     name, word);
	}
	if (verb)
		fprintf(stderr, "usage: mintctl %s %s\n", verb->name, verb->args);
	return ST_USAGE;
}

static void print_verbs(FILE *to)
{
	const struct verb *verb;

	fprintf(to, "usage: mintctl %s VERB ..\n\n", all_options);
	for (verb = verbs; verb->name; verb++)
		fprintf(to, "  %-10s %s\n", verb->name, verb->text);
	fprintf(to, "\nA node is named by its number or its name. mintctl(8) has the rest.\n");
}

/* Was it asked how a verb is called? complete is asked about words of others */
static bool wants_help(const struct verb *verb, int argc, char **argv)
{
	int i;

	for (i = 2; verb->run != do_complete && i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* Options of all verbs stand anywhere; take them out. Returns the words left. */
static int take_options(struct ctl *ctl, int argc, char **argv)
{
	int i, left = 0;

	for (i = 0; i < argc; i++) {
		const char *sysroot = value_of(argv[i], "--sysroot");
		const char *kexec = value_of(argv[i], "--kexec");

		if (!strcmp(argv[i], "--json"))
			ctl->json = true;
		else if (!strcmp(argv[i], "--dry-run"))
			ctl->dry_run = true;
		else if (sysroot)
			ctl->sysroot = sysroot;
		else if (kexec)
			ctl->kexec = kexec;
		else
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

/* kexec and update-grub lie where PATH of an ordinary user, or of su, does not lead */
static void extend_path(void)
{
	const char *path = getenv("PATH");
	char *longer = xasprintf("%s:/usr/sbin:/sbin", path ?: "/usr/bin:/bin");

	setenv("PATH", longer, 1);
	free(longer);
}

/* A verb whose output could not be written has failed */
static int flushed(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	/* Some verbs have reported that already */
	return status ?: fail(ST_REFUSED, "standard output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .sysroot = "", .kexec = "kexec" };
	const struct verb *verb;

	/* By this name systemd calls it, with three directories and no options */
	if (!strcmp(basename(argv[0]), "mint-generator")) {
		opterr = 0;
		words = argv;
		return do_generate(&ctl, argc, argv);
	}
	argc = take_options(&ctl, argc, argv);
	if (argc < 2) {
		print_verbs(stderr);
		return ST_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_verbs(stdout);
		return flushed(ST_OK);
	}
	verb = find_verb(argv[1]);
	if (!verb) {
		fail(ST_USAGE, *argv[1] == '-' ? "there is no option '%s'" : "'%s' is no verb",
		     argv[1]);
		print_verbs(stderr);
		return ST_USAGE;
	}
	if (wants_help(verb, argc, argv)) {
		printf("usage: mintctl %s %s\n%s; mintctl(8) has the rest.\n", verb->name,
		       verb->args, verb->text);
		return flushed(ST_OK);
	}
	extend_path();
	/* Verbs say themselves what is wrong with an option */
	opterr = 0;
	words = argv + 1;
	return flushed(verb->run(&ctl, argc - 1, words));
}
