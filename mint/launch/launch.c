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
 *       load()		mint_image_check(); check_and_claim(): check_cores(),
 *			check_memory(), check_devices(); lend_devices(),
 *			mint_image_write()
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

#include <asm/apic.h>
#include <asm/e820/api.h>
#include <asm/e820/types.h>
#include <asm/tsc.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../device/device.h"
#include "../life/life.h"
#include "launch.h"

#define BOOT_MAX_E820		E820_MAX_ENTRIES_ZEROPAGE
#define DEVICE_APIC_ID_MAX	254

/**
 * mint_refuse() - say why a request is refused
 * @rq:		request
 * @err:	the error
 * @fmt:	resource, owner, remedy, in one line
 *
 * Return: @err.
 */
int mint_refuse(struct request *rq, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(rq->handover.report, sizeof(rq->handover.report), fmt, args);
	va_end(args);
	pr_err("refused: %s\n", rq->handover.report);
	return err;
}

static int check_range(struct request *rq, const struct mint_range *range)
{
	u64 end = range->start + range->size;
	phys_addr_t pos = range->start, next;
	struct mint_node *node = &rq->node;
	const char *what;
	u32 n, i;

	if (end <= range->start)
		return mint_refuse(rq, -EINVAL, "memory range at %#llx wraps or is empty",
			      range->start);
	for (i = 0; i < node->nr_mem; i++)
		if (mint_ranges_overlap(range, &node->mem[i]))
			return mint_refuse(rq, -EINVAL,
				      "memory %#llx-%#llx is named twice: leave it out of mint.mem=",
				      range->start, end - 1);

	for (; pos < end; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (n != MINT_NODE_FREE)
			return mint_refuse(rq, -EBUSY,
				      "memory %#llx-%#llx overlaps node %u at %#llx: %s",
				      range->start, end - 1, n, (u64)pos,
				      n ? "end that node first or use another range" :
					  "use a range outside of mint.mem= of node 0, see /sys/kernel/mint/memory");
		if (!what || strcmp(what, "free"))
			return mint_refuse(rq, -EADDRNOTAVAIL,
				      "memory %#llx-%#llx overlaps what the machine calls %s at %#llx: use a range that /sys/kernel/mint/memory calls free",
				      range->start, end - 1,
				      what ?: "no memory", (u64)pos);
	}
	if (node->nr_mem == MINT_RANGES_MAX)
		return mint_refuse(rq, -ENOSPC, "more than %u memory ranges",
			      MINT_RANGES_MAX);
	node->mem[node->nr_mem++] = *range;
	return 0;
}

static int check_memory(struct request *rq)
{
	struct mint_handover *h = &rq->handover;
	struct mint_range range = {
		.start	= h->mem_min,
		.size	= h->mem_max - h->mem_min + 1,
	};
	struct mint_token list, token;
	int err;

	if (h->mem_max <= h->mem_min || h->mem_max >= PHYSICAL_PAGE_MASK ||
	    (range.start | range.size) & ~PAGE_MASK)
		return mint_refuse(rq, -EINVAL,
			      "memory %#llx-%#llx is not a range of whole pages: give --mem-min and --mem-max (inclusive)",
			      h->mem_min, h->mem_max);
	err = check_range(rq, &range);
	if (err)
		return err;

	if (mint_param_find(rq->cmdline, "mint.mem=", &list)) {
		while (mint_token_next(&list.text, &token)) {
			if (mint_token_range(&token, &range))
				return mint_refuse(rq, -EINVAL,
					      "mint.mem=: '%.*s' is not <size>@<start> in pages",
					      token.len, token.text);
			err = check_range(rq, &range);
			if (err)
				return err;
		}
	}

	return mint_image_check_memory(rq) ?: mint_image_find_keep(rq) ?:
	       mint_image_layout(rq);
}

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

/*
 * The papers' rule (Mint, fast boot, 3.3): the boot core and, with maxcpus=,
 * as many in all, free ones in ascending order of APIC IDs, none below the
 * boot core. mint.cpus= names them one by one instead.
 */
