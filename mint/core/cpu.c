// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: cores, named by their APIC IDs.
 *
 * Owns whose a core is, how it is started (always through the gateway) and
 * how it ends (always in the park loop). In a predecessor a core belongs to
 * node 0 while Linux has it online or starts it; offline cores are free.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/hotplug.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <kunit/visibility.h>

#include <asm/apic.h>
#include <asm/barrier.h>
#include <asm/cpu.h>
#include <asm/io_apic.h>
#include <asm/realmode.h>
#include <asm/tlbflush.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "core.h"

/* Emulated machines with more cores than their host take long to start one */
#define START_BOUND_MS		10000
#define PARK_BOUND_MS		2000

static bool cpus_given __initdata;

static DECLARE_BITMAP(asked_apic_ids, MAX_LOCAL_APIC) __initdata;

/*
 * Page tables with all of this kernel and the identity map below it, to get
 * from the gateway into the kernel and from the kernel to the park loop.
 */
static pgd_t *transition_pgd __ro_after_init;

/*
 * Whose each core is, by node 0's own book, indexed as the records: what a
 * peer writes into a record does not change it. A successor goes by the
 * records.
 */
static u32 *owners __ro_after_init;

static struct real_mode_header no_real_mode_header;

/* mint.cpus=<APIC IDs>: the cores that node 0 brings up, beside the BSP */
static int __init mint_cpus_param(char *str)
{
	const char *list = str;
	struct mint_token token;
	u32 first, last;

	if (mint_successor())
		return 0;

	while (mint_token_next(&list, &token)) {
		if (mint_token_cpus(&token, &first, &last) ||
		    last >= MAX_LOCAL_APIC) {
			pr_err("mint.cpus=: '%.*s' ignored, want <APIC ID>[-<APIC ID>]\n",
			       token.len, token.text);
			continue;
		}
		bitmap_set(asked_apic_ids, first, last - first + 1);
		cpus_given = true;
	}
	if (!cpus_given)
		return 0;

	mint_become_predecessor();
	/* The others follow one by one, once the area says whose they are */
	setup_max_cpus = 1;
	return 0;
}
early_param("mint.cpus", mint_cpus_param);

static u32 *core_owner(const struct mint_core *core)
{
	return owners ? &owners[mint_core_index(core)] :
			&((struct mint_core *)core)->owner;
}

/**
 * mint_owner_of_core() - whose is a core?
 * @core:	record
 *
 * Context: any.
 * Return: number of the node, or MINT_NODE_FREE.
 */
u32 mint_owner_of_core(const struct mint_core *core)
{
	return READ_ONCE(*core_owner(core));
}

/**
 * mint_core_take() - give a free core to a node
 * @core:	record
 * @n:		number of the node
 *
 * Context: any.
 * Return: @n, or the node that has the core already.
 */
u32 mint_core_take(struct mint_core *core, u32 n)
{
	u32 owner = MINT_NODE_FREE;

	if (!try_cmpxchg(core_owner(core), &owner, n))
		return owner;
	WRITE_ONCE(core->owner, n);
	return n;
}

/**
 * mint_core_drop() - set a core free
 * @core:	record
 * @n:		number of the node that had it
 *
 * Context: any; the core runs nobody's code.
 */
void mint_core_drop(struct mint_core *core, u32 n)
{
	if (mint_owner_of_core(core) != n)
		return;
	WRITE_ONCE(core->owner, MINT_NODE_FREE);
	/* The book comes last: from then on the core may be taken */
	smp_store_release(core_owner(core), MINT_NODE_FREE);
}

/**
 * mint_core_cpu() - number of a core in this kernel
 * @core:	record
 *
 * Return: CPU number, or -ENODEV if this kernel does not know the core.
 */
int mint_core_cpu(const struct mint_core *core)
{
	int cpu;

	for_each_present_cpu(cpu)
		if (cpu_physical_id(cpu) == mint_apic_id(core))
			return cpu;
	return -ENODEV;
}

