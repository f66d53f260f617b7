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
#include <linux/log2.h>
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
 * Whose each core is, by this kernel's own book, indexed as the records: what a
 * peer writes into a record does not change it. Node 0's book has them all, a
 * successor's only its own; of the others it repeats the records.
 */
static u32 *owners __ro_after_init;

/* mint.spare=: cores that this successor could get later */
static DECLARE_BITMAP(spare_apic_ids, MAX_LOCAL_APIC) __initdata;
static bool spares_given __initdata;

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

/* mint.spare=<APIC IDs>|all|none: cores that this node could get later */
static int __init mint_spare_param(char *str)
{
	const char *list = str;
	struct mint_token token;
	u32 first, last;

	if (!mint_successor() || !str)
		return 0;
	if (!strcmp(str, "all")) {
		bitmap_fill(spare_apic_ids, MAX_LOCAL_APIC);
		spares_given = true;
		return 0;
	}
	spares_given = !strcmp(str, "none");
	while (!spares_given && mint_token_next(&list, &token)) {
		if (mint_token_cpus(&token, &first, &last) ||
		    last >= MAX_LOCAL_APIC) {
			pr_err("mint.spare=: '%.*s' ignored, want <APIC ID>[-<APIC ID>], all or none\n",
			       token.len, token.text);
			continue;
		}
		bitmap_set(spare_apic_ids, first, last - first + 1);
	}
	spares_given = true;
	return 0;
}
early_param("mint.spare", mint_spare_param);

/**
 * mint_core_is_spare() - shall this node be able to get a core later?
 * @apic_id:	APIC ID of a core that is not its own
 * @room:	how many such cores it has room for, unless mint.spare= says
 *
 * Context: successor, setup_arch().
 * Return: true if a CPU number is to be kept for it.
 */
bool __init mint_core_is_spare(u32 apic_id, u32 room)
{
	if (apic_id == mint_layout.bsp_apic_id || apic_id >= MAX_LOCAL_APIC)
		return false;
	return spares_given ? test_bit(apic_id, spare_apic_ids) : room;
}

/**
 * mint_owner_of_core() - whose is a core?
 * @core:	record
 *
 * Context: any. That a core is this node's own stands in its private memory: no
 *	    peer can say so.
 * Return: number of the node, MINT_NODE_FREE, or MINT_NODE_FLIGHT.
 */
u32 mint_owner_of_core(const struct mint_core *core)
{
	u32 published = READ_ONCE(core->owner), owner;

	if (!owners)
		return published;
	owner = READ_ONCE(owners[mint_core_index(core)]);
	if (mint_role == MINT_PREDECESSOR || owner == mint_self)
		return owner;
	return published == mint_self ? owner : published;
}

/**
 * mint_bell_try_ring_node() - ring at the core on which a successor takes its bells
 * @n:		number of the node
 * @cause:	MINT_BELL_*
 *
 * The core that the node has published may be another node's: then it is not rung.
 * If the node publishes another core meanwhile, that one is rung as well.
 *
 * Context: as mint_send_ipi().
 * Return: false if the core that the node published last was not rung.
 */
bool mint_bell_try_ring_node(u32 n, u32 cause)
{
	struct mint_core *core, *now = mint_bell_core(n);
	u32 tries = 0;
	bool rung;

	do {
		core = now;
		rung = core && mint_owner_of_core(core) == n;
		if (rung)
			mint_bell_ring(core, cause);
		/* The node may have published another core before that: area/bell.c */
		now = mint_bell_core(n);
	} while (now != core && ++tries < MINT_BELL_TRIES);
	return rung;
}

/**
 * mint_core_hand() - a core changes hands
 * @core:	record of a core that runs nobody's code, but for node 0's own that
 *		it gives away
 * @from:	whose it was: a node, MINT_NODE_FREE or MINT_NODE_FLIGHT
 * @to:		whose it becomes, the same
 *
 * The book is node 0's alone, and each change a compare-and-exchange there:
 * launches, hotplug and transfers need no common lock.
 *
 * Context: predecessor, any.
 * Return: false if it was not @from's; then nothing has changed.
 */
bool mint_core_hand(struct mint_core *core, u32 from, u32 to)
{
	u32 *owner = &owners[mint_core_index(core)];

	/* Set free: the book comes last, for anybody may take the core after that */
	if (to == MINT_NODE_FREE) {
		if (READ_ONCE(*owner) != from)
			return false;
		WRITE_ONCE(core->owner, to);
		return cmpxchg(owner, from, to) == from;
	}
	if (cmpxchg(owner, from, to) != from)
		return false;
	WRITE_ONCE(core->owner, to);
	return true;
}

