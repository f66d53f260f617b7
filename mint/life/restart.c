// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: a successor reboots by itself.
 *
 * Owns the kept image in the node's own memory: who launched the node put it
 * there, the restart loop in the gateway page (core/gateway.S) copies it over
 * the old kernel and enters it, without node 0.
 * Cores, memory, devices and, unless the image was changed meanwhile, command
 * line stay as they were; what has moved here or away since the launch stays so.
 */

#include <linux/delay.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pgtable.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include <asm/setup.h>
#include <asm/tsc.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../move/move.h"
#include "life.h"

/* Where the machine is virtual, its host may let a core stand still for a while */
#define PARK_BOUND_US		1000000
#define REPLACE_BOUND_MS	10000

static struct mint_kept *kept __ro_after_init;
static struct mint_range kept_range __ro_after_init;
static u64 kept_handover;	/* where the hand-over in it goes; under kept_mutex */
static DEFINE_MUTEX(kept_mutex);
static DECLARE_WAIT_QUEUE_HEAD(kept_wait);	/* for kept_mutex, with a bound */

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
 * Return: true if all of it can be put in place.
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
 * mint_restart_expected() - will there be an image when this node reboots?
 *
 * While another image takes the place of the kept one there is none, and a reboot
 * waits for it: on_reboot(). From the first byte on that replacement does not fail.
 *
 * Context: any.
 * Return: true if there is one, or if it is just being replaced.
 */
bool mint_restart_expected(void)
{
	/* The mutex first: who takes it later has yet to read all of the new image */
	return mutex_is_locked(&kept_mutex) || mint_restart_kept();
}

/*
 * One that was given away may run another kernel. Until node 0 has seen that it
 * was given, it may still be on its way out of this one.
 */
static bool may_run_here(const struct mint_core *core)
{
	return mint_owner_of_core(core) == mint_self ||
	       READ_ONCE(core->owner) == mint_self;
}

/**
 * mint_restart_ready() - can this node start again, here and now?
 *
 * A core that still runs would run over the memory that is about to be
 * overwritten.
 *
 * Context: the node ends; interrupts off, the other cores were stopped.
 * Return: true once all other cores are parked; false if one is not in time, or if
 * no image is kept.
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
		for (us = 0; may_run_here(core) && !mint_core_parked(core); us++) {
			if (us == PARK_BOUND_US) {
				/* One that was coming up was not stopped with the others */
				if (!cpu_online(cpu))
					mint_core_reset(core);
				if (mint_core_parked(core))
					break;
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
static void update_handover_clock(void)
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
 * Returns only if node 0 has asked for something meanwhile.
 *
 * Context: after mint_restart_ready(), local APIC quiet.
 */
void mint_restart(void)
{
	struct mint_node *node = mint_own_node();

	/* From here on node 0 sends no NMI, unless its request is seen here */
	WRITE_ONCE(node->state, MINT_STATE_STARTING);
	/*
	 * Pairs with stop_park(): request, then the state; and with
	 * mint_panicked(): who finds returns_ms cleared finds the state changed
	 */
	smp_mb();
	if (READ_ONCE(node->request))
		return;
	update_handover_clock();
	WRITE_ONCE(node->returns_ms, 0);
	WRITE_ONCE(node->boots, node->boots + 1);
	mint_report_state(MINT_STATE_STARTING, "own reboot");
	/* The next kernel may be one that takes no causes: it would not be rung */
	mint_bell_forget(mint_self);
	mint_move_forget();
	mint_load_forget();
	mint_restart_jump(kept_range.start);
}

/**
 * mint_kept_range() - where is the image kept?
 * @range:	out: the place, in this node's memory
 *
 * Context: successor, any.
 * Return: false if none is kept.
 */
bool mint_kept_range(struct mint_range *range)
{
	*range = kept_range;
	return kept;
}

/**
 * mint_kept_lock() - begin to replace the kept image
 *
 * Context: successor that keeps one, process; may sleep.
 * Return: the image, mapped.
 */
struct mint_kept *mint_kept_lock(void)
{
	mutex_lock(&kept_mutex);
	return kept;
}

/**
 * mint_kept_unlock() - it is replaced
 * @handover:	where the hand-over of the new one goes; 0: it is still the old
 *		one
 *
 * Context: as mint_kept_lock().
 */
void mint_kept_unlock(u64 handover)
{
	if (handover)
		kept_handover = handover;
	mutex_unlock(&kept_mutex);
	wake_up(&kept_wait);
}

/*
 * Somebody may be replacing the kept image (kexec --mint-reboot). A reboot halfway
 * would find no image, and the node would end: wait for that. The mutex stays locked,
 * so that nobody begins to replace the image from here on.
 */
static int on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == SYS_RESTART &&
	    !wait_event_timeout(kept_wait, mutex_trylock(&kept_mutex),
				msecs_to_jiffies(REPLACE_BOUND_MS)))
		pr_warn("another image for this reboot is not there after %u ms\n",
			REPLACE_BOUND_MS);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = {
	.notifier_call	= on_reboot,
};

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
	return register_reboot_notifier(&reboot_block);
}
early_initcall(mint_restart_setup);
