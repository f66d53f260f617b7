// SPDX-License-Identifier: GPL-2.0
/*
 * Count the instructions for which a CPU has nothing else to do.
 *
 *	idle_counter FILE	count, until killed
 *	idle_counter -p FILE	print how many there were so far
 *
 * It runs when nobody else wants to (SCHED_IDLE), and takes the place of the
 * idle loop: a machine whose clock counts instructions has no other way to tell
 * work from waiting, since its clock does not count while a core halts.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of one round of the loop */
#define INSTRUCTIONS 2

int main(int argc, char **argv)
{
	const struct sched_param none = {};
	uint64_t *rounds;
	int print = argc == 3 && !strcmp(argv[1], "-p"), fd;

	if (argc != 2 && !print)
		errx(2, "usage: idle_counter [-p] FILE");
	fd = open(argv[argc - 1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*rounds)))
		err(1, "%s", argv[argc - 1]);
	rounds = mmap(NULL, sizeof(*rounds), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (rounds == MAP_FAILED)
		err(1, "mmap");
	if (print) {
		printf("%llu\n", (unsigned long long)*rounds * INSTRUCTIONS);
		return 0;
	}
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		err(1, "SCHED_IDLE");
	for (;;)
		asm volatile("1:	incq	%0\n"
			     "	jmp	1b"
			     : "+m"(*rounds));
}
