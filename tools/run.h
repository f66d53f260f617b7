/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: a launch.
 */
#ifndef MINTCTL_RUN_H
#define MINTCTL_RUN_H

#include "spec.h"
#include "sysfs.h"

/* What a node was launched with; "" for none */
struct launched {
	char	*image, *initrd, *command_line, *devices, *links, *shares;
};

bool launched_read(const struct ctl *ctl, const char *name, struct launched *launched);
char *keys_not_taken(const struct ctl *ctl, const char *name);
bool asks_for(const struct ctl *ctl, const char *name, const char *other, bool all);
int launch(const struct ctl *ctl, const struct spec *spec, u32 *n);
int run_program(const struct ctl *ctl, char *const argv[], char **output);
int wait_for_state(const struct ctl *ctl, u32 n, unsigned int seconds,
		   bool (*wanted)(const char *state), char **state);

#endif