static int check_cores(struct request *rq)
{
	u32 boot = rq->handover.boot_apic_id, first, last, id, i;
	struct mint_token list, token;
	struct mint_core *core;
	unsigned int wanted;
	char buf[12];
	int err;

	rq->cores = kcalloc(mint_layout.cores.count, sizeof(*rq->cores),
			    GFP_KERNEL);
	if (!rq->cores)
		return -ENOMEM;

	err = check_core(rq, boot, true);
	if (err)
		return err;

	if (mint_param_find(rq->cmdline, "mint.cpus=", &list)) {
		while (mint_token_next(&list.text, &token)) {
			if (mint_token_cpus(&token, &first, &last) ||
			    last - first >= MAX_LOCAL_APIC)
				return mint_refuse(rq, -EINVAL,
					      "mint.cpus=: '%.*s' is not <APIC ID>[-<APIC ID>]",
					      token.len, token.text);
			for (id = first; id <= last; id++) {
				err = check_core(rq, id, true);
				if (err)
					return err;
			}
		}
		return 0;
	}

	if (!mint_param_find(rq->cmdline, "maxcpus=", &list))
		return 0;
	snprintf(buf, sizeof(buf), "%.*s", list.len, list.text);
	if (kstrtouint(buf, 0, &wanted) || !wanted)
		return mint_refuse(rq, -EINVAL,
			      "maxcpus=: '%.*s' is not a number of cores from 1 on",
			      list.len, list.text);
	for (i = 0; (core = mint_core(i)); i++)
		if (mint_apic_id(core) > boot && rq->nr_cores < wanted)
			check_core(rq, mint_apic_id(core), false);
	if (rq->nr_cores < wanted)
		return mint_refuse(rq, -EBUSY,
			      "maxcpus=%u asks for %u cores from APIC ID %u on, %u are free: end a node, take CPUs of node 0 offline or lower maxcpus=",
			      wanted, wanted, boot, rq->nr_cores);
	return 0;
}

static int check_legacy(struct request *rq, const struct mint_device *dev,
			const char *name)
{
	u32 owner = mint_owner_of_legacy(dev->id);

	if (owner == MINT_NODE_FREE)
		return 0;
	if (owner != mint_self)
		return mint_refuse(rq, -EBUSY,
				   "device %s belongs to node %u: end that node first",
				   name, owner);
	return mint_refuse(rq, -EBUSY,
			   "device %s belongs to node 0: boot that with mint.devices=-%s",
			   name, name);
}

/*
 * Without interrupt remapping an MSI or an I/O APIC names 8 bits of an APIC ID,
 * 255 of them being all cores: a node could point a device's interrupt at such
 * a core and hit another one.
 */
static struct mint_core *find_far_core(const struct request *rq)
{
	u32 i;

	for (i = 0; i < rq->nr_cores; i++)
		if (mint_apic_id(rq->cores[i]) > DEVICE_APIC_ID_MAX)
			return rq->cores[i];
	return NULL;
}

static int add_device(struct request *rq, struct mint_device *dev,
		      const char *name)
{
	struct mint_core *far = find_far_core(rq);
	struct mint_node *node = &rq->node;
	const char *why = NULL;

	if (far && (dev->kind == MINT_DEV_PCI ||
		    dev->id == MINT_LEGACY_I8042))
		return mint_refuse(rq, -ENXIO,
			      "device %s cannot interrupt APIC ID %u: without interrupt remapping devices name IDs up to %u; leave out the device or cores above that",
			      name, mint_apic_id(far), DEVICE_APIC_ID_MAX);
	if (far)
		dev->irq_flags = 0;	/* polled */
	/* That of a function is looked at once all are known: check_lines() */
	if (dev->kind == MINT_DEV_LEGACY && dev->irq_flags & MINT_IRQ_VALID)
		why = mint_pins_check(dev);
	if (why) {
		/* All others can be polled */
		if (dev->id == MINT_LEGACY_I8042)
			return mint_refuse(rq, -EBUSY,
				      "device %s does nothing without GSI %u, and %s: boot node 0 with intremap=off and without a driver for it",
				      name, dev->gsi, why);
		pr_info("%s is lent without its line, GSI %u: %s\n", name,
			dev->gsi, why);
		dev->irq_flags = 0;
	}
	if (node->nr_devices == MINT_DEVICES_MAX)
		return mint_refuse(rq, -ENOSPC, "more than %u devices",
			      MINT_DEVICES_MAX);
	node->devices[node->nr_devices++] = *dev;
	return 0;
}

