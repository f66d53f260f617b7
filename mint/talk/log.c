// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the last words of a node.
 *
 * Owns the log ring. A successor copies every record of its kernel log there,
 * whatever the console loglevel, from the first line on and as long as it can
 * still execute. Node 0 reads them as nodes/<n>/log, also when the successor is
 * dead.
 *
 * The records come from printk's own buffer. A console without a device is
 * only the bell that says that there are new ones. What it does not ring for,
 * such as the many that "quiet" hides, is found by the heartbeat, at the
 * milestones of an early boot, and by who ends the kernel.
 */

#include <linux/console.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/kmsg_dump.h>
#include <linux/kobject.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <asm/setup.h>

#include "../area/area.h"
#include "talk.h"

#define LINE_SIZE	2048
#define NOTICE_MAX	48
#define LINES_AT_ONCE	32	/* with interrupts off */
#define DRAINS_AT_ONCE	128	/* in one visit */

/* Of successors: what was copied so far */
static DEFINE_RAW_SPINLOCK(drain_lock);
static u64 next_seq;
static char line[LINE_SIZE];

/* Before the common area is mapped: by short-lived mappings, line by line */
static void __init early_write(const char *text, size_t count)
{
	phys_addr_t pa = mint_ring_pa(mint_self);
	u32 at, len, size = mint_layout.ring_size[MINT_RING_LOG];
	struct mint_rings *rings = early_memremap(pa, sizeof(*rings));
	u64 head;
	void *to;

	if (!rings)
		return;
	for (head = rings->ring[MINT_RING_LOG].head; count; count -= len) {
		at = head & (size - 1);
		/* As mint_stream_write(): readers rely on it */
		len = min3(count, (size_t)MINT_RING_CHUNK, (size_t)size - at);
		to = early_memremap(pa + sizeof(*rings) + at, len);
		if (!to)
			break;
		memcpy(to, text, len);
		early_memunmap(to, len);
		head += len;
		text += len;
		/* Pairs with mint_stream_read() */
		smp_store_release(&rings->ring[MINT_RING_LOG].head, head);
	}
	early_memunmap(rings, sizeof(*rings));
}

/*
 * Reference to __init: the ring is mapped for good long before that is freed.
 * A kernel that dies earlier has no early mappings either from the moment on at
 * which it calls itself restarting.
 */
static void __ref put(const char *text, size_t count)
{
	struct mint_stream stream;

	if (mint_stream_get(&stream, mint_self, MINT_RING_LOG))
		mint_stream_write(&stream, text, count);
	else if (system_state < SYSTEM_RUNNING)
		early_write(text, count);
}

/* They came faster than anybody could copy them */
static void put_lost(u64 records)
{
	char text[NOTICE_MAX];

	put(text, scnprintf(text, sizeof(text), "[mint: %llu records missed]\n",
			    records));
}

/* Copy some of what is new, and say whether there may be more */
static bool copy_some(void)
{
	struct kmsg_dump_iter iter;
	unsigned int i;
	size_t len;

	for (i = 0; i < LINES_AT_ONCE; i++) {
		iter.cur_seq = next_seq;
		if (!kmsg_dump_get_line(&iter, false, line, sizeof(line), &len))
			break;
		if (iter.cur_seq - next_seq > 1)
			put_lost(iter.cur_seq - next_seq - 1);
		put(line, len);
		next_seq = iter.cur_seq;
	}
	return i == LINES_AT_ONCE;
}

/*
 * One at a time is enough, who comes second has nothing to do; but the last
 * words do not wait for a core that was stopped in here. It may have written
 * half a line, which is then written again.
 */
static bool drain_some(bool last)
{
	unsigned long flags;
	bool more;

	if (!raw_spin_trylock_irqsave(&drain_lock, flags))
		return last && copy_some();
	more = copy_some();
	raw_spin_unlock_irqrestore(&drain_lock, flags);
	return more;
}

static void drain(bool last)
{
	unsigned int i;

	for (i = 0; i < DRAINS_AT_ONCE; i++)
		if (!drain_some(last))
			break;
}

static void log_bell(struct console *con, const char *text, unsigned int count)
{
	drain(false);
}

