// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: locks that all kernels of the machine share.
 *
 * Owns taking, giving back and breaking them; the lock of node 0 under which
 * launches decide; and the measure of how long this kernel holds each of them:
 * /sys/kernel/debug/mint/locks.
 */

#include <kunit/visibility.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/tsc.h>

#include "../area/area.h"
#include "../core/core.h"
#include "own.h"
#include "lock.h"

#define OWN_BOUND_MS		500		/* to believe this kernel's own notes */
#define LOCK_BOUND_MS		3000		/* an SMI may take 100 */
#define LOOK_MS			1		/* from one look to the next */
#define WATCH_LOOK_MS		1000
#define UNKNOWN_TSC_KHZ		10000000	/* faster than any: waits long */
#define FIRST_BUCKET_NS		64

/*
 * APIC ID of this core. Not from the APIC: between the moment at which x2APIC is
 * switched off at boot and the change of the driver, a read of it faults.
 */
static u32 own_apic_id(void)
{
	u32 apic_id = early_per_cpu(x86_cpu_to_apicid, smp_processor_id());

	return apic_id == BAD_APICID ? read_apic_id() : apic_id;
}

static struct shared_lock locks[MINT_SHARED_LOCKS] = {
	[MINT_LOCK_IOAPIC] = {
		.name	= "ioapic",
		.offset	= offsetof(struct mint_common, ioapic_lock),
	},
	[MINT_LOCK_PCI] = {
		.name	= "pci",
		.offset	= offsetof(struct mint_common, pci_lock),
	},
};

static struct held claims_held;

/* While it is held, nobody else decides what is free: see claim.c */
static DEFINE_MUTEX(claims_mutex);

static u64 *word_of(const struct shared_lock *lock)
{
	struct mint_lock *record = (void *)mint_common + lock->offset;

	return &record->word;
}

static u64 cycles_to_ns(u64 cycles)
{
	return mul_u64_u64_div_u64(cycles, NSEC_PER_MSEC,
				   tsc_khz ?: UNKNOWN_TSC_KHZ);
}

static u64 ms_to_cycles(unsigned int ms)
{
	return (u64)(tsc_khz ?: UNKNOWN_TSC_KHZ) * ms;
}

static void hold_begin(struct held *held)
{
	held->since = rdtsc_ordered();
}

static void hold_end(struct held *held)
{
	s64 delta = rdtsc_ordered() - held->since;
	/* A mutex may change cores, and their TSCs differ by a little */
	u64 cycles = max(delta, 0LL);
	int i = ilog2(cycles_to_ns(cycles) / FIRST_BUCKET_NS + 1);

	held->count++;
	held->longest = max(held->longest, cycles);
	held->bucket[min(i, HOLD_BUCKETS - 1)]++;
}

/*
 * Another look at the same holder. Time in which this core did not look is not
 * counted: the holder may have stood still, too, as the whole machine does in
 * an SMI, or a virtual one that is stopped.
 */
static void count_wait(struct shared_lock_wait *wait, u64 word, unsigned int look_ms)
{
	u64 now = rdtsc_ordered(), cycles;

	if (word != wait->word) {
		memset(wait, 0, sizeof(*wait));
		wait->word = word;
		wait->last = now;
	}
	cycles = min(now - wait->last, ms_to_cycles(look_ms));
	wait->last = now;
	wait->waited += cycles;
	wait->still += cycles;
}

static u32 cores_of(u32 n)
{
	struct mint_core *core;
	u32 i, count = 0;

	for (i = 0; (core = mint_core(i)); i++)
		count += mint_owner_of_core(core) == n;
	return count;
}

/* The heart goes from core to core, and beats where interrupts are on */
static void count_beats(struct shared_lock_wait *wait, u32 n)
{
	const struct mint_node *node = mint_node(n);
	u64 beat = node ? READ_ONCE(node->heartbeat) : 0;

	if (beat == wait->beat)
		return;
	/* The first look only learns the count */
	if (wait->beat)
		wait->beats++;
	wait->beat = beat;
	wait->still = 0;
}

/*
 * A core of this kernel. Its own notes say whether it is the holder; they are
 * written just after the lock was taken, so they are given some time. A core
 * that was stopped, or that a panic has left behind, does not go on.
 */
static bool own_core_gone(const struct shared_lock *lock,
			  const struct shared_lock_wait *wait,
			  const struct mint_core *core)
{
	int cpu;

	if (wait->waited < ms_to_cycles(OWN_BOUND_MS))
		return false;
	cpu = mint_core_cpu(core);
	return READ_ONCE(lock->own) != wait->word || cpu < 0 ||
	       !cpu_online(cpu) || atomic_read(&panic_cpu) != PANIC_CPU_INVALID;
}

/*
 * Node 0 marks its own cores as in flight before they go offline, and on that way
 * they take these locks. A core of another node is marked only once that node has
 * said that it is offline.
 */
static bool core_in_flight(const struct shared_lock *lock,
			   const struct shared_lock_wait *wait,
			   const struct mint_core *core)
{
	if (mint_role == MINT_PREDECESSOR && mint_core_cpu(core) >= 0)
		return own_core_gone(lock, wait, core);
	return mint_core_parked(core) ||
	       wait->still > 2 * ms_to_cycles(LOCK_BOUND_MS);
}

