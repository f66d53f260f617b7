// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what a successor's machine looks like.
 *
 * Owns the tables of platform operations. A successor has no firmware: no
 * ACPI, PIC, PIT, HPET, RTC or BIOS tables, and it calibrates nothing. Its
 * cores, interrupts and clocks are what the hand-over and the common area
 * say. All of that is set up here, once, by filling the operations that x86
 * offers for such platforms; nothing is decided elsewhere.
 */

#include <linux/acpi.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/sizes.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/e820/api.h>
#include <asm/i8259.h>
#include <asm/io_apic.h>
#include <asm/irqdomain.h>
#include <asm/mpspec.h>
#include <asm/pci_x86.h>
#include <asm/setup.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

#include "../area/area.h"
#include "../core/core.h"
#include "../own/own.h"
#include "../device/device.h"
#include "../talk/talk.h"
#include "../life/life.h"
#include "boot.h"

static bool lapic_timer_known __initdata;

/*
 * What belongs to a package or to the machine is node 0's: MTRRs, whose
 * writes stop all caches (Intel SDM vol. 3, 12.11.8 "MTRR Considerations in MP
 * Systems"), the TSC's offset, cache and bandwidth allocation, thermal and clock
 * control by MSRs (that is what ACPI means here), and HWP.
 */
static const unsigned int foreign_features[] __initconst = {
	X86_FEATURE_MTRR,
	X86_FEATURE_TSC_ADJUST,
	X86_FEATURE_RDT_A,
	X86_FEATURE_CQM,
	X86_FEATURE_MBA,
	X86_FEATURE_ACPI,
	X86_FEATURE_HWP,
};

/* Port 0x61, which tells the reason of an NMI, is node 0's */
static unsigned char mint_get_nmi_reason(void)
{
	return 0;
}

static unsigned long mint_tsc_khz(void)
{
	return mint_given.tsc_khz;
}

static void __init mint_timer_init(void)
{
	mint_log_flush();
	if (lapic_timer_known)
		lapic_timer_period = div_u64((u64)mint_layout.lapic_khz * 1000, HZ);
}

static bool __init mint_x2apic_available(void)
{
	/* As node 0 has switched it on, without interrupt remapping here */
	return x2apic_enabled();
}

static void __init mint_x2apic_init(void)
{
#ifdef CONFIG_X86_X2APIC
	if (!x2apic_enabled())
		return;
	x2apic_phys = 1;
	default_acpi_madt_oem_check("", "");
#endif
}

static void (*intr_mode_init)(void) __initdata;

/*
 * Without interrupt remapping stock code starts no core with an ID that a
 * device's interrupt cannot name. IPIs and timers know 32 bits, and a node
 * with such cores is given no device that interrupts (mint_request_device()): all
 * of its cores may start.
 */
static void __init mint_intr_mode_init(void)
{
	intr_mode_init();
#ifdef CONFIG_X86_X2APIC
	if (x2apic_mode)
		x2apic_set_max_apicid(UINT_MAX);
#endif
}

static void __init mint_register_ioapics(void)
{
	struct ioapic_domain_cfg cfg = {
		.type	= IOAPIC_DOMAIN_STRICT,
		.ops	= &mp_ioapic_irqdomain_ops,
	};
	struct mint_ioapic *ioapic;
	u32 i, count = mint_layout.ioapics.count;

	for (i = 0; i < count; i++) {
		ioapic = mint_ioapic_record(i);
		if (!ioapic) {
			pr_err("I/O APIC %u is out of reach\n", i);
			return;
		}
		mp_register_ioapic(ioapic->id, ioapic->addr, ioapic->gsi_base,
				   &cfg);
	}
}

/* Memory for each CPU that may come: its 46 pages of data are 0.6 % of that */
#define SPARE_CORE_BYTES	((u64)SZ_32M)

static u32 ids[NR_CPUS] __initdata;

/* How many cores the command line gives this node: it is from the launch */
static u32 __init launched_with(void)
{
	u32 first, last, boot = read_apic_id(), count = 1;
	struct mint_token list, word;

	if (!mint_param_find(boot_command_line, "mint.cpus=", &list))
		return setup_max_cpus;
	while (mint_token_next(&list.text, &word))
		if (!mint_token_cpus(&word, &first, &last))
			count += last - first + 1 - (first <= boot && boot <= last);
	return count;
}

/*
 * The boot core is known already; the others follow in ascending order. After
 * an own reboot those that came after the launch are started, too, which
 * maxcpus= does not count.
 */