static u64 identity_map(void)
{
	return pgtable_l5_enabled() ? mint_layout.pml5 : mint_layout.pml4;
}

/* A core only moves on: it may have passed @state when we look */
static int state_wait(const struct mint_core *core, u32 state, unsigned int ms)
{
	ktime_t bound = ktime_add_ms(ktime_get(), ms);

	u32 seen;

	/* Nothing but a state: another kernel may have scribbled the word */
	while ((seen = READ_ONCE(core->state)) < state ||
	       seen > MINT_CORE_PARKED) {
		if (ktime_after(ktime_get(), bound))
			return -ETIMEDOUT;
		/* Others launch and stop nodes meanwhile */
		usleep_range(20, 50);
	}
	return 0;
}

/**
 * mint_core_reset() - send a core to where only a STARTUP wakes it
 * @core:	record of a core that may be anywhere
 *
 * INIT leaves the core waiting for STARTUP, deaf to interrupts and NMIs
 * (Intel SDM vol. 3, 9.4): it runs nobody's code any more. The BSP is left
 * alone, INIT to it resets the machine.
 *
 * Context: process; takes tens of microseconds.
 */
void mint_core_reset(struct mint_core *core)
{
	u32 apic_id = mint_apic_id(core);
	int err;

	if (apic_id == mint_layout.bsp_apic_id)
		return;

	guard(preempt)();
	err = mint_send_ipi(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT,
			    apic_id) ?:
	      mint_send_ipi(APIC_INT_LEVELTRIG | APIC_DM_INIT, apic_id) ?:
	      safe_apic_wait_icr_idle();
	/* The stamp of who comes through the gateway after this */
	WRITE_ONCE(core->tsc_gateway, 0);
	if (err) {
		pr_err_ratelimited("APIC ID %u was not reset\n", apic_id);
		return;
	}
	WRITE_ONCE(core->state, MINT_CORE_UNUSED);
}

static int send_core(struct mint_core *core, const struct mint_start *start)
{
	u32 apic_id = mint_apic_id(core);

	if (apic_id == mint_layout.bsp_apic_id || mint_apic_id_problem(apic_id))
		return -EINVAL;

	/* Another kernel may have scribbled it; the gateway goes by it */
	WRITE_ONCE(core->apic_id, apic_id);
	core->entry = start->entry;
	core->arg = start->arg;
	core->cr3 = start->cr3;
	core->cr4 = start->cr4;
	core->efer = start->efer;
	core->mode = start->mode;
	/* Pairs with the gateway, which reads the state before the rest */
	smp_store_release(&core->state, MINT_CORE_START);
	weak_wrmsr_fence();	/* as in mint_send_ipi() */

	return wakeup_secondary_cpu_via_init(apic_id, mint_layout.gateway) ?
	       -EIO : 0;
}

/**
 * mint_core_start() - start a core through the gateway
 * @core:	record of a core that is this node's or the new node's
 * @start:	where it goes
 *
 * Context: process, may run long; not twice at once for one core.
 * Return: 0 once the core has left the gateway; -EINVAL for the BSP and for
 * what mint_apic_id_problem() finds; -EIO if the local APIC did not deliver the
 * start; -ETIMEDOUT if the core did not come through, it is then back in reset.
 */
int mint_core_start(struct mint_core *core, const struct mint_start *start)
{
	int err = send_core(core, start);

	if (err == -EINVAL)
		return err;
	err = err ?: state_wait(core, MINT_CORE_PASSED, START_BOUND_MS);
	if (err)
		mint_core_reset(core);
	return err;
}

/**
 * mint_core_send_to_park() - have a core of a dead node show that it is parked
 * @core:	record of a core that mint_core_reset() was done to
 *
 * A core in reset looks like one that INIT did not reach, so it is sent through
 * the gateway to the park loop, where it says so itself: mint_core_proven().
 *
 * Context: process.
 */
