/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: what the files of this directory share.
 */
#ifndef _ARCH_X86_MINT_MINT_H
#define _ARCH_X86_MINT_MINT_H

#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/kexec.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/mint.h>
#include <uapi/asm/mint.h>

#undef pr_fmt
#define pr_fmt(fmt) "mint: " fmt

/**
 * enum mint_role - what this kernel is on its machine
 * @MINT_STOCK:		nothing was asked for: a stock kernel
 * @MINT_PREDECESSOR:	node 0, started by the boot loader with mint.* parameters
 * @MINT_SUCCESSOR:	launched by a predecessor
 */
enum mint_role {
	MINT_STOCK,
	MINT_PREDECESSOR,
	MINT_SUCCESSOR,
};

/**
 * struct mint_given - what a successor was given in its hand-over
 * @tsc_khz:	frequency of the TSC, kHz
 * @wall_ns:	wall clock, ns since 1970, when the TSC was @wall_tsc
 * @wall_tsc:	TSC at @wall_ns
 * @kept:	physical address of the image kept for an own reboot, or 0
 * @kept_size:	bytes there
 * @handover:	physical address of the hand-over itself
 */
struct mint_given {
	u32	tsc_khz;
	u64	wall_ns;
	u64	wall_tsc;
	u64	kept;
	u64	kept_size;
	u64	handover;
};

/* node.c */
extern struct mint_given mint_given;
extern enum mint_role mint_role;
extern u32 mint_self;
void mint_become_predecessor(void);
struct mint_node *mint_own_node(void);

/* common.c */
extern struct mint_common *mint_common;
extern struct mint_common mint_layout;
extern phys_addr_t mint_common_pa;
int mint_common_create(void);
void mint_common_map_early(phys_addr_t pa);
int mint_common_map(void);
void mint_common_publish(void);
bool mint_common_mapped(void);
struct mint_core *mint_core(u32 index);
struct mint_core *mint_core_find(u32 apic_id);
u32 mint_core_index(const struct mint_core *core);
u32 mint_apic_id(const struct mint_core *core);
phys_addr_t mint_core_pa(const struct mint_core *core);
struct mint_node *mint_node(u32 n);
struct mint_ring *mint_ring(u32 n, u32 which, void **data, u32 *size);
phys_addr_t mint_ring_pa(u32 n);
#if IS_ENABLED(CONFIG_KUNIT)
bool mint_layout_valid(struct mint_common *c);
#endif
const struct mint_map *mint_firmware_map(u32 index);
struct mint_ioapic *mint_ioapic_record(u32 index);
struct mint_ecam *mint_ecam(u32 index);
u32 *mint_pin_record(u32 gsi);
u32 *mint_root_bus(u32 index);
unsigned long *mint_line_waiting(u32 n);
struct mint_timing *mint_timing_record(u32 n);
struct mint_vf *mint_vf(u32 n, u32 i);
u32 mint_own_apic_ids(u32 *ids, u32 max);

/* lock.c */
void mint_locks_look(void);
void mint_claims_lock(void);
void mint_claims_unlock(void);
void mint_claims_assert_held(void);
DEFINE_LOCK_GUARD_0(mint_claims, mint_claims_lock(), mint_claims_unlock())

/* ring.c */

/**
 * struct mint_stream - how to reach a ring
 * @ring:	its counts
 * @data:	its bytes
 * @size:	how many there are, a power of two
 */
struct mint_stream {
	struct mint_ring	*ring;
	void			*data;
	u32			size;
};

bool mint_stream_get(struct mint_stream *stream, u32 n, u32 which);
u32 mint_stream_kept(const struct mint_stream *stream);
u32 mint_stream_room(const struct mint_stream *stream);
void mint_stream_write(const struct mint_stream *stream, const void *from,
		       size_t count);
size_t mint_stream_read(const struct mint_stream *stream, u64 *pos, void *to,
			size_t count, u64 *missed);
