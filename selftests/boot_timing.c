// SPDX-License-Identifier: GPL-2.0
/*
 * Launch successors and print when each of them reached which phase, in ticks
 * of the TSC: "<index> <node> <phase> <TSC>" lines.
 *
 * boot_timing [option]... KERNEL
 *	-x KEXEC	program to launch with
 *	-i INITRD	its initrd
 *	-a PARAMETERS	further parameters for every successor
 *	-n COUNT	how many successors (1)
 *	-m MIB		memory of each (64)
 *	-s SLOTS	leave out that many ranges of free memory
 *	-p		launch all at once, not one after the other is up
 *	-l		launch all at once, by a single call of kexec (--mint-list=)
 *	-u		do not compare the checksum of the kernel; not with -l
 *	-e		load first, and only start when all are loaded
 *	-k		leave the successors running
 *	-t SECONDS	limit for each successor to come up (120)
 *	-c BYTES	no launch: time a memcpy() of that many bytes
 *
 * The phases are those of /sys/kernel/mint/nodes/<n>/timing, and "begin",
 * "execute" and "returned" of this program: before kexec was called, before it
 * was called to start what was loaded, and when it had ended.
 *
 * Exit status: 0; 1 if a successor did not come up or did not end.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define MINT		"/sys/kernel/mint/"
#define MAX_NODES	1024
#define MIB		0x100000ULL

static const char *kexec = "kexec", *kernel, *initrd, *append = "";
static unsigned long count = 1, mib = 64, skip, limit = 120;
static bool parallel, list, execute, keep, unchecked;

struct successor {
	unsigned int	apic_id;
	uint64_t	memory;		/* first byte */
	int		node;
	pid_t		pid;
	int		output;		/* of kexec */
	uint64_t	begin;
	uint64_t	execute;
	uint64_t	returned;
};

static struct successor all[MAX_NODES];

static uint64_t tsc(void)
{
	_mm_lfence();
	return __rdtsc();
}

static void short_while(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
}

/* A file of sysfs, all of it; "" if it is not there */
static const char *content(const char *path)
{
	static char text[1 << 20];
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t got;

	if (fd >= 0) {
		while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
			len += got;
		close(fd);
	}
	if (len == sizeof(text) - 1)
		errx(1, "%s is longer than %zu bytes", path, len);
	text[len] = '\0';
	return text;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, text, strlen(text)) > 0;
	close(fd);
	return good;
}

/* The lowest free APIC IDs */
static void choose_cores(void)
{
	const char *list = strstr(content(MINT "cores"), "free: ");
	unsigned long first, last, got = 0;
	char *end;

	if (!list)
		errx(1, "no core is free");
	list += strlen("free: ");
	while (got < count && *list >= '0' && *list <= '9') {
		first = strtoul(list, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		for (; first <= last && got < count; first++)
			all[got++].apic_id = first;
		list = *end == ',' ? end + 1 : end;
	}
	if (got < count)
		errx(1, "%lu free cores wanted, there are %lu", count, got);
}

/* Ranges of free memory, aligned to 2 MiB */
static void choose_memory(void)
{
	char *text = strdup(content(MINT "memory")), *line, *save;
	unsigned long got = 0, left_out = skip;
	unsigned long long first, last;
	char owner[16];

	for (line = strtok_r(text, "\n", &save); line && got < count;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%llx-%llx %15s", &first, &last, owner) != 3 ||
		    strcmp(owner, "free"))
			continue;
		first = (first + 2 * MIB - 1) / (2 * MIB) * (2 * MIB);
		for (; first + mib * MIB - 1 <= last && got < count;
		     first += mib * MIB) {
			if (left_out)
				left_out--;
			else
				all[got++].memory = first;
		}
	}
	free(text);
	if (got < count)
		errx(1, "free memory for %lu nodes of %lu MiB wanted, there is some for %lu",
		     count, mib, got);
}

