// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: setup: what node 0 keeps, as boot parameters in a drop-in for GRUB.
 */

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "topology.h"
#include "verbs.h"

#define DROP_IN_DIR	"/etc/default/grub.d"
#define DROP_IN		DROP_IN_DIR "/mint.cfg"
#define MIB		(1ull << 20)
#define STEP		(128 * MIB)	/* what is kept is a multiple of it */
#define SPARED		(16 * MIB)	/* of it firmware may have */
#define LEFT_LEAST	(16 * MIB)	/* for other nodes */
#define LOW_LEFT	(256 * MIB)	/* below 4 GiB, for lent devices */

/* RAM as the firmware told it, both ends inclusive, ascending */
struct ram {
	struct place_range	*ranges;
	size_t			nr;
};

/* A processor that Linux brought up */
struct cpu {
	u32	apic_id, package;
};

struct cpus {
	struct cpu	*cpu;
	size_t		nr;
};

struct wish {
	u64	keep;
	u32	cores;
	char	*lend;		/* devices, separated by commas */
};

static void add_ram(struct ram *ram, u64 start, u64 end)
{
	size_t at;

	ram->ranges = xgrow(ram->ranges, ram->nr, sizeof(*ram->ranges));
	for (at = ram->nr++; at && ram->ranges[at - 1].start > start; at--)
		ram->ranges[at] = ram->ranges[at - 1];
	ram->ranges[at] = (struct place_range){ start, end, 0 };
}

/* One entry of /sys/firmware/memmap, which node 0's mint.mem= does not change */
static void read_entry(const struct ctl *ctl, struct ram *ram, const char *name)
{
	char *type = ctl_read(ctl, "/sys/firmware/memmap/%s/type", name);
	char *start = ctl_read(ctl, "/sys/firmware/memmap/%s/start", name);
	char *end = ctl_read(ctl, "/sys/firmware/memmap/%s/end", name);
	u64 first, last;

	if (type && start && end && !strcmp(type, "System RAM") &&
	    parse_number(start, UINT64_MAX, &first) &&
	    parse_number(end, UINT64_MAX, &last) && first < last)
		add_ram(ram, first, last);
	free(type);
	free(start);
	free(end);
}

static void read_ram(const struct ctl *ctl, struct ram *ram)
{
	char *path = ctl_path(ctl, "/sys/firmware/memmap");
	DIR *dir = opendir(path);
	struct dirent *entry;

	free(path);
	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			read_entry(ctl, ram, entry->d_name);
	if (dir)
		closedir(dir);
}

static u64 sum_ram(const struct ram *ram, u64 first, u64 last)
{
	u64 sum = 0, start, end;
	size_t i;

	for (i = 0; i < ram->nr; i++) {
		start = ram->ranges[i].start > first ? ram->ranges[i].start : first;
		end = ram->ranges[i].end < last ? ram->ranges[i].end : last;
		if (start <= end)
			sum += end - start + 1;
	}
	return sum;
}

/*
 * How far a range from @first on has to reach to have so much RAM in it. The
 * little that firmware keeps to itself does not count.
 */
static u64 reach(const struct ram *ram, u64 first, u64 last, u64 wanted)
{
	u64 size = STEP;

	while (first + size <= last &&
	       sum_ram(ram, first, first + size - 1) + SPARED < wanted)
		size += STEP;
	return size;
}

/* Devices that are lent, other than legacy ones, may reach no further than 4 GiB */
static bool needs_low(const struct wish *wish)
{
	return wish->lend && strchr(wish->lend, ':');
}

