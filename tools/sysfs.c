// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: /sys/kernel/mint, read once.
 *
 * docs/sysfs.md has the formats. What the kernel may add later (lines, owners)
 * is read over.
 */

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs.h"

static void add_cores(struct mint *mint, const char *list, int owner)
{
	struct ids ids = {};
	size_t i, at;

	if (!parse_ids(list, &ids))
		return;
	for (i = 0; i < ids.nr; i++) {
		mint->cores = xgrow(mint->cores, mint->nr_cores, sizeof(*mint->cores));
		for (at = mint->nr_cores++;
		     at && mint->cores[at - 1].apic_id > ids.id[i]; at--)
			mint->cores[at] = mint->cores[at - 1];
		mint->cores[at] = (struct core){ ids.id[i], owner };
	}
	free(ids.id);
}

static void parse_cores(struct mint *mint, char *text)
{
	char *line, *rest = text, *value;
	u64 n;

	while ((line = strsep(&rest, "\n"))) {
		value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = 0;
		value = trim(value);
		if (!strcmp(line, "free"))
			add_cores(mint, value, OWNER_FREE);
		else if (!strcmp(line, "in flight"))
			add_cores(mint, value, OWNER_IN_FLIGHT);
		else if (!strcmp(line, "bsp") && parse_number(value, UINT32_MAX, &n))
			mint->bsp = n;
		else if (!strncmp(line, "node ", 5) &&
			 parse_number(line + 5, INT32_MAX, &n))
			add_cores(mint, value, n);
	}
}

/* "0x..-0x.. owner"; false: not such a line */
static bool parse_range(char *line, struct range *range)
{
	char *end;

	range->start = strtoull(line, &end, 16);
	if (end == line || *end != '-')
		return false;
	line = end + 1;
	range->end = strtoull(line, &end, 16);
	if (end == line || range->end < range->start)
		return false;
	range->owner = trim(end);
	return true;
}

static void parse_ranges(struct mint *mint, char *text)
{
	char *line, *rest = text;
	struct range range;

	while ((line = strsep(&rest, "\n"))) {
		if (!parse_range(line, &range))
			continue;
		mint->ranges = xgrow(mint->ranges, mint->nr_ranges,
				     sizeof(*mint->ranges));
		mint->ranges[mint->nr_ranges++] = range;
	}
}

