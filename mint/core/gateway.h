/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: what gateway.S and gateway_init.c agree on.
 */
#ifndef _ARCH_X86_MINT_GATEWAY_H
#define _ARCH_X86_MINT_GATEWAY_H

#define GW_CS32		0x08
#define GW_CS64		0x10
#define GW_DS		0x18
#define GW_VECTORS	32
#define GW_MONITORS	6

#ifndef __ASSEMBLY__

#include <linux/types.h>

/* Fields of the gateway page, to be filled in its copy */
extern char gw_gdt[], gw_gdtr[], gw_gdtr64[], gw_idt[], gw_idtr[];
extern char gw_jump32[], gw_jump64[];
extern u32 gw_park[], gw_restart[], gw_restart_entry[];
extern u32 gw_exception[], gw_fault[], gw_mce[];
extern u32 gw_cores[], gw_count[], gw_stride[], gw_pml4[], gw_pml5[];
extern u32 gw_x2apic[], gw_xd_disable[], gw_monitors[], gw_gp[];

#endif

#endif /* _ARCH_X86_MINT_GATEWAY_H */