/* A core that runs nobody's code any more, for certain */
static void reset_holder(const struct shared_lock *lock, struct mint_core *core)
{
	if (!mint_core_parked(core))
		printk_deferred("mint: APIC ID %u of node %u has the lock \"%s\" and no heartbeat for %u ms: reset by INIT\n",
				mint_apic_id(core), mint_owner_of_core(core),
				lock->name, LOCK_BOUND_MS);
	mint_core_reset(core);
}

/*
 * May the lock be taken from who has it? Only if that core is not in a section:
 *
 *  - it is this very core: an NMI took it out of the section for good;
 *  - there is no such core, or it is nobody's: node 0 sets a core free once it
 *    is proven parked; one in flight may still be on its way out;
 *  - it is proven parked (node 0, by its own book); it says that it is parked
 *    (others, by the area);
 *  - the heart of its node has beaten on all of its cores meanwhile: interrupts
 *    are off in a section, so the word is wrong, or old;
 *  - its heart stands still for longer than any section lasts, or it says that
 *    it is parked: node 0 resets the core, and then it is certain. Another
 *    kernel cannot, and waits for node 0 to do so. Where that does not happen
 *    either, node 0 is gone, and nobody can tell; after twice the time the lock
 *    is taken all the same, because otherwise one core would take every node
 *    down that needs it.
 *
 * A section is a few accesses to registers. The word is shared memory, which a
 * broken peer may have scribbled: by itself it condemns no core of a node whose
 * heart beats.
 */
static bool holder_gone(const struct shared_lock *lock, struct shared_lock_wait *wait)
{
	u64 bound = ms_to_cycles(LOCK_BOUND_MS);
	u32 holder = wait->word, owner;
	struct mint_core *core;
	bool busy;

	if (holder == own_apic_id() + 1)
		return true;
	/* Early in a successor nobody can be looked up */
	if (!mint_common_mapped())
		return wait->still > 2 * bound;
	core = mint_core_find(holder - 1);
	if (!core)
		return true;
	owner = mint_owner_of_core(core);
	if (owner == mint_self)
		return own_core_gone(lock, wait, core);
	if (owner == MINT_NODE_FLIGHT)
		return core_in_flight(lock, wait, core);
	if (!mint_node(owner) || mint_node_parked(owner))
		return true;
	if (mint_role == MINT_SUCCESSOR && mint_core_parked(core))
		return true;
	count_beats(wait, owner);
	if (wait->beats > cores_of(owner) + 1 &&
	    wait->waited > ms_to_cycles(OWN_BOUND_MS))
		return true;
	if (mint_role == MINT_SUCCESSOR)
		return wait->still > 2 * bound;
	/* Somebody may be proving that very core, or be about to */
	busy = mint_claim_busy(owner);
	if (busy)
		bound *= 2;
	else if (mint_core_parked(core))
		bound = 0;	/* it says that it is parked; the reset makes that certain */
	if (wait->still < bound)
		return false;
	/*
	 * Whoever proves this core has sent it INIT, or has seen it pass the gateway: it
	 * does not hold the lock any more, and another INIT would spoil the proof.
	 */
	if (busy && (mint_core_in_reset(core) || mint_core_proven(core)))
		return true;
	reset_holder(lock, core);
	return true;
}

static void note_broken(struct shared_lock *lock, u64 word)
{
	atomic_inc(&lock->broken);
	/* Under a raw lock of the caller's: not to a console now */
	printk_deferred("mint: lock \"%s\" of APIC ID %u broken\n", lock->name,
			(u32)word - 1);
}

/**
 * mint_shared_lock_acquire() - take a lock
 * @lock:	what this kernel knows of it
 * @word:	where it lies
 *
 * A kernel with one core makes its atomic operations plain ones. What several
 * kernels share takes the sync_ operations, which it leaves alone.
 *
 * Context: any, interrupts off.
 * Return: number of this hold, for mint_shared_lock_release().
 */
VISIBLE_IF_KUNIT u32 mint_shared_lock_acquire(struct shared_lock *lock, u64 *word)
{
	u32 me = own_apic_id() + 1;
	struct shared_lock_wait wait = {};
	u64 seen, next;

	for (;;) {
		seen = READ_ONCE(*word);
		next = shared_lock_word(me, (seen >> 32) + 1);
		if (!(u32)seen) {
			if (sync_cmpxchg(word, seen, next) == seen)
				break;
			continue;
		}
		count_wait(&wait, seen, LOOK_MS);
		if (holder_gone(lock, &wait) &&
		    sync_cmpxchg(word, seen, next) == seen) {
			note_broken(lock, seen);
			break;
		}
		cpu_relax();
	}
	WRITE_ONCE(lock->own, next);
	hold_begin(&lock->held);
	return next >> 32;
}

