// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: node files, /etc/mint/<name>.node; see mint.node(5).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "spec.h"

/* Longest time that a node may be lost, seconds */
#define LOST_MAX	86400
#define MEMORY_MIN	(1ull << 20)
#define PAGE_BYTES	4096
/* The mark with which some editors begin a file of UTF-8 */
#define BOM		"\xef\xbb\xbf"

static const char *set_text(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
	return NULL;
}

/* A file of /boot as Debian names that of this kernel, which serves for nodes, too */
static const char *want_path(const char *name)
{
	struct utsname this;

	uname(&this);
	return xasprintf("an absolute path, such as /boot/%s-%s", name, this.release);
}

static const char *set_image(const struct ctl *ctl, struct spec *spec, const char *value)
{
	(void)ctl;
	return *value == '/' ? set_text(&spec->image, value) : want_path("vmlinuz");
}

static const char *set_initrd(const struct ctl *ctl, struct spec *spec, const char *value)
{
	(void)ctl;
	return *value == '/' ? set_text(&spec->initrd, value) : want_path("initrd.img");
}

static const char *set_command_line(const struct ctl *ctl, struct spec *spec,
				    const char *value)
{
	(void)ctl;
	/* Goes on in further lines */
	if (spec->command_line)
		value = xasprintf("%s %s", spec->command_line, value);
	return set_text(&spec->command_line, value);
}

static const char *set_cores(const struct ctl *ctl, struct spec *spec, const char *value)
{
	u64 number;

	(void)ctl;
	if (!parse_number(value, 0xffff, &number) || !number)
		return "a number of cores from 1 on";
	spec->cores = number;
	return NULL;
}

static const char *set_apic_ids(const struct ctl *ctl, struct spec *spec,
				const char *value)
{
	(void)ctl;
	spec->apic_ids = (struct ids){};
	return parse_ids(value, &spec->apic_ids) ? NULL : "a list of APIC IDs, such as 1,4-7";
}

static const char *set_memory(const struct ctl *ctl, struct spec *spec, const char *value)
{
	(void)ctl;
	/* Fewer bytes are a unit that is missing; kexec would cut what is no whole page */
	if (parse_memory(value, &spec->memory, &spec->start) && spec->memory >= MEMORY_MIN &&
	    (!strchr(value, '@') || !(spec->memory % PAGE_BYTES || spec->start % PAGE_BYTES)))
		return NULL;
	return "a size from 1M on, such as 512M or 32G, in whole pages at a place: 512M@0x40000000";
}

/* The PCI function of a network interface; NULL if there is none */
char *interface_function(const struct ctl *ctl, const char *interface)
{
	char *path = ctl_path(ctl, "/sys/class/net/%s/device", interface), *name = NULL;
	char *where = realpath(path, NULL), *slash;
	unsigned int segment, bus, device, function;
	int level, len;

	/* A virtio device lies below its function */
	for (level = 0; where && !name && level < 2; level++) {
		slash = strrchr(where, '/');
		if (!slash)
			break;
		if (sscanf(slash + 1, "%x:%x:%x.%x%n", &segment, &bus, &device, &function,
			   &len) == 4 && !slash[1 + len])
			name = xstrdup(slash + 1);
		*slash = 0;
	}
	free(where);
	free(path);
	return name;
}

static const char *set_devices(const struct ctl *ctl, struct spec *spec,
			       const char *value)
{
	char *copy = xstrdup(value), *rest = copy, *word, *name, *all = spec->devices;

	while ((word = strsep(&rest, ", \t"))) {
		if (!*word)
			continue;
		/* Such a name goes with the driver, and what is lent has none */
		if (!strncmp(word, "net:", 4)) {
			name = interface_function(ctl, word + 4);
			return xasprintf("a PCI function, such as %s",
					 name ? xasprintf("%s, which is that of %s", name,
							  word + 4) : "01:00.0");
		}
		all = all ? xasprintf("%s,%s", all, word) : xstrdup(word);
	}
	free(copy);
	spec->devices = all;
	return all ? NULL : "devices, such as com2 01:00.0";
}