/* Start kexec for a successor; its output is read by finish() */
static void begin(struct successor *it, const char *verb)
{
	char core[32], min[40], max[40], ramdisk[512], line[1024];
	const char *words[10] = { kexec };
	int ends[2], nr = 1;

	snprintf(core, sizeof(core), "--mint-cpu=%u", it->apic_id);
	snprintf(min, sizeof(min), "--mem-min=%#llx",
		 (unsigned long long)it->memory);
	snprintf(max, sizeof(max), "--mem-max=%#llx",
		 (unsigned long long)(it->memory + mib * MIB - 1));
	snprintf(ramdisk, sizeof(ramdisk), "--initrd=%s", initrd ?: "");
	snprintf(line, sizeof(line), "--command-line=maxcpus=1 %s", append);
	if (pipe(ends))
		err(1, "pipe");
	if (!strcmp(verb, "-e"))
		it->execute = tsc();
	else
		it->begin = tsc();
	it->pid = fork();
	if (it->pid < 0)
		err(1, "fork");
	if (!it->pid) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		if (*verb)
			words[nr++] = verb;
		words[nr++] = core;
		if (strcmp(verb, "-e")) {
			words[nr++] = min;
			words[nr++] = max;
			words[nr++] = line;
			if (unchecked)
				words[nr++] = "--mint-no-checksum";
			words[nr++] = kernel;
			if (initrd)
				words[nr++] = ramdisk;
		}
		execvp(kexec, (char **)words);
		err(1, "%s", kexec);
	}
	close(ends[1]);
	it->output = ends[0];
}

/* Wait for kexec, and learn the number of the node */
static void finish(struct successor *it)
{
	char text[1024];
	size_t len = 0;
	ssize_t got;
	int status;

	while ((got = read(it->output, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	text[len] = '\0';
	close(it->output);
	if (waitpid(it->pid, &status, 0) != it->pid || status)
		errx(1, "kexec for APIC ID %u: status %d: %s", it->apic_id,
		     WEXITSTATUS(status), text);
	it->returned = tsc();
	if (sscanf(text, "node %d ", &it->node) != 1)
		errx(1, "kexec named no node: %s", text);
}

static const char *node_file(const struct successor *it, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), MINT "nodes/%d/%s", it->node, name);
	return path;
}

/* One kexec for all of them */
static void launch_list(void)
{
	char ramdisk[512], line[1024], text[65536];
	int ends[2], names = memfd_create("list", 0), status;
	uint64_t before, after;
	unsigned int apic_id;
	unsigned long i;
	size_t len = 0;
	const char *at;
	ssize_t got;
	pid_t pid;
	int node;

	snprintf(ramdisk, sizeof(ramdisk), "--initrd=%s", initrd ?: "");
	snprintf(line, sizeof(line), "--command-line=maxcpus=1 %s", append);
	for (i = 0; i < count; i++)
		dprintf(names, "--mint-cpu=%u --mem-min=%#llx --mem-max=%#llx\n",
			all[i].apic_id, (unsigned long long)all[i].memory,
			(unsigned long long)(all[i].memory + mib * MIB - 1));
	if (names < 0 || lseek(names, 0, SEEK_SET) || pipe(ends))
		err(1, "the list");
	before = tsc();
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		dup2(names, 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		execlp(kexec, kexec, "--mint-list=-", line, kernel,
		       initrd ? ramdisk : NULL, NULL);
		err(1, "%s", kexec);
	}
	close(ends[1]);
	close(names);
	while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	text[len] = '\0';
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "kexec --mint-list: status %d: %s", WEXITSTATUS(status),
		     text);
	after = tsc();
	for (at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (sscanf(at, "node %d started on APIC ID %u", &node,
			   &apic_id) != 2)
			continue;
		for (i = 0; i < count; i++)
			if (all[i].apic_id == apic_id)
				all[i].node = node;
	}
	for (i = 0; i < count; i++) {
		if (!all[i].node)
			errx(1, "kexec named no node on APIC ID %u: %s",
			     all[i].apic_id, text);
		all[i].begin = before;
		all[i].returned = after;
	}
}

static void wait_up(const struct successor *it)
{
	time_t end = time(NULL) + limit;

	while (!strstr(content(node_file(it, "timing")), "services ")) {
		if (time(NULL) > end)
			errx(1, "node %d is not up within %lu s: %s", it->node,
			     limit, content(node_file(it, "state")));
		short_while();
	}
}

