/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: the parts of lock.c, for its tests.
 */
#ifndef _ARCH_X86_MINT_LOCK_H
#define _ARCH_X86_MINT_LOCK_H

#include <linux/atomic.h>
#include <linux/kconfig.h>
#include <linux/types.h>

#define HOLD_BUCKETS		24		/* powers of two, from 64 ns on */

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
	u64	bucket[HOLD_BUCKETS];
};

/**
 * struct shared_lock - what this kernel knows of a lock of enum mint_shared_lock
 * @name:	what people call it
 * @offset:	where it lies in the common area
 * @own:	the word while a core of this kernel holds the lock, else 0
 * @broken:	how often this kernel took it from its holder
 * @held:	by this kernel
 */
struct shared_lock {
	const char	*name;
	size_t		offset;
	u64		own;
	atomic_t	broken;
	struct held	held;
};

/**
 * struct shared_lock_wait - what a waiter has seen of a holder
 * @word:	the lock while it is this holder's; a new one begins a new wait
 * @last:	TSC at the last look
 * @waited:	cycles of the TSC that it has been the same
 * @still:	cycles since the heart of the holder's node was seen to beat
 * @beat:	that heartbeat
 * @beats:	how many were seen
 */
struct shared_lock_wait {
	u64	word;
	u64	last;
	u64	waited;
	u64	still;
	u64	beat;
	u32	beats;
};

#if IS_ENABLED(CONFIG_KUNIT)
u32 mint_shared_lock_acquire(struct shared_lock *lock, u64 *word);
void mint_shared_lock_release(struct shared_lock *lock, u64 *word, u32 seq);
void mint_shared_lock_poll(struct shared_lock *lock, u64 *word, struct shared_lock_wait *wait);
#endif

static inline u64 shared_lock_word(u32 holder, u32 seq)
{
	return (u64)seq << 32 | holder;
}

#endif /* _ARCH_X86_MINT_LOCK_H */
