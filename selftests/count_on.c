// SPDX-License-Identifier: GPL-2.0
/*
 * Does a counter of perf count on a CPU?
 *
 *   count_on <cpu> clock|cycles
 *
 * clock is one of the kernel's own, cycles one of the processor's. Keeps that CPU busy
 * until the counter has counted, prints "counts" then, and ends with 0. Ends with 1 if it
 * has not in ten seconds, or if there is no such counter.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

#define LIMIT_MS	10000

int main(int argc, char **argv)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	long long end = now_ms() + LIMIT_MS;
	uint64_t count = 0;
	cpu_set_t cpus;
	int cpu, fd;

	if (argc != 3)
		errx(2, "usage: count_on <cpu> clock|cycles");
	cpu = atoi(argv[1]);
	if (strcmp(argv[2], "clock") && strcmp(argv[2], "cycles"))
		errx(2, "no counter is called %s", argv[2]);
	if (!strcmp(argv[2], "cycles")) {
		attr.type = PERF_TYPE_HARDWARE;
		attr.config = PERF_COUNT_HW_CPU_CYCLES;
	} else {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
	}
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "CPU %d", cpu);
	/* Of all tasks there */
	fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
	if (fd < 0)
		err(1, "no %s on CPU %d", argv[2], cpu);
	while (!count && now_ms() < end)
		if (read(fd, &count, sizeof(count)) != sizeof(count))
			err(1, "read");
	if (!count)
		errx(1, "%s of CPU %d stand still", argv[2], cpu);
	puts("counts");
	return 0;
}
