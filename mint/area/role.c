// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: who this kernel is.
 *
 * Owns the role and the number of this node, what it was given in its
 * hand-over, and what it says of itself in its record. Who decides on the role
 * is boot/setup.c, or a mint.* parameter.
 */

#include <linux/cc_platform.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/timekeeping.h>

#include "area.h"

enum mint_role mint_role __ro_after_init;
u32 mint_self __ro_after_init;		/* number of this node */

struct mint_given mint_given __ro_after_init;

static void (*predecessor_setup)(void) __initdata;

/**
 * mint_successor() - was this kernel launched by another one?
 *
 * Context: any, from the start of setup_arch() on.
 * Return: true in a successor.
 */
bool mint_successor(void)
{
	return mint_role == MINT_SUCCESSOR;
}

/**
 * mint_own_node() - record of this node
 *
 * Context: any.
 * Return: the record, or NULL while the common area is not mapped.
 */
struct mint_node *mint_own_node(void)
{
	return mint_role == MINT_STOCK ? NULL : mint_node(mint_self);
}

/**
 * mint_role_init() - this kernel was not launched by another one
 * @setup:	becomes a predecessor, if a parameter asks for that
 *
 * Context: setup_arch(), before the early parameters.
 */
void __init mint_role_init(void (*setup)(void))
{
	predecessor_setup = setup;
}

/**
 * mint_become_predecessor() - a mint.* parameter asks for it
 *
 * Context: early parameters; in a successor nothing happens, what it owns
 *	    stands in its hand-over.
 */
void __init mint_become_predecessor(void)
{
	if (mint_role != MINT_STOCK)
		return;
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT)) {
		pr_err("memory encryption is on, the mint.* parameters are ignored: boot with mem_encrypt=off\n");
		return;
	}

	mint_role = MINT_PREDECESSOR;
	predecessor_setup();
}

/**
 * mint_become_successor() - another kernel has launched this one
 * @n:		number of this node
 * @given:	what it was given
 *
 * Context: setup_arch().
 */
void __init mint_become_successor(u32 n, const struct mint_given *given)
{
	mint_role = MINT_SUCCESSOR;
	mint_self = n;
	mint_given = *given;
}

/**
 * mint_copy_line() - copy what another node says, as one line of plain text
 * @to:		where to
 * @from:	in the common area; ends with a NUL, or not
 * @size:	bytes of both, one of them for the NUL
 *
 * What would harm a terminal becomes a question mark.
 *
 * Context: any.
 * Return: characters, without the NUL.
 */
size_t mint_copy_line(char *to, const char *from, size_t size)
{
	size_t i;
	char c;

	for (i = 0; i < size - 1; i++) {
		/* The peer may change it between two looks */
		c = READ_ONCE(from[i]);
		if (!c)
			break;
		to[i] = isascii(c) && isprint(c) ? c : '?';
	}
	to[i] = '\0';
	return i;
}

/**
 * mint_report_state() - say how this node is doing
 * @state:	MINT_STATE_*
 * @fmt:	why, one line
 *
 * Context: as mint_send_ipi(), common area mapped.
 */
void mint_report_state(u32 state, const char *fmt, ...)
{
	struct mint_node *node = mint_own_node();
	va_list args;

	va_start(args, fmt);
	vscnprintf(node->reason, sizeof(node->reason), fmt, args);
	va_end(args);
	node->since_ns = ktime_get_real_fast_ns();
	/* Pairs with watch_node(): the reason is visible before the state */
	smp_store_release(&node->state, state);
	/* Node 0 polls twice a second; the bell makes it poll now */
	if (mint_role == MINT_SUCCESSOR)
		mint_bell_ring_node0(MINT_BELL_NODE);
}
