// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: the terminal of a node.
 *
 * Owns the lines between node 0 and the successors: /dev/mint<n> in node 0 is
 * the line to node n, /dev/mint0 in a successor is its other end and can be
 * its console (console=mint).
 *
 * Both ends are the same: a ring to read, a ring to write. A writer waits for
 * a reader that has its end open, as long as that takes something now and
 * then; otherwise it writes over what nobody reads, for it must not hang with
 * its peer. The reader is told how much it missed. The kernel's own messages
 * never wait. A line has no state of its peer: it stays open when a node ends,
 * and the next one with that number is heard on it.
 */

#include <linux/console.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include <linux/workqueue.h>

#include "../area/area.h"
#include "../own/own.h"
#include "../device/device.h"
#include "talk.h"

#define DEAF_AFTER	HZ	/* a reader that takes nothing for so long */
#define NOTICE_MAX	48

/*
 * One end of a line. @lock is around @tx and what belongs to it, for kernel
 * messages come at any time, and around @open and the word in @rx that tells the peer.
 * All else of @rx belongs to @work.
 */
struct mint_line {
	struct tty_port		port;
	struct work_struct	work;
	u32			peer;
	bool			open;
	struct mint_stream	rx;
	u64			pos;		/* in @rx */
	u8			buf[MINT_RING_CHUNK];
	raw_spinlock_t		lock;
	struct mint_stream	tx;
	u64			tail;		/* of @tx, when last seen to move */
	unsigned long		moved;		/* when that was */
	bool			waiting;	/* somebody wants room in @tx */
};

static struct mint_line *lines;
static u32 nr_lines;
static struct tty_driver *driver;

/* Tell the peer, unless it is not there or our own APIC is not yet */
static void ring_peer(const struct mint_line *line)
{
	if (system_state < SYSTEM_SCHEDULING || in_nmi())
		return;
	if (mint_successor())
		mint_bell_ring_node0(MINT_BELL_TERMINAL);
	else if (mint_state(line->peer) == MINT_STATE_RUNNING)
		mint_bell_ring_node(line->peer, MINT_BELL_TERMINAL);
}

/* Bytes that may be written now; all that fit if nobody listens. Locked. */
static u32 room(struct mint_line *line)
{
	struct mint_ring *ring = line->tx.ring;
	u64 tail = READ_ONCE(ring->tail);
	u32 room = mint_stream_room(&line->tx);

	lockdep_assert_held(&line->lock);
	if (tail != line->tail || tail == READ_ONCE(ring->head)) {
		line->tail = tail;
		line->moved = jiffies;
	}
	if (!READ_ONCE(ring->open) ||
	    (room < MINT_RING_CHUNK &&
	     time_after(jiffies, line->moved + DEAF_AFTER)))
		return mint_stream_kept(&line->tx);
	return room;
}

/* Write, and say whether the reader had nothing left to do. Locked. */
static bool put(struct mint_line *line, const void *from, size_t count)
{
	u64 head = READ_ONCE(line->tx.ring->head);

	mint_stream_write(&line->tx, from, count);
	/* Pairs with receive(): it sees our bytes, or we that it had all */
	smp_mb();
	return READ_ONCE(line->tx.ring->open) &&
	       READ_ONCE(line->tx.ring->tail) == head;
}

/* Node 0 says it in the stream, to people; in a successor that would be input */
static void tell_missed(struct mint_line *line, u64 missed)
{
	char text[NOTICE_MAX];
	size_t len;

	if (mint_successor()) {
		pr_warn_ratelimited("%llu bytes of terminal input missed\n",
				    missed);
		return;
	}
	len = scnprintf(text, sizeof(text), "\r\n[mint: %llu bytes missed]\r\n",
			missed);
	tty_insert_flip_string(&line->port, text, len);
}

static void receive(struct mint_line *line)
{
	struct mint_ring *ring = line->rx.ring;
	bool crowded = mint_stream_room(&line->rx) < line->rx.size / 2;
	u32 done = 0;
	u64 missed;
	size_t len;

	/* A peer that writes without end does not keep us here */
	while (done < line->rx.size) {
		if (tty_buffer_space_avail(&line->port) <
		    sizeof(line->buf) + NOTICE_MAX)
			break;
		missed = 0;
		len = mint_stream_read(&line->rx, &line->pos, line->buf,
				       sizeof(line->buf), &missed);
		if (missed)
			tell_missed(line, missed);
		if (!len)
			break;
		tty_insert_flip_string(&line->port, line->buf, len);
		done += len;
	}
	WRITE_ONCE(ring->tail, line->pos);
	tty_flip_buffer_push(&line->port);
	/* Pairs with put() */
	smp_mb();
	if (done && READ_ONCE(ring->head) != line->pos)
		schedule_work(&line->work);
	if (done && crowded)
		ring_peer(line);
}

