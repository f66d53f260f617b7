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
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int stop;
static char *page;

static void die(const char *what, int err)
{
	fprintf(stderr, "tlb_storm: %s: %s\n", what, strerror(err));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity", errno);
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

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	long long end = now_ms() + (argc > 1 ? atoi(argv[1]) : 2000);
	size_t size = sysconf(_SC_PAGESIZE);
	unsigned long rounds = 0;
	pthread_t thread;
	cpu_set_t set;
	int cpu, first = -1, others = 0, err;

	page = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("mmap", errno);
	__atomic_store_n(page, 1, __ATOMIC_RELAXED);

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity", errno);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (first < 0) {
			first = cpu;
			continue;
		}
		err = pthread_create(&thread, NULL, reader,
				     (void *)(intptr_t)cpu);
		if (err)
			die("pthread_create", err);
		others++;
	}
	if (!others) {
		fprintf(stderr, "tlb_storm: one core alone makes no storm\n");
		return 1;
	}
	pin(first);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
		0);

	while (now_ms() < end) {
		if (mprotect(page, size, PROT_READ) ||
		    mprotect(page, size, PROT_READ | PROT_WRITE))
			die("mprotect", errno);
		__atomic_store_n(page, 1, __ATOMIC_RELAXED);
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		rounds++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	printf("%lu rounds on %d cores\n", rounds, others + 1);
	return 0;
}
