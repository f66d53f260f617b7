// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: how a transfer between running nodes is refused.
 */

#include <linux/kernel.h>
#include <linux/stdarg.h>

#include "../area/area.h"
#include "kind.h"

/**
 * mint_transfer_refuse() - say why a transfer is refused
 * @t:		transfer
 * @err:	the error
 * @fmt:	resource, owner, remedy, in one line that fits @t->reason
 *
 * Context: any.
 * Return: @err.
 */
int mint_transfer_refuse(struct mint_transfer *t, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(t->reason, sizeof(t->reason), fmt, args);
	va_end(args);
	return err;
}
