/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: the hooks that the rest of the kernel calls. Without CONFIG_MINT all
 * of them are empty and compile to the stock code.
 */
#ifndef _LINUX_MINT_H
#define _LINUX_MINT_H

#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/types.h>

struct kexec_segment;
struct pci_dev;

/**
 * enum mint_shared_lock - a lock that all kernels of the machine share
 * @MINT_LOCK_IOAPIC:	index/data pairs of the I/O APICs
 * @MINT_LOCK_PCI:	the ports CF8 and CFC
 * @MINT_SHARED_LOCKS:	how many there are
 */
enum mint_shared_lock {
	MINT_LOCK_IOAPIC,
	MINT_LOCK_PCI,
	MINT_SHARED_LOCKS,
};

/* The flag of kexec_load(), where it is known at all */
#define KEXEC_MINT_FLAG		(IS_ENABLED(CONFIG_MINT) ? KEXEC_MINT : 0)

#ifdef CONFIG_MINT

/* Before what only Mint uses of another file: without Mint it is static there */
#define VISIBLE_IF_MINT
extern int apic_ipi_shorthand_off;
int wakeup_secondary_cpu_via_init(u32 phys_apicid, unsigned long start_eip);
void clear_IO_APIC_pin(unsigned int apic, unsigned int pin);

void mint_setup_early(void);
bool mint_successor(void);
bool mint_knows_bsp(u32 apic_id);
bool mint_may_ioremap(phys_addr_t start, unsigned long size);
bool mint_ioapic_may_write(unsigned int ioapic, unsigned int reg);
unsigned long mint_lock(enum mint_shared_lock which);
void mint_unlock(enum mint_shared_lock which, unsigned long flags);
bool mint_no_early_pci(void);
bool mint_pci_may_bind(struct pci_dev *dev);
int mint_may_reboot(unsigned int cmd);
bool mint_kexec_permitted(unsigned long nr_segments, unsigned long flags);
long mint_kexec_load(unsigned long entry, unsigned long nr_segments,
		     struct kexec_segment *segments, unsigned long flags);

#else

#define VISIBLE_IF_MINT static

static inline void mint_setup_early(void) { }
static inline bool mint_successor(void) { return false; }
static inline bool mint_knows_bsp(u32 apic_id) { return false; }

static inline bool mint_may_ioremap(phys_addr_t start, unsigned long size)
{
	return true;
}

static inline bool mint_ioapic_may_write(unsigned int ioapic, unsigned int reg)
{
	return true;
}

static inline unsigned long mint_lock(enum mint_shared_lock which) { return 0; }

static inline void mint_unlock(enum mint_shared_lock which, unsigned long flags)
{
}

static inline bool mint_no_early_pci(void) { return false; }
static inline bool mint_pci_may_bind(struct pci_dev *dev) { return true; }
static inline int mint_may_reboot(unsigned int cmd) { return 0; }

static inline bool mint_kexec_permitted(unsigned long nr_segments,
					unsigned long flags)
{
	return false;
}

static inline long mint_kexec_load(unsigned long entry,
				   unsigned long nr_segments,
				   struct kexec_segment *segments,
				   unsigned long flags)
{
	return -EINVAL;
}

#endif

/* guard(mint_ioapic)(): the index/data pair of an I/O APIC is ours */
DEFINE_LOCK_GUARD_0(mint_ioapic, _T->flags = mint_lock(MINT_LOCK_IOAPIC),
		    mint_unlock(MINT_LOCK_IOAPIC, _T->flags), unsigned long flags)

/* guard(mint_conf1)(): the ports CF8 and CFC are ours */
DEFINE_LOCK_GUARD_0(mint_conf1, _T->flags = mint_lock(MINT_LOCK_PCI),
		    mint_unlock(MINT_LOCK_PCI, _T->flags), unsigned long flags)

#endif /* _LINUX_MINT_H */