/* "3G@0,5G@4G": RAM from the bottom up, without the hole below 4 GiB */
static char *memory_parameter(const struct ram *ram, const struct wish *wish)
{
	u64 low = sum_ram(ram, 0, GIB4 - 1), all = sum_ram(ram, 0, UINT64_MAX - 1);
	u64 below = wish->keep, size, above = 0, left;
	char *first, *second, *text;

	if (wish->keep >= all) {
		first = format_size(all);
		fail(ST_REFUSED,
		     "--keep: the machine has %s, and something has to be left: keep less",
		     first);
		return NULL;
	}
	if (below > low)
		below = low;
	if (needs_low(wish) && low > 2 * LOW_LEFT && below > low - LOW_LEFT)
		below = low - LOW_LEFT;
	size = reach(ram, 0, GIB4 - 1, below);
	if (wish->keep - below >= SPARED) {
		if (all - low < wish->keep - below) {
			fail(ST_REFUSED,
			     "--keep: too little is above 4 GiB beside the 256 MiB below that lent devices need: keep less");
			return NULL;
		}
		above = reach(ram, GIB4, UINT64_MAX - STEP, wish->keep - below);
	}
	/* Rounded up to whole steps, what is kept may be all that there is */
	left = all - sum_ram(ram, 0, size - 1);
	if (above)
		left -= sum_ram(ram, GIB4, GIB4 + above - 1);
	if (left < LEFT_LEAST) {
		first = exact_size(all & -MIB);
		fail(ST_REFUSED,
		     "--keep: in steps of 128M that is all of the machine's %s, and something has to be left: keep less",
		     first);
		return NULL;
	}
	first = exact_size(size);
	if (!above)
		return xasprintf("mint.mem=%s@0", first);
	second = exact_size(above);
	text = xasprintf("mint.mem=%s@0,%s@4G", first, second);
	free(first);
	free(second);
	return text;
}

static void read_cpus(const struct ctl *ctl, struct cpus *cpus)
{
	char *text = ctl_read(ctl, "/proc/cpuinfo"), *rest = text, *line;
	u32 value;

	while (rest && (line = strsep(&rest, "\n"))) {
		if (cpuinfo_number(line, "processor", &value)) {
			cpus->cpu = xgrow(cpus->cpu, cpus->nr, sizeof(*cpus->cpu));
			cpus->cpu[cpus->nr++] = (struct cpu){ 0, 0 };
		} else if (cpus->nr) {
			cpuinfo_number(line, "apicid", &cpus->cpu[cpus->nr - 1].apic_id);
			cpuinfo_number(line, "physical id", &cpus->cpu[cpus->nr - 1].package);
		}
	}
	free(text);
}

/* Once Mint is active, node 0 has few of them online, and cores names all */
static void read_all_cpus(const struct ctl *ctl, const struct shifts *shifts,
			  struct cpus *cpus)
{
	struct mint mint;
	size_t i;

	if (!ctl_there(ctl, MINT_DIR "/node") || mint_read(ctl, &mint)) {
		read_cpus(ctl, cpus);
		return;
	}
	cpus->cpu = xcalloc(mint.nr_cores, sizeof(*cpus->cpu));
	cpus->nr = mint.nr_cores;
	for (i = 0; i < mint.nr_cores; i++) {
		struct cpu cpu = { mint.cores[i].apic_id,
				   mint.cores[i].apic_id >> shifts->package };

		cpus->cpu[i] = cpu;
		if (cpu.apic_id == mint.bsp) {
			cpus->cpu[i] = cpus->cpu[0];
			cpus->cpu[0] = cpu;
		}
	}
}

