/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: cores: whose they are, how they start in the gateway page and end in it, and
 * their clocks.
 */
#ifndef _ARCH_X86_MINT_CORE_H
#define _ARCH_X86_MINT_CORE_H

#include "../area/area.h"

struct e820_table;

/* cpu.c */

/**
 * struct mint_start - where a core goes from the gateway: see struct mint_core
 * @entry:	physical address, or virtual under @cr3
 * @arg:	%rsi there
 * @cr3:	page tables to load last, 0: stay in the identity map
 * @mode:	MINT_MODE_*
 * @cr4:	CR4 before paging is switched on (PAE, LA57)
 * @efer:	EFER bits beside LME
 */
struct mint_start {
	u64	entry;
	u64	arg;
	u64	cr3;
	u32	mode;
	u32	cr4;
	u32	efer;
};

void mint_cpu_init(void);
void mint_cpu_map_changed(void);
void mint_cpu_realmode_init(void);
int mint_core_start(struct mint_core *core, const struct mint_start *start);
void mint_core_reset(struct mint_core *core);
void mint_core_send_to_park(struct mint_core *core);
bool mint_core_proven(const struct mint_core *core);
bool mint_core_in_reset(const struct mint_core *core);
bool mint_core_parked(const struct mint_core *core);
bool mint_core_left_gateway(const struct mint_core *core, u64 tsc);
void mint_core_nmi(const struct mint_core *core);
u32 mint_owner_of_core(const struct mint_core *core);
bool mint_bell_try_ring_node(u32 n, u32 cause);
bool mint_core_is_spare(u32 apic_id, u32 room);
bool mint_core_hand(struct mint_core *core, u32 from, u32 to);
void mint_core_set_own(struct mint_core *core, bool own);
int mint_core_arrive(struct mint_core *core);
int mint_core_leave(struct mint_core *core);
int mint_core_prove(struct mint_core *core);
u32 mint_core_siblings(u32 apic_id, u32 *first);
u32 mint_core_claim(struct mint_core *core, u32 n);
void mint_core_set_free(struct mint_core *core, u32 n);
int mint_core_cpu(const struct mint_core *core);
void mint_park(void);
void mint_skip_wbinvd(void);
void mint_restart_jump(u64 kept);
void mint_sibling_warn(u32 n);

#if IS_ENABLED(CONFIG_KUNIT)
u32 mint_microcode_mismatch(u32 revision, u32 node0, u32 boot);
#endif

/* gateway.S */
extern const char mint_gateway[], mint_gateway_end[];
void mint_park_jump(u64 park, u64 core, u64 identity, u64 pgd);

/* gateway_init.c */

/**
 * enum mint_map_part - how much of a range is memory
 * @MINT_MAP_NONE:	nothing of it
 * @MINT_MAP_SOME:	a part of it
 * @MINT_MAP_ALL:	all of it
 */
enum mint_map_part {
	MINT_MAP_NONE,
	MINT_MAP_SOME,
	MINT_MAP_ALL,
};

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

#endif /* _ARCH_X86_MINT_CORE_H */
