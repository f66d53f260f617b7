// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: locks that all kernels of the machine share.
 *
 * Owns taking, giving back and breaking them; the lock of node 0 under which
 * launches decide; and the measure of how long this kernel holds each of them:
 * /sys/kernel/debug/mint/locks.
 */

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include <asm/apic.h>
#include <asm/tsc.h>

#include "mint.h"

#define LOCK_BOUND_MS		1000		/* an SMI may take 100 */
#define UNKNOWN_TSC_KHZ		10000000	/* faster than any: waits long */
#define BUCKETS			24		/* powers of two, from 64 ns on */
#define FIRST_BUCKET_NS		64

/**
 * struct held - how long this kernel has held a lock
 * @since:	TSC when it was taken
 * @longest:	in cycles of the TSC
 * @count:	how often it was taken
 * @bucket:	the same, by powers of two of the hold time
 *
 * Written by the holder alone, so the lock protects it.
 */
struct held {
	u64	since;
	u64	longest;
	u64	count;
	u64	bucket[BUCKETS];
};

/**
 * struct shared - a lock of enum mint_shared_lock
 * @name:	what people call it
 * @offset:	where it lies in the common area
 * @held:	by this kernel
 */
struct shared {
	const char	*name;
	size_t		offset;
	struct held	held;
};

static struct shared shared[MINT_SHARED_LOCKS] = {
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

static struct mint_lock *lock_of(const struct shared *shared)
{
	return (void *)mint_common + shared->offset;
}

static u64 cycles_to_ns(u64 cycles)
{
	return mul_u64_u64_div_u64(cycles, NSEC_PER_MSEC,
				   tsc_khz ?: UNKNOWN_TSC_KHZ);
}

/* The holder's node is gone, or the holder was this very core */
static bool holder_dead(u32 holder)
{
	struct mint_core *core;

	if (!mint_common_mapped())
		return false;
	core = mint_core_find(holder - 1);
	if (!core || READ_ONCE(core->state) == MINT_CORE_PARKED)
		return true;
	switch (mint_state(mint_core_owner(core))) {
	case MINT_STATE_NONE:
	case MINT_STATE_ENDED:
		return true;
	}
	return false;
}

static void taken(struct held *held)
{
	held->since = rdtsc_ordered();
}

static void given_back(struct held *held)
{
	s64 delta = rdtsc_ordered() - held->since;
	/* A mutex may change cores, and their TSCs differ by a little */
	u64 cycles = max(delta, 0LL);
	int i = ilog2(cycles_to_ns(cycles) / FIRST_BUCKET_NS + 1);

	held->count++;
	held->longest = max(held->longest, cycles);
	held->bucket[min(i, BUCKETS - 1)]++;
}

/*
 * Sections under a lock are a few register accesses long. One whose holder has
 * died, or which one core holds a thousand times longer than any section lasts,
 * is broken and counted, not waited for. So is one that this very core held
 * when an NMI took it out of the section.
 *
 * A kernel with one core makes its atomic operations plain ones. What several
 * kernels share takes the sync_ operations, which it leaves alone.
 */
static void acquire(struct mint_lock *lock)
{
	u64 bound = (u64)(tsc_khz ?: UNKNOWN_TSC_KHZ) * LOCK_BOUND_MS;
	u32 me = read_apic_id() + 1, seen, last = 0;
	u64 begin = 0;

	while ((seen = sync_cmpxchg(&lock->holder, 0, me)) != 0) {
		if (seen != last) {
			/* It changes hands: the bound is for one holder */
			last = seen;
			begin = rdtsc();
		}
		if (seen == me || rdtsc() - begin > bound || holder_dead(seen)) {
			if (sync_cmpxchg(&lock->holder, seen, me) != seen)
				continue;
			WRITE_ONCE(lock->broken, lock->broken + 1);
			/* Under a raw lock of the caller's: not to a console now */
			printk_deferred("mint: lock of APIC ID %u broken\n",
					seen - 1);
			break;
		}
		cpu_relax();
	}
}

/**
 * mint_lock() - take a lock that all kernels of the machine share
 * @which:	of them; before there is a common area, and in a stock kernel,
 *		nobody else is there to be kept out
 *
 * Context: any. Interrupts are off until mint_unlock(), so that the section is
 *	    not preempted.
 * Return: flags for mint_unlock().
 */
unsigned long mint_lock(enum mint_shared_lock which)
{
	unsigned long flags;

	local_irq_save(flags);
	if (mint_common) {
		acquire(lock_of(&shared[which]));
		taken(&shared[which].held);
	}
	return flags;
}

/**
 * mint_unlock() - give back what mint_lock() took
 * @which:	of the locks
 * @flags:	from mint_lock()
 *
 * A lock that was broken meanwhile stays with its new holder.
 */
void mint_unlock(enum mint_shared_lock which, unsigned long flags)
{
	if (mint_common) {
		given_back(&shared[which].held);
		sync_cmpxchg(&lock_of(&shared[which])->holder,
			     read_apic_id() + 1, 0);
	}
	local_irq_restore(flags);
}

/**
 * mint_claims_lock() - begin to decide what is free
 *
 * Context: predecessor, process; may sleep.
 */
void mint_claims_lock(void)
{
	mutex_lock(&claims_mutex);
	taken(&claims_held);
}

/**
 * mint_claims_unlock() - it is decided
 */
void mint_claims_unlock(void)
{
	given_back(&claims_held);
	mutex_unlock(&claims_mutex);
}

/**
 * mint_claims_assert_held() - nobody else decides meanwhile
 *
 * Context: predecessor, where mint_claims_lock() has to be held.
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
	for (i = 0; i < BUCKETS; i++)
		if (held->bucket[i])
			seq_printf(m, "  below %llu ns: %llu\n",
				   ((u64)FIRST_BUCKET_NS << (i + 1)) -
				   FIRST_BUCKET_NS, held->bucket[i]);
}

static int locks_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < MINT_SHARED_LOCKS; i++)
		show(m, shared[i].name, READ_ONCE(lock_of(&shared[i])->broken),
		     &shared[i].held);
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
