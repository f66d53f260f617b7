// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: check: what this machine has and lacks; also on a stock kernel.
 */

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "out.h"
#include "run.h"
#include "topology.h"
#include "verbs.h"

enum level {
	FINE,
	LACKS,		/* no node can be launched */
	MAY_LACK,	/* some nodes can */
	SILENT,		/* nothing to say on this machine */
};

static const char * const level_names[] = { "ok", "MISSING", "optional" };

/* What the checks look at */
struct machine {
	const struct ctl	*ctl;
	bool			mint, active;
	struct mint		state;		/* if @active */
	char			*flags;		/* of a processor */
	char			*cmdline;
};

static char *read_or_empty(const struct ctl *ctl, const char *path)
{
	return ctl_read(ctl, "%s", path) ?: xstrdup("");
}

/* Number of processors that Linux knows, and how many firmware may add */
static unsigned int processors(const struct machine *machine)
{
	struct ids ids = {};

	if (machine->active)
		return machine->state.nr_cores;
	parse_ids(read_or_empty(machine->ctl, "/sys/devices/system/cpu/present"), &ids);
	return ids.nr;
}

static enum level check_cores(const struct machine *machine, char **text)
{
	unsigned int nr = processors(machine);
	struct shifts shifts;

	topology_shifts(machine->ctl, &shifts);
	if (nr < 2) {
		*text = xasprintf("%u core: a node needs one beside that of node 0", nr);
		return LACKS;
	}
	*text = shifts.core ?
		xasprintf("%u threads of cores with up to %u: lend whole cores", nr,
			  1 << shifts.core) :
		xasprintf("%u cores", nr);
	return FINE;
}

static enum level check_tsc(const struct machine *machine, char **text)
{
	char *clock = read_or_empty(machine->ctl, MINT_DIR "/clock");

	if (machine->active && has_word(clock, "doubted")) {
		*text = xstrdup("TSC: node 0 doubts it, so clocks of nodes may drift apart: run a time service in each");
		return MAY_LACK;
	}
	if (has_word(machine->flags, "constant_tsc") &&
	    has_word(machine->flags, "nonstop_tsc")) {
		*text = xstrdup("TSC is constant and does not stop");
		return FINE;
	}
	if (machine->active) {
		*text = xstrdup("TSC is trusted by node 0");
		return FINE;
	}
	*text = xstrdup("TSC: the processor does not promise that it is constant and does not stop: clocks of nodes may drift apart");
	return MAY_LACK;
}

static enum level check_encryption(const struct machine *machine, char **text)
{
	if (!has_word(machine->cmdline, "mem_encrypt=on"))
		return SILENT;
	*text = xstrdup("memory encryption is on: boot without mem_encrypt=on");
	return LACKS;
}

