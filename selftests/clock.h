/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time that the helpers of the selftests count in.
 */
#ifndef MINT_SELFTESTS_CLOCK_H
#define MINT_SELFTESTS_CLOCK_H

#include <time.h>

/* Milliseconds since some moment in the past */
static inline long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

#endif
