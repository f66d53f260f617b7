// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: what each node says of its load, and what it wants.
 *
 * Owns the records of loads: each node counts in its own with every heartbeat,
 * and every node shows those of all. Nothing here is decided by them: they are
 * for who moves cores and memory between nodes, and so is the line of text
 * that a node may leave there.
 */

#include <kunit/visibility.h>
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kernel_stat.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/psi.h>
#include <linux/sched/stat.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include <asm/barrier.h>

#include "../area/area.h"
#include "../own/own.h"
#include "life.h"

/* A writer has its interrupts off, but a virtual core may stand still meanwhile */
#define WANT_TRIES	100
#define WANT_PAUSE_US	1000

static DEFINE_PER_CPU(u64, busy_seen);
static u64 busy_ns;		/* not yet in the record */
static struct mint_stall counted;	/* by the kernels of this node before this one */
static bool ready __ro_after_init;
static DEFINE_MUTEX(want_mutex);

/* Reads what the CPU has counted itself: it is not disturbed */
static u64 cpu_busy(unsigned int cpu)
{
	struct kernel_cpustat stat;

	kcpustat_cpu_fetch(&stat, cpu);
	return stat.cpustat[CPUTIME_USER] + stat.cpustat[CPUTIME_NICE] +
	       stat.cpustat[CPUTIME_SYSTEM] + stat.cpustat[CPUTIME_IRQ] +
	       stat.cpustat[CPUTIME_SOFTIRQ];
}

/**
 * mint_load_add() - count one heartbeat
 * @load:	record of this node
 * @runnable:	tasks that run or wait for a CPU
 * @busy_ns:	time that its CPUs were not idle, ns; what is left of it less than
 *		a millisecond
 *
 * Context: any; one caller at a time.
 */
VISIBLE_IF_KUNIT void mint_load_add(struct mint_load *load, u32 runnable,
				    u64 *busy_ns)
{
	u32 rest;
	u64 ms = div_u64_rem(*busy_ns, NSEC_PER_MSEC, &rest);

	*busy_ns = rest;
	WRITE_ONCE(load->beats, load->beats + 1);
	WRITE_ONCE(load->runnable_sum, load->runnable_sum + runnable);
	WRITE_ONCE(load->busy_ms, load->busy_ms + (u32)ms);
}

#ifdef CONFIG_PSI
/* As a file of /proc/pressure has it: Documentation/accounting/psi.rst */
static u32 stalled_ms(enum psi_states what)
{
	return div_u64(READ_ONCE(psi_system.total[PSI_AVGS][what]), NSEC_PER_MSEC);
}
#endif

static void count_stalls(void)
{
#ifdef CONFIG_PSI
	struct mint_stall *stall = mint_stall(mint_self);

	if (!stall || static_branch_unlikely(&psi_disabled))
		return;
	WRITE_ONCE(stall->cpu_ms, counted.cpu_ms + stalled_ms(PSI_CPU_SOME));
	WRITE_ONCE(stall->memory_ms, counted.memory_ms + stalled_ms(PSI_MEM_SOME));
	WRITE_ONCE(stall->io_ms, counted.io_ms + stalled_ms(PSI_IO_SOME));
	WRITE_ONCE(stall->told, 1);
#endif
}

/* The next kernel may be an older one that writes neither: nothing is to be left */
static void forget(u32 n)
{
	struct mint_load *load = mint_load(n);
	struct mint_stall *stall = mint_stall(n);

	if (load) {
		WRITE_ONCE(load->cpus, 0);
		/* Pairs with mint_load_flags(): who reads flags of 0 then reads no CPUs */
		virt_wmb();
		WRITE_ONCE(load->flags, 0);
	}
	if (stall)
		WRITE_ONCE(stall->told, 0);
}

/**
 * mint_load_beat() - say what this node has done since the last heartbeat
 *
 * Context: the heartbeat, common area mapped.
 */
void mint_load_beat(void)
{
	struct mint_load *load = mint_load(mint_self);
	unsigned int cpu;
	u64 now, *seen;

	if (!ready)
		return;
	for_each_online_cpu(cpu) {
		seen = per_cpu_ptr(&busy_seen, cpu);
		now = cpu_busy(cpu);
		if (now > *seen)
			busy_ns += now - *seen;
		*seen = now;
	}
	mint_load_add(load, nr_running(), &busy_ns);
	count_stalls();
	WRITE_ONCE(load->mem_mib, totalram_pages() >> (20 - PAGE_SHIFT));
	WRITE_ONCE(load->available_mib,
		   max(si_mem_available(), 0L) >> (20 - PAGE_SHIFT));
	if (mint_role == MINT_SUCCESSOR)
		WRITE_ONCE(load->flags, MINT_LOAD_REBOOT |
			   (mint_restart_expected() ? MINT_LOAD_KEPT : 0));
	/* Pairs with mint_load_flags() */
	virt_store_release(&load->cpus, num_online_cpus());
}

/**
 * mint_load_forget() - this kernel says no more of its load
 *
 * The next one says so itself, if it can.
 *
 * Context: successor, any; the node reboots.
 */
void mint_load_forget(void)
{
	forget(mint_self);
}

/**
 * mint_load_flags() - what a kernel says that it can do
 * @load:	record of its node
 * @flags:	out: MINT_LOAD_*
 *
 * Context: any.
 * Return: false if its kernel does not use the record, or not any more.
 */
bool mint_load_flags(const struct mint_load *load, u32 *flags)
{
	/* Pairs with mint_load_beat(): flags, then CPUs */
	if (!virt_load_acquire(&load->cpus))
		return false;
	*flags = READ_ONCE(load->flags);
	/* Pairs with forget(): CPUs, then flags */
	virt_rmb();
	return READ_ONCE(load->cpus);
}

