// SPDX-License-Identifier: GPL-2.0
/*
 * For how long a CPU does nothing for the task that should run on it first.
 *
 *	late_timer PERIOD_US WINDOW_MS WINDOWS
 *
 * A task of real-time priority, which stays on the first CPU, asks to be woken each
 * PERIOD_US. It prints how late the latest wake-up of each window was, in ns. SIGINT
 * ends it early; the window that it comes in does not count.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define NS_PER_SEC	1000000000LL

static atomic_int asked_to_end;

static void end(int signal)
{
	asked_to_end = signal;
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* How late it woke, in ns; -1 if a signal ended the sleep */
static long long sleep_until(long long when)
{
	struct timespec ts = {
		.tv_sec = when / NS_PER_SEC, .tv_nsec = when % NS_PER_SEC,
	};
	int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

	if (error && error != EINTR)
		errx(1, "clock_nanosleep: error %d", error);
	return error ? -1 : now_ns() - when;
}

/* The latest wake-up of one window; -1 if a signal ended it */
static long long window(long long period, long long begin, long long end)
{
	long long due, late, latest = 0;

	for (due = begin + period; due <= end; due += period) {
		late = sleep_until(due);
		if (late < 0 || asked_to_end)
			return -1;
		if (late > latest)
			latest = late;
		/* Who was late does not ask for times that are over */
		due += late / period * period;
	}
	return latest;
}

int main(int argc, char **argv)
{
	struct sched_param priority = { .sched_priority = 80 };
	struct sigaction action = { .sa_handler = end };
	long long period, length, at, *latest;
	long count, done, i;
	cpu_set_t first;

	if (argc != 4)
		errx(2, "usage: late_timer PERIOD_US WINDOW_MS WINDOWS");
	period = atoll(argv[1]) * 1000;
	length = atoll(argv[2]) * 1000000;
	count = atol(argv[3]);
	if (period <= 0 || length < period || count <= 0)
		errx(2, "windows must have a length, and a wake-up each");
	latest = calloc(count, sizeof(*latest));
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (!latest || sched_setaffinity(0, sizeof(first), &first) ||
	    sched_setscheduler(0, SCHED_FIFO, &priority) ||
	    sigaction(SIGINT, &action, NULL) || mlockall(MCL_CURRENT))
		err(1, "late_timer");

	at = now_ns();
	for (done = 0; done < count; done++) {
		latest[done] = window(period, at, at + length);
		if (latest[done] < 0)
			break;
		at += length;
		/* A window that was over before the last one ended saw nothing */
		if (now_ns() - at > length)
			at = now_ns();
	}
	for (i = 0; i < done; i++)
		printf("late %lld\n", latest[i]);
	return 0;
}
