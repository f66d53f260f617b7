// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: break this node on request, for tests.
 *
 * Owns /sys/kernel/debug/mint/provoke. Each word written there makes this
 * kernel fail in one of the ways that the others have to survive:
 *
 *	oops			a task dies of a bad access
 *	warn			the kernel complains, and runs on
 *	hang <CPU>..		these CPUs spin with interrupts off
 *	nmi <CPU>..		these CPUs spin where no NMI reaches them
 *	scribble <seed> <n>	n random words over all that this node may write
 *				in the common area, and in windows
 *	rot <seed> <n>		the same, in windows only
 *	map <0|1>		1: all of the memory map in the common area is free
 *				RAM; 0: it is what it was
 *	hold <lock> <ms>	have a lock for so long, interrupts off; 0: until
 *				the node ends
 *	die <lock>		this core parks and takes the lock with it
 *	nuls <n>		n records of the kernel log with a NUL in each
 *	deface <APIC ID>	make the gateway blind for a core, which may be
 *				another node's, until this node ends; it has to
 *				stand behind a core of this node in the table
 *	forge <APIC ID>		the same, and claim all the time that it is parked
 *	erase			node 0's record says that it owns nothing
 *	move <turn> <way>	panic, hang or reboot when this node is about to
 *				change a move to that MINT_TURN_*; wait: until
 *				the next word "move", for a minute at the most
 *	disown			write for the other member of each link of this node that
 *				it has left the window
 *	tug <node>		ring it at all shares, without a bell: the interrupt is
 *				lost
 *	pause <ms>		this CPU has interrupts off for so long; in node 0,
 *				too
 *
 * Kernel failures that have nothing to do with Mint are lkdtm's business.
 */

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/nmi.h>
#include <linux/prandom.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <asm/apic.h>
#include <asm/e820/types.h>
#include <asm/tsc.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../link/link.h"
#include "../move/move.h"
#include "life.h"

#define PAUSE_MS_MAX	60000

static cpumask_t deaf;

static int provoke_oops(char *args)
{
	int *nothing = (int *)16;	/* nobody maps the first page */

	OPTIMIZER_HIDE_VAR(nothing);
	WRITE_ONCE(*nothing, 1);
	return 0;
}

static int provoke_warn(char *args)
{
	WARN(1, "mint: provoked\n");
	return 0;
}

static void spin(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static int parse_cpus(char *args, cpumask_t *mask)
{
	return args ? cpulist_parse(strim(args), mask) : -EINVAL;
}

/* The others first: this one does not come back */
static int on_cpus(const cpumask_t *mask, smp_call_func_t fn)
{
	unsigned int cpu, self = get_cpu();

	for_each_cpu_and(cpu, mask, cpu_online_mask)
		if (cpu != self)
			smp_call_function_single(cpu, fn, NULL, 0);
	if (cpumask_test_cpu(self, mask))
		fn(NULL);
	put_cpu();
	return 0;
}

static int provoke_hang(char *args)
{
	cpumask_t mask;

	return parse_cpus(args, &mask) ?: on_cpus(&mask, spin);
}

static int deaf_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!cpumask_test_cpu(smp_processor_id(), &deaf))
		return NMI_DONE;
	spin(NULL);
	return NMI_HANDLED;
}

static void nmi_to_self(void *unused)
{
	apic_icr_write(APIC_DM_NMI, read_apic_id());
}

static int provoke_nmi(char *args)
{
	return parse_cpus(args, &deaf) ?: on_cpus(&deaf, nmi_to_self);
}

/* A part of the common area that this node may write */
struct target {
	void	*addr;
	size_t	size;
};

static u32 add_target(struct target *targets, u32 count, void *addr, size_t size)
{
	if (!addr || count == 64)
		return count;
	targets[count].addr = addr;
	targets[count].size = size;
	return count + 1;
}

static u32 find_targets(struct target *targets)
{
	struct mint_core *core;
	u32 i, size, count = 0;
	void *data;

	count = add_target(targets, count, mint_own_node(),
			   sizeof(struct mint_node));
	for (i = 0; i < MINT_RING_COUNT; i++) {
		count = add_target(targets, count,
				   mint_ring(mint_self, i, &data, &size),
				   sizeof(struct mint_ring));
		count = add_target(targets, count, data, size);
	}
	for (i = 0; (core = mint_core(i)); i++)
		if (mint_owner_of_core(core) == mint_self)
			count = add_target(targets, count, core, sizeof(*core));
	count = add_target(targets, count, mint_move(0),
			   mint_layout.moves.stride * mint_layout.moves.count);
	count = add_target(targets, count, mint_peer(mint_self),
			   sizeof(struct mint_peer));
	count = add_target(targets, count, mint_load(mint_self),
			   sizeof(struct mint_load));
	count = add_target(targets, count, mint_spares(mint_self),
			   mint_layout.spares.stride);
	for (i = 0; mint_link_part(i, &data, &size); i++)
		count = add_target(targets, count, data, size);
	/* Anybody rings anybody at a share */
	size = mint_layout.share_rings.stride * mint_layout.share_rings.count;
	if (size)
		count = add_target(targets, count, mint_share_rings(0), size);
	count = add_target(targets, count, &mint_common->ioapic_lock,
			   sizeof(struct mint_lock));
	return add_target(targets, count, &mint_common->pci_lock,
			  sizeof(struct mint_lock));
}

