// SPDX-License-Identifier: GPL-2.0
/*
 * A storm of interrupts between the cores of one kernel.
 *
 * One thread on each core shares the address space of the first, which takes
 * a page's write permission away and gives it back: each time, every other
 * core must flush its TLB, and is told so by an interrupt. membarrier() adds
 * calls of functions on other cores.
 *
 *   tlb_storm [<milliseconds>]
 *
 * Prints how many rounds it made. Fails if there is but one core.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

static int stop;
static char *page;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

/* Keeps the address space loaded, and the page in the TLB */
static void *reader(void *arg)
{
	pin((intptr_t)arg);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		(void)__atomic_load_n(page, __ATOMIC_RELAXED);
		__builtin_ia32_pause();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long long end = now_ms() + (argc > 1 ? atoi(argv[1]) : 2000);
	size_t size = sysconf(_SC_PAGESIZE);
	unsigned long rounds = 0;
	pthread_t thread;
	cpu_set_t set;
	int cpu, first = -1, others = 0, error;

	page = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		err(1, "mmap");
	__atomic_store_n(page, 1, __ATOMIC_RELAXED);

	if (sched_getaffinity(0, sizeof(set), &set))
		err(1, "sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (first < 0) {
			first = cpu;
			continue;
		}
		error = pthread_create(&thread, NULL, reader,
				       (void *)(intptr_t)cpu);
		if (error)
			errx(1, "pthread_create: %s", strerror(error));
		others++;
	}
	if (!others)
		errx(1, "one core alone makes no storm");
	pin(first);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
		0);

	while (now_ms() < end) {
		if (mprotect(page, size, PROT_READ) ||
		    mprotect(page, size, PROT_READ | PROT_WRITE))
			err(1, "mprotect");
		__atomic_store_n(page, 1, __ATOMIC_RELAXED);
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		rounds++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	printf("%lu rounds on %d cores\n", rounds, others + 1);
	return 0;
}
