/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: what all kernels of the machine share, and who this one is. The lowest
 * of the folders: it uses none of the others, and all of them use it.
 */
#ifndef _ARCH_X86_MINT_AREA_H
#define _ARCH_X86_MINT_AREA_H

#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/types.h>
#include <linux/mint.h>
#include <uapi/asm/mint.h>

struct dentry;

#undef pr_fmt
#define pr_fmt(fmt) "mint: " fmt

/* role.c */

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
 * @kept_size:	bytes there, whole pages
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

extern struct mint_given mint_given;
extern enum mint_role mint_role;
extern u32 mint_self;
void mint_role_init(void (*setup)(void));
void mint_become_predecessor(void);
void mint_become_successor(u32 n, const struct mint_given *given);
struct mint_node *mint_own_node(void);
size_t mint_copy_line(char *to, const char *from, size_t size);
__printf(2, 3)
void mint_report_state(u32 state, const char *fmt, ...);

/* common.c */
#define MINT_GSI_MAX	4096

extern struct mint_common *mint_common;
extern struct mint_common mint_layout;
extern phys_addr_t mint_common_pa;
int mint_common_create(u32 (*describe)(struct mint_map *map, u32 max),
		       u32 identity_size);
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
struct mint_bell *mint_bell(u32 index);
u32 *mint_bell_place(u32 n);
unsigned long *mint_bell_callers(u32 cause);
unsigned long *mint_line_waiting(u32 n);
struct mint_move *mint_move(u32 i);
void mint_move_read(const struct mint_move *record, struct mint_move *move);
bool mint_moved_away(u32 kind, u64 start);
struct mint_peer *mint_peer(u32 n);
unsigned long *mint_spares(u32 n);
struct mint_wish *mint_wish(u32 n);
struct mint_window *mint_window_record(u32 i);
struct mint_load *mint_load(u32 n);
struct mint_life *mint_life(u32 n);
struct mint_stall *mint_stall(u32 n);
struct mint_share *mint_share_record(u32 i);
unsigned long *mint_share_members(u32 i);
u64 *mint_share_rings(u32 n);
struct mint_timing *mint_timing_record(u32 n);
struct mint_vf *mint_vf(u32 n, u32 i);
u32 mint_early_cores(bool own, u32 *ids, u32 max);

/* shared.c */
void mint_shared_create(u32 cores);
bool mint_window_read(u32 i, struct mint_window *window);
bool mint_windows_changed(u32 *seen);
u32 mint_window_index(const struct mint_window *window, u32 n);
bool mint_share_name_valid(const char *name);
bool mint_share_read(u32 i, struct mint_share *share);
#if IS_ENABLED(CONFIG_KUNIT)
bool mint_window_valid(const struct mint_window *window,
		       const struct mint_range *shared, u32 nodes);
bool mint_share_valid(const struct mint_share *share,
		      const struct mint_range *shared);
#endif

/* map.c */
void *mint_map_memory(phys_addr_t start, unsigned long size);
void mint_unmap_memory(void *addr);

/* ipi.c */
const char *mint_apic_id_problem(u32 apic_id);
int mint_send_ipi(u32 command, u32 apic_id);
void mint_doorbell(u32 apic_id);
#if IS_ENABLED(CONFIG_KUNIT)
const char *mint_reach_problem(u32 apic_id, bool x2apic, u32 max);
#endif

/* bell.c */

/* To a listener: somebody has rung, it is not known who */
#define MINT_BELL_ANYONE	U32_MAX

/* Interrupts for one call at the most, while the node publishes one core after the other */
#define MINT_BELL_TRIES		3

typedef void (*mint_bell_fn)(u32 n);

void mint_bell_listen(u32 cause, mint_bell_fn heard);
void mint_bell_init(void);
void mint_bell_poll(void);
struct mint_core *mint_bell_core(u32 n);
void mint_bell_ring(struct mint_core *core, u32 cause);
void mint_bell_ring_node0(u32 cause);
void mint_bell_forget(u32 n);

#if IS_ENABLED(CONFIG_KUNIT)
bool mint_bell_set(struct mint_bell *bell, u32 cause);
unsigned long mint_bell_take(struct mint_bell *bell);
#endif

/* param.c */

/**
 * struct mint_token - a piece of a command line
 * @text:	where it begins, within the line: no NUL ends it
 * @len:	bytes
 */
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
int mint_param_size(char *text, u64 *size);
int mint_token_range(const struct mint_token *token, struct mint_range *range);
int mint_token_cpus(const struct mint_token *token, u32 *first, u32 *last);
int mint_token_device(const struct mint_token *token, struct mint_device *dev);
int mint_token_pci(const struct mint_token *token, struct mint_pci_match *match);
bool mint_pci_allowed(const struct mint_pci_word *words, u32 count,
		      bool (*named)(const struct mint_pci_match *match, void *arg),
		      void *arg);

/**
 * struct mint_param_ms - a parameter that is a time
 * @value:	ms
 * @min:	the shortest that is taken, ms
 * @max:	the longest, ms
 */
struct mint_param_ms {
	unsigned int	*value;
	unsigned int	min, max;
};

extern const struct kernel_param_ops mint_param_ms_ops;
bool mint_param_find(const char *cmdline, const char *name,
		     struct mint_token *value);
const char *mint_device_name(const struct mint_device *dev, char *buf,
			     size_t size);

/* timing.c */
void mint_timing_early(void);
void mint_timing_begin(u32 n, u64 began, u64 claimed);
void mint_timing_set(u32 n, unsigned int phase, u64 tsc);
ssize_t mint_timing_show(u32 n, char *buf);
ssize_t mint_timing_store(const char *buf, size_t count);

/* debugfs.c */
struct dentry *mint_debugfs(void);

#endif /* _ARCH_X86_MINT_AREA_H */
