// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the last transfers, for people.
 *
 * Owns the lines of /sys/kernel/mint/moves. Nothing is decided by them.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "../area/area.h"
#include "move.h"

/* As many as one page has room for, each with a text and a reason of full length */
#define ENTRIES		16

static struct mint_history entries[ENTRIES];
static u32 written;
static DEFINE_MUTEX(entries_mutex);
static void (*on_change)(void);

static const char * const step_names[MINT_STEPS] = {
	[MINT_STEP_GIVE]	= "give",
	[MINT_STEP_CLEAR]	= "clear",
	[MINT_STEP_TAKE]	= "take",
};

/**
 * mint_history_listen() - be told when a transfer goes on
 * @changed:	called then; may sleep
 *
 * Context: init, once.
 */
void __init mint_history_listen(void (*changed)(void))
{
	on_change = changed;
}

/**
 * mint_history_set() - a transfer begins, or goes on
 * @entry:	what is to be told of it; one with its number is replaced
 *
 * Context: process; may sleep.
 */
void mint_history_set(const struct mint_history *entry)
{
	u32 i;

	scoped_guard(mutex, &entries_mutex) {
		for (i = 0; i < min(written, ENTRIES); i++)
			if (entries[i].seq == entry->seq)
				break;
		if (i == min(written, ENTRIES))
			i = written++ % ENTRIES;
		entries[i] = *entry;
	}
	if (on_change)
		on_change();
}

static int show_ms(char *buf, int at, const char *label, u64 us)
{
	return sysfs_emit_at(buf, at, " %s%llu.%03llu", label,
			     div_u64(us, USEC_PER_MSEC),
			     us - div_u64(us, USEC_PER_MSEC) * USEC_PER_MSEC);
}

static int show_owner(char *buf, int at, u32 n)
{
	return n == MINT_NODE_FREE ? sysfs_emit_at(buf, at, "free") :
				     sysfs_emit_at(buf, at, "%u", n);
}

static int show_entry(char *buf, int at, const struct mint_history *entry)
{
	char label[16];
	int len, i;

	len = sysfs_emit_at(buf, at, "%u %s ", entry->seq, entry->what);
	len += show_owner(buf, at + len, entry->from);
	len += sysfs_emit_at(buf, at + len, " > ");
	len += show_owner(buf, at + len, entry->to);
	len += sysfs_emit_at(buf, at + len, " %s", entry->state);
	len += show_ms(buf, at + len, "", entry->total_us);
	for (i = 0; i < MINT_STEPS && !entry->reason[0]; i++) {
		snprintf(label, sizeof(label), "%s ", step_names[i]);
		len += show_ms(buf, at + len, label, entry->us[i]);
	}
	if (entry->reason[0])
		len += sysfs_emit_at(buf, at + len, " %s", entry->reason);
	return len + sysfs_emit_at(buf, at + len, "\n");
}

/**
 * mint_history_show() - print the last transfers, the latest one at the end
 * @buf:	where to, a page
 *
 * Context: process; may sleep.
 * Return: how many bytes.
 */
ssize_t mint_history_show(char *buf)
{
	u32 i, first;
	int len = 0;

	guard(mutex)(&entries_mutex);
	first = written > ENTRIES ? written - ENTRIES : 0;
	for (i = first; i < written; i++)
		len += show_entry(buf, len, &entries[i % ENTRIES]);
	return len;
}