/* One PCI function, and the bridges above it */
static int check_function(struct request *rq, u32 id, bool force)
{
	struct mint_device dev = { .kind = MINT_DEV_PCI, .id = id };
	struct mint_node *node = &rq->node;
	char name[16], why[200];
	u32 i;
	int err;

	mint_device_name(&dev, name, sizeof(name));
	for (i = 0; i < node->nr_devices; i++)
		if (node->devices[i].kind == MINT_DEV_PCI &&
		    node->devices[i].id == id)
			return mint_refuse(rq, -EINVAL, "device %s is named twice", name);
	err = mint_pci_check(&dev, force, why, sizeof(why));
	if (err)
		return mint_refuse(rq, err, "device %s %s", name, why);
	err = add_device(rq, &dev, name);
	if (err)
		return err;
	err = mint_pci_bridges(&dev, node->devices, node->nr_devices,
			       MINT_DEVICES_MAX);
	if (err < 0)
		return mint_refuse(rq, err, "more than %u devices with bridges",
			      MINT_DEVICES_MAX);
	node->nr_devices = err;
	return 0;
}

static int check_functions(struct request *rq, const struct mint_token *token)
{
	u32 ids[MINT_DEVICES_MAX];
	struct mint_pci_match match;
	int i, count, err;

	err = mint_token_pci(token, &match);
	if (err == -ERANGE)
		return mint_refuse(rq, -EINVAL,
			      "device %.*s is in a domain that a driver of node 0 made (VMD), not the firmware: lend the function that the driver has, or switch that off in the firmware",
			      token->len, token->text);
	if (err)
		return mint_refuse(rq, -EINVAL,
			      "mint.devices=: '%.*s' is not [segment:]bus:dev[.fn][/*], com1-com4, i8042, vga or rtc",
			      token->len, token->text);
	count = mint_pci_expand(&match, ids, ARRAY_SIZE(ids));
	if (!count)
		return mint_refuse(rq, -ENODEV,
			      "device %.*s has no function on this machine: see lspci",
			      token->len, token->text);
	if (count < 0)
		return mint_refuse(rq, count, "device %.*s is more than %u functions",
			      token->len, token->text, MINT_DEVICES_MAX);
	for (i = 0; i < count && !err; i++)
		err = check_function(rq, ids[i], match.force);
	return err;
}

/*
 * Functions of one node may have a line for themselves, so this waits until all
 * are known.
 */
static int check_lines(struct request *rq)
{
	struct mint_node *node = &rq->node;
	u32 i, owner;
	char name[16];
	int err;

	for (i = 0; i < node->nr_devices; i++) {
		err = mint_line_check(node, &node->devices[i], &owner);
		if (err)
			return mint_refuse(rq, err,
				      "device %s has no MSI, and its line, GSI %u, belongs to node %u: end that node first",
				      mint_device_name(&node->devices[i], name,
						       sizeof(name)),
				      node->devices[i].gsi, owner);
	}
	return 0;
}

static int check_devices(struct request *rq)
{
	struct mint_node *node = &rq->node;
	struct mint_token list, token;
	struct mint_device dev;
	char name[16];
	u32 i;
	int err;

	if (!mint_param_find(rq->cmdline, "mint.devices=", &list))
		return 0;

	while (mint_token_next(&list.text, &token)) {
		if (mint_token_device(&token, &dev)) {
			err = check_functions(rq, &token);
			if (err)
				return err;
			continue;
		}
		mint_device_name(&dev, name, sizeof(name));
		if (node->legacy & BIT(dev.id))
			return mint_refuse(rq, -EINVAL, "device %s is named twice", name);
		err = check_legacy(rq, &dev, name);
		if (err)
			return err;
		node->legacy |= BIT(dev.id);
		for (i = 0; mint_legacy_line(&dev, i) || !i; i++) {
			err = add_device(rq, &dev, name);
			if (err)
				return err;
		}
	}
	return check_lines(rq);
}

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
static int add_part(struct request *rq, u64 start, u64 end, u32 type)
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
 * that the firmware named is reserved, so that nothing is put there.
 */
static int fill_e820(struct request *rq)
{
	phys_addr_t pos = 0, next;
	const char *what;
	u32 n;

	rq->params.e820_entries = 0;
	for (;; pos = next) {
		n = mint_owner_of_memory(pos, &next, &what);
		if (!next)
			return 0;
		if (what && add_part(rq, pos, next, n == rq->number ?
				      E820_TYPE_RAM : E820_TYPE_RESERVED))
			return mint_refuse(rq, -ENOSPC,
					   "the memory map takes more than %u entries: use fewer ranges",
					   (u32)BOOT_MAX_E820);
	}
}

static int refuse_leaving(struct request *rq)
{
	return mint_refuse(rq, -EBUSY,
			   "this machine is about to sleep or to go down: launch nodes afterwards");
}