/* Add the words of a list, each of which is @good, with commas; false: one is not, or none */
static bool add_words(char **all, const char *value, bool (*good)(const char *word))
{
	char *copy = xstrdup(value), *rest = copy, *word;

	while ((word = strsep(&rest, ", \t"))) {
		if (!*word)
			continue;
		if (!good(word))
			return false;
		*all = *all ? xasprintf("%s,%s", *all, word) : xstrdup(word);
	}
	free(copy);
	return *all;
}

static bool good_link(const char *word)
{
	u64 number;

	return parse_number(word, INT32_MAX, &number) || good_name(word) ||
	       has_word("predecessor all none", word);
}

static const char *set_links(const struct ctl *ctl, struct spec *spec, const char *value)
{
	bool good = add_words(&spec->links, value, good_link);
	char *copy, *rest, *word;

	(void)ctl;
	copy = xstrdup(good ? spec->links : "");
	for (rest = copy; good && (word = strsep(&rest, ","));)
		good = strcmp(word, spec->name) &&
		       (strcmp(word, "none") || !strcmp(spec->links, "none"));
	free(copy);
	return good ? NULL : "numbers and names of other nodes, or all, or none alone";
}

/* It is a share's, as the kernel takes it: "<name>:<size>" */
static bool good_share(const char *word)
{
	const char *colon = strchr(word, ':');
	char *name;
	bool good;
	u64 size;

	if (!colon || !parse_size(colon + 1, &size) || !size || size % PAGE_BYTES ||
	    size >> 32)
		return false;
	name = xasprintf("%.*s", (int)(colon - word), word);
	good = good_name(name);
	free(name);
	return good;
}

static const char *set_shares(const struct ctl *ctl, struct spec *spec, const char *value)
{
	(void)ctl;
	return add_words(&spec->shares, value, good_share) ? NULL :
	       "<name>:<size> in whole pages, such as rt:64K";
}

static const char *set_bool(bool *flag, const char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return "yes or no";
	*flag = *value == 'y';
	return NULL;
}

static const char *set_autostart(const struct ctl *ctl, struct spec *spec,
				 const char *value)
{
	(void)ctl;
	return set_bool(&spec->autostart, value);
}

static const char *set_smt(const struct ctl *ctl, struct spec *spec, const char *value)
{
	(void)ctl;
	if (strcmp(value, "whole") && strcmp(value, "split"))
		return "whole or split";
	spec->split = *value == 's';
	return NULL;
}

static const char *set_cores_min(const struct ctl *ctl, struct spec *spec,
				 const char *value)
{
	u64 number;

	(void)ctl;
	if (!parse_number(value, POLICY_CORES, &number) || !number)
		return "a number of cores from 1 on";
	spec->limits.cores_min = number;
	return NULL;
}

static const char *set_cores_max(const struct ctl *ctl, struct spec *spec,
				 const char *value)
{
	u64 number;

	(void)ctl;
	if (!parse_number(value, POLICY_CORES, &number) || !number)
		return "a number of cores from 1 on";
	spec->limits.cores_max = number;
	return NULL;
}

static const char *set_mib(u32 *mib, const char *value)
{
	u64 size;

	if (!parse_size(value, &size) || size >> 20 > INT32_MAX || !(size >> 20))
		return "a size, such as 512M or 32G";
	*mib = size >> 20;
	return NULL;
}

static const char *set_memory_min(const struct ctl *ctl, struct spec *spec,
				  const char *value)
{
	(void)ctl;
	return set_mib(&spec->limits.memory_min, value);
}

static const char *set_memory_max(const struct ctl *ctl, struct spec *spec,
				  const char *value)
{
	(void)ctl;
	return set_mib(&spec->limits.memory_max, value);
}

static const char *set_weight(const struct ctl *ctl, struct spec *spec, const char *value)
{
	u64 number;

	(void)ctl;
	if (!parse_number(value, 10000, &number) || !number)
		return "a number from 1 to 10000";
	spec->limits.weight = number;
	return NULL;
}

static const char *set_priority(const struct ctl *ctl, struct spec *spec, const char *value)
{
	u64 number;

	(void)ctl;
	if (!parse_number(value, 99, &number))
		return "a number from 0 to 99";
	spec->limits.priority = number;
	return NULL;
}