void mint_core_send_to_park(struct mint_core *core)
{
	const struct mint_start start = {
		.entry	= mint_layout.park,
		.arg	= mint_layout.pml4,
		.mode	= MINT_MODE_64,
		.cr4	= X86_CR4_PAE,
	};

	send_core(core, &start);
}

/**
 * mint_core_proven() - has it shown up there?
 * @core:	record of a core
 *
 * The state alone may be the word of the dead node, or of another one. The
 * gateway leaves a stamp, too, which mint_core_reset() has cleared: it is newer
 * than the INIT, whatever the TSCs of the two cores say of each other.
 *
 * Context: any.
 */
bool mint_core_proven(const struct mint_core *core)
{
	return READ_ONCE(core->state) == MINT_CORE_PARKED &&
	       READ_ONCE(core->tsc_gateway);
}

/**
 * mint_core_parked() - is a core in the park loop, by its own word?
 * @core:	record
 *
 * Context: any.
 */
bool mint_core_parked(const struct mint_core *core)
{
	u32 state = READ_ONCE(core->state);

	return state == MINT_CORE_PARKED || state == MINT_CORE_UNUSED;
}

/**
 * mint_core_left_gateway() - has a core long left the gateway for its kernel?
 * @core:	record
 * @tsc:	when it had to be there
 *
 * On the way from the gateway to the tables of its kernel no NMI may reach it.
 *
 * Context: any.
 */
bool mint_core_left_gateway(const struct mint_core *core, u64 tsc)
{
	return READ_ONCE(core->state) == MINT_CORE_PASSED &&
	       (s64)(tsc - READ_ONCE(core->tsc_left)) > 0;
}

/**
 * mint_core_nmi() - send a core an NMI
 * @core:	record
 *
 * Context: process.
 */
void mint_core_nmi(const struct mint_core *core)
{
	mint_send_ipi(APIC_DM_NMI, mint_apic_id(core));
}

/* A further core of this node: to where the kernel's own trampoline goes */
static int mint_wakeup_cpu(u32 apicid, unsigned long start_ip)
{
	struct mint_core *core = mint_core_find(apicid);
	struct mint_start start = {
#ifdef CONFIG_X86_64
		.entry	= (unsigned long)secondary_startup_64,
		.cr3	= __pa(transition_pgd),
		.mode	= MINT_MODE_64,
		.cr4	= X86_CR4_PAE |
			  (pgtable_l5_enabled() ? X86_CR4_LA57 : 0),
		.efer	= __supported_pte_mask & _PAGE_NX ? EFER_NX : 0,
#endif
	};

	return core ? mint_core_start(core, &start) : -ENODEV;
}

/* Whatever asks for a core asks here first: boot, sysfs, SMT control, resume */
static int mint_kick_ap(unsigned int cpu, struct task_struct *tidle)
{
	struct mint_core *core = mint_core_find(cpu_physical_id(cpu));
	const char *problem;
	u32 owner;
	int err;

	if (!core)
		return -ENODEV;
	problem = mint_apic_id_problem(mint_apic_id(core));
	if (problem) {
		pr_err("CPU %u: APIC ID %u %s\n", cpu, mint_apic_id(core),
		       problem);
		return -EINVAL;
	}
	owner = mint_core_take(core, mint_self);
	if (owner != mint_self) {
		pr_err("CPU %u (APIC ID %u) belongs to node %u, which must end first\n",
		       cpu, mint_apic_id(core), owner);
		return -EBUSY;
	}
	err = native_kick_ap(cpu, tidle);
	if (err && mint_role == MINT_PREDECESSOR)
		mint_core_drop(core, mint_self);
	return err;
}