void mint_stream_clear(const struct mint_stream *stream);
void mint_rings_reset(u32 n);

/* log.c */
struct kobject;
void mint_log_setup_early(void);
void mint_log_flush(void);
void mint_log_last(void);
int mint_log_add(u32 n, struct kobject *kobj);
void mint_log_remove(u32 n);

/* tty.c */
#ifdef CONFIG_TTY
void mint_tty_poll(void);
void mint_tty_reset(u32 n);
#else
static inline void mint_tty_poll(void) { }

static inline void mint_tty_reset(u32 n)
{
	struct mint_stream stream;
	u32 i;

	for (i = MINT_RING_OUT; i <= MINT_RING_IN; i++)
		if (mint_stream_get(&stream, n, i))
			mint_stream_clear(&stream);
}
#endif

/* param.c */
struct mint_token {
	const char	*text;
	int		len;
};

/* No function is in this PCI segment, nor in one above it */
#define MINT_SEGMENT_NONE	0xffff

/**
 * struct mint_pci_match - some PCI functions
 * @id:		segment << 16 | bus << 8 | devfn
 * @mask:	bits of it that count
 * @below:	not these, but all that is below them
 * @force:	even if they can not be reset
 */
struct mint_pci_match {
	u32	id;
	u32	mask;
	bool	below;
	bool	force;
};

/**
 * struct mint_pci_word - an element of mint.devices= of node 0
 * @match:	which functions it names
 * @minus:	node 0 shall not have them
 */
struct mint_pci_word {
	struct mint_pci_match	match;
	bool			minus;
};

bool mint_token_next(const char **list, struct mint_token *token);
int mint_token_range(const struct mint_token *token, struct mint_range *range);
int mint_token_cpus(const struct mint_token *token, u32 *first, u32 *last);
int mint_token_device(const struct mint_token *token, struct mint_device *dev);
int mint_token_pci(const struct mint_token *token, struct mint_pci_match *match);
bool mint_pci_allowed(const struct mint_pci_word *words, u32 count,
		      bool (*named)(const struct mint_pci_match *match, void *arg),
		      void *arg);
bool mint_param_find(const char *cmdline, const char *name,
		     struct mint_token *value);
const char *mint_device_name(const struct mint_device *dev, char *buf,
			     size_t size);

/* memory.c */
extern struct mint_range mint_own_mem[];
extern u32 mint_own_mem_count;
bool mint_ranges_overlap(const struct mint_range *a,
			 const struct mint_range *b);
bool mint_range_inside(const struct mint_range *inner,
		       const struct mint_range *outer, u32 count);
u32 mint_map_cut(const struct mint_map *entry, const struct mint_range *cut,
		 u32 nr_cut, struct mint_map *out, u32 max);
void mint_memory_apply(void);
u32 mint_memory_describe(struct mint_map *map, u32 max);
void mint_memory_adopt(const struct mint_node *node);
void mint_memory_register(void);
int mint_memory_lend(u32 n);
void mint_memory_take_back(u32 n);
void *mint_map_memory(phys_addr_t start, unsigned long size);
void mint_unmap_memory(void *addr);
const char *mint_memory_owner(phys_addr_t addr, phys_addr_t *end, u32 *node);

/* cpu.c */
struct mint_start {
	u64	entry;
	u64	arg;
	u64	cr3;
	u32	mode;
	u32	cr4;
	u32	efer;
};