static const char *set_mode(const struct ctl *ctl, struct spec *spec, const char *value)
{
	size_t i;

	(void)ctl;
	for (i = 0; i < ARRAY_SIZE(policy_modes); i++) {
		if (strcmp(value, policy_modes[i]))
			continue;
		spec->limits.mode = i;
		return NULL;
	}
	return "fixed, autonomous or cooperative";
}

static const char *set_respawn(const struct ctl *ctl, struct spec *spec,
			       const char *value)
{
	(void)ctl;
	if (strcmp(value, "new") && strcmp(value, "no"))
		return "new or no";
	spec->respawn = value[1] == 'e';
	return NULL;
}

static const char *set_lost_sec(const struct ctl *ctl, struct spec *spec,
				const char *value)
{
	u64 number;

	(void)ctl;
	if (!parse_number(value, LOST_MAX, &number) || !number)
		return "seconds from 1 to 86400";
	spec->lost_sec = number;
	return NULL;
}

/**
 * struct key - a line that a node file may have
 * @section:	below which it stands
 * @name:	left of the equals sign
 * @set:	take the value; NULL, or what would be right
 */
static const struct key {
	const char	*section, *name;
	const char	*(*set)(const struct ctl *ctl, struct spec *spec,
				const char *value);
} keys[] = {
	{ "Node",	"Image",	set_image },
	{ "Node",	"Initrd",	set_initrd },
	{ "Node",	"CommandLine",	set_command_line },
	{ "Node",	"Cores",	set_cores },
	{ "Node",	"ApicIds",	set_apic_ids },
	{ "Node",	"Memory",	set_memory },
	{ "Node",	"Devices",	set_devices },
	{ "Node",	"Links",	set_links },
	{ "Node",	"Shares",	set_shares },
	{ "Node",	"Autostart",	set_autostart },
	{ "Policy",	"SMT",		set_smt },
	{ "Policy",	"Mode",		set_mode },
	{ "Policy",	"CoresMin",	set_cores_min },
	{ "Policy",	"CoresMax",	set_cores_max },
	{ "Policy",	"MemoryMin",	set_memory_min },
	{ "Policy",	"MemoryMax",	set_memory_max },
	{ "Policy",	"Weight",	set_weight },
	{ "Policy",	"Priority",	set_priority },
	{ "Failure",	"Respawn",	set_respawn },
	{ "Failure",	"LostSec",	set_lost_sec },
};

void spec_init(struct spec *spec, const char *name)
{
	memset(spec, 0, sizeof(*spec));
	spec->name = xstrdup(name);
	spec->start = UINT64_MAX;
	spec->respawn = true;
	spec->lost_sec = 30;
	/* Memory moves only where both limits are told */
	spec->limits = (struct policy_limits){
		.cores_min	= 1,
		.cores_max	= POLICY_CORES,
		.memory_min	= UINT32_MAX,
		.weight		= 100,
		.priority	= 50,
		.mode		= POLICY_FIXED,
	};
}

/* For who reads them again and again */
void spec_free(struct spec *spec)
{
	free(spec->name);
	free(spec->image);
	free(spec->initrd);
	free(spec->command_line);
	free(spec->devices);
	free(spec->links);
	free(spec->shares);
	free(spec->apic_ids.id);
	memset(spec, 0, sizeof(*spec));
}

/* What may stand where something else stands: the keys of a section, or sections */
static char *allowed(const char *section)
{
	char *list = xstrdup("");
	const char *last = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (section && strcmp(keys[i].section, section))
			continue;
		if (!section && !strcmp(keys[i].section, last))
			continue;
		last = keys[i].section;
		list = section ? xasprintf("%s%s%s", list, *list ? ", " : "", keys[i].name) :
				 xasprintf("%s%s[%s]", list, *list ? ", " : "", last);
	}
	return list;
}

/**
 * spec_set() - one line of a node file
 * @ctl:	where devices are looked up
 * @spec:	changed
 * @section:	without brackets
 * @key:	left of the equals sign
 * @value:	right of it
 *
 * Return: NULL, or a text of its own that says what is wrong and what is allowed.
 */
