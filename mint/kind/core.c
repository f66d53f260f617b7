// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a core is.
 *
 * Owns which cores a launch asks for and may have, and what moves with a core
 * between running nodes. Whose a core is, and how it is started and stopped, is
 * said in core/cpu.c.
 */

#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/device/bus.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include <asm/apicdef.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

#define CPUS_PARAM	"mint.cpus="

/* CPU hotplug is switched off for so long at most, else it is refused */
#define BUSY_BOUND_MS	2000

static DECLARE_WAIT_QUEUE_HEAD(probe_wait);
static atomic_t probes;		/* counts probes by PCI drivers that are over */

static void add_core(struct mint_kexec *rq, struct mint_core *core)
{
	u32 i;

	for (i = 0; i < rq->nr_cores; i++)
		if (rq->cores[i] == core)
			return;
	rq->cores[rq->nr_cores++] = core;
}

/* A core that was named: it goes to the new node, or the launch is refused */
static int check_core(struct mint_kexec *rq, u32 apic_id)
{
	struct mint_core *core = mint_core_find(apic_id);
	const char *problem;
	u32 owner;
	int cpu;

	if (!core)
		return mint_refuse(rq, -ENODEV,
				   "APIC ID %u does not exist: see /sys/kernel/mint/cores",
				   apic_id);
	if (apic_id == mint_layout.bsp_apic_id)
		return mint_refuse(rq, -EPERM,
				   "APIC ID %u is the BSP, on which node 0 runs: choose one that /sys/kernel/mint/cores calls free",
				   apic_id);
	problem = mint_apic_id_problem(apic_id);
	if (problem)
		return mint_refuse(rq, -ENXIO, "APIC ID %u %s", apic_id, problem);
	owner = mint_owner_of_core(core);
	cpu = mint_core_cpu(core);
	if (owner == mint_self)
		return mint_refuse(rq, -EBUSY,
				   "APIC ID %u is CPU %d of node 0, which is online: echo 0 > /sys/devices/system/cpu/cpu%d/online",
				   apic_id, cpu, cpu);
	if (owner == MINT_NODE_FLIGHT)
		return mint_refuse(rq, -EBUSY,
				   "APIC ID %u is changing hands: see /sys/kernel/mint/moves",
				   apic_id);
	if (owner != MINT_NODE_FREE)
		return mint_refuse(rq, -EBUSY,
				   "APIC ID %u is lent to node %u: end that node first or choose a free one",
				   apic_id, owner);
	add_core(rq, core);
	return 0;
}

/* May a core that nobody has named go to the new node? */
static bool is_free(const struct mint_core *core)
{
	u32 apic_id = mint_apic_id(core);

	return apic_id != mint_layout.bsp_apic_id && !mint_apic_id_problem(apic_id) &&
	       mint_owner_of_core(core) == MINT_NODE_FREE;
}

/* The boot core, which is named by itself */
static int begin(struct mint_kexec *rq)
{
	rq->cores = kcalloc(mint_layout.cores.count, sizeof(*rq->cores),
			    GFP_KERNEL);
	if (!rq->cores)
		return -ENOMEM;
	return check_core(rq, rq->handover.boot_apic_id);
}

