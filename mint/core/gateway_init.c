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
#include <linux/processor.h>
#include <linux/unaligned.h>

#include <kunit/visibility.h>

#include <asm/apic.h>
#include <asm/e820/api.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "../area/area.h"
#include "core.h"
#include "gateway.h"

#define IDENTITY_PAGE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_PSE)
#define IDENTITY_TABLE	(_PAGE_PRESENT | _PAGE_RW)

static struct resource gateway_resource = {
	.name	= "Mint gateway",
	.flags	= IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE,
};

/**
 * mint_map_has_memory() - how much of a range does a memory map call memory?
 * @map:	ascending, without overlaps
 * @start:	first byte
 * @size:	bytes
 *
 * Context: any.
 * Return: MINT_MAP_NONE, MINT_MAP_SOME or MINT_MAP_ALL of it.
 */
VISIBLE_IF_KUNIT enum mint_map_part
mint_map_has_memory(const struct e820_table *map, u64 start, u64 size)
{
	const struct e820_entry *entry = map->entries;
	u64 from, to, found = 0;
	u32 i;

	for (i = 0; i < map->nr_entries; i++, entry++) {
		if (entry->type != E820_TYPE_RAM)
			continue;
		from = max(entry->addr, start);
		to = min(entry->addr + entry->size, start + size);
		if (from < to)
			found += to - from;
	}
	return !found ? MINT_MAP_NONE :
	       found < size ? MINT_MAP_SOME : MINT_MAP_ALL;
}
EXPORT_SYMBOL_IF_KUNIT(mint_map_has_memory);

/* GiB up to the end of memory */
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

/*
 * MINT_MAP_ALL: by one page of 1 GiB, where the processor has them, but not in
 * the first 4 GiB, in which memory types change often. MINT_MAP_SOME: by pages
 * of 2 MiB, those that have memory.
 */
static enum mint_map_part __init identity_part(u64 g)
{
	enum mint_map_part part = mint_map_has_memory(e820_table_firmware,
						      g * SZ_1G, SZ_1G);

	return part == MINT_MAP_ALL &&
	       (g < 4 || !boot_cpu_has(X86_FEATURE_GBPAGES)) ?
	       MINT_MAP_SOME : part;
}

/**
 * mint_identity_size() - room that the identity map takes
 *
 * Where there are pages of 1 GiB, it is bounded by the ranges of the firmware's
 * map: each has two ends.
 *
 * Context: predecessor, setup_arch().
 * Return: bytes, whole pages.
 */
u32 __init mint_identity_size(void)
{
	u64 g, tables = 0;

	for (g = 0; g < identity_gib(); g++)
		tables += identity_part(g) == MINT_MAP_SOME;
	return (2 + identity_tops() + tables) * PAGE_SIZE;
}

/*
 * What the firmware calls memory, and nothing else: the processor may read
 * ahead wherever there is a write-back mapping (Intel SDM vol. 3, 12.3 "Methods
 * of Caching Available"), and in holes and in what is reserved that can be a
 * machine check. As in the kernel's own identity maps, a page of 2 MiB
 * that has some memory is mapped.
 */
static void __init identity_fill(phys_addr_t pa)
{
	u64 gib = identity_gib(), tops = identity_tops(), g, i;
	u64 *pml5 = __va(pa), *pml4 = pml5 + 512, *pdpt = pml4 + 512;
	u64 *pd = pdpt + tops * 512, at;

	pml5[0] = __pa(pml4) | IDENTITY_TABLE;
	for (i = 0; i < tops; i++)
		pml4[i] = __pa(pdpt + i * 512) | IDENTITY_TABLE;
	for (g = 0; g < gib; g++) {
		switch (identity_part(g)) {
		case MINT_MAP_NONE:
			continue;
		case MINT_MAP_ALL:
			pdpt[g] = g * SZ_1G | IDENTITY_PAGE;
			continue;
		case MINT_MAP_SOME:
			break;
		}
		pdpt[g] = __pa(pd) | IDENTITY_TABLE;
		for (i = 0; i < 512; i++) {
			at = g * SZ_1G + i * SZ_2M;
			if (mint_map_has_memory(e820_table_firmware, at, SZ_2M))
				pd[i] = at | IDENTITY_PAGE;
		}
		pd += 512;
	}

	mint_layout.pml4 = __pa(pml4);
	/* The processor's word, not the kernel's: "no5lvl" is this node's own */
	if (cpuid_eax(0) >= 7 && cpuid_ecx(7) & BIT(X86_FEATURE_LA57 & 31))
		mint_layout.pml5 = pa;
}

/* The processors on which verify_cpu.S looks at that bit of MISC_ENABLE */
static bool __init have_xd_disable(void)
{
	const struct cpuinfo_x86 *c = &boot_cpu_data;

	return c->x86_vendor == X86_VENDOR_INTEL &&
	       (c->x86 > 6 || (c->x86 == 6 && c->x86_model >= 0xd));
}

/* Registers that stop what writes to memory by itself, with zero */
static void __init list_monitors(u32 *msr)
{
	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL)
		return;
	if (boot_cpu_has(X86_FEATURE_INTEL_PT))
		*msr++ = MSR_IA32_RTIT_CTL;
	*msr++ = MSR_IA32_DEBUGCTLMSR;
	if (boot_cpu_has(X86_FEATURE_ARCH_PERFMON))
		*msr++ = MSR_CORE_PERF_GLOBAL_CTRL;
	if (boot_cpu_has(X86_FEATURE_PEBS))
		*msr++ = MSR_IA32_PEBS_ENABLE;
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
	*(u32 *)FIELD(gw_xd_disable) = have_xd_disable();
	list_monitors(FIELD(gw_monitors));

	/* 64-bit interrupt gates: NMI, traps and machine checks return */
	gate = FIELD(gw_idt);
	for (i = 0; i < GW_VECTORS; i++) {
		handler = pa + *(u32 *)(i == X86_TRAP_MC ? FIELD(gw_mce) :
					i == X86_TRAP_GP ? FIELD(gw_gp) :
					i >= X86_TRAP_DB && i <= X86_TRAP_BP ?
					FIELD(gw_exception) : FIELD(gw_fault));
		gate[2 * i] = (handler & 0xffff) | GW_CS64 << 16 |
			      0x8e00ULL << 32 | (handler >> 16 & 0xffff) << 48;
		gate[2 * i + 1] = handler >> 32;
	}

	mint_layout.gateway = pa;
	mint_layout.park = pa + *(u32 *)FIELD(gw_park);
	mint_layout.restart = pa + *(u32 *)FIELD(gw_restart);
	mint_layout.restart_entry = pa + *(u32 *)FIELD(gw_restart_entry);
#undef FIELD

	gateway_resource.start = pa;
	gateway_resource.end = pa + PAGE_SIZE - 1;
	insert_resource(&iomem_resource, &gateway_resource);
}

/**
 * mint_gateway_apic_mode() - cores come out of the gateway in node 0's mode
 *
 * The firmware may have left them in xAPIC mode, while node 0 has switched
 * x2APIC on since. All local APICs of a machine belong in one mode, and IDs
 * above 254 are known in x2APIC mode alone. A node whose command line says
 * "nox2apic" leaves it for itself.
 *
 * Context: predecessor, early initcall: the mode is decided, nothing was started.
 */
void __init mint_gateway_apic_mode(void)
{
	*(u32 *)(__va(mint_layout.gateway) + ((char *)gw_x2apic - mint_gateway)) =
		x2apic_mode;
}