/* Node 0 gives up a core that it takes offline; a successor keeps it */
static void mint_cleanup_dead_cpu(unsigned int cpu)
{
	struct mint_core *core = mint_core_find(cpu_physical_id(cpu));

	if (!core)
		return;
	if (READ_ONCE(core->state) != MINT_CORE_PARKED)
		mint_core_reset(core);
	if (mint_role == MINT_PREDECESSOR)
		mint_core_drop(core, mint_self);
}

/*
 * INIT leaves these running, into the memory of who had the core before. The
 * park loop stops those that write to memory, for who was stopped by INIT.
 */
static void monitors_off(void)
{
	if (boot_cpu_has(X86_FEATURE_IBS)) {
		wrmsrl_safe(MSR_AMD64_IBSFETCHCTL, 0);
		wrmsrl_safe(MSR_AMD64_IBSOPCTL, 0);
	}
	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL)
		return;
	wrmsrl_safe(MSR_IA32_DEBUGCTLMSR, 0);
	if (boot_cpu_has(X86_FEATURE_ARCH_PERFMON))
		wrmsrl_safe(MSR_CORE_PERF_GLOBAL_CTRL, 0);
	if (boot_cpu_has(X86_FEATURE_PEBS))
		wrmsrl_safe(MSR_IA32_PEBS_ENABLE, 0);
	if (boot_cpu_has(X86_FEATURE_INTEL_PT))
		wrmsrl_safe(MSR_IA32_RTIT_CTL, 0);
}

/**
 * mint_park() - leave this kernel for the park loop
 *
 * Context: interrupts off, local APIC quiet; does not return.
 */
void mint_park(void)
{
	struct mint_core *core = mint_core_find(read_apic_id());

	lockdep_assert_irqs_disabled();
	/* Too early for either: nobody waits for this core but by INIT */
	if (!core || !transition_pgd)
		for (;;)
			native_halt();
	monitors_off();
	mint_park_jump(mint_layout.park, mint_core_pa(core), identity_map(),
		       __pa(transition_pgd));
}

/**
 * mint_restart_jump() - leave this kernel for the restart loop
 * @kept:	physical address of the image to put in place and to enter
 *
 * Context: as mint_park(), and all other cores of the node are parked: this
 *	    kernel is overwritten.
 */
void mint_restart_jump(u64 kept)
{
	struct mint_core *core = mint_core_find(read_apic_id());

	lockdep_assert_irqs_disabled();
	if (!core || !transition_pgd)
		return;
	monitors_off();
	core->arg = kept;
	mint_park_jump(mint_layout.restart, mint_core_pa(core), identity_map(),
		       __pa(transition_pgd));
}

/* Without SME, which no node has, there is nothing that WBINVD is for */
static void skip_wbinvd(unsigned int cpu)
{
	cpu_data(cpu).extended_cpuid_level =
		min_t(u32, cpu_data(cpu).extended_cpuid_level, 0x8000001e);
}

/**
 * mint_skip_wbinvd() - this core is about to stop itself
 *
 * stop_this_cpu() writes back and drops all caches of a processor that can
 * have SME, and stalls whoever shares them.
 *
 * Context: successor, interrupts off, or NMI.
 */
void mint_skip_wbinvd(void)
{
	skip_wbinvd(raw_smp_processor_id());
}

static void (*stock_stop_others)(int wait) __ro_after_init;

static void mint_stop_other_cpus(int wait)
{
	unsigned int cpu;

	for_each_present_cpu(cpu)
		skip_wbinvd(cpu);
	stock_stop_others(wait);
}

static void mint_play_dead(void)
{
	play_dead_common();
	mint_park();
}

/* A core that is offline runs in the park loop, and nowhere else */
static void mint_cpu_die(unsigned int cpu)
{
	struct mint_core *core = mint_core_find(cpu_physical_id(cpu));

	if (core && state_wait(core, MINT_CORE_PARKED, PARK_BOUND_MS))
		pr_err("CPU %u (APIC ID %u) did not reach the park loop\n",
		       cpu, mint_apic_id(core));
}