/* Does it own a core? */
static bool owns(const struct successor *it)
{
	char line[32];

	snprintf(line, sizeof(line), "node %d: ", it->node);
	return strstr(content(MINT "cores"), line);
}

static void stop(const struct successor *it)
{
	time_t end = time(NULL) + limit;
	bool asked = false;

	while (owns(it)) {
		if (!asked)
			asked = put(node_file(it, "stop"), "ask");
		if (time(NULL) > end)
			errx(1, "node %d did not end within %lu s", it->node, limit);
		short_while();
	}
}

/* All of them at once; a request may last until the node has ended */
static bool stop_all(void)
{
	unsigned long i;
	bool good = true;
	int status;

	for (i = 0; i < count; i++) {
		all[i].pid = fork();
		if (all[i].pid < 0)
			err(1, "fork");
		if (!all[i].pid) {
			stop(&all[i]);
			_exit(0);
		}
	}
	for (i = 0; i < count; i++)
		good &= waitpid(all[i].pid, &status, 0) == all[i].pid && !status;
	return good;
}

static void print(unsigned long i)
{
	struct successor *it = &all[i];
	char *text, *line, *save;

	printf("%lu %d begin %llu\n", i, it->node, (unsigned long long)it->begin);
	if (it->execute)
		printf("%lu %d execute %llu\n", i, it->node,
		       (unsigned long long)it->execute);
	printf("%lu %d returned %llu\n", i, it->node,
	       (unsigned long long)it->returned);
	text = strdup(content(node_file(it, "timing")));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		printf("%lu %d %s\n", i, it->node, line);
	free(text);
}

/* As launching a list is one thing after the other, or all things at once */
static void launch(void)
{
	const char *verb = execute ? "-e" : "";
	unsigned long i;

	if (list) {
		launch_list();
		for (i = 0; i < count; i++)
			wait_up(&all[i]);
		return;
	}
	for (i = 0; execute && i < count; i++) {
		begin(&all[i], "-l");
		finish(&all[i]);
	}
	for (i = 0; i < count; i++) {
		begin(&all[i], verb);
		if (!parallel) {
			finish(&all[i]);
			wait_up(&all[i]);
		}
	}
	for (i = 0; parallel && i < count; i++)
		finish(&all[i]);
	for (i = 0; parallel && i < count; i++)
		wait_up(&all[i]);
}

static int time_memcpy(size_t bytes)
{
	char *from = malloc(bytes), *to = malloc(bytes);
	uint64_t before;
	int i;

	if (!from || !to)
		err(1, "malloc");
	/* Both are touched before anything is measured */
	memset(from, 1, bytes);
	memset(to, 2, bytes);
	for (i = 0; i < 10; i++) {
		before = tsc();
		memcpy(to, from, bytes);
		printf("%d 0 memcpy %llu\n", i,
		       (unsigned long long)(tsc() - before));
		if (to[bytes / 2] != 1)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long i, bytes = 0;
	int option;

	while ((option = getopt(argc, argv, "x:i:a:n:m:s:pluekt:c:")) != -1) {
		switch (option) {
		case 'x':
			kexec = optarg;
			break;
		case 'i':
			initrd = optarg;
			break;
		case 'a':
			append = optarg;
			break;
		case 'n':
			count = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			mib = strtoul(optarg, NULL, 0);
			break;
		case 's':
			skip = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			parallel = true;
			break;
		case 'l':
			list = true;
			break;
		case 'u':
			unchecked = true;
			break;
		case 'e':
			execute = true;
			break;
		case 'k':
			keep = true;
			break;
		case 't':
			limit = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			bytes = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	if (bytes)
		return time_memcpy(bytes);
	if (optind + 1 != argc || !count || count > MAX_NODES || !mib)
		errx(2, "usage: boot_timing [option]... KERNEL");
	kernel = argv[optind];

	choose_cores();
	choose_memory();
	launch();
	for (i = 0; i < count; i++)
		print(i);
	fflush(stdout);
	return keep || stop_all() ? 0 : 1;
}