const char *spec_set(const struct ctl *ctl, struct spec *spec,
		     const char *section, const char *key, const char *value)
{
	const char *right, *names;
	bool known = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section))
			continue;
		known = true;
		if (strcmp(keys[i].name, key))
			continue;
		right = keys[i].set(ctl, spec, value);
		return right ? xasprintf("%s=%s: what is allowed is %s", key, value, right) :
			       NULL;
	}
	if (!*section)
		return xasprintf("%s= stands before the first section: allowed are %s",
				 key, allowed(NULL));
	names = allowed(known ? section : NULL);
	if (known)
		return xasprintf("[%s] knows no %s=: allowed are %s", section, key, names);
	return xasprintf("there is no section [%s]: allowed are %s", section, names);
}

/* What ini_parse_stream() hands from line to line */
struct reading {
	const struct ctl	*ctl;
	struct spec		*spec;
	FILE			*file;
	int			line;
	int			bad_line;
	bool			indented;	/* the line that is being read */
	const char		*problem;
};

/* What is wrong with a line that inih would cut without a word; NULL: nothing */
static const char *cut_line(const char *line, int size, bool last)
{
	const char *p = line + strcspn(line, "\r");

	if (p[strspn(p, "\r\n")])
		return "there is a carriage return in the line: its end is a line feed";
	if (!strchr(line, '\n') && !last)
		return xasprintf("the line is longer than %d characters: go on in a next line that begins with blanks",
				 size - 2);
	p = line + strspn(line, " \t");
	if (*p == ';' || *p == '#')
		return NULL;
	if (!strncmp(line, BOM, strlen(BOM)))
		line += strlen(BOM);
	p = *line == '[' ? strchr(line, ']') : NULL;
	if (p && p[1 + strspn(p + 1, " \t\r\n")])
		return "something stands behind the section: give it its own line";
	p = line;
	for (; *p; p++)
		if (*p == ';' && p > line && strchr(" \t", p[-1]))
			return "a blank and ';' cut the line: give a comment its own";
	return NULL;
}

/* inih tells no line numbers unless it is built so */
static char *next_line(char *text, int size, void *data)
{
	struct reading *reading = data;
	long from = ftell(reading->file);
	char *got = fgets(text, size, reading->file);

	reading->line++;
	reading->indented = got && (*got == ' ' || *got == '\t');
	if (got && !reading->problem) {
		if (from >= 0 && ftell(reading->file) - from != (long)strlen(got))
			reading->problem =
				"there is a zero byte in it: a node file is plain text";
		else
			reading->problem = cut_line(got, size, feof(reading->file));
		if (reading->problem)
			reading->bad_line = reading->line;
	}
	return got;
}

/* Is this "<Key>=..", of the keys that there are, or "[<Section>]"? */
static bool is_setting(const char *text)
{
	size_t i, len = strcspn(text, "=: \t");

	for (i = 0; *text == '[' && i < ARRAY_SIZE(keys); i++)
		if (!strncmp(keys[i].section, text + 1, strlen(keys[i].section)) &&
		    !strcmp(text + 1 + strlen(keys[i].section), "]"))
			return true;
	for (i = 0; text[len] && i < ARRAY_SIZE(keys); i++)
		if (!strncmp(keys[i].name, text, len) && !keys[i].name[len])
			return strchr("=:", text[len + strspn(text + len, " \t")]);
	return false;
}

/* Called for each line with a key, and for each indented one that goes on */
static int take_line(void *data, const char *section, const char *key,
		     const char *value)
{
	struct reading *reading = data;

	if (reading->problem)
		return 1;
	/* It would become a part of the value before, perhaps of a command line */
	if (reading->indented && is_setting(value))
		reading->problem = xasprintf("a line that begins with blanks goes on with %s=: begin '%s' without them",
					     key, value);
	else
		reading->problem = spec_set(reading->ctl, reading->spec, section, key,
					    value);
	reading->bad_line = reading->line;
	return !reading->problem;
}

/*
 * Only what has an end can be read to it: no pipe, whose other end nobody may have, and no
 * device. NULL: what is wrong is in @why, or there is no such file.
 */