/**
 * mint_cpu_realmode_init() - page tables between kernel and identity map
 *
 * Takes the place of the stock real-mode code, which a successor does not
 * have and a predecessor keeps for what else uses it (suspend, reboot by BIOS).
 *
 * Context: early initcall, before the second core is started.
 */
void __init mint_cpu_realmode_init(void)
{
	pgd_t *identity;
	int i;

	if (mint_role == MINT_PREDECESSOR)
		init_real_mode();
	else
		real_mode_header = &no_real_mode_header;
	if (!mint_common)
		return;

	/* An NMI on the way takes bit 12 of CR3 for that of PTI's user tables */
	transition_pgd = (pgd_t *)__get_free_pages(GFP_KERNEL | __GFP_ZERO |
						   __GFP_NOFAIL, 1);
	identity = mint_map_memory(identity_map(), PAGE_SIZE);
	if (!identity)
		panic("mint: no mapping for the identity map");
	for (i = 0; i < pgd_index(__PAGE_OFFSET); i++)
		transition_pgd[i] = identity[i];
	for (; i < PTRS_PER_PGD; i++)
		transition_pgd[i] = init_top_pgt[i];
	mint_unmap_memory(identity);
}

/**
 * mint_cpu_init() - take over the core operations
 *
 * Context: early initcall, common area mapped.
 */
void __init mint_cpu_init(void)
{
	u32 i;

	if (mint_role == MINT_PREDECESSOR) {
		owners = kcalloc(mint_layout.cores.count, sizeof(*owners),
				 GFP_KERNEL | __GFP_NOFAIL);
		for (i = 0; i < mint_layout.cores.count; i++)
			owners[i] = mint_core(i)->owner;
		mint_gateway_apic_mode();
		mint_clock_describe();
		mint_layout.microcode = boot_cpu_data.microcode;
		mint_common->microcode = mint_layout.microcode;
	}

	/* One core's shorthand reaches the cores of all nodes */
	apic_ipi_shorthand_off = 1;

	/* STARTUP needs no warm-reset vector, and nobody would take it back */
	x86_platform.legacy.warm_reset = 0;

	smp_ops.kick_ap_alive = mint_kick_ap;
	smp_ops.cleanup_dead_cpu = mint_cleanup_dead_cpu;
	smp_ops.play_dead = mint_play_dead;
	smp_ops.cpu_die = mint_cpu_die;
	if (mint_role == MINT_SUCCESSOR) {
		smp_ops.stop_this_cpu = mint_park;
		stock_stop_others = smp_ops.stop_other_cpus;
		smp_ops.stop_other_cpus = mint_stop_other_cpus;
	}
	apic_update_callback(wakeup_secondary_cpu_64, mint_wakeup_cpu);
}

/* mint.cpus= of node 0, now that the area says whose a core is */
static int __init mint_cpus_online(void)
{
	struct mint_core *core;
	int cpu, err;
	u32 i;

	if (!cpus_given || mint_role != MINT_PREDECESSOR)
		return 0;

	for (i = 0; (core = mint_core(i)); i++) {
		if (mint_apic_id(core) >= MAX_LOCAL_APIC ||
		    !__test_and_clear_bit(mint_apic_id(core), asked_apic_ids))
			continue;
		cpu = mint_core_cpu(core);
		if (cpu < 0 || cpu_online(cpu))
			continue;
		err = add_cpu(cpu);
		if (err)
			pr_err("mint.cpus=: APIC ID %u does not come up (%d)\n",
			       mint_apic_id(core), err);
	}
	if (!bitmap_empty(asked_apic_ids, MAX_LOCAL_APIC))
		pr_err("mint.cpus=: '%*pbl' ignored, no such APIC IDs on this machine\n",
		       MAX_LOCAL_APIC, asked_apic_ids);
	return 0;
}
device_initcall(mint_cpus_online);