void mint_cpu_init(void);
void mint_cpu_realmode_init(void);
int mint_core_start(struct mint_core *core, const struct mint_start *start);
void mint_core_reset(struct mint_core *core);
void mint_core_send_to_park(struct mint_core *core);
bool mint_core_proven(const struct mint_core *core);
bool mint_core_parked(const struct mint_core *core);
bool mint_core_settled(const struct mint_core *core, u64 tsc);
void mint_core_nmi(const struct mint_core *core);
const char *mint_apic_id_problem(u32 apic_id);
u32 mint_core_owner(const struct mint_core *core);
u32 mint_core_take(struct mint_core *core, u32 n);
void mint_core_drop(struct mint_core *core, u32 n);
int mint_core_cpu(const struct mint_core *core);
void mint_park(void);
void mint_keep_caches(void);
void mint_restart_jump(u64 kept);
void mint_doorbell(u32 apic_id);
void mint_ring_node(u32 n);
void mint_sibling_warn(u32 n);

#if IS_ENABLED(CONFIG_KUNIT)
const char *mint_reach_problem(u32 apic_id, bool x2apic, u32 max);
u32 mint_microcode_odd(u32 revision, u32 node0, u32 boot);
#endif

/* gateway.S */
extern const char mint_gateway[], mint_gateway_end[];
void mint_park_jump(u64 park, u64 core, u64 identity, u64 pgd);

/* gateway_init.c */
enum mint_map_part {
	MINT_MAP_NONE,
	MINT_MAP_SOME,
	MINT_MAP_ALL,
};

struct e820_table;

#if IS_ENABLED(CONFIG_KUNIT)
enum mint_map_part mint_map_has_memory(const struct e820_table *map, u64 start,
				       u64 size);
#endif
u32 mint_identity_size(void);
void mint_gateway_install(phys_addr_t pa);
void mint_gateway_apic_mode(void);

/* clock.c */
void mint_clock_setup(void);
void mint_clock_describe(void);
bool mint_clock_doubted(void);
void mint_clock_poll(void);
ssize_t mint_clock_show(char *buf);
#if IS_ENABLED(CONFIG_KUNIT)
s64 mint_tsc_adjust_want(s64 value, const s64 *node0, const s64 *first);
#endif

/* platform.c */
void mint_platform_setup(void);

/* ioapic.c */
#define MINT_GSI_MAX	4096

void mint_ioapics_place(struct mint_ioapic *list, u32 count, u32 *pins, u32 top,
			int (*find)(u32 gsi));
void mint_ioapics_create(void);
int mint_ioapics_adopt(void);
const struct mint_ioapic *mint_ioapic(unsigned int ioapic);
u32 mint_pin_owner(u32 gsi);
bool mint_pin_give(u32 gsi, u32 from, u32 to);
int mint_pins_lend(u32 n);
void mint_pins_return(u32 n);
const char *mint_pins_check(const struct mint_device *dev);
void mint_pins_clear(void);
bool mint_interrupts_remapped(void);
void mint_pin_arm(u32 gsi, u32 irq_flags);
void mint_pin_disarm(u32 gsi, u32 irq_flags);
bool mint_pin_fired(u32 gsi);

/* pci.c */
#ifdef CONFIG_PCI
void mint_pci_param(const struct mint_pci_match *match, bool minus);
int mint_pci_expand(const struct mint_pci_match *match, u32 *ids, u32 max);
int mint_pci_check(struct mint_device *desc, bool force, char *why, size_t size);
int mint_pci_bridges(const struct mint_device *desc, struct mint_device *list,
		     u32 count, u32 max);
int mint_pci_lend(const struct mint_device *desc);
void mint_pci_take_back(const struct mint_device *desc);
void mint_pci_setup(void);
void mint_pci_describe(void);
void mint_pci_quiet(void);
#else
static inline void mint_pci_param(const struct mint_pci_match *match,
				  bool minus) { }

static inline int mint_pci_expand(const struct mint_pci_match *match, u32 *ids,
				  u32 max)
{
	return 0;
}

static inline int mint_pci_check(struct mint_device *desc, bool force,
				 char *why, size_t size)
{
	return -ENODEV;
}

static inline int mint_pci_bridges(const struct mint_device *desc,
				   struct mint_device *list, u32 count, u32 max)
{
	return count;
}

