/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: what the files of this directory share.
 */
#ifndef _ARCH_X86_MINT_MINT_H
#define _ARCH_X86_MINT_MINT_H

#include <linux/compiler.h>
#include <linux/kexec.h>
#include <linux/types.h>
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
 */
struct mint_given {
	u32	tsc_khz;
	u64	wall_ns;
	u64	wall_tsc;
	u64	kept;
	u64	kept_size;
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
struct mint_core *mint_core(u32 index);
struct mint_core *mint_core_find(u32 apic_id);
u32 mint_core_index(const struct mint_core *core);
u32 mint_apic_id(const struct mint_core *core);
phys_addr_t mint_core_pa(const struct mint_core *core);
struct mint_node *mint_node(u32 n);
struct mint_ring *mint_ring(u32 n, u32 which, void **data, u32 *size);
phys_addr_t mint_ring_pa(u32 n);
struct mint_map *mint_firmware_map(u32 index);
struct mint_ioapic *mint_ioapic(u32 index);
struct mint_ecam *mint_ecam(u32 index);
u32 *mint_pin_owner(u32 gsi);
u32 *mint_root_bus(u32 index);
u32 mint_own_apic_ids(u32 *ids, u32 max);
void mint_lock(struct mint_lock *lock);
void mint_unlock(struct mint_lock *lock);

/* param.c */
struct mint_token {
	const char	*text;
	int		len;
};

bool mint_token_next(const char **list, struct mint_token *token);
int mint_token_range(const struct mint_token *token, struct mint_range *range);
int mint_token_cpus(const struct mint_token *token, u32 *first, u32 *last);
int mint_token_device(const struct mint_token *token, struct mint_device *dev);
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
void mint_memory_apply(void);
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
int mint_core_cpu(const struct mint_core *core);
void mint_park(void);
void mint_doorbell(u32 apic_id);
void mint_sibling_warn(u32 n);

/* gateway.S */
extern const char mint_gateway[], mint_gateway_end[];
void mint_park_jump(u64 park, u64 core, u64 identity, u64 pgd);

/* gateway_init.c */
u32 mint_identity_size(void);
void mint_gateway_install(phys_addr_t pa);

/* platform.c */
void mint_platform_setup(void);

/* ioapic.c */
void mint_pins_lend(u32 n);
void mint_pins_return(u32 n);
int mint_pins_check(const struct mint_device *dev, u32 n, u32 *owner);
void mint_pins_clear(void);
bool mint_interrupts_remapped(void);

/* pci.c */
#ifdef CONFIG_PCI
void mint_pci_param(u32 id, bool minus);
int mint_pci_check(struct mint_device *desc, char *why, size_t size);
int mint_pci_bridges(const struct mint_device *desc, struct mint_device *list,
		     u32 count, u32 max);
int mint_pci_lend(const struct mint_device *desc);
void mint_pci_take_back(const struct mint_device *desc);
void mint_pci_setup(void);
void mint_pci_describe(void);
void mint_pci_quiet(void);
#else
static inline void mint_pci_param(u32 id, bool minus) { }
static inline int mint_pci_check(struct mint_device *desc, char *why,
				 size_t size)
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

/* legacy.c */
extern u32 mint_legacy_own;
void mint_legacy_setup(void);
void mint_legacy_reserve(void);
void mint_legacy_irqs(void);
bool mint_legacy_line(struct mint_device *dev, u32 k);

/* launch.c */
const struct mint_node *mint_claim(u32 n);
void mint_release(u32 n);

/* end.c */
void mint_end_setup_early(void);
void mint_end_setup(void);
int mint_end_request(u32 n);
void mint_end_poll(void);

/* sysfs.c */
int mint_sysfs_add_node(u32 n);
void mint_sysfs_remove_node(u32 n);
void mint_sysfs_notify(u32 n);

#endif /* _ARCH_X86_MINT_MINT_H */
