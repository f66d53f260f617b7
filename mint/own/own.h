/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: who owns what, and what state each node is in.
 */
#ifndef _ARCH_X86_MINT_OWN_H
#define _ARCH_X86_MINT_OWN_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../area/area.h"

/* states.c */

/**
 * enum mint_event - what happens to a successor, as node 0 finds it
 * @MINT_EVENT_CLAIM:	resources are claimed for it
 * @MINT_EVENT_LOADED:	its image is in place
 * @MINT_EVENT_START:	its boot core is sent through the gateway
 * @MINT_EVENT_UP:	its kernel runs, or runs again
 * @MINT_EVENT_REBOOT:	it starts again by itself
 * @MINT_EVENT_PANIC:	it has panicked, and will start again by itself
 * @MINT_EVENT_STILL:	its heart stands still
 * @MINT_EVENT_END:	it is over: node 0 begins to take back what it had
 * @MINT_EVENT_UNPROVEN: a core of it is not proven parked
 * @MINT_EVENT_ENDED:	it owns nothing any more
 * @MINT_EVENT_PANICKED: the same, after a panic
 * @MINT_EVENTS:	how many there are
 */
enum mint_event {
	MINT_EVENT_CLAIM,
	MINT_EVENT_LOADED,
	MINT_EVENT_START,
	MINT_EVENT_UP,
	MINT_EVENT_REBOOT,
	MINT_EVENT_PANIC,
	MINT_EVENT_STILL,
	MINT_EVENT_END,
	MINT_EVENT_UNPROVEN,
	MINT_EVENT_ENDED,
	MINT_EVENT_PANICKED,
	MINT_EVENTS,
};

/**
 * struct mint_heart - a heartbeat, as this kernel has watched it
 * @count:	beats, when last looked at
 * @polled_at:	when that was, jiffies
 * @still_ms:	for how long it was watched without a beat
 */
struct mint_heart {
	u64		count;
	unsigned long	polled_at;
	unsigned int	still_ms;
};

const char *mint_state_name(u32 state);
u32 mint_state_next(u32 state, enum mint_event event);
bool mint_state_alive(u32 state);
bool mint_panicked(const struct mint_node *record, u32 *returns_ms);
bool mint_reported_up(const struct mint_node *record, u32 boots, u64 *since_ns,
		      char *reason);
void mint_heart_reset(struct mint_heart *heart, u64 count, unsigned long now);
bool mint_heart_poll(struct mint_heart *heart, u64 count, unsigned long now,
		     unsigned int period_ms);

/* claim.c */

/**
 * struct mint_claim - node 0's own book about a successor
 * @lock:	held by who loads, starts, stops or releases the node
 * @n:		its number
 * @used:	it owns what @node says
 * @ran:	it was started
 * @parked:	nothing of it runs: not started, or proven parked
 * @la57:	its image is entered with five levels of page tables
 * @node:	what it was given, and the state it is in
 * @last:	state and words of the node before, until this one is loaded;
 *		in MINT_STATE_NONE there are none to keep
 * @last_record: its record in the common area
 * @last_ended_seq: its @ended_seq
 * @lent:	bits: devices of it that node 0 has brought to rest
 * @boots_seen:	count of boots in its record, when last looked at
 * @entry:	where its boot core leaves the gateway for
 * @arg:	argument there
 * @ended_seq:	counts up with every node that ends; 0: it never ran
 * @look:	work that watches it
 * @heart:	its heartbeat
 * @reported_ns: when its record last said that it runs, by its own clock; 0: its
 *		kernel has not said so
 * @ends_as:	event that follows once all is taken back
 * @why:	in quarantine: the reason of its end
 * @unparked:	the fewest cores that had not said that they are parked
 * @parked_at:	when there were so few for the first time, jiffies
 * @progress:	counts the steps of taking back what it had
 * @request_lock: for what follows, and for changes of @used
 * @request:	MINT_REQUEST_*, the strongest that was made
 * @reboots:	counts the reboots that were asked for
 * @incarnation: counts up with every node that gets this number
 * @settled:	the same, once the load has succeeded
 */
struct mint_claim {
	struct mutex		lock;	/* one operation on the node at a time */
	u32			n;
	bool			used;
	bool			ran;
	bool			parked;
	bool			la57;
	struct mint_node	node;
	struct mint_node	last;
	struct mint_node	last_record;
	u64			last_ended_seq;
	DECLARE_BITMAP(lent, MINT_DEVICES_MAX);
	u32			boots_seen;
	u64			entry;
	u64			arg;
	u64			ended_seq;
	struct work_struct	look;
	struct mint_heart	heart;
	u64			reported_ns;
	enum mint_event		ends_as;
	char			why[MINT_REASON_LEN];
	u32			unparked;
	unsigned long		parked_at;
	unsigned long		progress;
	raw_spinlock_t		request_lock;
	u32			request;
	u32			reboots;
	u64			incarnation;
	u64			settled;
};

/**
 * enum mint_notice - what listeners are told of a node
 * @MINT_NODE_ADDED:	it has all that it was given; a listener may refuse it
 * @MINT_NODE_NEW:	the number is its own; what the node before it has left
 *			there is discarded
 * @MINT_NODE_STATE:	its state has changed
 * @MINT_NODE_GONE:	nobody has the number any more
 */
enum mint_notice {
	MINT_NODE_ADDED,
	MINT_NODE_NEW,
	MINT_NODE_STATE,
	MINT_NODE_GONE,
};

