// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: clocks.
 *
 * Owns what nodes know of the TSC, which is the only clock of a successor: the
 * wall clock that is handed over with it; node 0's doubt in it; and the offset
 * that each core has of its own, TSC_ADJUST (Intel SDM vol. 3, 18.17.3
 * "Time-Stamp Counter Adjustment").
 */

#include <linux/cpufeature.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/processor.h>
#include <linux/smp.h>
#include <linux/sysfs.h>
#include <linux/time64.h>
#include <linux/topology.h>

#include <kunit/visibility.h>

#include <asm/msr.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "core.h"

#define PACKAGES_MAX		64

/* TSC_ADJUST of the first core of this node in each package */
static struct {
	u32	package;
	s64	value;
} first_in[PACKAGES_MAX];
static u32 packages;

static bool doubted;		/* node 0 doubts the TSC, and the log says so */

/* The TSC runs on from kernel to kernel: what it says since then is the time */
static void mint_get_wallclock(struct timespec64 *now)
{
	s64 delta = rdtsc_ordered() - mint_given.wall_tsc;
	u64 ns = mul_u64_u64_div_u64(max(delta, 0LL), NSEC_PER_MSEC,
				     mint_given.tsc_khz);

	*now = ns_to_timespec64(mint_given.wall_ns + ns);
}

/**
 * mint_clock_doubted() - does node 0 call the TSC unstable?
 *
 * Context: any. An area of before version 1.3 does not say so.
 * Return: true once node 0 has found it unstable.
 */
bool mint_clock_doubted(void)
{
	if (mint_role == MINT_PREDECESSOR)
		return check_tsc_unstable();
	return mint_role == MINT_SUCCESSOR &&
	       (mint_layout.version & 0xffff) >= 3 &&
	       READ_ONCE(mint_common->clock_flags) & MINT_CLOCK_DOUBTED;
}

/**
 * mint_clock_poll() - has node 0 found out that the TSC is unstable?
 *
 * Its watchdog compares it with HPET or the PM timer, and takes another clock.
 * Nobody announces that, and a successor has no other: all that is left is to
 * say so, wherever someone may look.
 *
 * Context: heartbeat.
 */
void mint_clock_poll(void)
{
	if (doubted || !mint_clock_doubted())
		return;
	doubted = true;
	if (mint_role == MINT_PREDECESSOR) {
		WRITE_ONCE(mint_common->clock_flags,
			   mint_layout.clock_flags | MINT_CLOCK_DOUBTED);
		pr_warn("the TSC is unstable: successors have no other clock, theirs may be wrong\n");
	} else {
		pr_warn("node 0 finds the TSC unstable: this node has no other clock, it may be wrong\n");
	}
}

/**
 * mint_clock_show() - what the clock of this node is worth
 * @buf:	a page
 *
 * Context: process.
 * Return: bytes.
 */
ssize_t mint_clock_show(char *buf)
{
	return sysfs_emit(buf, "tsc %u kHz %s\n",
			  mint_role == MINT_SUCCESSOR ? mint_given.tsc_khz :
							tsc_khz,
			  mint_clock_doubted() ? "doubted" : "trusted");
}

/**
 * mint_tsc_adjust_want() - which offset a core should have
 * @value:	the one that it has
 * @node0:	that of node 0's cores, NULL if it does not count here
 * @first:	that of this node's first core in the same package, NULL if this
 *		is the first
 *
 * Cores of one package are reset together, so different offsets come from
 * firmware that wrote to some; node 0 puts in order those that it starts.
 * Packages may differ for good reason: see tsc_sync.c.
 *
 * Context: any.
 * Return: the offset.
 */
VISIBLE_IF_KUNIT s64 mint_tsc_adjust_want(s64 value, const s64 *node0,
					  const s64 *first)
{
	return node0 ? *node0 : first ? *first : value;
}
EXPORT_SYMBOL_IF_KUNIT(mint_tsc_adjust_want);

/* By the processor's word: the feature is off in a successor */
static bool have_tsc_adjust(void)
{
	return cpuid_eax(0) >= 7 &&
	       cpuid_ebx(7) & BIT(X86_FEATURE_TSC_ADJUST & 31);
}

static u32 package_of(u32 apic_id)
{
	return apic_id >> topology_get_domain_shift(TOPO_PKG_DOMAIN);
}

/* On each core of a successor, before it uses its clock */
static void check_core(u32 apic_id)
{
	u32 package = package_of(apic_id), i;
	s64 value, want, *node0 = NULL;

	if (!have_tsc_adjust())
		return;
	if (mint_layout.clock_flags & MINT_CLOCK_ADJUST &&
	    package == package_of(mint_layout.bsp_apic_id))
		node0 = (s64 *)&mint_layout.tsc_adjust;

	for (i = 0; i < packages && first_in[i].package != package; i++)
		;
	rdmsrl(MSR_IA32_TSC_ADJUST, value);
	want = mint_tsc_adjust_want(value, node0,
				    i < packages ? &first_in[i].value : NULL);
	if (value != want) {
		pr_warn("APIC ID %u: TSC_ADJUST was %lld, is %lld as on %s\n",
			apic_id, value, want,
			node0 ? "node 0's cores" : "the others of its package");
		wrmsrl(MSR_IA32_TSC_ADJUST, want);
	}
	if (i == packages && packages < PACKAGES_MAX) {
		first_in[i].package = package;
		first_in[i].value = want;
		packages++;
	}
}

static void check_further_core(void)
{
	check_core(cpu_physical_id(smp_processor_id()));
}

/**
 * mint_clock_setup() - the clock of a successor
 *
 * Context: setup_arch(), before anything asks for the time.
 */
void __init mint_clock_setup(void)
{
	x86_platform.get_wallclock = mint_get_wallclock;
	x86_cpuinit.early_percpu_clock_init = check_further_core;
	check_core(boot_cpu_data.topo.initial_apicid);
}

/**
 * mint_clock_describe() - what successors have to know of node 0's clock
 *
 * Context: predecessor, early initcall, on the BSP.
 */
void __init mint_clock_describe(void)
{
	/* Where packages are reset apart, an offset means nothing by itself */
	if (!boot_cpu_has(X86_FEATURE_TSC_ADJUST) || tsc_async_resets)
		return;
	rdmsrl(MSR_IA32_TSC_ADJUST, mint_layout.tsc_adjust);
	mint_layout.clock_flags |= MINT_CLOCK_ADJUST;
	mint_common->tsc_adjust = mint_layout.tsc_adjust;
	WRITE_ONCE(mint_common->clock_flags, mint_layout.clock_flags);
}
