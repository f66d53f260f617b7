/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: how nodes are doing, and how they end.
 */
#ifndef _ARCH_X86_MINT_LIFE_H
#define _ARCH_X86_MINT_LIFE_H

#include "../own/own.h"

/* release.c */
void mint_release(struct mint_claim *claim);
void mint_claim_forget(struct mint_claim *claim);

/* watch.c */
void mint_watch_now(void);
void mint_watch_start(void);
void mint_watch_one(struct work_struct *work);
void mint_watch_end(struct mint_claim *claim);

/* load.c */
void mint_load_beat(void);
void mint_load_forget(void);
ssize_t mint_load_show(u32 n, char *buf);
bool mint_load_flags(const struct mint_load *load, u32 *flags);
ssize_t mint_want_show(u32 n, char *buf);
int mint_want_set(const char *text);
#if IS_ENABLED(CONFIG_KUNIT)
void mint_load_add(struct mint_load *load, u32 runnable, u64 *busy_ns);
int mint_want_write(struct mint_load *load, const char *text);
bool mint_want_read(const struct mint_load *load, char *text);
#endif

/* generation.c */
u32 mint_generation(void);
void mint_generation_count(void);
void mint_generation_poll(void);
void mint_generation_listen(void (*changed)(void));

/* stop.c */

/**
 * enum mint_strength - how hard node 0 stops a successor
 * @MINT_STOP_ASK:	its user space powers off
 * @MINT_STOP_PARK:	its kernel parks its cores, on request or by NMI
 * @MINT_STOP_FORCE:	INIT
 * @MINT_STOP_REBOOT:	not at all: its user space reboots it
 */
enum mint_strength {
	MINT_STOP_ASK,
	MINT_STOP_PARK,
	MINT_STOP_FORCE,
	MINT_STOP_REBOOT,
};

unsigned long mint_ask_bound(void);
int mint_stop(u32 n, enum mint_strength strength);
u32 mint_unparked(u32 n);
int mint_prove_parked(struct mint_claim *claim);

/* end.c */
void mint_end_setup_early(void);
void mint_end_setup(void);
void mint_end_poll(void);

/* restart.c */
bool mint_restart_kept(void);
bool mint_restart_expected(void);
bool mint_restart_ready(void);
void mint_restart(void);
bool mint_kept_range(struct mint_range *range);
struct mint_kept *mint_kept_lock(void);
void mint_kept_unlock(u64 handover);

/* leave.c */
bool mint_leaving(void);
void mint_leave_setup(void);

#endif /* _ARCH_X86_MINT_LIFE_H */