/**
 * mint_core_claim() - a free core is a node's from now on
 * @core:	record
 * @n:		number of the node
 *
 * Context: predecessor, any.
 * Return: @n, or who has the core already.
 */
u32 mint_core_claim(struct mint_core *core, u32 n)
{
	u32 owner;

	/* If it was set free after mint_core_hand() has failed, try again */
	do {
		if (mint_core_hand(core, MINT_NODE_FREE, n))
			return n;
		owner = mint_owner_of_core(core);
	} while (owner == MINT_NODE_FREE);
	return owner;
}

/**
 * mint_core_set_free() - set a core free
 * @core:	record
 * @n:		number of the node that had it
 *
 * Context: predecessor, any; the core runs nobody's code.
 */
void mint_core_set_free(struct mint_core *core, u32 n)
{
	mint_core_hand(core, n, MINT_NODE_FREE);
}

/**
 * mint_core_set_own() - this successor has a core from now on, or has it no more
 * @core:	record
 * @own:	it has
 *
 * It is started by CPU hotplug while it is this node's, and not otherwise.
 *
 * Context: successor, any.
 */
void mint_core_set_own(struct mint_core *core, bool own)
{
	WRITE_ONCE(owners[mint_core_index(core)],
		   own ? mint_self : MINT_NODE_FREE);
}

/**
 * mint_core_cpu() - number of a core in this kernel
 * @core:	record
 *
 * Context: any.
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

	/* What is no state is waited out: another kernel may have scribbled the word */
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
 * mint_microcode_mismatch() - is a core's microcode not what the others have?
 * @revision:	of the core
 * @node0:	of node 0's cores, 0 if that is not known
 * @boot:	of this node's boot core
 *
 * Context: any.
 * Return: the revision that it should have, 0 if it has that.
 */
VISIBLE_IF_KUNIT u32 mint_microcode_mismatch(u32 revision, u32 node0, u32 boot)
{
	u32 want = node0 ?: boot;

	return revision == want ? 0 : want;
}
EXPORT_SYMBOL_IF_KUNIT(mint_microcode_mismatch);

/*
 * A core has the microcode of the firmware until node 0 starts it, which loads
 * a newer one if there is one; INIT does not change it. This kernel loads none.
 */
static void check_microcode(int cpu)
{
	u32 revision = cpu_data(cpu).microcode;
	u32 want = mint_microcode_mismatch(revision, mint_layout.microcode,
					   boot_cpu_data.microcode);

	if (want)
		pr_warn("APIC ID %u has microcode %#x, not %#x as %s: have node 0 take it online and offline once before it is lent\n",
			cpu_physical_id(cpu), revision, want,
			mint_layout.microcode ? "node 0's cores" :
						"the boot core");
}

/**
 * mint_core_arrive() - bring a core online that this node was given
 * @core:	record of a core that is this node's
 *
 * One that this kernel has never had becomes present first, as one does that
 * firmware plugs in (acpi_processor_hotadd_init()): its number was kept for it.
 *
 * Context: process; may sleep; no lock of CPU hotplug held.
 * Return: 0; -ENODEV if this kernel keeps no number for it; what add_cpu() says.
 */
int mint_core_arrive(struct mint_core *core)
{
	int cpu = mint_core_cpu(core), err;

	if (cpu < 0) {
		cpu_maps_update_begin();
		cpus_write_lock();
		cpu = topology_hotplug_apic(mint_apic_id(core),
					    CPU_ACPIID_INVALID);
		err = cpu < 0 ? -ENODEV : arch_register_cpu(cpu);
		if (err && cpu >= 0)
			topology_hotunplug_apic(cpu);
		cpus_write_unlock();
		cpu_maps_update_done();
		if (err)
			return err;
	}
	/* 1: somebody else was quicker */
	err = cpu_online(cpu) ? 0 : min(add_cpu(cpu), 0);
	if (!err)
		check_microcode(cpu);
	return err;
}

/**
 * mint_core_leave() - take a core offline that goes to somebody else
 * @core:	record of a core that runs this kernel, or is offline
 *
 * It stays a CPU of this kernel, which cannot be brought online.
 *
 * Context: process; may sleep; no lock of CPU hotplug held.
 * Return: 0; what remove_cpu() says: it is online then, as before.
 */