/* A kernel of the packages that could be booted; NULL: there is none */
static char *installed_kernel(const struct ctl *ctl)
{
	char *path = ctl_path(ctl, "/boot"), *found = NULL;
	DIR *dir = opendir(path);
	struct dirent *entry;

	free(path);
	while (dir && !found && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vmlinuz-", 8) && strstr(entry->d_name, "-mint"))
			found = xstrdup(entry->d_name + 8);
	if (dir)
		closedir(dir);
	return found;
}

static enum level check_kernel(const struct machine *machine, char **text)
{
	char *installed = installed_kernel(machine->ctl);
	struct utsname name;

	if (machine->mint) {
		*text = xasprintf("kernel has Mint %s",
				  read_or_empty(machine->ctl, MINT_DIR "/version"));
		return FINE;
	}
	uname(&name);
	*text = xasprintf("kernel %s has no Mint: %s",
			  *machine->ctl->sysroot ? "of this machine" : name.release,
			  installed ? xasprintf("%s is installed: 'mintctl setup', then reboot into it",
						installed) :
				      "boot one with CONFIG_MINT=y");
	return LACKS;
}

static enum level check_active(const struct machine *machine, char **text)
{
	if (!machine->mint)
		return SILENT;
	if (!machine->active) {
		*text = xstrdup("Mint is not active: boot with mint.mem=, which 'mintctl setup' writes");
		return LACKS;
	}
	*text = machine->state.self ?
		xasprintf("this is node %u: only node 0 launches", machine->state.self) :
		xstrdup("this is node 0, which launches");
	return machine->state.self ? LACKS : FINE;
}

/*
 * What nodes were given, for a machine of which nothing is left: "node 1 (web) 1-2, ..".
 * NULL: nothing. What is in quarantine comes back by no end of a node.
 */
static char *given(const struct mint *mint, char *(*share)(const struct node *node))
{
	char *list = NULL, *text;
	size_t i;

	for (i = 0; i < mint->nr_nodes; i++) {
		const struct node *node = &mint->nodes[i];

		text = node->n && strcmp(node->state, "quarantine") ? share(node) : NULL;
		if (text)
			list = xasprintf("%s%snode %u (%s) %s", list ?: "", list ? ", " : "",
					 node->n, node->name, text);
		free(text);
	}
	return list;
}

static char *cores_of(const struct node *node)
{
	return node->cpus.nr ? format_ids(&node->cpus) : NULL;
}

static char *memory_of(const struct node *node)
{
	return node->memory ? format_size(node->memory) : NULL;
}

static enum level check_free_cores(const struct machine *machine, char **text)
{
	struct ids ids = {};
	unsigned int own = 0;
	char *nodes;
	size_t i;

	if (!machine->active)
		return SILENT;
	for (i = 0; i < machine->state.nr_cores; i++) {
		if (machine->state.cores[i].owner == OWNER_FREE)
			add_id(&ids, machine->state.cores[i].apic_id);
		own += !machine->state.cores[i].owner;
	}
	nodes = ids.nr ? NULL : given(&machine->state, cores_of);
	if (nodes) {
		*text = xasprintf("all cores are given, %s: for another node, end one%s", nodes,
				  own > 1 ? ", or echo 0 > /sys/devices/system/cpu/cpu<n>/online" :
					    "");
		return FINE;
	}
	if (!ids.nr) {
		*text = xstrdup("no core is free: end a node, or echo 0 > /sys/devices/system/cpu/cpu<n>/online");
		return LACKS;
	}
	*text = xasprintf("free cores: %s", format_ids(&ids));
	return FINE;
}

static enum level check_free_memory(const struct machine *machine, char **text)
{
	u64 sum = 0, most = 0, size;
	char *nodes;
	size_t i;

	if (!machine->active)
		return SILENT;
	for (i = 0; i < machine->state.nr_ranges; i++) {
		const struct range *range = &machine->state.ranges[i];

		if (strcmp(range->owner, "free"))
			continue;
		size = range->end - range->start + 1;
		sum += size;
		most = size > most ? size : most;
	}
	nodes = sum ? NULL : given(&machine->state, memory_of);
	if (nodes) {
		*text = xasprintf("all memory is given, %s: for another node, end one, or boot with a smaller mint.mem=",
				  nodes);
		return FINE;
	}
	if (!sum) {
		*text = xstrdup("no memory is free: end a node, or boot with a smaller mint.mem=");
		return LACKS;
	}
	*text = xasprintf("free memory: %s, %s of it in one range", format_size(sum),
			  format_size(most));
	return FINE;
}

/* Can it be executed, as execvp() would look for it? */
static bool program_there(const char *name)
{
	char *copy, *rest, *dir, *path;
	bool there = false;

	if (strchr(name, '/'))
		return !access(name, X_OK);
	copy = xstrdup(getenv("PATH") ?: "");
	for (rest = copy; !there && (dir = strsep(&rest, ":"));) {
		path = xasprintf("%s/%s", *dir ? dir : ".", name);
		there = !access(path, X_OK);
		free(path);
	}
	free(copy);
	return there;
}

static enum level check_kexec(const struct machine *machine, char **text)
{
	struct ctl quiet = *machine->ctl;
	char *argv[] = { (char *)quiet.kexec, "--help", NULL }, *output;

	if (!program_there(quiet.kexec)) {
		*text = xasprintf("no %s: install mint-kexec", quiet.kexec);
		return LACKS;
	}
	quiet.json = true;
	if (run_program(&quiet, argv, &output) == 127 || !strstr(output, "--mint-cpu")) {
		*text = xasprintf("%s knows no --mint-cpu: install mint-kexec",
				  quiet.kexec);
		return LACKS;
	}
	*text = xasprintf("%s launches nodes", quiet.kexec);
	return FINE;
}

static enum level check_permission(const struct machine *machine, char **text)
{
	char *disabled = read_or_empty(machine->ctl, "/proc/sys/kernel/kexec_load_disabled");
	char *lockdown = read_or_empty(machine->ctl, "/sys/kernel/security/lockdown");

	if (!strcmp(disabled, "1")) {
		*text = xstrdup("kexec_load() is off until the next boot: do not set kernel.kexec_load_disabled");
		return LACKS;
	}
	if (*lockdown && !strstr(lockdown, "[none]")) {
		*text = xstrdup("lockdown forbids kexec_load(): boot with lockdown=none, and without Secure Boot");
		return LACKS;
	}
	*text = xstrdup("kexec_load() is allowed");
	return FINE;
}

static enum level check_kaslr(const struct machine *machine, char **text)
{
	if (!ctl_there(machine->ctl, "/sys/firmware/efi"))
		return SILENT;
	if (has_word(machine->cmdline, "nokaslr")) {
		*text = xstrdup("UEFI, and nokaslr: the kernel lies in what mint.mem= keeps");
		return FINE;
	}
	*text = xstrdup("UEFI without nokaslr: the kernel may lie in what mint.mem= does not keep, and makes a hole there");
	return MAY_LACK;
}

/* Is the directory there, and anything in it? */
static bool any_entry(const struct ctl *ctl, const char *path)
{
	char *place = ctl_path(ctl, "%s", path);
	DIR *dir = opendir(place);
	struct dirent *entry;
	bool found = false;

	free(place);
	while (dir && (entry = readdir(dir)))
		found |= *entry->d_name != '.';
	if (dir)
		closedir(dir);
	return found;
}

static enum level check_iommu(const struct machine *machine, char **text)
{
	if (any_entry(machine->ctl, "/sys/class/iommu")) {
		*text = xstrdup("an IOMMU translates, so no PCI function can be lent: boot with intel_iommu=off amd_iommu=off intremap=off");
		return MAY_LACK;
	}
	*text = xstrdup("no IOMMU translates: PCI functions can be lent");
	return FINE;
}

static enum level check_ecam(const struct machine *machine, char **text)
{
	char *iomem = read_or_empty(machine->ctl, "/proc/iomem");

	if (strstr(iomem, "PCI ECAM") || strstr(iomem, "PCI MMCONFIG")) {
		*text = xstrdup("PCI configuration by ECAM");
		return FINE;
	}
	*text = xstrdup("no ECAM: PCI functions of domain 0 only, by ports CF8 and CFC, which all nodes share");
	return MAY_LACK;
}

static enum level check_reset(const struct machine *machine, char **text)
{
	char *path = ctl_path(machine->ctl, "/sys/bus/pci/devices"), *list = NULL, *class;
	struct dirent **names;
	int nr = scandir(path, &names, NULL, alphasort), i;

	free(path);
	for (i = 0; i < nr; i++) {
		const char *name = names[i]->d_name;

		class = *name == '.' ? NULL :
			ctl_read(machine->ctl, "/sys/bus/pci/devices/%s/class", name);
		/* Bridges are always node 0's */
		if (class && strncmp(class, "0x06", 4) &&
		    !ctl_there(machine->ctl, "/sys/bus/pci/devices/%s/reset", name))
			list = list ? xasprintf("%s,%s", list, name) : xstrdup(name);
		free(class);
	}
	if (nr < 1)
		return SILENT;
	if (!list) {
		*text = xstrdup("each PCI function can be reset by itself");
		return FINE;
	}
	*text = xasprintf("no reset of their own, so a node that dies may leave them busy: %s",
			  list);
	return MAY_LACK;
}

static enum level (* const checks[])(const struct machine *machine, char **text) = {
	check_cores, check_tsc, check_encryption, check_kernel, check_active,
	check_kexec, check_permission, check_free_cores, check_free_memory,
	check_kaslr, check_iommu, check_ecam, check_reset,
};

static char *processor_flags(const struct ctl *ctl)
{
	char *text = read_or_empty(ctl, "/proc/cpuinfo"), *at, *end;

	at = strstr(text, "\nflags");
	at = at ? strchr(at, ':') : NULL;
	if (!at)
		return xstrdup("");
	end = strchr(at, '\n');
	if (end)
		*end = 0;
	return at + 1;
}

int do_check(const struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = { { "RESULT" }, { "TEXT" } };
	struct table table = {
		.name		= "check",
		.columns	= columns,
		.nr_columns	= ARRAY_SIZE(columns),
	};
	struct machine machine = { .ctl = ctl };
	int status = ST_OK;
	enum level level;
	char *text;
	size_t i;

	if (argc > 1)
		return usage("check", "'%s' is too much", argv[1]);
	machine.mint = ctl_there(ctl, MINT_DIR);
	machine.active = ctl_there(ctl, MINT_DIR "/node") &&
			 !mint_read(ctl, &machine.state);
	machine.flags = processor_flags(ctl);
	machine.cmdline = read_or_empty(ctl, "/proc/cmdline");

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		level = checks[i](&machine, &text);
		if (level == SILENT)
			continue;
		if (level == LACKS)
			status = ST_REFUSED;
		if (!ctl->json) {
			printf("%-8s %s\n", level_names[level], text);
			continue;
		}
		table_cell(&table, xstrdup(level_names[level]));
		table_cell(&table, text);
	}
	return ctl->json ? table_print(ctl, &table) ?: status : status;
}
