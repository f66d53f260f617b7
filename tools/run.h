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

/* What a node was launched with and its file says, by the key of the file; NULL or "" for none */
struct launched_key {
	const char	*name, *is, *shall;
};

#define LAUNCHED_KEYS	6

bool launched_read(const struct ctl *ctl, const char *name, struct launched *launched);
void launched_keys(const struct launched *launched, const struct spec *spec,
		   struct launched_key keys[LAUNCHED_KEYS]);
char *keys_not_taken(const struct ctl *ctl, const char *name);
bool asks_for(const struct ctl *ctl, const char *name, const char *other, bool all);
int launch(const struct ctl *ctl, const struct spec *spec, u32 *n);
int run_program(const struct ctl *ctl, char *const argv[], char **output);
int wait_for_state(const struct ctl *ctl, u32 n, unsigned int seconds,
		   bool (*wanted)(const char *state), char **state);

#endif