/* Whole cores, those of the first one's package first; the first is the BSP */
static char *cores_parameter(const struct ctl *ctl, const struct wish *wish)
{
	struct cpus cpus = {};
	struct ids ids = {};
	struct shifts shifts;
	u32 core, package;
	size_t i, j;
	bool other, same;
	char *list, *text;

	topology_shifts(ctl, &shifts);
	read_all_cpus(ctl, &shifts, &cpus);
	if (cpus.nr <= wish->cores) {
		fail(ST_REFUSED, "--cores: the machine has %zu, and one has to be left: keep fewer",
		     cpus.nr);
		return NULL;
	}
	for (other = false;; other = true) {
		for (i = 0; i < cpus.nr && ids.nr < wish->cores; i++) {
			core = cpus.cpu[i].apic_id >> shifts.core;
			package = cpus.cpu[i].package;
			same = package == cpus.cpu[0].package;
			if (other == same)
				continue;
			for (j = 0; j < cpus.nr; j++)
				if (cpus.cpu[j].apic_id >> shifts.core == core)
					add_id(&ids, cpus.cpu[j].apic_id);
		}
		if (other || ids.nr >= wish->cores)
			break;
	}
	if (ids.nr != wish->cores) {
		fail(ST_REFUSED, "--cores: %u threads are not a number of whole cores: keep %zu",
		     wish->cores, ids.nr);
		return NULL;
	}
	list = format_ids(&ids);
	text = xasprintf("mint.cpus=%s", list);
	free(list);
	free(ids.id);
	free(cpus.cpu);
	return text;
}

static bool iommu_there(const struct ctl *ctl)
{
	return ctl_there(ctl, "/sys/firmware/acpi/tables/DMAR") ||
	       ctl_there(ctl, "/sys/firmware/acpi/tables/IVRS") ||
	       ctl_there(ctl, "/sys/class/iommu/dmar0") ||
	       ctl_there(ctl, "/sys/class/iommu/ivhd0");
}

/* "mint.devices=-01:00.0,-com2" */
static char *devices_parameter(const struct wish *wish)
{
	char *copy = xstrdup(wish->lend), *rest = copy, *word, *text = NULL;

	while ((word = strsep(&rest, ",")))
		if (*word)
			text = xasprintf("%s%s-%s", text ?: "mint.devices=", text ? "," : "",
					 word);
	free(copy);
	return text;
}

/* All parameters; NULL after saying what cannot be */
static char *parameters(const struct ctl *ctl, const struct wish *wish)
{
	char *memory, *cores, *devices = NULL;
	struct ram ram = {};

	read_ram(ctl, &ram);
	if (!ram.nr) {
		fail(ST_REFUSED,
		     "/sys/firmware/memmap says nothing of the RAM: boot a kernel with CONFIG_FIRMWARE_MEMMAP=y");
		return NULL;
	}
	memory = memory_parameter(&ram, wish);
	cores = memory ? cores_parameter(ctl, wish) : NULL;
	if (!cores)
		return NULL;
	if (wish->lend)
		devices = devices_parameter(wish);
	return xasprintf("%s %s%s%s%s%s", memory, cores, devices ? " " : "", devices ?: "",
			 needs_low(wish) && iommu_there(ctl) ?
			 " intel_iommu=off amd_iommu=off intremap=off" : "",
			 ctl_there(ctl, "/sys/firmware/efi") ? " nokaslr" : "");
}

static char *drop_in(const char *words)
{
	return xasprintf("# Written by 'mintctl setup'; 'mintctl setup --undo' removes it.\n"
			 "# All kernels of GRUB's menu get these parameters, stock ones, too.\n"
			 "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX %s\"\n", words);
}

/* The drop-in as it is against what it shall be ("" for none), by diff(1) */
static int show_diff(const struct ctl *ctl, const char *text)
{
	char *path = ctl_path(ctl, DROP_IN), *old = ctl_read(ctl, DROP_IN);
	char *copy, *rest, *line;

	if (old && *text && !strcmp(xasprintf("%s\n", old), text)) {
		printf("%s is as it shall be\n", path);
		return ST_OK;
	}
	printf("--- %s\n+++ %s\n", old ? path : "/dev/null", *text ? path : "/dev/null");
	/* Few lines, none of which stays */
	for (rest = old; rest && (line = strsep(&rest, "\n"));)
		printf("-%s\n", line);
	copy = xstrdup(text);
	for (rest = copy; (line = strsep(&rest, "\n"));)
		if (*line)
			printf("+%s\n", line);
	free(copy);
	free(old);
	free(path);
	return ST_OK;
}