extern struct wait_queue_head mint_state_wait;
const struct mint_node *mint_claim(u32 n);
const struct mint_node *mint_node_status(u32 n);
u32 mint_state(u32 n);
bool mint_quarantined(u32 n);
bool mint_node_parked(u32 n);
bool mint_claim_busy(u32 n);
u64 mint_incarnation(u32 n);
u64 mint_incarnation_settled(u32 n);
void mint_claim_own(const struct mint_node *node);
u32 mint_record_memory(const struct mint_node *record, struct mint_range *mem);
u32 mint_claim_memory(u32 n, struct mint_range *mem);
u32 mint_claim_owner_of_memory(u64 addr, u64 *end);
bool mint_claim_memory_fits(u32 n, const struct mint_range *range, bool add);
bool mint_claim_move_memory(const struct mint_range *range, u32 from, u32 to);
void mint_claim_watch(u32 n);
struct mint_claim *mint_claim_trylock(u32 n);
void mint_claim_unlock(struct mint_claim *claim);
unsigned long mint_claim_progress(u32 n);
void mint_claim_inc_progress(struct mint_claim *claim);
bool mint_claim_wait_unlocked(u32 n, unsigned int ms);
void mint_claim_wait_number(void);
struct mint_claim *mint_claim_new(work_func_t look);
void mint_claim_use(struct mint_claim *claim, const struct mint_node *node);
void mint_claim_settle(struct mint_claim *claim);
void mint_claim_undo(struct mint_claim *claim);
int mint_device_slot(const struct mint_device *list, u32 count, u32 max);
void mint_claim_set_device(u32 n, u32 i, const struct mint_device *dev);
void mint_bell_ring_node(u32 n, u32 cause);
int mint_request(u32 n, u32 what, u64 *incarnation);
int mint_request_reboot(u32 n, u64 incarnation);
__printf(3, 4)
void mint_claim_event(struct mint_claim *claim, enum mint_event event,
		      const char *fmt, ...);
int mint_node_listen(struct notifier_block *nb);
int mint_node_announce(u32 n, enum mint_notice what);
void mint_node0_set_silent(bool silent, const char *reason);

/* owner.c */
void mint_owners_keep_pins(u32 *owners);
u32 mint_owner_of_pin(u32 gsi);
u32 mint_owner_of_memory(phys_addr_t addr, phys_addr_t *end, const char **what);
u32 mint_owner_of_function(u32 id, u32 *index);
u32 mint_owner_of_legacy(u32 id);
bool mint_pin_hand(u32 gsi, u32 from, u32 to);
void mint_pin_set_own(u32 gsi, bool own);
bool mint_function_set_flight(u32 id, bool flight);

/* lock.c */
void mint_locks_poll(void);
void mint_claims_lock(void);
void mint_claims_unlock(void);
void mint_claims_assert_held(void);
DEFINE_LOCK_GUARD_0(mint_claims, mint_claims_lock(), mint_claims_unlock())

/* memory.c */

/* What moves between running nodes is whole blocks, bytes */
#define MINT_BLOCK_SHIFT	27
#define MINT_BLOCK		BIT_ULL(MINT_BLOCK_SHIFT)

extern struct mint_range mint_own_mem[];
extern u32 mint_own_mem_count;
bool mint_ranges_overlap(const struct mint_range *a,
			 const struct mint_range *b);
bool mint_range_border(const struct mint_range *range, u64 addr, u64 *end);
bool mint_range_inside(const struct mint_range *inner,
		       const struct mint_range *outer, u32 count);
bool mint_ranges_add(struct mint_range *list, u32 *count, u32 max,
		     const struct mint_range *range);
bool mint_ranges_cut(struct mint_range *list, u32 *count, u32 max,
		     const struct mint_range *range);
u32 mint_map_cut(const struct mint_map *entry, const struct mint_range *cut,
		 u32 nr_cut, struct mint_map *out, u32 max);
void mint_memory_apply(void);
u32 mint_memory_describe(struct mint_map *map, u32 max);
u32 mint_memory_adopt(const struct mint_node *node, struct mint_range *later,
		      u32 max);
void mint_memory_register(void);
int mint_memory_open(const struct mint_range *range);
int mint_memory_close(const struct mint_range *range);
bool mint_memory_opened(const struct mint_range *range);

/* hotplug.c */

/**
 * struct mint_stuck - why memory does not leave
 * @block:	start of the block that does not empty, 0 if it is none
 * @pages:	how many pages of it are in use, or do not move
 * @first:	physical address of the first of these
 * @why:	what keeps that one
 * @lost:	a part of it has left, and could not be added again: this kernel does
 *		not use that until it reboots
 */
struct mint_stuck {
	u64		block;
	u32		pages;
	u64		first;
	const char	*why;
	bool		lost;
};

void mint_hotplug_setup(void);
void mint_hotplug_adopt(const struct mint_node *node);
int mint_memory_add(const struct mint_range *range);
int mint_memory_remove(const struct mint_range *range, unsigned long bound,
		       struct mint_stuck *stuck);

/* ioapic.c */
void mint_ioapics_find_pins(struct mint_ioapic *list, u32 count, u32 *pins,
			    u32 top, int (*find)(u32 gsi));
void mint_ioapics_create(void);
int mint_ioapics_adopt(void);
const struct mint_ioapic *mint_ioapic(unsigned int ioapic);
void mint_pin_clear(u32 gsi);
void mint_pins_clear(void);
bool mint_interrupts_remapped(void);
void mint_pin_arm(u32 gsi, u32 irq_flags);
void mint_pin_disarm(u32 gsi, u32 irq_flags);
bool mint_pin_fired(u32 gsi);

#endif /* _ARCH_X86_MINT_OWN_H */