static struct console log_console = {
	.name	= "mintlog",
	.write	= log_bell,
	.flags	= CON_ENABLED | CON_PRINTBUFFER | CON_ANYTIME,
	.index	= -1,
};

static void log_dump(struct kmsg_dumper *dumper, struct kmsg_dump_detail *detail)
{
	drain(detail->reason == KMSG_DUMP_PANIC);
}

static struct kmsg_dumper log_dumper = {
	.dump		= log_dump,
	.max_reason	= KMSG_DUMP_SHUTDOWN,
};

/**
 * mint_log_setup_early() - copy the log from now on
 *
 * Context: successor, setup_arch(), with the header of the common area mapped.
 */
void __init mint_log_setup_early(void)
{
	struct mint_token value;

	kmsg_dump_register(&log_dumper);
	drain(false);
	/* printk refuses boot consoles once there is another one */
	if (!mint_param_find(boot_command_line, "earlyprintk=", &value) &&
	    !mint_param_find(boot_command_line, "earlycon=", &value))
		register_console(&log_console);
}

static int __init log_console_init(void)
{
	if (mint_successor() && !console_is_registered(&log_console))
		register_console(&log_console);
	return 0;
}
console_initcall(log_console_init);

/**
 * mint_log_last() - copy what is left of the log, as this kernel ends
 *
 * Context: successor, interrupts off, no other core of the node runs.
 */
void mint_log_last(void)
{
	lockdep_assert_irqs_disabled();
	drain(true);
}

/* Of node 0 */
struct log_file {
	struct kernfs_node	*kn;
	u64			seen;		/* of the stream: what was announced */
	u64			emptied;	/* how often the stream was */
};

static struct log_file log_files[MINT_NODE_MAX];
static DEFINE_SPINLOCK(files_lock);

/* Wake who polls the log of a node that has more to say */
static void announce(void)
{
	struct mint_stream stream;
	unsigned long flags;
	u64 head;
	u32 n;

	spin_lock_irqsave(&files_lock, flags);
	for (n = 0; mint_stream_get(&stream, n, MINT_RING_LOG); n++) {
		head = READ_ONCE(stream.ring->head);
		if (!log_files[n].kn || log_files[n].seen == head)
			continue;
		log_files[n].seen = head;
		kernfs_notify(log_files[n].kn);
	}
	spin_unlock_irqrestore(&files_lock, flags);
}

/**
 * mint_log_flush() - a regular look at the log
 *
 * A successor copies what is new of its own, node 0 tells those who poll.
 *
 * Context: any but NMI; called by the heartbeat and at milestones of the boot.
 */
void mint_log_flush(void)
{
	if (mint_successor())
		drain(false);
	else
		announce();
}

/**
 * mint_log_reset() - empty the log of a node
 * @n:	number of a node of which nothing runs
 *
 * Readers begin anew when the log is emptied, not when a launch claims the number: a
 * load that fails leaves the last words of the node that had it.
 *
 * Context: predecessor, process; one caller at a time for each node.
 */
void mint_log_reset(u32 n)
{
	struct mint_stream stream;

	if (!mint_stream_get(&stream, n, MINT_RING_LOG))
		return;
	mint_stream_clear(&stream);
	/* Pairs with times_emptied() */
	smp_store_release(&log_files[n].emptied, log_files[n].emptied + 1);
}

static u64 times_emptied(u32 n)
{
	/* Pairs with mint_log_reset(): what is read after that is of this stream */
	return smp_load_acquire(&log_files[n].emptied);
}

/*
 * An open file of nodes/<n>/log. What was missed is told in a line of its own,
 * which has no place in the stream; so a piece of it is put together with that
 * line here, and handed out in whatever portions the reader likes.
 */
struct log_reader {
	u64	emptied;	/* how often the log was, when @pos was last good */
	u64	pos;		/* in the stream */
	loff_t	next;		/* file position that goes on there */
	u32	at, end;	/* what is left of @text */
	char	text[NOTICE_MAX + LINE_SIZE];
};

static u32 of_node(struct kernfs_open_file *of)
{
	return (unsigned long)of->kn->priv;
}

static int log_open(struct kernfs_open_file *of)
{
	struct log_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	reader->emptied = times_emptied(of_node(of));
	of->priv = reader;
	return 0;
}

