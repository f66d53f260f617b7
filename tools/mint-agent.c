// SPDX-License-Identifier: GPL-2.0
/*
 * mint-agent: a node says which of its cores it would give first.
 *
 * Who shares out cores knows how much a node has to do, but not where in it. Each
 * second: see how busy each core was, and write those that were idle into this
 * node's wish, behind "victim=". What else is in the wish is somebody else's, and
 * stays. The agent decides nothing; without it the last core goes.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

#define STEP_MS		1000
#define WANT		MINT_DIR "/want"
/* A core is idle that was busy for less than so much of a step, percent */
#define IDLE_PERCENT	10

/**
 * struct cpu - a CPU of this kernel
 * @n:		its number here
 * @apic_id:	its core's number for Mint
 * @busy:	time that it was not idle, in ticks since it is online
 * @all:	the same and idle time
 * @percent:	how busy it was between the last two looks; 100 after the first
 * @bound:	a process may run there alone
 */
struct cpu {
	u32		n, apic_id;
	u64		busy, all;
	unsigned int	percent;
	bool		bound;
};

struct cpus {
	struct cpu	*cpu;
	size_t		nr;
};

static struct cpu *find_cpu(const struct cpus *cpus, u32 n)
{
	size_t i;

	for (i = 0; i < cpus->nr; i++)
		if (cpus->cpu[i].n == n)
			return &cpus->cpu[i];
	return NULL;
}

/* Those that are online, with their APIC IDs */
static void read_cpus(const struct ctl *ctl, struct cpus *cpus)
{
	char *text = ctl_read(ctl, "/proc/cpuinfo"), *rest = text, *line;
	u32 n = 0, apic_id;

	while (rest && (line = strsep(&rest, "\n"))) {
		if (cpuinfo_number(line, "processor", &n))
			continue;
		if (!cpuinfo_number(line, "apicid", &apic_id))
			continue;
		cpus->cpu = xgrow(cpus->cpu, cpus->nr, sizeof(*cpus->cpu));
		cpus->cpu[cpus->nr++] = (struct cpu){
			.n = n, .apic_id = apic_id, .percent = 100,
		};
	}
	free(text);
}

/* user nice system idle iowait irq softirq steal: proc_stat(5) */
static void read_times(const struct ctl *ctl, struct cpus *cpus, const struct cpus *old)
{
	char *text = ctl_read(ctl, "/proc/stat"), *rest = text, *line;
	const struct cpu *before;
	struct cpu *cpu;
	u64 t[8], all;
	size_t i;
	u32 n;

	while (rest && (line = strsep(&rest, "\n"))) {
		memset(t, 0, sizeof(t));
		if (sscanf(line, "cpu%u %lu %lu %lu %lu %lu %lu %lu %lu", &n, &t[0], &t[1],
			   &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 5)
			continue;
		cpu = find_cpu(cpus, n);
		if (!cpu)
			continue;
		for (i = 0; i < ARRAY_SIZE(t); i++)
			cpu->all += t[i];
		cpu->busy = cpu->all - t[3] - t[4];
		before = find_cpu(old, n);
		if (!before || before->apic_id != cpu->apic_id || cpu->all < before->all ||
		    cpu->busy < before->busy)
			continue;
		all = cpu->all - before->all;
		/* Nothing is new while no tick has passed */
		cpu->percent = all ? (cpu->busy - before->busy) * 100 / all :
				     before->percent;
	}
	free(text);
}

/* Kernel threads have no memory of their own; those of a core leave with it */
static void read_bound(const struct ctl *ctl, struct cpus *cpus)
{
	char *path = ctl_path(ctl, "/proc"), *text, *list, *end;
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct cpu *cpu;
	u32 n;

	free(path);
	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		text = ctl_read(ctl, "/proc/%s/status", entry->d_name);
		list = text && strstr(text, "\nVmSize:") ?
		       strstr(text, "\nCpus_allowed_list:") : NULL;
		if (list) {
			list = strchr(list, ':') + 1;
			n = strtoul(list, &end, 10);
			cpu = *end == '\n' || !*end ? find_cpu(cpus, n) : NULL;
			if (cpu)
				cpu->bound = true;
		}
		free(text);
	}
	if (dir)
		closedir(dir);
}

