// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: putting the gateway page and its page tables in place.
 *
 * Owns the page below 1 MiB and the identity map that every core uses on its
 * way in and out. Both stand apart from the memory of all nodes: a node needs
 * them for as long as it lives.
 */

#include <linux/cpufeature.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/unaligned.h>

#include <asm/e820/api.h>
#include <asm/trapnr.h>

#include "gateway.h"
#include "mint.h"

#define IDENTITY_PAGE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_PSE)
#define IDENTITY_TABLE	(_PAGE_PRESENT | _PAGE_RW)

static struct resource gateway_resource = {
	.name	= "Mint gateway",
	.flags	= IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE,
};

/* GiB up to the end of memory, those below 4 GiB always */
static u64 __init identity_gib(void)
{
	struct e820_entry *entry = e820_table_firmware->entries;
	u64 end = SZ_4G;
	u32 i;

	for (i = 0; i < e820_table_firmware->nr_entries; i++, entry++)
		if (entry->type == E820_TYPE_RAM)
			end = max(end, entry->addr + entry->size);
	return DIV_ROUND_UP_ULL(end, SZ_1G);
}

static u64 __init identity_tops(void)
{
	return DIV_ROUND_UP_ULL(identity_gib(), 512);
}

static u64 __init identity_tables(void)
{
	return boot_cpu_has(X86_FEATURE_GBPAGES) ? 4 : identity_gib();
}

/**
 * mint_identity_size() - room that the identity map takes
 *
 * Return: bytes, whole pages.
 */
u32 __init mint_identity_size(void)
{
	return (2 + identity_tops() + identity_tables()) * PAGE_SIZE;
}

/*
 * Everything up to the end of memory, by 1 GiB pages where the processor has
 * them. The first 4 GiB, in which memory types change often, by 2 MiB pages.
 */
static void __init identity_fill(phys_addr_t pa)
{
	u64 gib = identity_gib(), tops = identity_tops();
	u64 tables = identity_tables(), g, i;
	u64 *pml5 = __va(pa), *pml4 = pml5 + 512, *pdpt = pml4 + 512;
	u64 *pd = pdpt + tops * 512;

	pml5[0] = __pa(pml4) | IDENTITY_TABLE;
	for (i = 0; i < tops; i++)
		pml4[i] = __pa(pdpt + i * 512) | IDENTITY_TABLE;
	for (g = 0; g < gib; g++) {
		if (g >= tables) {
			pdpt[g] = g * SZ_1G | IDENTITY_PAGE;
			continue;
		}
		pdpt[g] = __pa(pd + g * 512) | IDENTITY_TABLE;
		for (i = 0; i < 512; i++)
			pd[g * 512 + i] = (g * SZ_1G + i * SZ_2M) | IDENTITY_PAGE;
	}

	mint_layout.pml4 = __pa(pml4);
	/* The processor's word, not the kernel's: "no5lvl" is this node's own */
	if (cpuid_eax(0) >= 7 && cpuid_ecx(7) & BIT(X86_FEATURE_LA57 & 31))
		mint_layout.pml5 = pa;
}

/**
 * mint_gateway_install() - fill the gateway page
 * @pa:	physical address of a page below 1 MiB
 *
 * Context: predecessor, setup_arch(), with the common area made.
 */
void __init mint_gateway_install(phys_addr_t pa)
{
	void *page = __va(pa);
	u64 handler, *gate;
	int i;

#define FIELD(sym)	(page + ((char *)(sym) - mint_gateway))

	identity_fill(mint_common_pa + mint_layout.size - mint_identity_size());
	memcpy(page, mint_gateway, mint_gateway_end - mint_gateway);

	put_unaligned_le32(pa + (gw_gdt - mint_gateway), FIELD(gw_gdtr) + 2);
	put_unaligned_le64(pa + (gw_gdt - mint_gateway), FIELD(gw_gdtr64) + 2);
	put_unaligned_le64(pa + (gw_idt - mint_gateway), FIELD(gw_idtr) + 2);
	*(u32 *)FIELD(gw_jump32) += pa;
	*(u32 *)FIELD(gw_jump64) += pa;
	*(u32 *)FIELD(gw_cores) = mint_common_pa + mint_layout.cores.offset;
	*(u32 *)FIELD(gw_count) = mint_layout.cores.count;
	*(u32 *)FIELD(gw_stride) = mint_layout.cores.stride;
	*(u32 *)FIELD(gw_pml4) = mint_layout.pml4;
	*(u32 *)FIELD(gw_pml5) = mint_layout.pml5;

	/* 64-bit interrupt gates: NMI, traps and machine checks return */
	gate = FIELD(gw_idt);
	for (i = 0; i < GW_VECTORS; i++) {
		handler = pa + *(u32 *)(i == X86_TRAP_MC ? FIELD(gw_mce) :
					i >= X86_TRAP_DB && i <= X86_TRAP_BP ?
					FIELD(gw_exception) : FIELD(gw_fault));
		gate[2 * i] = (handler & 0xffff) | GW_CS64 << 16 |
			      0x8e00ULL << 32 | (handler >> 16 & 0xffff) << 48;
		gate[2 * i + 1] = handler >> 32;
	}

	mint_layout.gateway = pa;
	mint_layout.park = pa + *(u32 *)FIELD(gw_park);
	mint_layout.restart = pa + *(u32 *)FIELD(gw_restart);
	mint_layout.place = pa + *(u32 *)FIELD(gw_place);
#undef FIELD

	gateway_resource.start = pa;
	gateway_resource.end = pa + PAGE_SIZE - 1;
	insert_resource(&iomem_resource, &gateway_resource);
}
