/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mintctl: tables, for people and as JSON.
 */
#ifndef MINTCTL_OUT_H
#define MINTCTL_OUT_H

#include "mintctl.h"

#define COLUMNS_MAX	12

/* In JSON the head in small letters is the key; a number stands without quotes */
struct column {
	const char	*head;
	bool		number;
};

/**
 * struct table - rows of texts
 * @name:	of the list, in JSON
 * @columns:	what each row has
 * @nr_columns:	how many
 * @cells:	rows one after the other; NULL is no value
 */
struct table {
	const char		*name;
	const struct column	*columns;
	size_t			nr_columns;
	char			**cells;
	size_t			nr_cells;
};

void table_cell(struct table *table, char *text);
int table_print(const struct ctl *ctl, const struct table *table);
int table_print_vertical(const struct ctl *ctl, const struct table *table);

/* out_smartcols.c, or out_plain.c for a static program */
int table_render(const struct table *table, bool json);

#endif
