// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: tables, for people and as JSON.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

/* The next cell, which the table takes over; NULL: no value */
void table_cell(struct table *table, char *text)
{
	table->cells = xgrow(table->cells, table->nr_cells, sizeof(*table->cells));
	table->cells[table->nr_cells++] = text;
}

int table_print(const struct ctl *ctl, const struct table *table)
{
	size_t i;

	/* libsmartcols shows no head above no lines */
	if (!ctl->json && !table->nr_cells)
		return ST_OK;
	/* So that each line has as many words as there are columns */
	for (i = 0; !ctl->json && i < table->nr_cells; i++)
		if (!table->cells[i] || !*table->cells[i])
			table->cells[i] = xstrdup("-");
	if (table_render(table, ctl->json))
		return fail(ST_REFUSED, "the table could not be written");
	return ST_OK;
}

/* One row, a line for each column; further lines of a cell below its first */
int table_print_vertical(const struct ctl *ctl, const struct table *table)
{
	size_t i;

	if (ctl->json)
		return table_print(ctl, table);
	for (i = 0; i < table->nr_cells; i++) {
		const char *line = table->cells[i] ?: "-", *end;
		char head[16];
		size_t j;

		for (j = 0; j < sizeof(head) - 1 && table->columns[i].head[j]; j++)
			head[j] = tolower((unsigned char)table->columns[i].head[j]);
		head[j] = 0;
		for (; (end = strchr(line, '\n')); line = end + 1) {
			printf("%-10s %.*s\n", head, (int)(end - line), line);
			*head = 0;
		}
		printf("%-10s %s\n", head, line);
	}
	return ST_OK;
}