static FILE *open_file(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat stat;
	FILE *file = NULL;

	*why = NULL;
	if (fd < 0 && errno == ENOENT && !lstat(path, &stat))
		*why = "it is a link to what is not there: mend or remove the link";
	else if (fd < 0 && errno != ENOENT)
		*why = error_text(errno);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &stat))
		*why = error_text(errno);
	else if (S_ISDIR(stat.st_mode))
		*why = strerror(EISDIR);
	else if (!S_ISREG(stat.st_mode))
		*why = "it is a pipe or a device: a node file is plain text";
	else
		file = fdopen(fd, "r");
	if (!file && !*why)
		*why = error_text(errno);
	if (!file)
		close(fd);
	return file;
}

static int incomplete(const char *path, const char *key)
{
	return fail(ST_REFUSED, "%s: [Node] has no %s=, which each node needs", path, key);
}

/**
 * spec_read() - read the file of a node
 * @ctl:	where it lies
 * @spec:	has the name; filled in
 * @must:	it has to be there, and whole
 *
 * Return: ST_OK, ST_ABSENT, or ST_REFUSED; what is wrong has been said.
 */
int spec_read(const struct ctl *ctl, struct spec *spec, bool must)
{
	char *path = ctl_path(ctl, NODE_DIR "/%s.node", spec->name);
	struct reading reading = { .ctl = ctl, .spec = spec };
	int error, unread, status = ST_OK;
	const char *why;

	reading.file = open_file(path, &why);
	if (!reading.file) {
		if (why)
			status = fail(ST_REFUSED, "%s: %s", path, why);
		else if (must)
			status = fail(ST_ABSENT, "%s is not there: write it, see mint.node(5)",
				      path);
		goto out;
	}
	error = ini_parse_stream(next_line, &reading, take_line, &reading);
	unread = ferror(reading.file) ? errno : 0;
	fclose(reading.file);
	if (unread)
		status = fail(ST_REFUSED, "%s: %s", path, strerror(unread));
	else if (reading.problem)
		status = fail(ST_REFUSED, "%s:%d: %s", path, reading.bad_line,
			      reading.problem);
	else if (error)
		status = fail(ST_REFUSED, "%s:%d: this is no [Section] and no Key=value",
			      path, error);
	else if (spec->cores && spec->apic_ids.nr)
		status = fail(ST_REFUSED,
			      "%s: [Node] has Cores= and ApicIds=: one of them says which cores",
			      path);
	else if (spec->limits.cores_min > spec->limits.cores_max)
		status = fail(ST_REFUSED, "%s: CoresMin=%u is more than CoresMax=%u", path,
			      spec->limits.cores_min, spec->limits.cores_max);
	else if (spec->limits.memory_max && spec->limits.memory_min != UINT32_MAX &&
		 spec->limits.memory_min > spec->limits.memory_max)
		status = fail(ST_REFUSED, "%s: MemoryMin=%uM is more than MemoryMax=%uM", path,
			      spec->limits.memory_min, spec->limits.memory_max);
	else if (must && !spec->image)
		status = incomplete(path, "Image");
	else if (must && !spec->memory)
		status = incomplete(path, "Memory");
out:
	free(path);
	return status;
}

/**
 * node_names() - nodes that have a file
 * @ctl:	where it lies
 * @names:	their names, sorted; node 0's is not among them
 *
 * Return: how many; -1: whether there are any cannot be seen, which was said.
 */
int node_names(const struct ctl *ctl, char ***names)
{
	char *path = ctl_path(ctl, NODE_DIR), *dot;
	struct dirent **entries;
	int nr = scandir(path, &entries, NULL, alphasort), i, found = 0;

	if (nr < 0 && errno != ENOENT)
		found = fail(-1, "%s: %s", path, error_text(errno));
	free(path);
	*names = NULL;
	for (i = 0; i < nr; i++) {
		dot = strrchr(entries[i]->d_name, '.');
		if (!dot || strcmp(dot, ".node"))
			continue;
		*dot = 0;
		/* Node 0's, which has limits for mintd, and is launched by nobody */
		if (!strcmp(entries[i]->d_name, "predecessor"))
			continue;
		if (!good_name(entries[i]->d_name)) {
			fail(ST_REFUSED, NODE_DIR "/%s.node is passed over: a node cannot be called so",
			     entries[i]->d_name);
			continue;
		}
		*names = xgrow(*names, found, sizeof(**names));
		(*names)[found++] = entries[i]->d_name;
	}
	return found;
}