/* A file of nodes/<n>; empty if it is not there */
static char *node_text(const struct ctl *ctl, u32 n, const char *file)
{
	char *text = ctl_read(ctl, MINT_DIR "/nodes/%u/%s", n, file), *p;

	if (!text)
		return xstrdup("");
	for (p = text; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\n') || (unsigned char)*p >= 0x7f)
			*p = '?';
	return text;
}

static u64 node_count(const struct ctl *ctl, u32 n, const char *file)
{
	char *text = node_text(ctl, n, file);
	u64 count = strtoull(text, NULL, 10);

	free(text);
	return count;
}

static void node_ids(const struct ctl *ctl, u32 n, const char *file,
		     struct ids *ids)
{
	char *text = node_text(ctl, n, file);

	parse_ids(text, ids);
	free(text);
}

static void read_node(const struct ctl *ctl, struct node *node)
{
	char *copy, *line, *rest;
	struct range range;
	u32 n = node->n;

	node->name = node_text(ctl, n, "name");
	node->state = node_text(ctl, n, "state");
	node->reason = node_text(ctl, n, "reason");
	printable(node->name);
	printable(node->state);
	printable(node->reason);
	node->ranges = node_text(ctl, n, "memory");
	node->devices = node_text(ctl, n, "devices");
	node->links = node_text(ctl, n, "links");
	node->boots = node_count(ctl, n, "boots");
	node->heartbeat = node_count(ctl, n, "heartbeat");
	node_ids(ctl, n, "cpus", &node->cpus);
	node_ids(ctl, n, "cpus_up", &node->cpus_up);

	copy = node_text(ctl, n, "since");
	node->since = strtod(copy, NULL);
	free(copy);

	copy = xstrdup(node->ranges);
	for (rest = copy; (line = strsep(&rest, "\n"));)
		if (parse_range(line, &range))
			node->memory += range.end - range.start + 1;
	free(copy);
}

static void read_nodes(const struct ctl *ctl, struct mint *mint)
{
	char *path = ctl_path(ctl, MINT_DIR "/nodes");
	DIR *dir = opendir(path);
	struct ids numbers = {};
	struct dirent *entry;
	size_t i;
	u64 n;

	free(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (parse_number(entry->d_name, INT32_MAX, &n))
			add_id(&numbers, n);
	closedir(dir);

	mint->nodes = xcalloc(numbers.nr, sizeof(*mint->nodes));
	mint->nr_nodes = numbers.nr;
	for (i = 0; i < numbers.nr; i++) {
		mint->nodes[i].n = numbers.id[i];
		read_node(ctl, &mint->nodes[i]);
	}
	free(numbers.id);
}

/**
 * mint_read() - read all of it
 * @ctl:	where it lies
 * @mint:	filled in; mint_free() frees what it points to
 *
 * Return: ST_OK, or ST_NOMINT after saying what is missing.
 */
int mint_read(const struct ctl *ctl, struct mint *mint)
{
	char *text;

	memset(mint, 0, sizeof(*mint));
	if (!ctl_there(ctl, MINT_DIR))
		return fail(ST_NOMINT,
			    "this kernel has no Mint: boot one with CONFIG_MINT=y; 'mintctl check' says what else is missing");
	text = ctl_read(ctl, MINT_DIR "/node");
	if (!text)
		return fail(ST_NOMINT,
			    "Mint is not active: boot with mint.mem=; 'mintctl setup' writes such parameters");
	mint->self = strtoul(text, NULL, 10);
	free(text);

	text = ctl_read(ctl, MINT_DIR "/cores");
	if (text)
		parse_cores(mint, text);
	free(text);
	mint->text = ctl_read(ctl, MINT_DIR "/memory");
	if (mint->text)
		parse_ranges(mint, mint->text);
	read_nodes(ctl, mint);
	return ST_OK;
}

/* For who reads it again and again */
void mint_free(struct mint *mint)
{
	size_t i;

	for (i = 0; i < mint->nr_nodes; i++) {
		struct node *node = &mint->nodes[i];

		free(node->name);
		free(node->state);
		free(node->reason);
		free(node->ranges);
		free(node->devices);
		free(node->links);
		free(node->cpus.id);
		free(node->cpus_up.id);
	}
	free(mint->nodes);
	free(mint->ranges);
	free(mint->cores);
	free(mint->text);
	memset(mint, 0, sizeof(*mint));
}

/* What node @n has to do; false: it does not say */
bool load_read(const struct ctl *ctl, u32 n, struct load *load)
{
	char *text = ctl_read(ctl, MINT_DIR "/nodes/%u/load", n);
	int words = 0;

	if (text)
		words = sscanf(text,
			       "beats=%u runnable_sum=%u busy_ms=%u cpus=%u mem_mib=%u available_mib=%u cpu_stall_ms=%u memory_stall_ms=%u io_stall_ms=%u",
			       &load->beats, &load->runnable_sum, &load->busy_ms,
			       &load->cpus, &load->mem_mib, &load->available_mib,
			       &load->cpu_ms, &load->memory_ms, &load->io_ms);
	load->stalls = words == 9;
	free(text);
	return words >= 6;
}

/* Does it own anything? Then its name is taken */
bool node_owns(const struct node *node)
{
	return node->cpus.nr || node->memory || *node->devices;
}

/* States in which nothing more happens of itself */
bool node_ended(const char *state)
{
	return !strcmp(state, "ended") || !strcmp(state, "panicked");
}

struct node *mint_number(struct mint *mint, u32 n)
{
	size_t i;

	for (i = 0; i < mint->nr_nodes; i++)
		if (mint->nodes[i].n == n)
			return &mint->nodes[i];
	return NULL;
}

/**
 * mint_owner() - the node that has a name
 * @mint:	what was read
 * @name:	no number
 * @nr:		out: how many own something and are called so
 *
 * kexec takes any name, also one that another node has.
 *
 * Return: the first of them, or NULL.
 */
struct node *mint_owner(struct mint *mint, const char *name, size_t *nr)
{
	struct node *found = NULL;
	size_t i;

	*nr = 0;
	for (i = 0; *name && i < mint->nr_nodes; i++) {
		struct node *node = &mint->nodes[i];

		if (strcmp(node->name, name) || !node_owns(node))
			continue;
		found = found ?: node;
		++*nr;
		/* Node 0 has its name from no command line */
		if (!node->n)
			break;
	}
	return found;
}

/**
 * mint_find() - the node that a word means
 * @mint:	what was read
 * @word:	number or name
 *
 * Of several nodes of a name, the one that owns something, else the one that
 * ended last. None if several own something.
 *
 * Return: it, or NULL: mint_absent() says why.
 */
struct node *mint_find(struct mint *mint, const char *word)
{
	struct node *found;
	size_t i, nr;
	u64 n;

	/* An empty word means no node, although the name of a node may be empty */
	if (!*word)
		return NULL;
	if (isdigit((unsigned char)*word))
		return parse_number(word, INT32_MAX, &n) ? mint_number(mint, n) : NULL;
	found = mint_owner(mint, word, &nr);
	if (nr)
		return nr == 1 ? found : NULL;
	for (i = 0; i < mint->nr_nodes; i++) {
		struct node *node = &mint->nodes[i];

		if (!strcmp(node->name, word) && (!found || node->since > found->since))
			found = node;
	}
	return found;
}

/* Say that there is no such node, and which there are, or that the word means several */
int mint_absent(struct mint *mint, const char *word)
{
	char *names = xstrdup(""), *owners = xstrdup("");
	size_t i, nr;

	for (i = 0; i < mint->nr_nodes; i++) {
		const struct node *node = &mint->nodes[i];

		names = xasprintf("%s%s%u %s", names, i ? ", " : "", node->n, node->name);
		if (!strcmp(node->name, word) && node_owns(node))
			owners = xasprintf("%s%s%u", owners, *owners ? ", " : "", node->n);
	}
	mint_owner(mint, word, &nr);
	if (nr > 1 && !isdigit((unsigned char)*word))
		return fail(ST_REFUSED, "nodes %s are called '%s': say which by its number", owners,
			    word);
	return fail(ST_ABSENT, "no node is called '%s': there is %s", word, names);
}