static void __init register_own_cores(void)
{
	u32 i, asked, count = mint_early_cores(true, ids, ARRAY_SIZE(ids));

	for (i = 0; i < count; i++)
		topology_register_apic(ids[i], CPU_ACPIID_INVALID, true);
	asked = launched_with();
	if (setup_max_cpus < count && asked < count)
		setup_max_cpus += count - asked;
}

/* Those that may be moved here get the numbers behind */
static void __init register_spare_cores(void)
{
	u32 i, count = mint_early_cores(false, ids, ARRAY_SIZE(ids));
	u32 room = div_u64(memblock_phys_mem_size(), SPARE_CORE_BYTES);

	for (i = 0; i < count; i++) {
		if (!mint_core_is_spare(ids[i], room))
			continue;
		topology_register_apic(ids[i], CPU_ACPIID_INVALID, false);
		room -= !!room;
	}
}

static void __init mint_parse_smp_cfg(void)
{
	mint_log_flush();
	mint_x2apic_init();
	register_lapic_address(mint_layout.lapic_addr);

	register_own_cores();
	register_spare_cores();

	smp_found_config = 1;
	mint_register_ioapics();
}

/**
 * mint_knows_bsp() - does Mint know that this is not the BSP?
 * @apic_id:	APIC ID about to be registered
 *
 * The stock check has to guess whether a core that is not marked as BSP boots
 * a crash kernel, and then drops all others. Here the BSP is known, and a
 * successor is never given it.
 *
 * Context: topology_register_apic().
 * Return: true in a successor.
 */
bool __init mint_knows_bsp(u32 apic_id)
{
	return mint_successor();
}

static void __init mint_reserve_resources(void)
{
	reserve_standard_io_resources();
	mint_legacy_reserve();
}

/* The first call that comes once vmalloc works, and before any interrupt */
static void __init mint_pre_vector_init(void)
{
	mint_log_flush();
	if (mint_common_map() || mint_ioapics_adopt())
		panic("mint: no mapping for the common area");
	mint_hotplug_adopt(mint_own_node());
	mint_memory_register();
	mint_legacy_irqs();
}

/**
 * mint_platform_setup() - become a successor
 *
 * Context: setup_arch(), before the memory map is read, with the header of
 *	    the common area mapped.
 */
void __init mint_platform_setup(void)
{
	int i;

	lapic_timer_known = mint_layout.lapic_khz;
	preset_lpj = div_u64((u64)mint_given.tsc_khz * 1000, HZ);

	x86_init.resources.probe_roms		= x86_init_noop;
	x86_init.resources.dmi_setup		= x86_init_noop;
	x86_init.resources.reserve_resources	= mint_reserve_resources;
	x86_init.mpparse.find_mptable		= x86_init_noop;
	x86_init.mpparse.early_parse_smp_cfg	= x86_init_noop;
	x86_init.mpparse.parse_smp_cfg		= mint_parse_smp_cfg;
	x86_init.irqs.pre_vector_init		= mint_pre_vector_init;
	intr_mode_init				= x86_init.irqs.intr_mode_init;
	x86_init.irqs.intr_mode_init		= mint_intr_mode_init;
	x86_init.timers.timer_init		= mint_timer_init;
	x86_init.timers.wallclock_init		= x86_init_noop;
	x86_init.hyper.x2apic_available		= mint_x2apic_available;

	x86_platform.calibrate_cpu		= mint_tsc_khz;
	x86_platform.calibrate_tsc		= mint_tsc_khz;
	x86_platform.set_wallclock		= set_rtc_noop;
	x86_platform.get_nmi_reason		= mint_get_nmi_reason;
	x86_platform.realmode_reserve		= x86_init_noop;
	x86_platform.realmode_init		= mint_cpu_realmode_init;
	x86_platform.legacy.warm_reset		= 0;
	x86_platform.legacy.reserve_bios_regions = 0;
	x86_platform.legacy.devices.pnpbios	= 0;

	legacy_pic = &null_legacy_pic;
	disable_acpi();
	setup_force_cpu_cap(X86_FEATURE_TSC_KNOWN_FREQ);
	/* There is nothing to watch it by but jiffies, which a busy host loses */
	setup_force_cpu_cap(X86_FEATURE_TSC_RELIABLE);

	for (i = 0; i < ARRAY_SIZE(foreign_features); i++)
		setup_clear_cpu_cap(foreign_features[i]);

	mint_hotplug_setup();
	mint_clock_setup();
	mint_legacy_setup();
	mint_pci_setup();
	mint_end_setup_early();
	mint_log_setup_early();
}
