// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: from kexec_load() to a running node.
 *
 * Owns the launch: a request is read, checked, claimed, put in place and
 * started, in this order. Whatever is refused is refused before anything was
 * claimed, with one line that names the resource, who has it and what to do;
 * whatever fails later gives back all that was claimed.
 *
 *   mint_kexec_load()
 *     serve()
 *       load()		mint_image_check(); check_and_claim():
 *			mint_kinds_check(), mint_kinds_claim(); then
 *			mint_kinds_lend(), mint_image_write()
 *       start()	send the boot core through the gateway
 *
 * Launches wait for each other while they decide what is free, not while they
 * copy or start.
 */

#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/mint.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/e820/api.h>
#include <asm/e820/types.h>
#include <asm/tsc.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../kind/kind.h"
#include "../life/life.h"
#include "launch.h"

#define BOOT_MAX_E820		E820_MAX_ENTRIES_ZEROPAGE

/*
 * Node whose boot core is @apic_id and which is loaded, locked; NULL if there is
 * none.
 */
static struct mint_claim *find_loaded(u32 apic_id)
{
	const struct mint_node *node;
	struct mint_claim *claim;
	u32 n;

	for (n = 1; mint_node(n); n++) {
		node = mint_claim(n);
		if (!node || node->boot_apic_id != apic_id ||
		    mint_state(n) != MINT_STATE_LOADED)
			continue;
		claim = mint_claim_trylock(n);
		if (claim && claim->used && claim->node.boot_apic_id == apic_id &&
		    claim->node.state == MINT_STATE_LOADED)
			return claim;
		if (claim)
			mint_claim_unlock(claim);
	}
	return NULL;
}

static int add_e820(struct boot_params *params, u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *last = NULL;

	if (params->e820_entries)
		last = &params->e820_table[params->e820_entries - 1];
	if (last && last->type == type && last->addr + last->size == start) {
		last->size += end - start;
		return 0;
	}
	if (params->e820_entries == BOOT_MAX_E820)
		return -ENOSPC;
	last = &params->e820_table[params->e820_entries++];
	last->addr = start;
	last->size = end - start;
	last->type = type;
	return 0;
}

/* A range of the map; what is kept for a reboot is not for the kernel's use */
static int add_part(struct mint_kexec *rq, u64 start, u64 end, u32 type)
{
	u64 from = clamp(rq->keep.start, start, end);
	u64 to = clamp(rq->keep.start + rq->keep.size, from, end);
	int err = 0;

	if (type != E820_TYPE_RAM || from == to)
		return add_e820(&rq->params, start, end, type);
	if (start < from)
		err = add_e820(&rq->params, start, from, type);
	err = err ?: add_e820(&rq->params, from, to, E820_TYPE_RESERVED);
	if (to < end)
		err = err ?: add_e820(&rq->params, to, end, type);
	return err;
}

/*
 * The memory map of the new node alone: what it owns is RAM, everything else
 * that the firmware named is reserved, so that nothing is put there. What it is
 * to add by itself is reserved, too.
 */
static int fill_e820(struct mint_kexec *rq)
{
	phys_addr_t pos = 0, next;
	const char *what;
	bool ram;
	u32 i, n;

	rq->params.e820_entries = 0;
	for (;; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (!next)
			return 0;
		ram = n == rq->number;
		for (i = 0; i < rq->nr_movable; i++)
			ram &= !mint_range_border(&rq->movable[i], pos, &next);
		if (what && add_part(rq, pos, next, ram ? E820_TYPE_RAM :
				     E820_TYPE_RESERVED))
			return mint_refuse(rq, -ENOSPC,
					   "the memory map takes more than %u entries: use fewer ranges",
					   (u32)BOOT_MAX_E820);
	}
}

static int refuse_leaving(struct mint_kexec *rq)
{
	return mint_refuse(rq, -EBUSY,
			   "this machine is about to sleep or to go down: launch nodes afterwards");
}

/* A node that is loaded already for this boot core stands in the way */
static int check_loaded(struct mint_kexec *rq)
{
	const struct mint_node *node;
	u32 n;

	for (n = 1; mint_node(n); n++) {
		node = mint_claim(n);
		if (node && node->boot_apic_id == rq->handover.boot_apic_id &&
		    mint_state(n) == MINT_STATE_LOADED)
			return mint_refuse(rq, -EBUSY,
					   "node %u is loaded for APIC ID %u: start it (-e) or unload it (-u)",
					   n, node->boot_apic_id);
	}
	return 0;
}

/*
 * Decide and enter, with nobody else deciding meanwhile. Nothing was changed
 * before mint_claim_use(), and nothing is refused after it but for a reason
 * that could not be seen before.
 */
