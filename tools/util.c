// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: strings, numbers, files.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mintctl.h"

#define APIC_ID_MAX	0xfffff
#define IDS_MAX		0x10000	/* in a list */

const char *program = "mintctl";

/**
 * fail() - say on standard error why
 * @status:	what to return
 *
 * Return: @status.
 */
int fail(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

/* What an errno says, and what helps against the most frequent of them */
const char *error_text(int err)
{
	bool helps = (err == EACCES || err == EPERM) && geteuid();

	return helps ? xasprintf("%s: run as root", strerror(err)) : strerror(err);
}

static void *checked(void *p)
{
	if (!p) {
		fprintf(stderr, "%s: out of memory\n", program);
		exit(ST_REFUSED);
	}
	return p;
}

void *xcalloc(size_t nr, size_t size)
{
	return checked(calloc(nr ? nr : 1, size));
}

/* Room for one more element of an array that has @nr */
void *xgrow(void *old, size_t nr, size_t size)
{
	/* At 0, 1, 2, 4, 8, .. elements */
	if (nr & (nr - 1))
		return old;
	return checked(reallocarray(old, nr ? 2 * nr : 1, size));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

static char *vformat(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return checked(s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	return s;
}

static char *vpath(const struct ctl *ctl, const char *fmt, va_list ap)
{
	char *below = vformat(fmt, ap), *path;

	path = xasprintf("%s%s", ctl->sysroot, below);
	free(below);
	return path;
}

/* A path that begins with "/", below --sysroot */
char *ctl_path(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = vpath(ctl, fmt, ap);
	va_end(ap);
	return path;
}

/* All that can be read, with a zero behind it; NULL and errno on an error */
char *read_fd(int fd, size_t *len)
{
	size_t size = 4096, at = 0;
	char *text = NULL;
	ssize_t got;

	do {
		if (!text || size - at < 2) {
			size *= text ? 2 : 1;
			text = checked(realloc(text, size));
		}
		do
			got = read(fd, text + at, size - at - 1);
		while (got < 0 && errno == EINTR);
		if (got < 0) {
			free(text);
			return NULL;
		}
		at += got;
	} while (got);
	text[at] = 0;
	if (len)
		*len = at;
	return text;
}

/* The contents of a file; NULL and errno on an error */
char *read_path(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char *text;

	if (fd < 0)
		return NULL;
	text = read_fd(fd, len);
	err = errno;
	close(fd);
	errno = err;
	return text;
}

/* The text of a file without blanks at its end; NULL and errno on an error */
char *ctl_read(const struct ctl *ctl, const char *fmt, ...)
{
	char *path, *text;
	va_list ap;

	va_start(ap, fmt);
	path = vpath(ctl, fmt, ap);
	va_end(ap);
	text = read_path(path, NULL);
	if (text) {
		size_t len = strlen(text);

		while (len && isspace((unsigned char)text[len - 1]))
			text[--len] = 0;
	}
	free(path);
	return text;
}

bool ctl_there(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;
	char *path;
	bool there;

	va_start(ap, fmt);
	path = vpath(ctl, fmt, ap);
	va_end(ap);
	there = !access(path, F_OK);
	free(path);
	return there;
}

/**
 * write_word() - one write(2) to a file of sysfs
 * @path:	where it lies; it is not created
 * @word:	what to write
 *
 * Return: 0 or the errno.
 */
int write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), err = 0;
	ssize_t put;

	if (fd < 0)
		return errno;
	put = write(fd, word, strlen(word));
	if (put < 0)
		err = errno;
	else if ((size_t)put != strlen(word))
		err = EIO;
	if (close(fd) && !err)
		err = errno;
	return err;
}

/* Have this text in a file, in one piece; 0 or the errno */
int write_file(const char *path, const char *text)
{
	char *fresh = xasprintf("%s.new", path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), err = 0;
	size_t len = strlen(text);

	if (fd < 0) {
		err = errno;
	} else {
		if (write(fd, text, len) != (ssize_t)len || fsync(fd))
			err = errno ? errno : EIO;
		if (close(fd) && !err)
			err = errno;
		if (!err && rename(fresh, path))
			err = errno;
		if (err)
			unlink(fresh);
	}
	free(fresh);
	return err;
}

/* Without blanks at both ends; changes @s */
char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

/* What another kernel wrote goes to a terminal, and is ASCII: no control characters */
void printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			*s = '?';
}

/* Is this a word of the text, between blanks or its ends? */
bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *at = text;

	while ((at = strstr(at, word))) {
		if ((at == text || isspace((unsigned char)at[-1])) &&
		    (!at[len] || isspace((unsigned char)at[len])))
			return true;
		at += len;
	}
	return false;
}

/* The text after "<name>=", or NULL */
const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) || word[len] != '=' ? NULL : word + len + 1;
}

/* Number behind "<name> : " of a line of /proc/cpuinfo */
bool cpuinfo_number(const char *line, const char *name, u32 *number)
{
	size_t len = strlen(name);
	char rest[2];

	if (strncmp(line, name, len) || !isspace((unsigned char)line[len]))
		return false;
	line = strchr(line, ':');
	return line && sscanf(line + 1, "%u%1s", number, rest) == 1;
}

/* The words of a node's wish but for those of mint-agent, with a blank between them */
char *wish_without_victims(const char *want)
{
	char *copy = xstrdup(want), *rest = copy, *word, *text = xstrdup(""), *next;

	while ((word = strsep(&rest, "\n "))) {
		if (!*word || !strncmp(word, VICTIM, strlen(VICTIM)))
			continue;
		next = xasprintf("%s%s%s", text, *text ? " " : "", word);
		free(text);
		text = next;
	}
	free(copy);
	return text;
}