/**
 * mint_microcode_odd() - is a core's microcode not what the others have?
 * @revision:	of the core
 * @node0:	of node 0's cores, 0 if that is not known
 * @boot:	of this node's boot core
 *
 * Return: the revision that it should have, 0 if it has that.
 */
VISIBLE_IF_KUNIT u32 mint_microcode_odd(u32 revision, u32 node0, u32 boot)
{
	u32 want = node0 ?: boot;

	return revision == want ? 0 : want;
}
EXPORT_SYMBOL_IF_KUNIT(mint_microcode_odd);

/*
 * A core has the microcode of the firmware until node 0 starts it, which loads
 * a newer one if there is one; INIT does not change it. This kernel loads none.
 */
static void check_microcode(void)
{
	u32 boot = boot_cpu_data.microcode, revision, want;
	int cpu;

	for_each_online_cpu(cpu) {
		revision = cpu_data(cpu).microcode;
		want = mint_microcode_odd(revision, mint_layout.microcode, boot);
		if (want)
			pr_warn("APIC ID %u has microcode %#x, not %#x as %s: have node 0 take it online and offline once before it is lent\n",
				cpu_physical_id(cpu), revision, want,
				mint_layout.microcode ? "node 0's cores" :
							"the boot core");
	}
}

/*
 * A launch is over when the boot core has left the gateway. Who asked for more
 * cores than came up is told afterwards, in the state of the node.
 */
static int __init mint_cores_up(void)
{
	DECLARE_SEQ_BUF(missing, 48);
	unsigned int own = 0, up = 0;
	struct mint_core *core;
	int cpu;
	u32 i;

	if (mint_role != MINT_SUCCESSOR)
		return 0;

	for (i = 0; (core = mint_core(i)); i++) {
		if (mint_owner_of_core(core) != mint_self)
			continue;
		own++;
		cpu = mint_core_cpu(core);
		if (cpu >= 0 && cpu_online(cpu))
			up++;
		else
			seq_buf_printf(&missing, "%s%u", seq_buf_used(&missing) ?
				       "," : "", mint_apic_id(core));
	}
	check_microcode();

	/* maxcpus= may ask for fewer than mint.cpus= names */
	if (up >= min(own, setup_max_cpus))
		return 0;
	pr_err("%u of %u cores came up, without APIC ID %s%s\n", up, own,
	       seq_buf_str(&missing),
	       seq_buf_has_overflowed(&missing) ? ".." : "");
	mint_report_state(MINT_STATE_RUNNING, "up with %u of %u cores, without APIC ID %s%s",
			  up, own, seq_buf_str(&missing),
			  seq_buf_has_overflowed(&missing) ? ".." : "");
	return 0;
}
core_initcall(mint_cores_up);

static bool siblings(u32 a, u32 b)
{
	return a >> __ilog2_u32(__max_threads_per_core) ==
	       b >> __ilog2_u32(__max_threads_per_core);
}

/**
 * mint_sibling_warn() - say so where a node shares a core with another one
 * @n:	number of the node
 *
 * Threads of one core share its caches, its MSRs and its fate in a machine
 * check: whole cores are better lent.
 *
 * Context: predecessor, under the claim's lock.
 */
void mint_sibling_warn(u32 n)
{
	struct mint_core *core, *other;
	u32 i, k;

	if (__max_threads_per_core < 2)
		return;
	for (i = 0; (core = mint_core(i)); i++) {
		if (mint_owner_of_core(core) != n)
			continue;
		for (k = 0; (other = mint_core(k)); k++)
			if (mint_owner_of_core(other) != n &&
			    mint_owner_of_core(other) != MINT_NODE_FREE &&
			    siblings(mint_apic_id(core), mint_apic_id(other)))
				pr_warn("APIC ID %u of node %u and %u of node %u are threads of one core\n",
					mint_apic_id(core), n, mint_apic_id(other),
					mint_owner_of_core(other));
	}
}