/* Half of the words are such as a reader may take for sound */
static u32 nasty(struct rnd_state *rnd)
{
	static const u32 words[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 64, 0x7fffffff, 0x80000000,
		MINT_NODE_FREE, MINT_NODE_FLIGHT, MINT_MAGIC,
	};
	u32 random = prandom_u32_state(rnd);

	return random & 1 ? words[(random >> 8) % ARRAY_SIZE(words)] :
			    prandom_u32_state(rnd);
}

static u32 find_windows(struct target *targets)
{
	u32 i, size, count = 0;
	void *addr;

	for (i = 0; mint_link_part(i, &addr, &size); i++)
		count = add_target(targets, count, addr, size);
	return count;
}

static int scribble(char *args, u32 (*find)(struct target *targets))
{
	struct target targets[64], *t;
	struct rnd_state rnd;
	u64 seed, writes;
	u32 count;

	if (!args || sscanf(args, "%llu %llu", &seed, &writes) != 2)
		return -EINVAL;
	count = find(targets);
	if (!count)
		return -ENODEV;
	prandom_seed_state(&rnd, seed);
	while (writes--) {
		t = &targets[prandom_u32_state(&rnd) % count];
		((u32 *)t->addr)[prandom_u32_state(&rnd) % (t->size / 4)] =
			nasty(&rnd);
		cond_resched();
	}
	return 0;
}

static int provoke_scribble(char *args)
{
	return scribble(args, find_targets);
}

static int provoke_rot(char *args)
{
	return scribble(args, find_windows);
}

static int provoke_map(char *args)
{
	const struct mint_table *table = &mint_layout.map;
	struct mint_map *map;
	u32 i;

	if (!args)
		return -EINVAL;
	for (i = 0; i < table->count; i++) {
		map = (void *)mint_common + table->offset + i * table->stride;
		*map = *mint_firmware_map(i);
		if (*args == '1') {
			map->type = E820_TYPE_RAM;
			map->flags = 0;
		}
	}
	return 0;
}

static const char * const lock_names[] = {
	[MINT_LOCK_IOAPIC]	= "ioapic",
	[MINT_LOCK_PCI]		= "pci",
};

static int provoke_hold(char *args)
{
	char *name = args ? strsep(&args, " ") : NULL;
	unsigned long flags;
	u64 begin;
	int lock;
	u32 ms;

	if (!args || kstrtou32(strim(args), 0, &ms))
		return -EINVAL;
	lock = match_string(lock_names, ARRAY_SIZE(lock_names), name);
	if (lock < 0)
		return lock;
	flags = mint_lock(lock);
	if (!ms)
		spin(NULL);
	begin = rdtsc_ordered();
	while (rdtsc_ordered() - begin < (u64)tsc_khz * ms)
		cpu_relax();
	touch_softlockup_watchdog();
	mint_unlock(lock, flags);
	return 0;
}

static int provoke_die(char *args)
{
	int lock = args ? match_string(lock_names, ARRAY_SIZE(lock_names),
				       strim(args)) : -EINVAL;

	if (lock < 0)
		return lock;
	mint_lock(lock);
	disable_local_APIC();
	mint_park();
	return 0;
}

static int provoke_nuls(char *args)
{
	u32 i, count;

	if (!args || kstrtou32(strim(args), 0, &count))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		pr_info("nul %u ..............................%c\n", i, '\0');
		cond_resched();
	}
	return 0;
}

/*
 * The gateway goes by the first record with a core's APIC ID: now this node's own, in
 * which nothing is published, so the core halts. Node 0 writes the ID again when it has
 * this node's core parked.
 */
static struct mint_core *blind(char *args)
{
	struct mint_core *core, *own;
	u32 apic_id, i;

	if (!args || kstrtou32(strim(args), 0, &apic_id))
		return ERR_PTR(-EINVAL);
	core = mint_core_find(apic_id);
	if (!core)
		return ERR_PTR(-ENODEV);
	for (i = 0; i < mint_core_index(core); i++) {
		own = mint_core(i);
		if (mint_owner_of_core(own) != mint_self)
			continue;
		WRITE_ONCE(own->apic_id, apic_id);
		return core;
	}
	return ERR_PTR(-ERANGE);
}