/* Have GRUB read it; below --sysroot there is no GRUB */
static int update_grub(const struct ctl *ctl)
{
	char *argv[] = { "update-grub", NULL }, *output;

	if (*ctl->sysroot) {
		printf("update-grub\n");
		return ST_OK;
	}
	if (run_program(ctl, argv, &output))
		return fail(ST_PARTLY, DROP_IN " is done, update-grub is not: run it, or have the boot loader pass these parameters");
	return ST_OK;
}

static int apply(const struct ctl *ctl, const char *text)
{
	char *path = ctl_path(ctl, DROP_IN), *dir = ctl_path(ctl, DROP_IN_DIR);
	int err, status;

	/* What reads /etc/default/grub reads the directory, too, which may be missing */
	if (*text && ctl_there(ctl, "/etc/default/grub"))
		mkdir(dir, 0755);
	if (access(dir, F_OK))
		return fail(ST_ABSENT,
			    "%s is not there: this machine has no GRUB of Debian; have the boot loader pass the parameters that setup shows",
			    dir);
	err = *text ? write_file(path, text) : unlink(path) ? errno : 0;
	if (err == ENOENT && !*text)
		return fail(ST_ABSENT, "%s is not there: nothing to undo", path);
	if (err)
		return fail(ST_REFUSED, "%s: %s", path, error_text(err));
	status = update_grub(ctl);
	if (!status)
		printf(*text ? "done: reboot, then 'mintctl setup --verify'\n" :
			       "done: reboot\n");
	return status;
}

/* The parameters of the drop-in; NULL without */
static char *applied(const struct ctl *ctl)
{
	char *text = ctl_read(ctl, DROP_IN), *at, *end;

	at = text ? strstr(text, "$GRUB_CMDLINE_LINUX ") : NULL;
	end = at ? strrchr(at, '"') : NULL;
	if (!end)
		return NULL;
	*end = 0;
	return at + strlen("$GRUB_CMDLINE_LINUX ");
}

/*
 * After the reboot: this kernel has them, and there is something to lend. What nodes have
 * was there as well: with Autostart=yes they may have taken all of it by now.
 */
static int verify(const struct ctl *ctl)
{
	char *words = applied(ctl), *cmdline = ctl_read(ctl, "/proc/cmdline"), *rest, *word;
	bool cores = false, memory = false;
	struct mint mint;
	u32 number;
	int status;
	size_t i;

	if (!words)
		return fail(ST_ABSENT, DROP_IN " is not there: 'mintctl setup --apply' writes it");
	for (rest = words; (word = strsep(&rest, " "));)
		if (*word && !has_word(cmdline ?: "", word))
			return fail(ST_REFUSED,
				    "this kernel was booted without %s: reboot, or see what update-grub wrote",
				    word);
	status = mint_read(ctl, &mint);
	if (status)
		return status;
	for (i = 0; i < mint.nr_cores; i++)
		cores |= mint.cores[i].owner == OWNER_FREE || mint.cores[i].owner > 0;
	for (i = 0; i < mint.nr_ranges; i++)
		memory |= !strcmp(mint.ranges[i].owner, "free") ||
			  (sscanf(mint.ranges[i].owner, "node %u", &number) == 1 && number);
	if (!cores || !memory)
		return fail(ST_REFUSED,
			    "the parameters are there, but no %s is free: see the log of the kernel, 'dmesg | grep mint'",
			    cores ? "memory" : "core");
	printf("ok: the kernel has these parameters, cores and memory are free, or of nodes\n");
	return ST_OK;
}

/* It goes into a line of shell between double quotes */
static bool good_devices(const char *text)
{
	return *text && strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEF:.,*/") ==
			strlen(text);
}

/* What is no address has to be one of these */
static bool unknown_device(const char *word)
{
	return !strchr(word, ':') && !has_word("com1 com2 com3 com4 i8042 vga rtc", word);
}