/* The record of a node that is alive and has a kernel that writes there */
static const struct mint_load *record_of(u32 n)
{
	const struct mint_load *load = mint_load(n);

	return load && mint_state_alive(mint_state(n)) &&
	       READ_ONCE(load->cpus) ? load : NULL;
}

/**
 * mint_load_show() - print the load of a node
 * @n:		number of the node
 * @buf:	where to, a page
 *
 * What cannot be true is cut down to what can.
 *
 * Context: process.
 * Return: how many bytes; 0 if the node is not alive, or does not say.
 */
ssize_t mint_load_show(u32 n, char *buf)
{
	const struct mint_load *load = record_of(n);
	const struct mint_stall *stall = mint_stall(n);
	u32 mem;
	int len;

	if (!load)
		return 0;
	mem = READ_ONCE(load->mem_mib);
	len = sysfs_emit(buf, "beats=%u runnable_sum=%u busy_ms=%u",
			 READ_ONCE(load->beats), READ_ONCE(load->runnable_sum),
			 READ_ONCE(load->busy_ms));
	len += sysfs_emit_at(buf, len, " cpus=%u mem_mib=%u available_mib=%u",
			     min(READ_ONCE(load->cpus), mint_layout.cores.count),
			     mem, min(READ_ONCE(load->available_mib), mem));
	if (stall && READ_ONCE(stall->told))
		len += sysfs_emit_at(buf, len,
				     " cpu_stall_ms=%u memory_stall_ms=%u io_stall_ms=%u",
				     READ_ONCE(stall->cpu_ms),
				     READ_ONCE(stall->memory_ms),
				     READ_ONCE(stall->io_ms));
	return len + sysfs_emit_at(buf, len, "\n");
}

/**
 * mint_want_write() - change what a node wants
 * @load:	its record
 * @text:	one line of plain text, with or without a line feed
 *
 * Context: any but NMI; one caller at a time.
 * Return: 0; -E2BIG if it is too long, -EINVAL if it is no such line.
 */
VISIBLE_IF_KUNIT int mint_want_write(struct mint_load *load, const char *text)
{
	size_t i, len = strcspn(text, "\n");
	unsigned long flags;
	u32 seq;

	if (len >= MINT_WANT_LEN)
		return -E2BIG;
	if (text[len] && text[len + 1])
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isascii(text[i]) || !isprint(text[i]))
			return -EINVAL;

	/* Who reads it shall not have to wait for this task to run again */
	local_irq_save(flags);
	seq = READ_ONCE(load->want_seq) | 1;
	WRITE_ONCE(load->want_seq, seq);
	/* Pairs with mint_want_read(): the count is odd before the text changes .. */
	virt_wmb();
	memset(load->want, 0, sizeof(load->want));
	memcpy(load->want, text, len);
	/* .. and even after that */
	virt_store_release(&load->want_seq, seq + 1);
	local_irq_restore(flags);
	return 0;
}

/**
 * mint_want_read() - what does a node want?
 * @load:	its record
 * @text:	out: one line, MINT_WANT_LEN bytes
 *
 * Context: process; may sleep.
 * Return: false if it is always in the middle of a change.
 */
VISIBLE_IF_KUNIT bool mint_want_read(const struct mint_load *load, char *text)
{
	u32 i, seq;

	for (i = 0; i < WANT_TRIES; i++) {
		/* Pairs with mint_want_write() */
		seq = virt_load_acquire(&load->want_seq);
		if (!(seq & 1)) {
			mint_copy_line(text, load->want, MINT_WANT_LEN);
			/* The same: the text, then the count */
			virt_rmb();
			if (READ_ONCE(load->want_seq) == seq)
				return true;
		}
		fsleep(WANT_PAUSE_US);
	}
	return false;
}

/**
 * mint_want_set() - change what this node wants
 * @text:	one line of plain text; empty: nothing
 *
 * Context: process; may sleep.
 * Return: 0; -E2BIG, -EINVAL; -EOPNOTSUPP if node 0 is too old for that.
 */
int mint_want_set(const char *text)
{
	struct mint_load *load = mint_load(mint_self);

	guard(mutex)(&want_mutex);
	return load ? mint_want_write(load, text) : -EOPNOTSUPP;
}

/**
 * mint_want_show() - print what a node wants
 * @n:		number of the node
 * @buf:	where to, a page
 *
 * Context: process; may sleep.
 * Return: how many bytes; 0 if it wants nothing, is not alive, or does not say.
 */
ssize_t mint_want_show(u32 n, char *buf)
{
	const struct mint_load *load = record_of(n);
	char text[MINT_WANT_LEN];

	return load && mint_want_read(load, text) && *text ?
	       sysfs_emit(buf, "%s\n", text) : 0;
}

/* What the node before it has left there is not the new one's */
static int on_node(struct notifier_block *nb, unsigned long what, void *data)
{
	if (what == MINT_NODE_NEW)
		forget(*(u32 *)data);
	return NOTIFY_DONE;
}

static struct notifier_block node_block = {
	.notifier_call	= on_node,
};

static int __init mint_load_init(void)
{
	const struct mint_stall *stall = mint_stall(mint_self);

	if (!mint_own_node() || !mint_load(mint_self))
		return 0;
	/* Nobody sets counters back, an own reboot neither */
	if (stall)
		counted = *stall;
	mint_want_set("");
	if (mint_role == MINT_PREDECESSOR)
		mint_node_listen(&node_block);
	ready = true;
	return 0;
}

/* Once it is known whether an image is kept */
core_initcall(mint_load_init);