/**
 * mint_shared_lock_release() - give a lock back
 * @lock:	what this kernel knows of it
 * @word:	where it lies
 * @seq:	from mint_shared_lock_acquire()
 *
 * A lock that was broken meanwhile stays with its new holder, also if that is
 * this core: the number of the hold is another one.
 *
 * Context: any, interrupts off.
 */
VISIBLE_IF_KUNIT void mint_shared_lock_release(struct shared_lock *lock, u64 *word, u32 seq)
{
	u64 mine = shared_lock_word(own_apic_id() + 1, seq);

	if (READ_ONCE(*word) != mine)
		return;
	hold_end(&lock->held);
	WRITE_ONCE(lock->own, 0);
	sync_cmpxchg(word, mine, shared_lock_word(0, seq));
}

/**
 * mint_shared_lock_poll() - check a lock's holder, for successors that wait for it
 * @lock:	what this kernel knows of it
 * @word:	where it lies
 * @wait:	what was seen before
 *
 * Context: interrupts off; a look every WATCH_LOOK_MS at the least.
 */
VISIBLE_IF_KUNIT void mint_shared_lock_poll(struct shared_lock *lock, u64 *word,
					    struct shared_lock_wait *wait)
{
	u64 seen = READ_ONCE(*word);

	if (!(u32)seen) {
		wait->word = 0;
		return;
	}
	count_wait(wait, seen, WATCH_LOOK_MS);
	if (holder_gone(lock, wait) &&
	    sync_cmpxchg(word, seen, shared_lock_word(0, (seen >> 32) + 1)) == seen)
		note_broken(lock, seen);
}

/**
 * mint_lock() - take a lock that all kernels of the machine share
 * @which:	of them; before there is a common area, and in a stock kernel,
 *		nobody else is there to be kept out
 *
 * Context: any. Interrupts are off until mint_unlock(), so that the section is
 *	    not preempted.
 * Return: flags for mint_unlock(); the number of the hold is in the upper half.
 */
unsigned long mint_lock(enum mint_shared_lock which)
{
	unsigned long flags;
	u32 seq = 0;

	local_irq_save(flags);
	if (mint_common)
		seq = mint_shared_lock_acquire(&locks[which], word_of(&locks[which]));
	return flags | (u64)seq << 32;
}

/**
 * mint_unlock() - give back what mint_lock() took
 * @which:	of the locks
 * @flags:	from mint_lock()
 *
 * A lock that was broken meanwhile stays with its new holder.
 *
 * Context: as mint_lock(); interrupts are as they were before that.
 */
void mint_unlock(enum mint_shared_lock which, unsigned long flags)
{
	u32 seq = flags >> 32;

	flags = (u32)flags;
	if (mint_common)
		mint_shared_lock_release(&locks[which], word_of(&locks[which]), seq);
	local_irq_restore(flags);
}

/**
 * mint_locks_poll() - break locks whose holder is gone
 *
 * Node 0 may need none of the locks for a long time, others wait for them.
 *
 * Context: predecessor, work queue, about every half second.
 */
void mint_locks_poll(void)
{
	static struct shared_lock_wait waits[MINT_SHARED_LOCKS];
	unsigned long flags;
	int i;

	for (i = 0; i < MINT_SHARED_LOCKS; i++) {
		local_irq_save(flags);
		mint_shared_lock_poll(&locks[i], word_of(&locks[i]), &waits[i]);
		local_irq_restore(flags);
	}
}

/**
 * mint_claims_lock() - keep others from deciding what is free
 *
 * Context: predecessor, process; may sleep.
 */
void mint_claims_lock(void)
{
	mutex_lock(&claims_mutex);
	hold_begin(&claims_held);
}

/**
 * mint_claims_unlock() - undo mint_claims_lock()
 *
 * Context: as mint_claims_lock().
 */
void mint_claims_unlock(void)
{
	hold_end(&claims_held);
	mutex_unlock(&claims_mutex);
}

/**
 * mint_claims_assert_held() - warn unless mint_claims_lock() is held
 *
 * Context: predecessor.
 */
void mint_claims_assert_held(void)
{
	lockdep_assert_held(&claims_mutex);
}

static void show(struct seq_file *m, const char *name, u32 broken,
		 const struct held *held)
{
	int i;

	seq_printf(m, "%s: taken %llu, broken %u, longest %llu ns\n", name,
		   held->count, broken, cycles_to_ns(held->longest));
	for (i = 0; i < HOLD_BUCKETS; i++)
		if (held->bucket[i])
			seq_printf(m, "  below %llu ns: %llu\n",
				   ((u64)FIRST_BUCKET_NS << (i + 1)) -
				   FIRST_BUCKET_NS, held->bucket[i]);
}

static int locks_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < MINT_SHARED_LOCKS; i++)
		show(m, locks[i].name, atomic_read(&locks[i].broken),
		     &locks[i].held);
	if (mint_role == MINT_PREDECESSOR)
		show(m, "claims", 0, &claims_held);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(locks);

static int __init mint_lock_init(void)
{
	if (mint_own_node())
		debugfs_create_file("locks", 0400, mint_debugfs(), NULL,
				    &locks_fops);
	return 0;
}
late_initcall(mint_lock_init);
