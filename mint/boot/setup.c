// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the boot of this kernel, in its role.
 *
 * Owns which role this kernel takes, and in which order a predecessor is set up.
 * A hand-over among the setup_data makes a successor, a mint.* parameter without
 * one makes a predecessor, neither leaves a stock kernel.
 */

#include <linux/dmi.h>
#include <linux/elf.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/mm.h>

#include <asm/apic.h>
#include <asm/bootparam.h>
#include <asm/e820/api.h>
#include <asm/proto.h>
#include <asm/realmode.h>
#include <asm/setup.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../device/device.h"
#include "../life/life.h"
#include "../launch/launch.h"
#include "boot.h"

static u64 handover_pa __ro_after_init;
static phys_addr_t gateway_pa __initdata;

/*
 * What marks a vmlinux, as an ELF note, so that a launcher need not search the
 * image; the mark of a bzImage is in its kernel_info (kernel_info.S).
 */
static const struct {
	struct mint_note_head	note;
	struct mint_mark	mark;
} mint_note __used __section(".note.Mint") __aligned(4) = {
	.note.head.n_namesz = sizeof("Mint"),
	.note.head.n_descsz = sizeof(struct mint_mark),
	.note.head.n_type = 1,
	.note.name	= "Mint",
	.mark.text	= MINT_MARKER,
	.mark.version	= MINT_VERSION,
	.mark.flags	= (IS_ENABLED(CONFIG_X86_64) ? MINT_MARKER_64BIT : 0) |
			  (IS_ENABLED(CONFIG_X86_5LEVEL) ? MINT_MARKER_5LEVEL : 0),
};

static bool __init read_handover(u64 pa)
{
	struct mint_handover *handover;
	struct setup_data *data;
	u64 next, common;
	u32 type, len, magic, version, node, legacy;
	struct mint_given given;

	for (; pa; pa = next) {
		data = early_memremap(pa, sizeof(*data));
		if (!data)
			return false;
		next = data->next;
		type = data->type;
		len = data->len;
		early_memunmap(data, sizeof(*data));
		if (type == SETUP_MINT)
			break;
	}
	if (!pa)
		return false;

	if (len < sizeof(*handover) - sizeof(*data))
		panic("mint: hand-over of %u bytes, %zu expected", len,
		      sizeof(*handover) - sizeof(*data));

	handover = early_memremap(pa, sizeof(*handover));
	if (!handover)
		panic("mint: no mapping for the hand-over at %#llx", pa);
	magic = handover->magic;
	version = handover->version;
	common = handover->common;
	node = handover->node;
	legacy = handover->legacy;
	given.tsc_khz = handover->tsc_khz;
	given.wall_ns = handover->wall_ns;
	given.wall_tsc = handover->wall_tsc;
	given.kept = handover->kept;
	given.kept_size = handover->kept_size;
	early_memunmap(handover, sizeof(*handover));

	if (magic != MINT_MAGIC || version >> 16 != MINT_VERSION_MAJOR)
		panic("mint: hand-over of version %u.%u, %u expected",
		      version >> 16, version & 0xffff, MINT_VERSION_MAJOR);

	if (!given.tsc_khz)
		panic("mint: hand-over without the frequency of the TSC");

	given.handover = pa;
	mint_own_legacy = legacy;
	handover_pa = pa;
	mint_become_successor(node, &given);
	mint_common_map_early(common);
	if (!node || node >= mint_layout.nodes.count)
		panic("mint: hand-over for node %u, which is none", node);
	return true;
}

/* The first operation after the early parameters, with nothing allocated yet */
static void __init predecessor_dmi_setup(void)
{
	mint_memory_apply();
	dmi_setup();
}

/* The gateway page comes first: later nobody has memory below 1 MiB */
static void __init predecessor_realmode_reserve(void)
{
	gateway_pa = memblock_phys_alloc_range(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE,
					       SZ_1M);
	reserve_real_mode();
}

static void __init predecessor_reserve_resources(void)
{
	struct mint_node *node;
	u32 i;

	reserve_standard_io_resources();
	mint_legacy_reserve();

	if (!gateway_pa) {
		pr_err("no page below 1 MiB for the gateway, nothing can be launched\n");
		return;
	}
	if (mint_common_create(mint_memory_describe, mint_identity_size()))
		return;
	mint_ioapics_create();
	mint_gateway_install(gateway_pa);
	mint_common_publish();

	node = mint_own_node();
	node->boots = 1;
	node->boot_apic_id = mint_layout.bsp_apic_id;
	node->legacy = mint_own_legacy;
	strscpy(node->name, "predecessor", sizeof(node->name));
	for (i = 0; i < mint_own_mem_count; i++)
		node->mem[i] = mint_own_mem[i];
	node->nr_mem = mint_own_mem_count;
	mint_claim_own(node);
	mint_memory_register();
}

/* A mint.* parameter asks for it */
static void __init predecessor_setup(void)
{
	x86_platform.realmode_reserve = predecessor_realmode_reserve;
	x86_platform.realmode_init = mint_cpu_realmode_init;
	x86_init.resources.dmi_setup = predecessor_dmi_setup;
	x86_init.resources.reserve_resources = predecessor_reserve_resources;
}

/**
 * mint_setup_early() - find out what this kernel is
 *
 * Context: setup_arch(), before the memory map is read.
 */
void __init mint_setup_early(void)
{
	mint_timing_early();
	/* Before any early mapping; those of stock code come later */
	x86_configure_nx();
	if (!read_handover(boot_params.hdr.setup_data)) {
		mint_role_init(predecessor_setup);
		return;
	}

	pr_info("this is node %u, hand-over at %#llx\n", mint_self, handover_pa);
	mint_platform_setup();
}

static int __init mint_node_init(void)
{
	if (!mint_own_node())
		return 0;

	mint_cpu_init();
	if (mint_role == MINT_SUCCESSOR)
		mint_end_setup();
	mint_leave_setup();
	mint_bell_init();
	mint_watch_start();
	return 0;
}
early_initcall(mint_node_init);

/* What the predecessor only knows once its devices and timers are set up */
static int __init mint_describe(void)
{
	if (mint_role != MINT_PREDECESSOR || !mint_common)
		return 0;

	mint_layout.lapic_khz = (u64)lapic_timer_period * HZ / 1000;
	mint_common->lapic_khz = mint_layout.lapic_khz;
	mint_pci_describe();
	return 0;
}
late_initcall(mint_describe);