static int check_and_claim(struct mint_kexec *rq, struct mint_claim **out)
{
	struct mint_claim *claim;
	int err;

	guard(mint_claims)();

	if (mint_leaving())
		return refuse_leaving(rq);
	err = check_loaded(rq) ?: mint_kinds_check(rq);
	if (err)
		return err;
	claim = mint_claim_new(mint_watch_one);
	if (!claim)
		return mint_refuse(rq, -ENOSPC,
				   "all %u nodes are in use: end one first",
				   mint_layout.nodes.count);

	rq->number = claim->n;
	claim->entry = rq->keep.size ? mint_layout.restart_entry : rq->handover.entry;
	claim->arg = rq->keep.start;
	claim->la57 = rq->la57;
	mint_claim_use(claim, &rq->node);
	*out = claim;
	return mint_kinds_claim(rq, claim) ?: fill_e820(rq);
}

/* Asked once the memory of the node is known */
static int image_fits(struct mint_kexec *rq)
{
	return mint_image_check_memory(rq) ?: mint_image_find_keep(rq) ?:
	       mint_image_layout(rq);
}

static int load(struct mint_kexec *rq, struct mint_claim **out)
{
	struct mint_claim *claim = NULL;
	struct mint_token name;
	u64 claimed = 0;
	int err;

	err = mint_image_check(rq);
	if (err)
		return err;
	rq->fits = image_fits;
	rq->node.boot_apic_id = rq->handover.boot_apic_id;
	rq->node.handover = rq->address;
	if (mint_param_find(rq->cmdline, "mint.name=", &name)) {
		if (name.len >= sizeof(rq->node.name))
			return mint_refuse(rq, -EINVAL,
					   "mint.name=: '%.*s..' is longer than the %zu characters of a node's name: shorten it",
					   (int)sizeof(rq->node.name) - 1, name.text,
					   sizeof(rq->node.name) - 1);
		scnprintf(rq->node.name, sizeof(rq->node.name), "%.*s",
			  name.len, name.text);
	}

	mint_claim_wait_number();
	err = check_and_claim(rq, &claim);
	if (!claim)
		return err;
	if (!err) {
		claimed = rdtsc_ordered();
		mint_image_finish(rq);
		err = mint_kinds_lend(rq, claim) ?: mint_image_write(rq) ?:
		      mint_node_announce(rq->number, MINT_NODE_ADDED);
	}
	if (err) {
		mint_claim_forget(claim);
		mint_claim_unlock(claim);
		return err;
	}
	mint_claim_settle(claim);
	mint_timing_begin(rq->number, rq->began, claimed);
	mint_timing_set(rq->number, MINT_TIME_LOADED, rdtsc_ordered());
	mint_sibling_warn(rq->number);
	if (mint_clock_doubted())
		pr_warn("the TSC of this machine is unstable: node %u has no other clock, its own may be wrong\n",
			rq->number);
	mint_claim_event(claim, MINT_EVENT_LOADED, "image in place");
	pr_info("node %u loaded for APIC ID %u: %u cores\n", rq->number,
		rq->handover.boot_apic_id, rq->nr_cores);
	*out = claim;
	return 0;
}

/* Nothing to start or to unload: say what there is instead */
static int refuse_not_loaded(struct mint_kexec *rq)
{
	u32 apic_id = rq->handover.boot_apic_id, n;
	const struct mint_node *node;

	for (n = 1; mint_node(n); n++) {
		node = mint_claim(n);
		if (!node || node->boot_apic_id != apic_id)
			continue;
		/* find_loaded() has not found it, since somebody has its claim locked */
		if (mint_state(n) == MINT_STATE_LOADED)
			return mint_refuse(rq, -EBUSY,
					   "node %u for APIC ID %u is being loaded, started or unloaded: try again",
					   n, apic_id);
		return mint_refuse(rq, -EBUSY,
				   "APIC ID %u is node %u's, which was started: end that node first (echo ask > /sys/kernel/mint/nodes/%u/stop)",
				   apic_id, n, n);
	}
	return mint_refuse(rq, -ENOENT,
			   "nothing is loaded for APIC ID %u: load an image first (-l)",
			   apic_id);
}

/* Under the lock: node 0 goes down and this is refused, or it sees a node that runs */
static int enter_start(struct mint_kexec *rq, struct mint_claim *claim)
{
	guard(mint_claims)();

	if (mint_leaving())
		return refuse_leaving(rq);
	claim->ran = true;
	WRITE_ONCE(claim->parked, false);
	mint_claim_event(claim, MINT_EVENT_START, "sent through the gateway");
	return 0;
}