static void log_release(struct kernfs_open_file *of)
{
	kfree(of->priv);
}

/* The next lines of the stream, behind a notice if something was missed */
static void refill(struct log_reader *reader, const struct mint_stream *stream)
{
	char *text = reader->text + NOTICE_MAX;
	char notice[NOTICE_MAX], *eol;
	size_t len, whole, skip;
	u64 missed = 0;

	len = mint_stream_read(stream, &reader->pos, text, LINE_SIZE, &missed);
	/* Whole lines, so that a notice never cuts through one */
	for (whole = len; whole && text[whole - 1] != '\n'; whole--)
		;
	if (whole) {
		reader->pos -= len - whole;
		len = whole;
	}
	reader->at = NOTICE_MAX;
	reader->end = NOTICE_MAX + len;
	if (!missed)
		return;

	/* The first line may have lost its beginning. A NUL ends no line here. */
	eol = whole ? memchr(text, '\n', len) : NULL;
	skip = eol ? eol + 1 - text : 0;
	missed += skip;
	reader->at += skip;
	len = scnprintf(notice, sizeof(notice), "[mint: %llu bytes missed]\n",
			missed);
	reader->at -= len;
	memcpy(reader->text + reader->at, notice, len);
}

static ssize_t log_read(struct kernfs_open_file *of, char *buf, size_t count,
			loff_t off)
{
	u64 emptied = times_emptied(of_node(of));
	struct log_reader *reader = of->priv;
	struct mint_stream stream;

	if (!mint_stream_get(&stream, of_node(of), MINT_RING_LOG))
		return -ENXIO;
	if (emptied != reader->emptied) {
		/* Another node, another stream */
		reader->emptied = emptied;
		reader->pos = 0;
		reader->at = reader->end;
		reader->next = off;
	}
	if (off != reader->next) {
		reader->pos = off;
		reader->at = reader->end;
	}
	if (reader->at == reader->end)
		refill(reader, &stream);
	count = min_t(size_t, count, reader->end - reader->at);
	memcpy(buf, reader->text + reader->at, count);
	reader->at += count;
	reader->next = off + count;
	return count;
}

static __poll_t log_poll(struct kernfs_open_file *of, struct poll_table_struct *wait)
{
	struct log_reader *reader = of->priv;
	struct mint_stream stream;

	kernfs_generic_poll(of, wait);
	if (!mint_stream_get(&stream, of_node(of), MINT_RING_LOG))
		return EPOLLERR;
	if (reader->emptied == times_emptied(of_node(of)) &&
	    reader->at == reader->end &&
	    READ_ONCE(stream.ring->head) == reader->pos)
		return 0;
	return EPOLLIN | EPOLLRDNORM;
}

static const struct kernfs_ops log_ops = {
	.open		= log_open,
	.release	= log_release,
	.read		= log_read,
	.poll		= log_poll,
};

/**
 * mint_log_add() - make nodes/<n>/log
 * @n:		number of a node
 * @kobj:	its directory
 *
 * A file of its own kind, because each reader has a place in the stream.
 *
 * Context: process; nothing happens but for successors, in node 0.
 * Return: 0, -ENOMEM, -EEXIST.
 */
int mint_log_add(u32 n, struct kobject *kobj)
{
	static struct lock_class_key key;
	struct kernfs_node *kn;

	if (mint_successor() || n == mint_self)
		return 0;
	kn = __kernfs_create_file(kobj->sd, "log", 0400, GLOBAL_ROOT_UID,
				  GLOBAL_ROOT_GID, 0, &log_ops,
				  (void *)(unsigned long)n, NULL, &key);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	spin_lock_irq(&files_lock);
	log_files[n].kn = kn;
	log_files[n].seen = 0;
	spin_unlock_irq(&files_lock);
	return 0;
}

/**
 * mint_log_remove() - take nodes/<n>/log away
 * @n:	number of the node
 *
 * Context: process; waits for readers.
 */
void mint_log_remove(u32 n)
{
	struct kernfs_node *kn;

	spin_lock_irq(&files_lock);
	kn = log_files[n].kn;
	log_files[n].kn = NULL;
	spin_unlock_irq(&files_lock);
	if (kn)
		kernfs_remove(kn);
}
