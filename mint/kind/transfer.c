// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what kinds and move/ both need of a transfer between running nodes.
 *
 * Owns which numbers are parties of one, and how it is refused.
 */

#include <linux/kernel.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include "../area/area.h"
#include "kind.h"

/**
 * mint_is_successor() - is a party of a transfer a successor?
 * @n:	a node, MINT_NODE_FREE or MINT_NODE_FLIGHT
 *
 * Context: predecessor, any.
 * Return: true for the number that a successor has or could have.
 */
bool mint_is_successor(u32 n)
{
	return n != mint_self && mint_node(n);
}

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

/**
 * mint_transfer_add() - say more of a transfer that was refused
 * @t:		transfer, with a reason
 * @more:	what has become of the thing, as far as that fits behind the reason
 *
 * Context: any.
 */
void mint_transfer_add(struct mint_transfer *t, const char *more)
{
	size_t len = strlen(t->reason);

	snprintf(t->reason + len, sizeof(t->reason) - len, "; %s", more);
}
