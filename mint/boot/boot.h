/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: the boot of this kernel, in its role.
 */
#ifndef _ARCH_X86_MINT_BOOT_H
#define _ARCH_X86_MINT_BOOT_H

/* platform.c */
void mint_platform_setup(void);

#endif /* _ARCH_X86_MINT_BOOT_H */