static inline int mint_pci_lend(const struct mint_device *desc)
{
	return 0;
}

static inline void mint_pci_take_back(const struct mint_device *desc) { }

static inline void mint_pci_setup(void) { }
static inline void mint_pci_describe(void) { }
static inline void mint_pci_quiet(void) { }
#endif

/* lines.c */
struct pci_dev;

#ifdef CONFIG_PCI
void mint_line_describe(struct pci_dev *dev, struct mint_device *desc);
bool mint_line_needed(const struct pci_dev *dev);
int mint_line_check(const struct mint_node *node, struct mint_device *desc,
		    u32 *owner);
u32 mint_line_taken(struct pci_dev *dev);
int mint_line_map(const struct mint_device *desc);
void mint_line_unmap(const struct mint_device *desc, int irq);
int mint_lines_lend(u32 n);
void mint_lines_return(u32 n);
void mint_lines_poll(void);
void mint_lines_outlive(void);
#else
static inline int mint_line_check(const struct mint_node *node,
				  struct mint_device *desc, u32 *owner)
{
	return 0;
}

static inline int mint_lines_lend(u32 n) { return 0; }
static inline void mint_lines_return(u32 n) { }
static inline void mint_lines_poll(void) { }
static inline void mint_lines_outlive(void) { }
#endif

/* bar.c */
#ifdef CONFIG_PCI
#define MINT_BARS	7

/**
 * struct mint_bars - base address registers of a function, the ROM's last
 * @bar:	what they read
 * @mask:	what they read after all ones were written; 0: no register, or
 *		none with an address
 * @emulated:	hardware has none of them: a virtual function
 */
struct mint_bars {
	u32	bar[MINT_BARS];
	u32	mask[MINT_BARS];
	bool	emulated;
};

void mint_bars_describe(struct pci_dev *dev, struct mint_bars *bars);
bool mint_bars_valid(const struct mint_bars *bars,
		     bool (*is_ram)(u64 start, u64 size));
void mint_bars_read(const struct mint_bars *bars, const unsigned long *sizing,
		    int reg, int len, u32 *val);
bool mint_bars_write(const struct mint_bars *bars, unsigned long *sizing,
		     int reg, int len, u32 val);
#endif

/* vf.c */
#ifdef CONFIG_PCI
void mint_vf_lend(struct pci_dev *dev, u32 n, u32 i);
void mint_vf_let_go(struct pci_dev *dev, u32 n, u32 i);
int mint_vf_adopt(u32 i, u32 id);
void mint_vf_read(u32 i, int reg, int len, u32 *val);
bool mint_vf_write(u32 i, int reg, int len, u32 val);
#endif

/* conf1.c */
extern const struct pci_raw_ops mint_conf1;
void mint_conf1_reserve(void);

/* legacy.c */
extern u32 mint_legacy_own;
void mint_legacy_setup(void);
void mint_legacy_reserve(void);
void mint_legacy_irqs(void);
bool mint_legacy_line(struct mint_device *dev, u32 k);

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
 * @looked_at:	when that was, jiffies
 * @still_ms:	for how long it was watched without a beat
 */
struct mint_heart {
	u64		count;
	unsigned long	looked_at;
	unsigned int	still_ms;
};