/* A whole number, decimal or 0x, up to @max */
bool parse_number(const char *text, u64 max, u64 *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, text[1] == 'x' ? 16 : 10);
	return !errno && !*end && *number <= max;
}

/* A number and at most one of K, M, G, T; what is behind it in @end */
static bool size_before(const char *text, u64 *size, const char **end)
{
	static const char units[] = "KMGT";
	const char *unit;
	u64 number;
	char *rest;
	int shift = 0;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &rest, text[1] == 'x' ? 16 : 10);
	if (errno)
		return false;
	if (*rest) {
		unit = strchr(units, toupper((unsigned char)*rest));
		if (unit) {
			shift = 10 * (unit - units + 1);
			rest++;
		}
	}
	if (number > UINT64_MAX >> shift)
		return false;
	*size = number << shift;
	*end = rest;
	return true;
}

bool parse_size(const char *text, u64 *size)
{
	const char *end;

	return size_before(text, size, &end) && !*end;
}

/* "<size>" or "<size>@<start>"; @start is UINT64_MAX without */
bool parse_memory(const char *text, u64 *size, u64 *start)
{
	const char *end;

	*start = UINT64_MAX;
	if (!size_before(text, size, &end) || !*size)
		return false;
	return !*end || (*end == '@' && parse_size(end + 1, start) && *start != UINT64_MAX);
}

/* For people: three digits and a unit */
char *format_size(u64 size)
{
	static const char units[] = "BKMGTP";
	double value = size;
	int at = 0;

	while (value >= 1024 && units[at + 1]) {
		value /= 1024;
		at++;
	}
	if (value >= 10 || value == (u64)value)
		return xasprintf("%.0f%c", value, units[at]);
	return xasprintf("%.1f%c", value, units[at]);
}

/* For kernels: no digit is lost */
char *exact_size(u64 size)
{
	static const char units[] = "KMGT";
	int at = -1;

	while (at < 3 && size && !(size & 1023)) {
		size >>= 10;
		at++;
	}
	return at < 0 ? xasprintf("%llu", (unsigned long long)size) :
			xasprintf("%llu%c", (unsigned long long)size, units[at]);
}

/* A time span in its largest unit */
char *format_age(double seconds)
{
	static const struct {
		const char	*unit;
		unsigned int	seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "m", 60 } };
	size_t i;

	if (seconds < 0)
		seconds = 0;
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (seconds >= units[i].seconds)
			return xasprintf("%.0f%s",
					 (double)(u64)(seconds / units[i].seconds),
					 units[i].unit);
	return xasprintf("%.0fs", (double)(u64)seconds);
}

/* Keeps the list ascending; what is there already stays once */
void add_id(struct ids *ids, u32 id)
{
	size_t at = ids->nr;

	/* Lists come in order, mostly: the last one tells */
	if (at && id <= ids->id[at - 1] && has_id(ids, id))
		return;
	ids->id = xgrow(ids->id, ids->nr, sizeof(*ids->id));
	for (; at && ids->id[at - 1] > id; at--)
		ids->id[at] = ids->id[at - 1];
	ids->id[at] = id;
	ids->nr++;
}

bool has_id(const struct ids *ids, u32 id)
{
	size_t i;

	for (i = 0; i < ids->nr; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

/* "1,4-7"; adds to the list, which may have @max */
bool parse_ids_max(const char *text, struct ids *ids, size_t max)
{
	while (*text) {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*text))
			return false;
		errno = 0;
		first = strtoul(text, &end, 10);
		last = first;
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		/* APIC IDs of Linux end far below that */
		if (errno || last < first || last > APIC_ID_MAX)
			return false;
		if (ids->nr >= max || last - first >= max - ids->nr)
			return false;
		while (first <= last)
			add_id(ids, first++);
		if (*end && (*end != ',' || !end[1]))
			return false;
		text = *end ? end + 1 : end;
	}
	return ids->nr;
}

bool parse_ids(const char *text, struct ids *ids)
{
	return parse_ids_max(text, ids, IDS_MAX);
}

char *format_ids(const struct ids *ids)
{
	char *text = xstrdup(""), *next;
	size_t i, last;

	for (i = 0; i < ids->nr; i = last + 1) {
		last = i;
		while (last + 1 < ids->nr && ids->id[last + 1] == ids->id[last] + 1)
			last++;
		if (last == i)
			next = xasprintf("%s%s%u", text, i ? "," : "", ids->id[i]);
		else
			next = xasprintf("%s%s%u-%u", text, i ? "," : "",
					 ids->id[i], ids->id[last]);
		free(text);
		text = next;
	}
	return text;
}

/* May a node be called so? No digit first, so that numbers are numbers */
bool good_name(const char *name)
{
	/* Words that mean something else where a node may stand */
	static const char * const taken[] = { "predecessor", "free", "all", "none" };
	const char *p;
	size_t i;

	if (!isalpha((unsigned char)*name) || strlen(name) > NAME_MAX_LEN)
		return false;
	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			return false;
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (!strcmp(name, taken[i]))
			return false;
	return true;
}

/* Seconds since 1970 */
double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Seconds of a clock that is not set */
double monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* All of it; waits for room. False: nobody takes it */
bool write_all(int fd, const char *text, size_t len)
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

/* Tell the service manager, if there is one; see sd_notify(3) */
void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		*to.sun_path = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
	       offsetof(struct sockaddr_un, sun_path) + len);
	close(fd);
}

/*
 * SIGTERM, SIGINT and @more, if it is one, by a file descriptor, so that none gets
 * lost between two looks
 */
int signals(int more)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (more)
		sigaddset(&set, more);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}
