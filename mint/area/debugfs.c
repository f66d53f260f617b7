// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: debugfs' mint/, for developers and tests.
 *
 * Owns the directory; each file in it belongs to who makes it.
 */

#include <linux/debugfs.h>

#include "area.h"

/**
 * mint_debugfs() - directory of what is for developers only
 *
 * Context: process, after the subsystem initcalls.
 * Return: debugfs' mint/, made when first asked for.
 */
struct dentry *mint_debugfs(void)
{
	static struct dentry *dir;

	if (!dir)
		dir = debugfs_create_dir("mint", NULL);
	return dir;
}
