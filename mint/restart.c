// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: a successor reboots by itself.
 *
 * Owns the kept image in the node's own memory: who launched the node put it
 * there, the restart loop in the gateway page (gateway.S) copies it over the
 * old kernel and enters it, without node 0 (Mint, design talk, "Reboot").
 * Cores, memory, devices and, unless the image was changed meanwhile, command
 * line stay as they were.
 */

#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include <asm/setup.h>
#include <asm/tsc.h>

#include "launch.h"

#define PARK_BOUND_US	200000

static struct mint_kept *kept __ro_after_init;
static struct mint_range kept_range __ro_after_init;
static u64 kept_handover;	/* where the hand-over in it goes; under kept_mutex */
static DEFINE_MUTEX(kept_mutex);

/* Nothing of it is believed: this kernel may have written over it */
static bool segment_valid(const struct mint_segment *seg)
{
	struct mint_range to = {
		.start	= seg->to,
		.size	= seg->bytes + seg->zero,
	};
	struct mint_range from = { .start = seg->from, .size = seg->bytes };

	return seg->bytes <= kept_range.size && to.size >= seg->bytes &&
	       !((seg->to | seg->from | seg->bytes | seg->zero) & 7) &&
	       mint_range_inside(&to, mint_own_mem, mint_own_mem_count) &&
	       (!from.size || mint_range_inside(&from, &kept_range, 1)) &&
	       !mint_ranges_overlap(&to, &kept_range);
}

/**
 * mint_restart_kept() - is there an image to reboot with?
 *
 * Context: any.
 */
bool mint_restart_kept(void)
{
	struct mint_range entry;
	u32 i;

	if (!kept || kept->magic != MINT_MAGIC ||
	    kept->version >> 16 != MINT_VERSION_MAJOR ||
	    kept->levels != (pgtable_l5_enabled() ? 5 : 4) ||
	    !kept->count || kept->count > MINT_SEGMENTS_MAX)
		return false;
	for (i = 0; i < kept->count; i++)
		if (!segment_valid(&kept->segment[i]))
			return false;
	entry.start = kept->entry;
	entry.size = 1;
	return mint_range_inside(&entry, mint_own_mem, mint_own_mem_count);
}

/**
 * mint_restart_ready() - can this node start again, here and now?
 *
 * A core that still runs would run over the memory that is about to be
 * overwritten.
 *
 * Context: the node ends; interrupts off, the other cores were stopped.
 */
bool mint_restart_ready(void)
{
	struct mint_core *core;
	int cpu, us;

	lockdep_assert_irqs_disabled();
	if (!mint_restart_kept()) {
		pr_notice("no image is kept: node %u ends\n", mint_self);
		return false;
	}
	for_each_present_cpu(cpu) {
		core = mint_core_find(cpu_physical_id(cpu));
		if (cpu == smp_processor_id() || !core)
			continue;
		for (us = 0; !mint_core_parked(core); us++) {
			if (us == PARK_BOUND_US) {
				pr_err("APIC ID %u does not park: node %u ends\n",
				       mint_apic_id(core), mint_self);
				return false;
			}
			udelay(1);
		}
	}
	return true;
}

/* The hand-over in the kept image, or NULL */
static struct mint_handover *find_handover(void)
{
	const struct mint_segment *seg;
	struct mint_handover *handover;
	u32 i;

	for (i = 0; i < kept->count; i++) {
		seg = &kept->segment[i];
		if (kept_handover < seg->to || seg->bytes < sizeof(*handover) ||
		    kept_handover - seg->to > seg->bytes - sizeof(*handover))
			continue;
		handover = (void *)kept + (seg->from - kept_range.start) +
			   (kept_handover - seg->to);
		return handover->magic == MINT_MAGIC ? handover : NULL;
	}
	return NULL;
}

/* This kernel's clock may have been set since the launch */
static void hand_on_clock(void)
{
	struct mint_handover *handover = find_handover();

	if (!handover)
		return;
	handover->wall_tsc = rdtsc_ordered();
	handover->wall_ns = ktime_get_real_fast_ns();
}

/**
 * mint_restart() - put the kept image in place and enter it
 *
 * Context: after mint_restart_ready(), local APIC quiet.
 * Return: not at all; but if node 0 has asked for something meanwhile.
 */
