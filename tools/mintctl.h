/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: what its parts share.
 */
#ifndef MINTCTL_H
#define MINTCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define GIB4		0x100000000ull
#define NAME_MAX_LEN	31	/* of a node, see mint.name= */
#define WANT_MAX	95	/* characters of a wish */
#define VICTIM		"victim="	/* mint-agent's word in a wish: cores to give first */

typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

/* Exit statuses; mintctl(8) lists them */
enum status {
	ST_OK		= 0,
	ST_REFUSED	= 1,
	ST_USAGE	= 2,
	ST_ABSENT	= 3,
	ST_TIMEOUT	= 4,
	ST_NOMINT	= 5,
	ST_PANICKED	= 10,
	ST_LOST		= 11,
	ST_NOTUP	= 12,
	ST_PARTLY	= 64,
};

/**
 * struct ctl - how this run was asked for
 * @sysroot:	put before each path of /sys, /proc, /etc, /run and /dev; "" without
 * @kexec:	the program that launches
 * @json:	tables as JSON
 * @dry_run:	say what would be done, do nothing
 */
struct ctl {
	const char	*sysroot;
	const char	*kexec;
	bool		json;
	bool		dry_run;
};

/* What the words of a verb are, for completion */
enum operands {
	NO_NODES,
	NODES,		/* nodes that there are */
	NODE_FILES,	/* node files, by the names of their nodes */
};

/**
 * struct verb - a row of the table of verbs
 * @name:	first word
 * @args:	what follows it, for the usage
 * @text:	one line for the usage
 * @operands:	what else its words are, for completion
 * @options:	long options, for completion
 * @run:	do it; @argv[0] is the verb; an exit status
 */
struct verb {
	const char	*name;
	const char	*args;
	const char	*text;
	enum operands	operands;
	const char	*options;
	int		(*run)(const struct ctl *ctl, int argc, char **argv);
};

extern const struct verb verbs[];

/* A list of numbers, ascending */
struct ids {
	u32	*id;
	size_t	nr;
};

/* mintctl.c */
int usage(const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* util.c */
extern const char *program;	/* begins each line of fail() */
int fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *error_text(int err);
void *xcalloc(size_t nr, size_t size);
void *xgrow(void *old, size_t nr, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *ctl_path(const struct ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *read_fd(int fd, size_t *len);
char *read_path(const char *path, size_t *len);
char *ctl_read(const struct ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool ctl_there(const struct ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int write_word(const char *path, const char *word);
int write_file(const char *path, const char *text);
char *trim(char *s);
void printable(char *s);
bool has_word(const char *text, const char *word);
const char *value_of(const char *word, const char *name);
bool cpuinfo_number(const char *line, const char *name, u32 *number);
char *wish_without_victims(const char *want);
bool parse_number(const char *text, u64 max, u64 *number);
bool parse_size(const char *text, u64 *size);
bool parse_memory(const char *text, u64 *size, u64 *start);
char *format_size(u64 size);
char *exact_size(u64 size);
char *format_age(double seconds);
bool parse_ids(const char *text, struct ids *ids);
bool parse_ids_max(const char *text, struct ids *ids, size_t max);
char *format_ids(const struct ids *ids);
void add_id(struct ids *ids, u32 id);
bool has_id(const struct ids *ids, u32 id);
bool good_name(const char *name);
double now(void);
double monotonic(void);
bool write_all(int fd, const char *text, size_t len);
void notify(const char *text);
int signals(int more);

#endif
