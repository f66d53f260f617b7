// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the kind of thing that a core is.
 *
 * Owns which cores a launch asks for and may have. Whose a core is, and how it
 * is started and stopped, is said in core/cpu.c.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include <asm/apicdef.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "kind.h"
#include "request.h"

#define CPUS_PARAM	"mint.cpus="

/* May this core go to a new node? */
static int check_core(struct request *rq, u32 apic_id, bool must)
{
	struct mint_core *core = mint_core_find(apic_id);
	const char *problem;
	u32 owner, i;
	int cpu;

	if (!core)
		return must ? mint_refuse(rq, -ENODEV,
					  "APIC ID %u does not exist: see /sys/kernel/mint/cores",
					  apic_id) : -ENODEV;
	if (apic_id == mint_layout.bsp_apic_id)
		return must ? mint_refuse(rq, -EPERM,
					  "APIC ID %u is the BSP, on which node 0 runs: choose one that /sys/kernel/mint/cores calls free",
					  apic_id) : -EPERM;
	problem = mint_apic_id_problem(apic_id);
	if (problem)
		return must ? mint_refuse(rq, -ENXIO, "APIC ID %u %s", apic_id,
					  problem) : -ENXIO;
	owner = mint_owner_of_core(core);
	cpu = mint_core_cpu(core);
	if (owner == mint_self)
		return must ? mint_refuse(rq, -EBUSY,
					  "APIC ID %u is CPU %d of node 0, which is online: echo 0 > /sys/devices/system/cpu/cpu%d/online",
					  apic_id, cpu, cpu) : -EBUSY;
	if (owner != MINT_NODE_FREE)
		return must ? mint_refuse(rq, -EBUSY,
					  "APIC ID %u is lent to node %u: end that node first or choose a free one",
					  apic_id, owner) : -EBUSY;
	for (i = 0; i < rq->nr_cores; i++)
		if (rq->cores[i] == core)
			return 0;
	rq->cores[rq->nr_cores++] = core;
	return 0;
}

/* The boot core, which is named by itself */
static int begin(struct request *rq)
{
	rq->cores = kcalloc(mint_layout.cores.count, sizeof(*rq->cores),
			    GFP_KERNEL);
	if (!rq->cores)
		return -ENOMEM;
	return check_core(rq, rq->handover.boot_apic_id, true);
}

static int parse(struct request *rq, const struct mint_token *word)
{
	u32 first, last, id;
	int err;

	if (mint_token_cpus(word, &first, &last) ||
	    last - first >= MAX_LOCAL_APIC)
		return MINT_WORD_FOREIGN;
	for (id = first; id <= last; id++) {
		err = check_core(rq, id, true);
		if (err)
			return err;
	}
	return 0;
}

/*
 * The papers' rule (Mint, fast boot, 3.3): the boot core and, with maxcpus=,
 * as many in all, free ones in ascending order of APIC IDs, none below the
 * boot core. mint.cpus= names them one by one instead.
 */
static int check(struct request *rq)
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
		if (mint_apic_id(core) > boot && rq->nr_cores < wanted)
			check_core(rq, mint_apic_id(core), false);
	if (rq->nr_cores < wanted)
		return mint_refuse(rq, -EBUSY,
				   "maxcpus=%u asks for %u cores from APIC ID %u on, %u are free: end a node, take CPUs of node 0 offline or lower maxcpus=",
				   wanted, wanted, boot, rq->nr_cores);
	return 0;
}

/* CPU hotplug of node 0 takes cores without the lock of launches */
static int claim_cores(struct request *rq, struct mint_claim *claim)
{
	u32 i, owner;

	for (i = 0; i < rq->nr_cores; i++) {
		owner = mint_core_take(rq->cores[i], claim->n);
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
		mint_core_drop(core, claim->n);
}

static u32 owner_of(u32 index, u32 *id)
{
	struct mint_core *core = mint_core(index);

	*id = mint_apic_id(core);
	return mint_owner_of_core(core);
}

static ssize_t show(char *buf)
{
	int len = mint_show_owners(buf, owner_of, mint_layout.cores.count);

	return len + sysfs_emit_at(buf, len, "bsp: %u\n", mint_layout.bsp_apic_id);
}

static int show_node(char *buf, int at, u32 n, const char *suffix)
{
	return mint_show_list(buf, at, owner_of, mint_layout.cores.count, n, "");
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
};
