/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: devices, lent and borrowed.
 */
#ifndef _ARCH_X86_MINT_DEVICE_H
#define _ARCH_X86_MINT_DEVICE_H

#include "../area/area.h"

struct pci_dev;

/* Reason of a refusal, where mint_pci_lock() fails */
#define MINT_PCI_LOCKED							\
	"is about to get or to lose a driver of node 0: try again, or reboot if that hangs"

/**
 * struct mint_reason - why something is not done with a PCI function
 * @text:	what comes behind its name: who has it, what to do
 */
struct mint_reason {
	char	text[200];
};

/* pci.c, borrow.c */
#ifdef CONFIG_PCI
void mint_pci_param(const struct mint_pci_match *match, bool minus);
int mint_pci_expand(const struct mint_pci_match *match, u32 *ids, u32 max);
int mint_pci_check(struct mint_device *desc, bool force, struct mint_reason *why);
int mint_pci_check_move(u32 id, u32 *from, bool force, struct mint_reason *why);
bool mint_pci_below(u32 id, u32 bridge);
int mint_pci_bridges(const struct mint_device *desc, struct mint_device *list,
		     u32 count, u32 max);
int mint_pci_lend(const struct mint_device *desc);
void mint_pci_take_back(const struct mint_device *desc);
void mint_pci_describe(void);
void mint_pci_setup(void);
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
				 struct mint_reason *why)
{
	return -ENODEV;
}

static inline int mint_pci_check_move(u32 id, u32 *from, bool force, struct mint_reason *why)
{
	return -ENODEV;
}

static inline bool mint_pci_below(u32 id, u32 bridge) { return false; }

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

static inline void mint_pci_describe(void) { }
static inline void mint_pci_setup(void) { }
static inline void mint_pci_quiet(void) { }
#endif

/* The same, for this folder */
bool mint_pci_beyond_segments(const struct pci_dev *dev);
u32 mint_pci_id(const struct pci_dev *dev);
struct pci_dev *mint_pci_get(u32 id);
bool mint_pci_lock(struct pci_dev *dev);
__printf(3, 4)
int mint_pci_refuse(struct mint_reason *why, int err, const char *fmt, ...);
bool mint_pci_resets_bus(u8 method);
void mint_pci_quiesce(struct pci_dev *dev, const char *where);
bool mint_pci_held(struct pci_dev *dev);
int mint_pci_hold(struct pci_dev *dev);
void mint_pci_quiesce_held(struct pci_dev *dev, const char *where);
void mint_pci_let_go(struct pci_dev *dev);
bool mint_pci_may_use(struct pci_dev *dev);
int mint_pci_close(u32 id, struct mint_reason *why);
int mint_pci_open(u32 id, bool again, struct mint_reason *why);

/* move.c */
#ifdef CONFIG_PCI
bool mint_pci_disk_in_use(struct pci_dev *dev, char disk[]);
int mint_pci_give(u32 id, struct mint_reason *why);
void mint_pci_release(u32 id);
int mint_pci_keep(u32 id, struct mint_reason *why);
int mint_pci_take(u32 id, bool again, struct mint_reason *why);
int mint_pci_clear(u32 id, const char *where, struct mint_reason *why);
#else
static inline int mint_pci_give(u32 id, struct mint_reason *why)
{
	return -ENODEV;
}

static inline void mint_pci_release(u32 id) { }

static inline int mint_pci_keep(u32 id, struct mint_reason *why)
{
	return -ENODEV;
}

static inline int mint_pci_take(u32 id, bool again, struct mint_reason *why)
{
	return -ENODEV;
}

static inline int mint_pci_clear(u32 id, const char *where, struct mint_reason *why)
{
	return -ENODEV;
}
#endif

/* lines.c */
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
void mint_line_return(u32 n, u32 gsi);
void mint_lines_after_panic(void);
#else
static inline int mint_line_check(const struct mint_node *node,
				  struct mint_device *desc, u32 *owner)
{
	return 0;
}

static inline int mint_lines_lend(u32 n) { return 0; }
static inline void mint_lines_return(u32 n) { }
static inline void mint_line_return(u32 n, u32 gsi) { }
static inline void mint_lines_after_panic(void) { }
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
int mint_vf_describe(struct pci_dev *dev);
bool mint_vf_publish(u32 id, u32 n, u32 i);
void mint_vf_withdraw(u32 n, u32 i);
void mint_vf_forget(struct pci_dev *dev);
int mint_vf_adopt(u32 i, u32 id);
void mint_vf_read(u32 i, int reg, int len, u32 *val);
bool mint_vf_write(u32 i, int reg, int len, u32 val);
#else
static inline bool mint_vf_publish(u32 id, u32 n, u32 i) { return false; }
static inline void mint_vf_withdraw(u32 n, u32 i) { }
#endif

/* conf1.c */
extern const struct pci_raw_ops mint_conf1;
void mint_conf1_reserve(void);

/* legacy.c */
extern u32 mint_own_legacy;
void mint_legacy_setup(void);
void mint_legacy_reserve(void);
void mint_legacy_irqs(void);
bool mint_legacy_line(struct mint_device *dev, u32 k);

#endif /* _ARCH_X86_MINT_DEVICE_H */
