/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: the mark of a bzImage with Mint.
 *
 * Included by boot/compressed/kernel_info.S as variable-length data (x86 boot
 * protocol 2.15), for the launcher and the kernel that launches the image.
 */
#ifdef CONFIG_MINT
#include <linux/kconfig.h>
#include <uapi/asm/mint.h>

#if IS_ENABLED(CONFIG_X86_5LEVEL)
#define MINT_MARK_FLAGS	(MINT_MARKER_64BIT | MINT_MARKER_5LEVEL)
#elif IS_ENABLED(CONFIG_X86_64)
#define MINT_MARK_FLAGS	MINT_MARKER_64BIT
#else
#define MINT_MARK_FLAGS	0
#endif

	.ascii	MINT_MARKER
	.long	MINT_VERSION
	.long	MINT_MARK_FLAGS
#endif