static int provoke_deface(char *args)
{
	return PTR_ERR_OR_ZERO(blind(args));
}

static int forge(void *data)
{
	struct mint_core *core = data;

	for (;;) {
		WRITE_ONCE(core->state, MINT_CORE_PARKED);
		cond_resched();
	}
	return 0;
}

static int provoke_forge(char *args)
{
	struct mint_core *core = blind(args);

	if (IS_ERR(core))
		return PTR_ERR(core);
	return PTR_ERR_OR_ZERO(kthread_run(forge, core, "mint_forge"));
}

static int provoke_erase(char *args)
{
	struct mint_node *node = mint_node(0);

	WRITE_ONCE(node->nr_mem, 0);
	WRITE_ONCE(node->legacy, 0);
	memset(node->mem, 0, sizeof(node->mem));
	return 0;
}

/* A turn that is held stays so for no longer than that */
#define HOLD_MS_MAX	60000

static u32 move_turn;
static char move_way[16];
static DECLARE_WAIT_QUEUE_HEAD(turn_wait);

/* In the middle of a transfer, with its locks held */
static void end_at_turn(u32 turn)
{
	if (turn != READ_ONCE(move_turn))
		return;
	pr_notice("provoked at turn %u: %s\n", turn, move_way);
	if (!strcmp(move_way, "panic"))
		panic("mint: provoked at turn %u", turn);
	if (!strcmp(move_way, "reboot"))
		emergency_restart();
	if (!strcmp(move_way, "wait"))
		wait_event_timeout(turn_wait, READ_ONCE(move_turn) != turn,
				   msecs_to_jiffies(HOLD_MS_MAX));
	else
		on_cpus(cpu_online_mask, spin);
}

static int provoke_move(char *args)
{
	if (!args || sscanf(args, "%u %15s", &move_turn, move_way) != 2)
		return -EINVAL;
	wake_up_all(&turn_wait);
	mint_turn_listen(end_at_turn);
	return 0;
}

static int provoke_disown(char *args)
{
	mint_links_disown();
	return 0;
}

static int provoke_tug(char *args)
{
	u64 *rings;
	u32 n;

	if (!args || kstrtou32(strim(args), 0, &n))
		return -EINVAL;
	rings = mint_share_rings(n);
	if (!rings)
		return -ENODEV;
	WRITE_ONCE(*rings, U64_MAX);
	return 0;
}

static int provoke_pause(char *args)
{
	unsigned long flags;
	unsigned int ms;

	if (!args || kstrtouint(strim(args), 0, &ms) || ms > PAUSE_MS_MAX)
		return -EINVAL;
	local_irq_save(flags);
	while (ms--)
		mdelay(1);
	local_irq_restore(flags);
	return 0;
}

static const struct {
	const char	*word;
	int		(*fn)(char *args);
} provocations[] = {
	{ "oops",	provoke_oops },
	{ "warn",	provoke_warn },
	{ "hang",	provoke_hang },
	{ "nmi",	provoke_nmi },
	{ "scribble",	provoke_scribble },
	{ "rot",	provoke_rot },
	{ "map",	provoke_map },
	{ "hold",	provoke_hold },
	{ "die",	provoke_die },
	{ "nuls",	provoke_nuls },
	{ "deface",	provoke_deface },
	{ "forge",	provoke_forge },
	{ "erase",	provoke_erase },
	{ "move",	provoke_move },
	{ "disown",	provoke_disown },
	{ "tug",	provoke_tug },
	{ "pause",	provoke_pause },
};

static ssize_t provoke_write(struct file *file, const char __user *from,
			     size_t count, loff_t *pos)
{
	char buf[64], *args = buf, *word;
	int i, err = -EINVAL;

	if (count >= sizeof(buf))
		return -E2BIG;
	if (copy_from_user(buf, from, count))
		return -EFAULT;
	buf[count] = '\0';
	word = strsep(&args, "\n ");
	for (i = 0; i < ARRAY_SIZE(provocations); i++)
		if (!strcmp(word, provocations[i].word) &&
		    (mint_successor() || provocations[i].fn == provoke_pause))
			err = provocations[i].fn(args);
	return err ?: count;
}

static const struct file_operations provoke_fops = {
	.open	= simple_open,
	.write	= provoke_write,
};

/* Node 0 is the one that has to survive: all that it does is to pause */
static int __init mint_provoke_init(void)
{
	if (!mint_own_node())
		return 0;
	debugfs_create_file("provoke", 0200, mint_debugfs(), NULL, &provoke_fops);
	if (mint_role != MINT_SUCCESSOR)
		return 0;
	return register_nmi_handler(NMI_LOCAL, deaf_nmi, NMI_FLAG_FIRST,
				    "mint_provoke");
}
late_initcall(mint_provoke_init);
