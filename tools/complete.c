// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: complete: words that may come next, for the shell.
 */

#include <stdlib.h>
#include <string.h>

#include "spec.h"
#include "sysfs.h"
#include "verbs.h"

/* Of a node whose name a shell would expand, or that means another one, print the number */
static void print_nodes(const struct ctl *ctl)
{
	struct mint mint;
	size_t i;

	if (!ctl_there(ctl, MINT_DIR "/node") || mint_read(ctl, &mint))
		return;
	for (i = 0; i < mint.nr_nodes; i++) {
		const char *name = mint.nodes[i].name;

		if ((good_name(name) || !strcmp(name, "predecessor")) &&
		    mint_find(&mint, name) == &mint.nodes[i])
			puts(name);
		else
			printf("%u\n", mint.nodes[i].n);
	}
}

static void print_files(const struct ctl *ctl)
{
	char **names;
	int nr = node_names(ctl, &names), i;

	for (i = 0; i < nr; i++)
		puts(names[i]);
}

/* The words before the one that is typed; the first is the verb */
int do_complete(const struct ctl *ctl, int argc, char **argv)
{
	const struct verb *verb;
	char *copy, *rest, *word;

	for (verb = verbs; verb->name; verb++) {
		if (argc < 2)
			puts(verb->name);
		else if (!strcmp(verb->name, argv[1]))
			break;
	}
	puts("--json\n--dry-run\n--help\n--kexec=\n--sysroot=");
	if (argc < 2 || !verb->name)
		return ST_OK;
	copy = xstrdup(verb->options);
	for (rest = copy; (word = strsep(&rest, " "));)
		if (*word)
			puts(word);
	free(copy);
	if (verb->operands == NODES)
		print_nodes(ctl);
	else if (verb->operands == NODE_FILES)
		print_files(ctl);
	return ST_OK;
}