/* A node that is loaded already for this boot core stands in the way */
static int check_loaded(struct request *rq)
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
static int check_and_claim(struct request *rq, struct mint_claim **out)
{
	struct mint_claim *claim;
	u32 i, owner;
	int err;

	guard(mint_claims)();

	if (mint_leaving())
		return refuse_leaving(rq);
	err = check_loaded(rq) ?: check_cores(rq) ?: check_memory(rq) ?:
	      check_devices(rq);
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
	for (i = 0; i < rq->nr_cores; i++) {
		/* CPU hotplug of node 0 takes cores without this lock */
		owner = mint_core_take(rq->cores[i], claim->n);
		if (owner != claim->n)
			return mint_refuse(rq, -EBUSY,
					   "APIC ID %u was just taken by node %u: take it offline there",
					   mint_apic_id(rq->cores[i]), owner);
		WRITE_ONCE(rq->cores[i]->state, MINT_CORE_UNUSED);
	}
	err = mint_pins_lend(claim->n) ?: mint_lines_lend(claim->n);
	if (err)
		return mint_refuse(rq, err,
				   "an interrupt line was just taken by a driver of node 0, or cannot be shared with it (%d): unbind that, or use devices with MSI",
				   err);
	return mint_memory_lend(claim->n) ?: fill_e820(rq);
}

/* Drivers of node 0 may still come between the check and this */
static int lend_devices(struct request *rq, struct mint_claim *claim)
{
	char name[16];
	u32 i;
	int err;

	for (i = 0; i < claim->node.nr_devices; i++, claim->nr_lent = i) {
		err = mint_pci_lend(&claim->node.devices[i]);
		if (err)
			return mint_refuse(rq, err,
					   "a driver of node 0 just took device %s: unbind it",
					   mint_device_name(&claim->node.devices[i],
							    name, sizeof(name)));
	}
	return 0;
}

static int load(struct request *rq, struct mint_claim **out)
{
	struct mint_claim *claim = NULL;
	struct mint_token name;
	u64 claimed = 0;
	int err;

	err = mint_image_check(rq);
	if (err)
		return err;
	rq->node.boot_apic_id = rq->handover.boot_apic_id;
	rq->node.handover = rq->address;
	if (mint_param_find(rq->cmdline, "mint.name=", &name))
		scnprintf(rq->node.name, sizeof(rq->node.name), "%.*s",
			  name.len, name.text);

	err = check_and_claim(rq, &claim);
	if (!claim)
		return err;
	if (!err) {
		claimed = rdtsc_ordered();
		mint_image_finish(rq);
		err = lend_devices(rq, claim) ?: mint_image_write(rq) ?:
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
static int refuse_not_loaded(struct request *rq)
{
	u32 apic_id = rq->handover.boot_apic_id, n;
	const struct mint_node *node;

	for (n = 1; mint_node(n); n++) {
		node = mint_claim(n);
		if (node && node->boot_apic_id == apic_id)
			return mint_refuse(rq, -EBUSY,
					   "APIC ID %u is node %u's, which was started: end that node first (echo ask > /sys/kernel/mint/nodes/%u/stop)",
					   apic_id, n, n);
	}
	return mint_refuse(rq, -ENOENT,
			   "nothing is loaded for APIC ID %u: load an image first (-l)",
			   apic_id);
}

/* Who leaves and who starts agree on who was first */
static int enter_start(struct request *rq, struct mint_claim *claim)
{
	guard(mint_claims)();

	if (mint_leaving())
		return refuse_leaving(rq);
	claim->ran = true;
	WRITE_ONCE(claim->parked, false);
	mint_claim_event(claim, MINT_EVENT_START, "sent through the gateway");
	return 0;
}

static int start(struct request *rq, struct mint_claim *claim)
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
	mint_heart_reset(&claim->heart, 0, jiffies);
	mint_node(claim->n)->boots = 1;
	err = enter_start(rq, claim);
	if (err)
		return err;
	mint_timing_set(claim->n, MINT_TIME_START, rq->began);
	mint_timing_set(claim->n, MINT_TIME_IPI, rdtsc_ordered());
	err = mint_core_start(core, &start);
	if (err) {
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
static int refuse_here(struct request *rq)
{
	return mint_refuse(rq, -ENODEV,
			   "nothing can be lent: boot this kernel with mint.mem=<size>@<start>, the memory that it keeps");
}

static int serve(struct request *rq)
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
	struct request *rq;
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
