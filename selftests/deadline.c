// SPDX-License-Identifier: GPL-2.0
/*
 * As many tasks with a deadline as there are CPUs, each of which asks for nine
 * tenths of one: no CPU can go offline while they are there. Prints "deadline"
 * when all of them have theirs.
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
	long i, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int done[2], first = 1;
	char byte = 0;

	if (pipe(done)) {
		perror("pipe");
		return 1;
	}
	for (i = 1; i < cpus && first; i++)
		first = fork() > 0;
	if (syscall(SYS_sched_setattr, 0, &attr, 0)) {
		perror("sched_setattr");
		return 1;
	}
	if (write(done[1], &byte, 1) != 1)
		return 1;
	/* Who has no deadline writes nothing: then the first one finds the end */
	close(done[1]);
	if (first) {
		for (i = 0; i < cpus; i++)
			if (read(done[0], &byte, 1) != 1)
				return 1;
		puts("deadline");
		fflush(stdout);
	}
	for (;;)
		pause();
}