void mint_restart(void)
{
	struct mint_node *node = mint_own_node();

	/* From here on node 0 sends no NMI, unless its request is seen here */
	WRITE_ONCE(node->state, MINT_STATE_STARTING);
	/* Pairs with stop_park(): request, then the state */
	smp_mb();
	if (READ_ONCE(node->request))
		return;
	hand_on_clock();
	node->returns_ms = 0;
	WRITE_ONCE(node->boots, node->boots + 1);
	mint_tell(MINT_STATE_STARTING, "own reboot");
	mint_restart_jump(kept_range.start);
}

/* The same memory map as at the launch: boot_params still has it */
static void copy_memory_map(struct boot_params *params)
{
	params->e820_entries = boot_params.e820_entries;
	memcpy(params->e820_table, boot_params.e820_table,
	       sizeof(params->e820_table));
}

/**
 * mint_restart_load() - take another image for the next reboot
 * @rq:	request, its hand-over read
 *
 * The image is read as a whole first: the old one stays until the new one is
 * known to be complete.
 *
 * Context: successor, process.
 * Return: 0; a negative error, mostly with the reason in the report.
 */
int mint_restart_load(struct request *rq)
{
	struct mint_range seg;
	struct mint_token value;
	unsigned long i;
	int err;

	if (rq->handover.op != MINT_OP_REBOOT)
		return mint_refuse(rq, -EPERM,
				   "node %u is a successor: launch from node 0; for its own reboot it takes an image by --mint-reboot",
				   mint_self);
	if (!kept)
		return mint_refuse(rq, -ENOSPC,
				   "node %u keeps no image: launch it without mint.keep=0",
				   mint_self);

	err = mint_image_check(rq);
	if (err)
		return err;
	if (rq->la57 != pgtable_l5_enabled())
		return mint_refuse(rq, -ENOEXEC,
				   "the image uses %u levels of page tables, node %u runs with %u: launch it from node 0",
				   rq->la57 ? 5 : 4, mint_self,
				   rq->la57 ? 4 : 5);
	if (mint_param_find(rq->cmdline, "mint.mem=", &value) ||
	    mint_param_find(rq->cmdline, "mint.cpus=", &value) ||
	    mint_param_find(rq->cmdline, "mint.devices=", &value))
		return mint_refuse(rq, -EINVAL,
				   "'%.*s': what node %u owns stays as it was launched; leave mint.mem=, mint.cpus= and mint.devices= out",
				   value.len, value.text, mint_self);

	memcpy(rq->node.mem, mint_own_mem, sizeof(rq->node.mem));
	rq->node.nr_mem = mint_own_mem_count;
	rq->node.legacy = mint_legacy_own;
	rq->number = mint_self;
	rq->keep = kept_range;
	err = mint_image_check_place(rq);
	if (err)
		return err;
	for (i = 0; i < rq->nr_segments; i++) {
		seg.start = rq->segments[i].mem;
		seg.size = rq->segments[i].memsz;
		if (mint_ranges_overlap(&seg, &kept_range))
			return mint_refuse(rq, -EADDRNOTAVAIL,
					   "segment %#llx-%#llx of the image lies where node %u keeps it: lower --mem-max",
					   seg.start, seg.start + seg.size - 1,
					   mint_self);
	}
	err = mint_image_layout(rq);
	if (err)
		return err;
	copy_memory_map(&rq->params);
	mint_image_finish(rq);

	mutex_lock(&kept_mutex);
	err = mint_image_replace(rq, kept);
	if (!err)
		kept_handover = rq->address;
	mutex_unlock(&kept_mutex);
	if (!err)
		pr_info("image for the next reboot of node %u loaded\n", mint_self);
	return err;
}

static int __init mint_restart_setup(void)
{
	if (!mint_given.kept)
		return 0;
	kept_handover = mint_given.handover;
	kept_range.start = mint_given.kept;
	kept_range.size = mint_given.kept_size;
	if (kept_range.start & ~PAGE_MASK || kept_range.size & ~PAGE_MASK ||
	    kept_range.size < sizeof(*kept) ||
	    !mint_range_inside(&kept_range, mint_own_mem, mint_own_mem_count)) {
		pr_err("the kept image is not in this node's memory\n");
		return 0;
	}
	kept = mint_map_memory(kept_range.start, kept_range.size);
	if (!kept)
		return -ENOMEM;
	return 0;
}
early_initcall(mint_restart_setup);