static int start(struct mint_kexec *rq, struct mint_claim *claim)
{
	struct mint_core *core = mint_core_find(claim->node.boot_apic_id);
	struct mint_start start = {
		.mode	= MINT_MODE_64,
		.entry	= claim->entry,
		.arg	= claim->arg,
		.cr4	= X86_CR4_PAE | (claim->la57 ? X86_CR4_LA57 : 0),
	};
	int err;

	claim->node.boots = 1;
	claim->boots_seen = 1;
	claim->reported_ns = 0;
	mint_heart_reset(&claim->heart, 0, jiffies);
	mint_node(claim->n)->boots = 1;
	err = enter_start(rq, claim);
	if (err)
		return err;
	mint_timing_set(claim->n, MINT_TIME_START, rq->began);
	mint_timing_set(claim->n, MINT_TIME_IPI, rdtsc_ordered());
	err = mint_core_start(core, &start);
	if (err) {
		claim->ends_as = MINT_EVENT_ENDED;
		mint_claim_event(claim, MINT_EVENT_END,
				 "did not pass the gateway");
		if (mint_prove_parked(claim))
			return mint_refuse(rq, err,
					   "APIC ID %u did not pass the gateway (%d) and cannot be proven parked: node %u is in quarantine",
					   claim->node.boot_apic_id, err,
					   claim->n);
		mint_release(claim);
		mint_claim_event(claim, MINT_EVENT_ENDED,
				 "did not pass the gateway");
		return mint_refuse(rq, err,
				   "APIC ID %u did not pass the gateway (%d): all is given back",
				   claim->node.boot_apic_id, err);
	}
	pr_info("node %u started on APIC ID %u\n", claim->n,
		claim->node.boot_apic_id);
	return 0;
}

/* This kernel has nothing to launch with */
static int refuse_here(struct mint_kexec *rq)
{
	return mint_refuse(rq, -ENODEV,
			   "nothing can be lent: boot this kernel with mint.mem=<size>@<start>, the memory that it keeps");
}

static int serve(struct mint_kexec *rq)
{
	struct mint_claim *claim = NULL;
	int err = 0;

	if (rq->handover.op & MINT_OP_REBOOT)
		return mint_refuse(rq, -EPERM,
				   "node 0 reboots with the machine: --mint-reboot is for successors");
	if (rq->handover.op & MINT_OP_LOAD) {
		err = load(rq, &claim);
		if (err)
			return err;
	} else {
		claim = find_loaded(rq->handover.boot_apic_id);
		if (!claim)
			return refuse_not_loaded(rq);
		rq->number = claim->n;
	}

	if (rq->handover.op & MINT_OP_UNLOAD) {
		mint_claim_forget(claim);
		pr_info("node %u unloaded\n", claim->n);
	}
	if (rq->handover.op & MINT_OP_START) {
		err = start(rq, claim);
		/* Refused, and nobody will come back for what was just loaded */
		if (err && !claim->ran && (rq->handover.op & MINT_OP_LOAD))
			mint_claim_forget(claim);
	}
	mint_claim_unlock(claim);
	return err;
}

/**
 * mint_kexec_permitted() - is this call to start or to unload what is loaded?
 * @nr_segments: how many segments
 * @flags:	of the system call
 *
 * The limits of kexec_load() are for loading, and a load takes more than one
 * segment: mint_image_read_request() sees to that.
 *
 * Context: process.
 * Return: true if it may go on without having been counted.
 */
bool mint_kexec_permitted(unsigned long nr_segments, unsigned long flags)
{
	return flags & KEXEC_MINT && nr_segments == 1 && capable(CAP_SYS_BOOT);
}

/**
 * mint_kexec_load() - kexec_load() with KEXEC_MINT
 * @entry:	address at which the hand-over goes
 * @nr_segments: how many segments
 * @segments:	the segments, copied from user space
 * @flags:	of the system call; none but KEXEC_MINT and the architecture
 *
 * The permissions, the lockdown and, for a load, the limits of kexec_load()
 * were checked.
 *
 * Context: process.
 * Return: the number of the node; or a negative error, with a line of text in
 * the caller's hand-over where there is one.
 */
long mint_kexec_load(unsigned long entry, unsigned long nr_segments,
		     struct kexec_segment *segments, unsigned long flags)
{
	struct mint_kexec *rq;
	long ret;

	if (flags & ~KEXEC_ARCH_MASK & ~KEXEC_MINT)
		return -EINVAL;
	rq = kvzalloc(sizeof(*rq), GFP_KERNEL);
	if (!rq)
		return -ENOMEM;
	rq->began = rdtsc_ordered();
	rq->segments = segments;
	rq->nr_segments = nr_segments;
	rq->address = entry;
	rq->number = MINT_NODE_FREE;

	ret = mint_image_read_request(rq);
	if (ret)
		goto out;
	if (mint_role == MINT_SUCCESSOR)
		ret = mint_restart_load(rq);
	else if (mint_role == MINT_PREDECESSOR && mint_common)
		ret = serve(rq);
	else
		ret = refuse_here(rq);
	if (!ret)
		ret = rq->number;
out:
	if (ret < 0 && rq->user &&
	    copy_to_user(rq->user + offsetof(struct mint_handover, report),
			 rq->handover.report, sizeof(rq->handover.report)))
		ret = -EFAULT;
	kfree(rq->cores);
	kvfree(rq);
	return ret;
}