const char *mint_state_name(u32 state);
u32 mint_state_next(u32 state, enum mint_event event);
bool mint_state_alive(u32 state);
void mint_heart_reset(struct mint_heart *heart, u64 count, unsigned long now);
bool mint_heart_look(struct mint_heart *heart, u64 count, unsigned long now,
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
 * @last_over:	its @over
 * @nr_lent:	devices of it that were brought to rest
 * @boots_seen:	count of boots in its record, when last looked at
 * @entry:	where its boot core leaves the gateway for
 * @arg:	argument there
 * @over:	counts up with every node that ends; 0: it never ran
 * @look:	looks after it
 * @heart:	its heartbeat
 * @told_ns:	when its record last said that it runs, by its own clock
 * @ends_as:	what it will be once all is taken back
 * @unparked:	the fewest cores that had not said that they are parked
 * @parked_at:	when there were so few for the first time, jiffies
 * @progress:	counts up while somebody takes back what it had
 * @request_lock: for what follows, and for changes of @used
 * @request:	MINT_REQUEST_*, the strongest that was made
 * @incarnation: counts up with every node that gets this number
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
	u64			last_over;
	u32			nr_lent;
	u32			boots_seen;
	u64			entry;
	u64			arg;
	u64			over;
	struct work_struct	look;
	struct mint_heart	heart;
	u64			told_ns;
	enum mint_event		ends_as;
	u32			unparked;
	unsigned long		parked_at;
	unsigned long		progress;
	raw_spinlock_t		request_lock;
	u32			request;
	u64			incarnation;
};

extern struct wait_queue_head mint_state_wait;
const struct mint_node *mint_claim(u32 n);
const struct mint_node *mint_told(u32 n);
u32 mint_state(u32 n);
bool mint_quarantined(u32 n);
bool mint_node_parked(u32 n);
bool mint_claim_busy(u32 n);
u64 mint_incarnation(u32 n);
void mint_claim_own(const struct mint_node *node);
void mint_claim_look(u32 n);
struct mint_claim *mint_claim_trylock(u32 n);
void mint_claim_unlock(struct mint_claim *claim);
unsigned long mint_claim_progress(u32 n);
void mint_claim_progressed(struct mint_claim *claim);
bool mint_claim_wait(u32 n, unsigned int ms);
struct mint_claim *mint_claim_new(void);
void mint_claim_use(struct mint_claim *claim, const struct mint_node *node);
void mint_claim_settle(struct mint_claim *claim);
void mint_claim_forget(struct mint_claim *claim);
void mint_release(struct mint_claim *claim);
int mint_request(u32 n, u32 what, u64 *incarnation);
__printf(3, 4)
void mint_claim_event(struct mint_claim *claim, enum mint_event event,
		      const char *fmt, ...);

/* watch.c */
__printf(2, 3)
void mint_tell(u32 state, const char *fmt, ...);
void mint_watch_now(void);
void mint_watch_start(void);
void mint_watch_one(struct work_struct *work);
const struct mint_node *mint_node0_told(void);

/* stop.c */
/**
 * enum mint_strength - how hard node 0 stops a successor
 * @MINT_STOP_ASK:	its user space powers off
 * @MINT_STOP_PARK:	its kernel parks its cores, on request or by NMI
 * @MINT_STOP_FORCE:	INIT
 */
enum mint_strength {
	MINT_STOP_ASK,
	MINT_STOP_PARK,
	MINT_STOP_FORCE,
};

unsigned long mint_ask_bound(void);
int mint_stop(u32 n, enum mint_strength strength);
u32 mint_unparked(u32 n);
int mint_prove_parked(struct mint_claim *claim);

/* end.c */
void mint_end_setup_early(void);
void mint_end_setup(void);
void mint_end_poll(void);

/* restart.c */
bool mint_restart_kept(void);
bool mint_restart_ready(void);
void mint_restart(void);

/* leave.c */
bool mint_leaving(void);
void mint_leave_setup(void);
/* timing.c */
void mint_timing_early(void);
void mint_timing_begin(u32 n, u64 began, u64 claimed);
void mint_timing_at(u32 n, unsigned int phase, u64 tsc);
ssize_t mint_timing_show(u32 n, char *buf);
ssize_t mint_timing_store(const char *buf, size_t count);

/* sysfs.c */
int mint_sysfs_add_node(u32 n);
void mint_sysfs_remove_node(u32 n);
void mint_sysfs_notify(u32 n);
struct dentry *mint_debugfs(void);

#endif /* _ARCH_X86_MINT_MINT_H */