int mint_core_leave(struct mint_core *core)
{
	int cpu = mint_core_cpu(core);

	/* 1: somebody else was quicker */
	return cpu >= 0 && cpu_online(cpu) ? min(remove_cpu(cpu), 0) : 0;
}

/**
 * mint_core_prove() - prove that a core runs nobody's code
 * @core:	record of a core that is changing hands
 *
 * Context: predecessor, process; milliseconds, at most START_BOUND_MS.
 * Return: 0; -EIO if it did not show up in the park loop, it is in reset then.
 */
int mint_core_prove(struct mint_core *core)
{
	ktime_t bound = ktime_add_ms(ktime_get(), START_BOUND_MS);

	mint_core_reset(core);
	mint_core_send_to_park(core);
	while (!mint_core_proven(core)) {
		if (ktime_after(ktime_get(), bound)) {
			mint_core_reset(core);
			return -EIO;
		}
		usleep_range(20, 50);
	}
	return 0;
}

/**
 * mint_core_reset() - send a core to where only a STARTUP wakes it
 * @core:	record of a core that may be anywhere
 *
 * INIT leaves the core waiting for STARTUP, deaf to interrupts and NMIs
 * (Intel SDM vol. 3, 9.4 "Multiple-Processor (MP) Initialization"): it runs
 * nobody's code any more. The BSP is left alone, INIT to it resets the machine.
 *
 * Context: process, or interrupts off on the last core of a node that ends; takes
 *	    tens of microseconds.
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
 * mint_core_proven() - has a core shown up in the park loop since its reset?
 * @core:	record of a core that mint_core_send_to_park() was done to
 *
 * The state alone may be the word of the dead node, or of another one. The
 * gateway leaves a stamp, too, which mint_core_reset() has cleared: it is newer
 * than the INIT, whatever the TSCs of the two cores say of each other.
 *
 * Context: any.
 * Return: true if it has come through the gateway since mint_core_reset(), and
 * is parked.
 */
bool mint_core_proven(const struct mint_core *core)
{
	return READ_ONCE(core->state) == MINT_CORE_PARKED &&
	       READ_ONCE(core->tsc_gateway);
}

/**
 * mint_core_in_reset() - has a core not shown up since mint_core_reset()?
 * @core:	record of a core
 *
 * Context: any.
 * Return: true if no STARTUP has brought it to the gateway since.
 */
bool mint_core_in_reset(const struct mint_core *core)
{
	return !READ_ONCE(core->tsc_gateway);
}

/**
 * mint_core_parked() - is a core in the park loop, by its own word?
 * @core:	record
 *
 * Context: any.
 * Return: true if its record says so, or that it was never started or is in reset.
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
 * Return: true if it left before @tsc and did not come back.
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

static void refuse_cpu(unsigned int cpu, u32 apic_id, u32 owner)
{
	switch (owner) {
	case MINT_NODE_FLIGHT:
		pr_err("CPU %u (APIC ID %u) is changing hands\n", cpu, apic_id);
		break;
	case MINT_NODE_FREE:
		pr_err("CPU %u (APIC ID %u) is not this node's: have node 0 move it here\n",
		       cpu, apic_id);
		break;
	default:
		pr_err("CPU %u (APIC ID %u) belongs to node %u, which must end first or give it away\n",
		       cpu, apic_id, owner);
	}
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
	owner = mint_role == MINT_PREDECESSOR ?
		mint_core_claim(core, mint_self) : mint_owner_of_core(core);
	if (owner != mint_self) {
		refuse_cpu(cpu, mint_apic_id(core), owner);
		return -EBUSY;
	}
	err = native_kick_ap(cpu, tidle);
	if (err && mint_role == MINT_PREDECESSOR)
		mint_core_set_free(core, mint_self);
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
		mint_core_set_free(core, mint_self);
}

/*
 * INIT does not stop these, since it leaves MSRs as they are (Intel SDM vol. 3,
 * 10.1.1 "Processor State After Reset"; AMD APM vol. 2, 14.1.3 "Processor
 * Initialization State"): they would go on writing to the memory of the node that
 * had the core. For a core that INIT took from its kernel the park loop stops those
 * that write to memory.
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
	/* Before there are records and page tables: halt here, INIT still reaches it */
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

/*
 * stop_this_cpu() looks for SME, in leaf 0x8000001f, before it executes WBINVD. No
 * node has memory encryption on: let it see no such leaf.
 */
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