static void line_work(struct work_struct *work)
{
	struct mint_line *line = container_of(work, struct mint_line, work);
	struct tty_struct *tty = tty_port_tty_get(&line->port);
	bool wake;

	if (!tty)
		return;
	if (!tty_throttled(tty))
		receive(line);

	raw_spin_lock_irq(&line->lock);
	wake = line->waiting && room(line) >= MINT_RING_CHUNK;
	if (wake)
		line->waiting = false;
	raw_spin_unlock_irq(&line->lock);
	if (wake)
		tty_wakeup(tty);
	tty_kref_put(tty);
}

static void poll_line(struct mint_line *line)
{
	if (READ_ONCE(line->open) &&
	    (READ_ONCE(line->rx.ring->head) != READ_ONCE(line->pos) ||
	     READ_ONCE(line->waiting)))
		schedule_work(&line->work);
}

/**
 * mint_tty_poll() - look whether a line has something to do
 *
 * Context: any but NMI; called by the heartbeat, for those who wait in vain.
 */
void mint_tty_poll(void)
{
	u32 i;

	for (i = 0; i < nr_lines; i++)
		poll_line(&lines[i]);
}

static void tty_rung(u32 n)
{
	if (n == MINT_BELL_ANYONE)
		mint_tty_poll();
	else if (n < nr_lines)
		poll_line(&lines[n]);
}

/**
 * mint_tty_reset() - empty the rings of a line
 * @n:	number of a node of which nothing runs
 *
 * This kernel's own reader and writer are kept away meanwhile. Who has the
 * line open keeps it; what was typed for the last node is not for this one.
 *
 * Context: predecessor, process; waits for the reader.
 */
void mint_tty_reset(u32 n)
{
	struct mint_line *line;

	if (n >= nr_lines || !lines[n].rx.ring)
		return;
	line = &lines[n];
	disable_work_sync(&line->work);
	raw_spin_lock_irq(&line->lock);
	mint_stream_clear(&line->rx);
	mint_stream_clear(&line->tx);
	WRITE_ONCE(line->rx.ring->open, line->open);
	WRITE_ONCE(line->pos, 0);
	line->tail = 0;
	line->moved = jiffies;
	raw_spin_unlock_irq(&line->lock);
	enable_work(&line->work);
	/* It was opened meanwhile, or somebody waits for room */
	if (READ_ONCE(line->open))
		schedule_work(&line->work);
}

/* Here and for the peer, under the lock: mint_tty_reset() writes for the peer, too */
static void set_open(struct mint_line *line, bool open)
{
	raw_spin_lock_irq(&line->lock);
	WRITE_ONCE(line->open, open);
	WRITE_ONCE(line->rx.ring->open, open);
	raw_spin_unlock_irq(&line->lock);
}

static int line_activate(struct tty_port *port, struct tty_struct *tty)
{
	struct mint_line *line = container_of(port, struct mint_line, port);

	set_open(line, true);
	schedule_work(&line->work);
	return 0;
}

static void line_shutdown(struct tty_port *port)
{
	set_open(container_of(port, struct mint_line, port), false);
}

static const struct tty_port_operations port_ops = {
	.activate	= line_activate,
	.shutdown	= line_shutdown,
};

static int line_open(struct tty_struct *tty, struct file *file)
{
	return tty_port_open(tty->port, tty, file);
}

static void line_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(tty->port, tty, file);
}

static void line_hangup(struct tty_struct *tty)
{
	tty_port_hangup(tty->port);
}

static ssize_t line_write(struct tty_struct *tty, const u8 *buf, size_t count)
{
	struct mint_line *line = &lines[tty->index];
	unsigned long flags;
	bool idle = false;
	u32 can;

	raw_spin_lock_irqsave(&line->lock, flags);
	can = room(line);
	if (can < count) {
		count = can;
		line->waiting = true;
	}
	if (count)
		idle = put(line, buf, count);
	raw_spin_unlock_irqrestore(&line->lock, flags);
	if (idle)
		ring_peer(line);
	return count;
}

static unsigned int line_write_room(struct tty_struct *tty)
{
	struct mint_line *line = &lines[tty->index];
	unsigned long flags;
	u32 can;

	raw_spin_lock_irqsave(&line->lock, flags);
	can = room(line);
	/* The line discipline wants more than a byte or two */
	if (can < MINT_RING_CHUNK)
		line->waiting = true;
	raw_spin_unlock_irqrestore(&line->lock, flags);
	return can;
}

static void line_unthrottle(struct tty_struct *tty)
{
	schedule_work(&lines[tty->index].work);
}

static const struct tty_operations line_ops = {
	.open		= line_open,
	.close		= line_close,
	.hangup		= line_hangup,
	.write		= line_write,
	.write_room	= line_write_room,
	.unthrottle	= line_unthrottle,
};

