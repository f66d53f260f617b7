// SPDX-License-Identifier: GPL-2.0
/*
 * As many tasks with a deadline as there are CPUs, each of which asks for nine
 * tenths of one: no CPU can go offline while they are there.
 */

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS	1000000ULL

int main(void)
{
	struct sched_attr attr = {
		.size		= sizeof(attr),
		.sched_policy	= SCHED_DEADLINE,
		.sched_runtime	= 90 * MS,
		.sched_deadline	= 100 * MS,
		.sched_period	= 100 * MS,
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	while (--cpus > 0 && fork() > 0)
		;
	if (syscall(SYS_sched_setattr, 0, &attr, 0)) {
		perror("sched_setattr");
		return 1;
	}
	for (;;)
		pause();
}