/*
 * The cores stop one by one, and who still runs may wake a task on one that has
 * stopped. Stock warns of that; here the log outlives the kernel, and its reader
 * would take the warning for a reason. A vector for an APIC that is disabled by
 * software is lost (Intel SDM vol. 3, 11.4.7.2 "Local APIC State After It Has
 * Been Software Disabled").
 */
static void send_reschedule_at_end(int cpu)
{
	if (cpu_online(cpu))
		__apic_send_IPI(cpu, RESCHEDULE_VECTOR);
}

static void mint_stop_other_cpus(int wait)
{
	unsigned int cpu;

	smp_ops.smp_send_reschedule = send_reschedule_at_end;
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

	/* Two pages: to an NMI, bit 12 of CR3 means the user tables of PTI */
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

/* A core on its way is not. A move that ends between the two looks shows in the owner */
static bool __init still_own(const struct mint_core *core)
{
	u32 apic_id = mint_apic_id(core);

	return !mint_moved_away(MINT_MOVE_CORE, apic_id) &&
	       READ_ONCE(core->owner) == mint_self &&
	       !mint_moved_away(MINT_MOVE_CORE, apic_id);
}

static void __init init_owners(void)
{
	u32 *book = kcalloc(mint_layout.cores.count, sizeof(*book),
			    GFP_KERNEL | __GFP_NOFAIL);
	struct mint_core *core;
	u32 i;

	for (i = 0; (core = mint_core(i)); i++) {
		book[i] = mint_role == MINT_PREDECESSOR || still_own(core) ?
			  READ_ONCE(core->owner) : MINT_NODE_FREE;
	}
	owners = book;
}

/*
 * The cores that this node has or could take, for who moves them: those for
 * which it has a CPU number.
 */
static int __init publish_spares(void)
{
	unsigned long *row = mint_spares(mint_self);
	struct mint_core *core;
	unsigned int cpu;
	u32 i;

	if (!mint_common || !row)
		return 0;
	for (i = 0; (core = mint_core(i)); i++) {
		__clear_bit(i, row);
		for_each_possible_cpu(cpu)
			if (cpuid_to_apicid[cpu] == mint_apic_id(core) &&
			    !mint_apic_id_problem(mint_apic_id(core)))
				__set_bit(i, row);
	}
	return 0;
}
core_initcall(publish_spares);

/**
 * mint_cpu_map_changed() - memory was added to this kernel's map, or taken out
 *
 * The page tables above are on no list that stock code keeps up to date.
 *
 * Context: process; one caller at a time.
 */
void mint_cpu_map_changed(void)
{
	int i;

	for (i = pgd_index(__PAGE_OFFSET); transition_pgd && i < PTRS_PER_PGD; i++)
		if (pgd_val(transition_pgd[i]) != pgd_val(init_top_pgt[i]))
			WRITE_ONCE(transition_pgd[i], init_top_pgt[i]);
}

/**
 * mint_cpu_init() - take over the core operations
 *
 * Context: early initcall, common area mapped.
 */
void __init mint_cpu_init(void)
{
	init_owners();
	if (mint_role == MINT_PREDECESSOR) {
		mint_gateway_apic_mode();
		mint_clock_describe();
		mint_layout.microcode = boot_cpu_data.microcode;
		mint_common->microcode = mint_layout.microcode;
	}

	/* The "all but self" shorthand reaches the cores of all nodes */
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

/*
 * A launch returns when the boot core has left the gateway. That other cores did
 * not come up is told later, by the reason of the node's state.
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
	for_each_online_cpu(cpu)
		check_microcode(cpu);

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

/**
 * mint_core_siblings() - the APIC IDs of the threads of one core
 * @apic_id:	of one of them
 * @first:	out: the lowest that there could be
 *
 * Context: any.
 * Return: how many there could be.
 */
u32 mint_core_siblings(u32 apic_id, u32 *first)
{
	u32 count = roundup_pow_of_two(max(__max_threads_per_core, 1U));

	*first = apic_id & ~(count - 1);
	return count;
}

static bool siblings(u32 a, u32 b)
{
	return a >> __ilog2_u32(__max_threads_per_core) ==
	       b >> __ilog2_u32(__max_threads_per_core);
}

/**
 * mint_sibling_warn() - say so where a node shares a core with another one
 * @n:	number of the node
 *
 * Threads of one core share its caches and MSRs, and a machine check reaches all of
 * them: whole cores are better lent.
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