/* Is it the address of a PCI function that this machine does not have? */
static bool function_missing(const struct ctl *ctl, const char *word)
{
	unsigned int segment = 0, bus, device, function;
	int len = 0;

	if (sscanf(word, "%x:%x:%x.%x%n", &segment, &bus, &device, &function, &len) != 4) {
		segment = 0;
		if (sscanf(word, "%x:%x.%x%n", &bus, &device, &function, &len) != 3)
			return false;
	}
	return !word[len] && ctl_there(ctl, "/sys/bus/pci/devices") &&
	       !ctl_there(ctl, "/sys/bus/pci/devices/%04x:%02x:%02x.%x", segment, bus, device,
			  function);
}

/*
 * More devices that are lent; "net:<interface>" is the function of that interface now.
 * Returns NULL, or what is wrong.
 */
static const char *lend(const struct ctl *ctl, struct wish *wish, const char *value)
{
	char *copy = xstrdup(value), *rest = copy, *word, *name, *all = wish->lend;

	while ((word = strsep(&rest, ", \t"))) {
		if (!*word)
			continue;
		name = strncmp(word, "net:", 4) ? word : interface_function(ctl, word + 4);
		if (!name)
			return xasprintf("there is no PCI function of an interface %s", word + 4);
		if (!good_devices(name))
			break;
		if (unknown_device(name))
			return xasprintf("'%s' is no device: com1 to com4, i8042, vga, rtc, or a PCI function such as 01:00.0",
					 name);
		if (name == word && function_missing(ctl, name))
			return xasprintf("there is no PCI function %s", name);
		all = all ? xasprintf("%s,%s", all, name) : xstrdup(name);
	}
	free(copy);
	wish->lend = all;
	return all && !word ? NULL : "devices, such as 01:00.0,com2,net:eth1";
}

int do_setup(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep", required_argument, NULL, 'k' },
		{ "cores", required_argument, NULL, 'c' },
		{ "lend", required_argument, NULL, 'l' },
		{ "apply", no_argument, NULL, 'a' },
		{ "undo", no_argument, NULL, 'u' },
		{ "verify", no_argument, NULL, 'v' },
		{}
	};
	struct wish wish = {};
	const char *problem;
	char *words, *text;
	int c, what = 0;
	u64 number;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			if (!parse_size(optarg, &wish.keep) || wish.keep < STEP)
				return usage("setup", "--keep=%s: a size from 128M on", optarg);
			break;
		case 'c':
			if (!parse_number(optarg, 0xffff, &number) || !number)
				return usage("setup", "--cores=%s: a number from 1 on", optarg);
			wish.cores = number;
			break;
		case 'l':
			problem = lend(ctl, &wish, optarg);
			if (problem)
				return usage("setup", "--lend=%s: %s", optarg, problem);
			break;
		case 'a':
		case 'u':
		case 'v':
			if (what)
				return usage("setup", "one of --apply, --undo, --verify");
			what = c;
			break;
		default:
			return usage("setup", NULL);
		}
	}
	if (optind < argc)
		return usage("setup", "'%s' is too much", argv[optind]);
	if ((what == 'v' || what == 'u') && (wish.keep || wish.cores || wish.lend))
		return usage("setup", "--%s goes by what is there, and takes no --keep=, --cores=, --lend=",
			     what == 'v' ? "verify" : "undo");
	if (what == 'v')
		return verify(ctl);
	if (what == 'u') {
		if (!ctl_there(ctl, DROP_IN))
			return fail(ST_ABSENT, DROP_IN " is not there: nothing to undo");
		show_diff(ctl, "");
		return ctl->dry_run ? ST_OK : apply(ctl, "");
	}
	if (!wish.keep || !wish.cores)
		return usage("setup", "--keep= and --cores= say what node 0 keeps");
	words = parameters(ctl, &wish);
	if (!words)
		return ST_REFUSED;
	text = drop_in(words);
	show_diff(ctl, text);
	return what == 'a' && !ctl->dry_run ? apply(ctl, text) : ST_OK;
}