/* As put(), with the line ends of a terminal */
static bool put_lines(struct mint_line *line, const char *text,
		      unsigned int count)
{
	bool idle = false;
	unsigned int len;

	while (count) {
		for (len = 0; len < count && text[len] != '\n'; len++)
			;
		idle |= put(line, text, len);
		text += len;
		count -= len;
		if (!count)
			break;
		idle |= put(line, "\r\n", 2);
		text++;
		count--;
	}
	return idle;
}

/* Messages of the kernel: they neither wait nor care whether somebody reads */
static void console_write(struct console *con, const char *text,
			  unsigned int count)
{
	struct mint_line *line = &lines[0];
	unsigned long flags;
	bool idle;

	if (!oops_in_progress && !in_nmi()) {
		raw_spin_lock_irqsave(&line->lock, flags);
	} else if (!raw_spin_trylock_irqsave(&line->lock, flags)) {
		/* Rather two texts mixed than the last words lost */
		if (put_lines(line, text, count))
			ring_peer(line);
		return;
	}
	idle = put_lines(line, text, count);
	raw_spin_unlock_irqrestore(&line->lock, flags);
	if (idle)
		ring_peer(line);
}

static struct tty_driver *console_tty(struct console *con, int *index)
{
	*index = 0;
	return driver;
}

static struct console mint_console = {
	.name	= "mint",
	.write	= console_write,
	.device	= console_tty,
	.flags	= CON_PRINTBUFFER,
	.index	= 0,
};

static bool __init line_init(struct mint_line *line, u32 peer)
{
	u32 node = peer ?: mint_self;

	if (!mint_stream_get(&line->rx, node,
			     peer ? MINT_RING_OUT : MINT_RING_IN) ||
	    !mint_stream_get(&line->tx, node,
			     peer ? MINT_RING_IN : MINT_RING_OUT))
		return false;
	tty_port_init(&line->port);
	line->port.ops = &port_ops;
	INIT_WORK(&line->work, line_work);
	raw_spin_lock_init(&line->lock);
	line->peer = peer;
	/* What was typed before we came is for us */
	line->pos = READ_ONCE(line->rx.ring->tail);
	return true;
}

/* The lines exist as early as consoles do, their devices later */
static int __init mint_lines_init(void)
{
	u32 i, count = mint_successor() ? 1 : mint_layout.nodes.count;

	if (!mint_own_node())
		return 0;
	lines = kcalloc(count, sizeof(*lines), GFP_KERNEL);
	if (!lines)
		return -ENOMEM;
	/* Node 0 has no line to itself */
	for (i = mint_successor() ? 0 : 1; i < count; i++)
		if (!line_init(&lines[i], i))
			return -ENXIO;

	if (!mint_successor())
		return 0;
	/* Without console= it is the console, but for who has a screen */
	if (!console_set_on_cmdline &&
	    !(mint_own_legacy & BIT(MINT_LEGACY_VGA)))
		add_preferred_console("mint", 0, NULL);
	register_console(&mint_console);
	return 0;
}
console_initcall(mint_lines_init);

static int __init mint_tty_init(void)
{
	u32 i, count = mint_successor() ? 1 : mint_layout.nodes.count;
	struct device *dev;
	int err;

	if (!lines)
		return 0;
	driver = tty_alloc_driver(count, TTY_DRIVER_REAL_RAW |
				  TTY_DRIVER_DYNAMIC_DEV);
	if (IS_ERR(driver)) {
		err = PTR_ERR(driver);
		driver = NULL;
		return err;
	}
	driver->driver_name	= "mint";
	driver->name		= "mint";
	driver->type		= TTY_DRIVER_TYPE_SERIAL;
	driver->subtype		= SERIAL_TYPE_NORMAL;
	driver->init_termios	= tty_std_termios;
	driver->init_termios.c_cflag = B38400 | CS8 | CREAD | CLOCAL;
	if (!mint_successor()) {
		/* A wire: it is the other end that echoes and edits */
		driver->init_termios.c_iflag = 0;
		driver->init_termios.c_oflag = 0;
		driver->init_termios.c_lflag = 0;
	}
	tty_set_operations(driver, &line_ops);
	err = tty_register_driver(driver);
	if (err) {
		tty_driver_kref_put(driver);
		driver = NULL;
		return err;
	}
	for (i = mint_successor() ? 0 : 1; i < count; i++) {
		dev = tty_port_register_device(&lines[i].port, driver, i, NULL);
		if (IS_ERR(dev))
			pr_err("no /dev/mint%u: %ld\n", i, PTR_ERR(dev));
	}
	/* From here on bell and heartbeat find them */
	WRITE_ONCE(nr_lines, count);
	mint_bell_listen(MINT_BELL_TERMINAL, tty_rung);
	return 0;
}
device_initcall(mint_tty_init);
