/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: the verbs. Each gets its words from the verb on and returns an exit
 * status; what it says of a failure is on standard error.
 */
#ifndef MINTCTL_VERBS_H
#define MINTCTL_VERBS_H

#include "mintctl.h"

/* show.c */
int do_list(const struct ctl *ctl, int argc, char **argv);
int do_show(const struct ctl *ctl, int argc, char **argv);
int do_links(const struct ctl *ctl, int argc, char **argv);

/* run.c */
int do_plan(const struct ctl *ctl, int argc, char **argv);
int do_run(const struct ctl *ctl, int argc, char **argv);

/* stop.c */
int do_stop(const struct ctl *ctl, int argc, char **argv);
int do_reboot(const struct ctl *ctl, int argc, char **argv);

/* console.c */
int do_console(const struct ctl *ctl, int argc, char **argv);
int do_log(const struct ctl *ctl, int argc, char **argv);

/* move.c */
int do_move(const struct ctl *ctl, int argc, char **argv);

/* want.c */
int do_want(const struct ctl *ctl, int argc, char **argv);
int do_give(const struct ctl *ctl, int argc, char **argv);

/* top.c */
int do_top(const struct ctl *ctl, int argc, char **argv);

/* timeline.c */
int do_timeline(const struct ctl *ctl, int argc, char **argv);

/* supervise.c */
int do_supervise(const struct ctl *ctl, int argc, char **argv);
int do_diff(const struct ctl *ctl, int argc, char **argv);
int do_generate(const struct ctl *ctl, int argc, char **argv);

/* complete.c */
int do_complete(const struct ctl *ctl, int argc, char **argv);

/* setup.c */
int do_setup(const struct ctl *ctl, int argc, char **argv);

/* check.c */
int do_check(const struct ctl *ctl, int argc, char **argv);

#endif