/* Cores that are to be left alone by what is moved about */
static bool left_alone(const struct ctl *ctl, u32 n)
{
	char *text = ctl_read(ctl, "/sys/devices/system/cpu/isolated");
	struct ids ids = {};
	bool found = text && parse_ids(text, &ids) && has_id(&ids, n);

	free(ids.id);
	free(text);
	return found;
}

/* APIC IDs of those that are idle; never the lowest, on which the node began */
static char *victims(const struct ctl *ctl, const struct cpus *cpus)
{
	u32 boot = UINT32_MAX;
	struct ids ids = {};
	char *text;
	size_t i;

	for (i = 0; i < cpus->nr; i++)
		if (cpus->cpu[i].apic_id < boot)
			boot = cpus->cpu[i].apic_id;
	for (i = 0; i < cpus->nr; i++) {
		const struct cpu *cpu = &cpus->cpu[i];

		if (cpu->apic_id != boot && cpu->percent < IDLE_PERCENT && !cpu->bound &&
		    !left_alone(ctl, cpu->n))
			add_id(&ids, cpu->apic_id);
	}
	text = ids.nr ? format_ids(&ids) : xstrdup("");
	free(ids.id);
	return text;
}

/* @list: NULL for no word of the agent. Nothing is written that is there already */
static int write_victims(const struct ctl *ctl, const char *list)
{
	char *want = ctl_read(ctl, WANT), *path, *others, *line;
	int err = want ? 0 : ENOENT;

	if (!want)
		return err;
	path = ctl_path(ctl, WANT);
	others = wish_without_victims(want);
	line = xasprintf("%s%s%s%s\n", others, list && *others ? " " : "",
			 list ? VICTIM : "", list ? list : "");
	if (strlen(line) > WANT_MAX + 1) {
		/* Left out, not cut: half a list names other cores */
		free(line);
		line = xasprintf("%s\n", others);
	}
	if (strlen(trim(want)) != strlen(line) - 1 ||
	    strncmp(trim(want), line, strlen(line) - 1))
		err = write_word(path, line);
	free(line);
	free(others);
	free(path);
	free(want);
	return err;
}

static int step(const struct ctl *ctl, struct cpus *old)
{
	struct cpus cpus = {};
	char *list;
	int err;

	read_cpus(ctl, &cpus);
	read_times(ctl, &cpus, old);
	read_bound(ctl, &cpus);
	list = victims(ctl, &cpus);
	err = write_victims(ctl, list);
	free(list);
	free(old->cpu);
	*old = cpus;
	return err;
}

static int run(const struct ctl *ctl, u64 steps)
{
	struct pollfd fd = { .fd = signals(0), .events = POLLIN };
	struct cpus cpus = {};
	int err;

	notify("READY=1");
	do {
		err = step(ctl, &cpus);
	} while (!err && (!steps || --steps) && poll(&fd, 1, STEP_MS) <= 0);
	notify("STOPPING=1");
	/* Nobody would keep it true any more */
	if (!err)
		err = write_victims(ctl, NULL);
	free(cpus.cpu);
	switch (err) {
	case 0:
		return ST_OK;
	case ENOENT:
	case EOPNOTSUPP:
		return fail(ST_ABSENT, "this kernel, or node 0's, passes no wishes on: %s: %s",
			    WANT, strerror(err));
	}
	return fail(ST_REFUSED, WANT ": %s", strerror(err));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "steps", required_argument, NULL, 's' },
		{ "sysroot", required_argument, NULL, 'R' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	static const char usage_text[] = "usage: mint-agent [--steps=N] [--sysroot=DIR] [--help]\n";
	struct ctl ctl = { .sysroot = "" };
	bool wrong = false;
	u64 steps = 0;
	int c;

	program = "mint-agent";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return ST_OK;
		}
		if (c == 'R')
			ctl.sysroot = optarg;
		else if (c != 's')
			wrong = true;
		else if (!parse_number(optarg, UINT32_MAX, &steps) || !steps)
			wrong = fail(ST_USAGE, "--steps=%s: a number from 1 on", optarg);
	}
	if (!wrong && optind < argc)
		wrong = fail(ST_USAGE, "'%s' is too much", argv[optind]);
	if (wrong) {
		fputs(usage_text, stderr);
		return ST_USAGE;
	}
	if (!ctl_there(&ctl, MINT_DIR))
		return fail(ST_NOMINT, "this kernel has no Mint: there is no " MINT_DIR);
	return run(&ctl, steps);
}
