// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: when a kernel reached which phase of its boot, in ticks of the TSC.
 *
 * Owns the time stamps. One TSC counts for the whole machine, from power-on
 * and through every launch and kexec, so stamps of all nodes and of the
 * kernels before them can be compared. Each kernel, a stock one too, keeps its
 * own; in a node they are copied to the node's record in the common area,
 * where node 0 finds them beside those that it made itself during the launch.
 * Nothing is ever decided by a stamp.
 */

#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/setup.h>
#include <asm/tsc.h>

#include "area.h"

static const char * const phases[MINT_TIME_COUNT] = {
	[MINT_TIME_LOAD]	= "load",
	[MINT_TIME_COPY]	= "copy",
	[MINT_TIME_LOADED]	= "loaded",
	[MINT_TIME_START]	= "start",
	[MINT_TIME_IPI]		= "ipi",
	[MINT_TIME_GATEWAY]	= "gateway",
	[MINT_TIME_PURGATORY]	= "purgatory",
	[MINT_TIME_DECOMPRESSOR] = "decompressor",
	[MINT_TIME_START_KERNEL] = "start_kernel",
	[MINT_TIME_KERNEL_INIT]	= "kernel_init",
	[MINT_TIME_INITCALLS]	= "initcalls",
	[MINT_TIME_INIT]	= "init",
	[MINT_TIME_SERVICES]	= "services",
	[MINT_TIME_MARK]	= "mark",
};

/* Of this kernel, from before the common area is mapped */
static u64 own[MINT_TIME_COUNT];

static void stamp(unsigned int phase, u64 tsc)
{
	struct mint_timing *record;

	own[phase] = tsc;
	record = mint_role == MINT_STOCK ? NULL : mint_timing_record(mint_self);
	if (record)
		WRITE_ONCE(record->tsc[phase], tsc);
}

/**
 * mint_timing_begin() - a node is loaded
 * @n:	its number
 * @began: TSC when the request arrived
 * @claimed: TSC when all of it was checked and claimed
 *
 * Context: predecessor; the node is claimed, locked and does not run.
 */
void mint_timing_begin(u32 n, u64 began, u64 claimed)
{
	struct mint_timing *record = mint_timing_record(n);

	if (!record)
		return;
	memset(record, 0, sizeof(*record));
	record->tsc[MINT_TIME_LOAD] = began;
	record->tsc[MINT_TIME_COPY] = claimed;
}

/**
 * mint_timing_set() - a node that does not run yet has reached a phase
 * @n:	its number
 * @phase: MINT_TIME_*
 * @tsc: when
 *
 * Context: predecessor, the claim of the node locked.
 */
void mint_timing_set(u32 n, unsigned int phase, u64 tsc)
{
	struct mint_timing *record = mint_timing_record(n);

	if (record)
		WRITE_ONCE(record->tsc[phase], tsc);
}

/**
 * mint_timing_early() - this kernel has begun
 *
 * Keeps the decompressor's stamp, see kaslr.h.
 *
 * Context: setup_arch().
 */
void __init mint_timing_early(void)
{
	own[MINT_TIME_START_KERNEL] = rdtsc_ordered();
	memcpy(&own[MINT_TIME_DECOMPRESSOR],
	       boot_params._pad9 + MINT_TIME_BOOT_PARAMS, sizeof(u64));
}

/*
 * Early initcalls are the first that the kernel_init thread calls. Until here
 * a successor could reach no record of the common area.
 */
static int __init mint_timing_kernel_init(void)
{
	struct mint_core *core;
	unsigned int i;
	u64 now = rdtsc_ordered();

	stamp(MINT_TIME_KERNEL_INIT, now);
	stamp(MINT_TIME_START_KERNEL, own[MINT_TIME_START_KERNEL]);
	stamp(MINT_TIME_DECOMPRESSOR, own[MINT_TIME_DECOMPRESSOR]);
	/* After an own reboot these are still the stamps of the kernel before */
	for (i = MINT_TIME_INITCALLS; i < MINT_TIME_COUNT; i++)
		stamp(i, 0);
	if (mint_role != MINT_SUCCESSOR || !mint_own_node())
		return 0;

	core = mint_core_find(mint_own_node()->boot_apic_id);
	if (core) {
		stamp(MINT_TIME_GATEWAY, core->tsc_gateway);
		stamp(MINT_TIME_PURGATORY, core->tsc_left);
	}
	return 0;
}
early_initcall(mint_timing_kernel_init);

static int __init mint_timing_initcalls(void)
{
	stamp(MINT_TIME_INITCALLS, rdtsc_ordered());
	return 0;
}
late_initcall_sync(mint_timing_initcalls);

/**
 * mint_timing_show() - stamps of a node as "<phase> <TSC>" lines
 * @n:		its number, or that of this kernel, which may be stock
 * @buf:	a page
 *
 * Context: process.
 * Return: bytes.
 */
ssize_t mint_timing_show(u32 n, char *buf)
{
	struct mint_timing *record = NULL;
	int i, len = 0;
	u64 tsc;

	if (mint_role != MINT_STOCK)
		record = mint_timing_record(n);
	for (i = 0; i < MINT_TIME_COUNT; i++) {
		tsc = record ? READ_ONCE(record->tsc[i]) : 0;
		if (!tsc && n == mint_self)
			tsc = own[i];
		if (tsc)
			len += sysfs_emit_at(buf, len, "%s %llu\n", phases[i], tsc);
	}
	return len;
}

/**
 * mint_timing_store() - user space has reached a phase
 * @buf:	"init", "services" or "mark"
 * @count:	bytes
 *
 * The first "init" and "services" count, so that a service which is started
 * again changes nothing; "mark" is for whoever wants to know the time.
 *
 * Context: process.
 * Return: @count, or -EINVAL.
 */
ssize_t mint_timing_store(const char *buf, size_t count)
{
	u64 now = rdtsc_ordered();
	int i = __sysfs_match_string(phases, ARRAY_SIZE(phases), buf);

	if (i < MINT_TIME_INIT)
		return -EINVAL;
	if (i == MINT_TIME_MARK || !own[i])
		stamp(i, now);
	return count;
}