static int parse(struct mint_kexec *rq, const struct mint_token *word)
{
	u32 first, last, id;
	int err;

	if (mint_token_cpus(word, &first, &last) ||
	    last - first >= MAX_LOCAL_APIC)
		return MINT_WORD_FOREIGN;
	for (id = first; id <= last; id++) {
		err = check_core(rq, id);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Without mint.cpus=, which names cores one by one: the boot core and, with
 * maxcpus=, free cores above it in ascending order of APIC IDs, so many in all.
 */
static int check(struct mint_kexec *rq)
{
	u32 boot = rq->handover.boot_apic_id, i;
	struct mint_token value;
	struct mint_core *core;
	unsigned int wanted;
	char buf[12];

	if (mint_param_find(rq->cmdline, CPUS_PARAM, &value) ||
	    !mint_param_find(rq->cmdline, "maxcpus=", &value))
		return 0;
	snprintf(buf, sizeof(buf), "%.*s", value.len, value.text);
	if (kstrtouint(buf, 0, &wanted) || !wanted)
		return mint_refuse(rq, -EINVAL,
				   "maxcpus=: '%.*s' is not a number of cores from 1 on",
				   value.len, value.text);
	for (i = 0; (core = mint_core(i)); i++)
		if (mint_apic_id(core) > boot && rq->nr_cores < wanted && is_free(core))
			add_core(rq, core);
	if (rq->nr_cores < wanted)
		return mint_refuse(rq, -EBUSY,
				   "maxcpus=%u asks for %u cores from APIC ID %u on, %u are free: end a node, take CPUs of node 0 offline or lower maxcpus=",
				   wanted, wanted, boot, rq->nr_cores);
	return 0;
}

/* CPU hotplug of node 0 takes cores without the lock of launches */
static int claim_cores(struct mint_kexec *rq, struct mint_claim *claim)
{
	u32 i, owner;

	for (i = 0; i < rq->nr_cores; i++) {
		owner = mint_core_claim(rq->cores[i], claim->n);
		if (owner == MINT_NODE_FLIGHT)
			return mint_refuse(rq, -EBUSY,
					   "APIC ID %u is changing hands: see /sys/kernel/mint/moves",
					   mint_apic_id(rq->cores[i]));
		if (owner != claim->n)
			return mint_refuse(rq, -EBUSY,
					   "APIC ID %u was just taken by node %u: take it offline there",
					   mint_apic_id(rq->cores[i]), owner);
		WRITE_ONCE(rq->cores[i]->state, MINT_CORE_UNUSED);
	}
	return 0;
}

static void set_free(struct mint_claim *claim)
{
	struct mint_core *core;
	u32 i;

	for (i = 0; (core = mint_core(i)); i++)
		mint_core_set_free(core, claim->n);
}

static u32 owner_of(u32 index, u32 *id)
{
	struct mint_core *core = mint_core(index);

	*id = mint_apic_id(core);
	return mint_owner_of_core(core);
}

static void show(struct seq_file *m)
{
	mint_show_owners(m, owner_of, mint_layout.cores.count);
	seq_printf(m, "bsp: %u\n", mint_layout.bsp_apic_id);
}

static void show_node(struct seq_file *m, u32 n, const char *suffix)
{
	mint_show_list(m, owner_of, mint_layout.cores.count, n, "");
}

/* May the owner of a core do without it? */
static int check_leaves(struct mint_transfer *t, u32 apic_id)
{
	const struct mint_node *node;

	if (apic_id == mint_layout.bsp_apic_id)
		return mint_transfer_refuse(t, -EPERM,
					    "APIC ID %u is the BSP, on which node 0 runs: move another core",
					    apic_id);
	node = t->from == MINT_NODE_FREE || t->from == mint_self ? NULL :
	       mint_claim(t->from);
	if (node && (apic_id == node->boot_apic_id ||
		     apic_id == READ_ONCE(mint_node(t->from)->boot_apic_id)))
		return mint_transfer_refuse(t, -EPERM,
					    "APIC ID %u is the boot core of node %u: move another one, or end the node",
					    apic_id, t->from);
	return 0;
}

/* Can the kernel of the receiver start it? */
static int check_arrives(struct mint_transfer *t, const struct mint_core *core)
{
	u32 apic_id = mint_apic_id(core);
	const unsigned long *row;
	const char *problem;

	if (t->to == MINT_NODE_FREE)
		return 0;
	problem = mint_apic_id_problem(apic_id);
	if (problem)
		return mint_transfer_refuse(t, -ENXIO, "APIC ID %u %s", apic_id,
					    problem);
	if (apic_id > MINT_DEVICE_APIC_ID_MAX && t->to != mint_self &&
	    mint_pins_can_interrupt(t->to))
		return mint_transfer_refuse(t, -ENXIO,
					    "APIC ID %u cannot be interrupted by the devices of node %u, which name IDs up to %u: take those from it first",
					    apic_id, t->to, MINT_DEVICE_APIC_ID_MAX);
	row = mint_spares(t->to);
	if (row && !test_bit(mint_core_index(core), row))
		return mint_transfer_refuse(t, -ENOSPC,
					    "APIC ID %u has no CPU number in node %u: %s",
					    apic_id, t->to, t->to == mint_self ?
					    "boot node 0 without nr_cpus=" :
					    "launch it with mint.spare= that names it");
	return 0;
}

static int plan_one(struct mint_transfer *t, u32 apic_id, bool first)
{
	struct mint_core *core = mint_core_find(apic_id);
	u32 owner;
	int err;

	if (!core)
		return mint_transfer_refuse(t, -ENODEV,
					    "APIC ID %u does not exist: see /sys/kernel/mint/cores",
					    apic_id);
	owner = mint_owner_of_core(core);
	if (owner == MINT_NODE_FLIGHT)
		return mint_transfer_refuse(t, -EBUSY,
					    "APIC ID %u is changing hands: see /sys/kernel/mint/moves",
					    apic_id);
	if (first)
		t->from = owner;
	if (owner != t->from)
		return mint_transfer_refuse(t, -EXDEV,
					    "APIC IDs %llu and %u have not the same owner: name each, as %llu-%llu",
					    t->start, apic_id, t->start, t->start);
	err = check_leaves(t, apic_id);
	return err ?: check_arrives(t, core);
}

/* A number is a core with all of its threads; a range is what it names */
static int plan(struct mint_transfer *t, const struct mint_token *word)
{
	u32 first, last, id, threads;
	int err = 0;

	if (mint_token_cpus(word, &first, &last) || last >= MAX_LOCAL_APIC)
		return mint_transfer_refuse(t, -EINVAL,
					    "'%.*s' is not <APIC ID>[-<APIC ID>]",
					    word->len, word->text);
	t->start = first;
	if (first == last && !memchr(word->text, '-', word->len)) {
		threads = mint_core_siblings(first, &first);
		for (last = first + threads - 1; last > t->start; last--)
			if (mint_core_find(last))
				break;
		while (first < t->start && !mint_core_find(first))
			first++;
		t->start = first;
	}
	t->size = last - first + 1;
	if (t->size > BITS_PER_TYPE(t->memo))
		return mint_transfer_refuse(t, -E2BIG,
					    "'%.*s' is more than %zu cores: move them in parts",
					    word->len, word->text,
					    BITS_PER_TYPE(t->memo));
	for (id = first; id <= last && !err; id++)
		err = plan_one(t, id, id == first);
	return err;
}

/* The record of the @i-th, NULL for what a scribbled request may name */
static struct mint_core *core_of(const struct mint_transfer *t, u64 i)
{
	u64 id = t->start + i;

	return i < BITS_PER_TYPE(t->memo) && id < MAX_LOCAL_APIC ?
	       mint_core_find(id) : NULL;
}

static int refuse_arrival(struct mint_transfer *t, u32 apic_id, int err)
{
	if (err == -ENODEV)
		return mint_transfer_refuse(t, err,
					    "APIC ID %u is not spare in node %u: launch it with mint.spare= that names it",
					    apic_id, mint_self);
	return mint_transfer_refuse(t, err,
				    "APIC ID %u does not come up in node %u: see its log",
				    apic_id, mint_self);
}

/* A probe of a PCI driver keeps all CPUs as they are while it lasts */
static int try_step(int (*step)(struct mint_core *core), struct mint_core *core,
		    unsigned long bound)
{
	int seen, err;
	long left;

	for (;;) {
		seen = atomic_read(&probes);
		err = step(core);
		left = bound - jiffies;
		if (err != -EBUSY || left <= 0)
			return err;
		wait_event_timeout(probe_wait, atomic_read(&probes) != seen, left);
	}
}

/* Bring those of @which online here; none of the others is touched */
static int arrive(struct mint_transfer *t, u64 which)
{
	unsigned long bound = jiffies + msecs_to_jiffies(BUSY_BOUND_MS);
	struct mint_core *core;
	int err, first_err = 0;
	u64 i;

	for (i = 0; i < t->size && (core = core_of(t, i)); i++) {
		if (mint_role == MINT_SUCCESSOR)
			mint_core_set_own(core, true);
		err = which & BIT_ULL(i) ? try_step(mint_core_arrive, core, bound) : 0;
		if (err && !first_err)
			first_err = refuse_arrival(t, mint_apic_id(core), err);
	}
	return first_err;
}

/* The lock waits for a start that mint_kick_ap() has let through before */
static bool runs_here(int cpu)
{
	bool online;

	if (cpu < 0)
		return false;
	cpus_read_lock();
	online = cpu_online(cpu);
	cpus_read_unlock();
	return online;
}

/* Take all of them offline here; those that were online stand in @memo */
static int leave(struct mint_transfer *t)
{
	unsigned long bound = jiffies + msecs_to_jiffies(BUSY_BOUND_MS);
	struct mint_core *core;
	int err = 0;
	u64 i;

	for (i = 0; i < t->size && !err; i++) {
		core = core_of(t, i);
		if (!core) {
			t->size = i;
			return -ENODEV;
		}
		/* From here on nobody brings it online again */
		if (mint_role == MINT_SUCCESSOR)
			mint_core_set_own(core, false);
		if (!runs_here(mint_core_cpu(core)))
			continue;
		t->memo |= BIT_ULL(i);
		err = try_step(mint_core_leave, core, bound);
	}
	if (err == -EBUSY)
		mint_transfer_refuse(t, err,
				     "APIC ID %llu does not go offline in node %u: a task with a deadline or the timekeeper needs it",
				     t->start + i - 1, mint_self);
	else if (err)
		mint_transfer_refuse(t, err,
				     "APIC ID %llu does not go offline in node %u: see its log",
				     t->start + i - 1, mint_self);
	return err;
}

/* In a successor nothing of a transfer was checked */
static int check_own(struct mint_transfer *t)
{
	struct mint_core *core;
	u64 i;

	for (i = 0; i < t->size; i++) {
		core = core_of(t, i);
		if (!core || mint_owner_of_core(core) != mint_self)
			return mint_transfer_refuse(t, -ESRCH,
						    "APIC ID %llu is not node %u's any more",
						    t->start + i, mint_self);
		if (!mint_core_cpu(core))
			return mint_transfer_refuse(t, -EPERM,
						    "APIC ID %llu is the boot core of node %u: move another one, or end the node",
						    t->start + i, mint_self);
	}
	return 0;
}

/*
 * Has node 0 written that they are this node's? If node 0 is dead their records still
 * say the giver, or in flight: this node then writes itself there.
 */
static int check_received(struct mint_transfer *t)
{
	bool orphan = mint_state(0) == MINT_STATE_PANICKED;
	struct mint_core *core;
	u32 owner;
	u64 i;

	for (i = 0; i < t->size; i++) {
		core = core_of(t, i);
		owner = core ? READ_ONCE(core->owner) : MINT_NODE_FREE;
		if (!core || (owner != mint_self &&
			      !(orphan && (owner == t->from ||
					   owner == MINT_NODE_FLIGHT))))
			return mint_transfer_refuse(t, -ESRCH,
						    "APIC ID %llu is not node %u's",
						    t->start + i, mint_self);
	}
	for (i = 0; orphan && i < t->size; i++)
		WRITE_ONCE(core_of(t, i)->owner, mint_self);
	return 0;
}

/* In a successor nothing was checked before. @memo: what leave() has begun with */
static int give(struct mint_transfer *t)
{
	int err;

	t->memo = 0;
	if (mint_role == MINT_PREDECESSOR)
		return leave(t);
	err = check_own(t);
	if (err) {
		/* Nothing was begun, so there is nothing for keep() to undo */
		t->size = 0;
		return err;
	}
	return leave(t);
}

/*
 * The book says that these cores are node 0's. What is offline in node 0 is free: so
 * are those that did not come online again, or that somebody took offline meanwhile.
 */
static void drop_offline(const struct mint_transfer *t)
{
	struct mint_core *core;
	int cpu;
	u64 i;

	cpus_read_lock();
	for (i = 0; i < t->size && (core = core_of(t, i)); i++) {
		cpu = mint_core_cpu(core);
		if (cpu < 0 || !cpu_online(cpu))
			mint_core_set_free(core, mint_self);
	}
	cpus_read_unlock();
}

/* What was offline before stays so, as all that was free */
static int keep(struct mint_transfer *t)
{
	int err = arrive(t, t->memo);

	if (mint_role == MINT_PREDECESSOR)
		drop_offline(t);
	return err;
}

/* A core's record is only its owner's word: the core is reset, and has to park */
static int clear(struct mint_transfer *t)
{
	struct mint_core *core;
	int err;
	u64 i;

	for (i = 0; i < t->size; i++) {
		core = core_of(t, i);
		if (core && runs_here(mint_core_cpu(core)))
			return mint_transfer_refuse(t, -EBUSY,
						    "APIC ID %llu still runs node %u",
						    t->start + i, mint_self);
		err = core ? mint_core_prove(core) : -ENODEV;
		if (err)
			return mint_transfer_refuse(t, err,
						    "APIC ID %llu cannot be proven parked",
						    t->start + i);
	}
	return 0;
}

/*
 * Would the receiver have a core that its devices cannot interrupt? plan() has refused
 * that, but a function may have come to the receiver since.
 */
static bool beyond_devices(const struct mint_transfer *t, u32 to)
{
	return to == t->to && mint_is_successor(to) &&
	       t->start + t->size - 1 > MINT_DEVICE_APIC_ID_MAX &&
	       mint_pins_can_interrupt(to);
}

static bool hand(struct mint_transfer *t, u32 from, u32 to)
{
	struct mint_core *core;
	u64 i;

	if (beyond_devices(t, to))
		return false;
	for (i = 0; i < t->size; i++) {
		core = core_of(t, i);
		if (core && mint_core_hand(core, from, to))
			continue;
		while (i--)
			mint_core_hand(core_of(t, i), to, from);
		return false;
	}
	return true;
}

static int take(struct mint_transfer *t)
{
	struct mint_transfer undo = *t;
	int err = mint_role == MINT_SUCCESSOR ? check_received(t) : 0;
	u64 i;

	if (err)
		return err;
	err = arrive(t, U64_MAX);
	if (!err || !leave(&undo))
		return err;
	/*
	 * One of them runs here and stays: INIT must not meet it. The book says that
	 * all are this node's, and so it is; those that are offline can be brought
	 * online like any CPU.
	 */
	pr_err("%s\n", undo.reason);
	for (i = 0; i < t->size && mint_role == MINT_SUCCESSOR; i++)
		mint_core_set_own(core_of(t, i), true);
	return 0;
}

const struct mint_kind mint_kind_core = {
	.file		= "cores",
	.node_file	= "cpus",
	.param		= CPUS_PARAM,
	.syntax		= "<APIC ID>[-<APIC ID>]",
	.begin		= begin,
	.parse		= parse,
	.check		= check,
	.claim		= claim_cores,
	.set_free	= set_free,
	.show		= show,
	.show_node	= show_node,
	.move		= MINT_MOVE_CORE,
	.word		= "core",
	.proves		= true,
	.plan		= plan,
	.give		= give,
	.keep		= keep,
	.clear		= clear,
	.hand		= hand,
	.take		= take,
};

#ifdef CONFIG_PCI
static int on_probe(struct notifier_block *nb, unsigned long what, void *dev)
{
	if (what == BUS_NOTIFY_BOUND_DRIVER || what == BUS_NOTIFY_DRIVER_NOT_BOUND) {
		atomic_inc(&probes);
		wake_up(&probe_wait);
	}
	return NOTIFY_DONE;
}

static struct notifier_block probe_block = {
	.notifier_call	= on_probe,
};

/* The bus is there since its postcore_initcall */
static int __init mint_kind_core_init(void)
{
	return mint_own_node() ? bus_register_notifier(&pci_bus_type, &probe_block) : 0;
}
device_initcall(mint_kind_core_init);
#endif
