// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: tables by libsmartcols.
 */

#include <libsmartcols/libsmartcols.h>

#include "out.h"

static int fill(struct libscols_table *scols, const struct table *table)
{
	struct libscols_line *line = NULL;
	struct libscols_column *column;
	size_t nr = table->nr_columns, i;

	for (i = 0; i < nr; i++) {
		column = scols_table_new_column(scols, table->columns[i].head, 0,
						table->columns[i].number ?
						SCOLS_FL_RIGHT : 0);
		if (!column)
			return -1;
		if (table->columns[i].number &&
		    scols_column_set_json_type(column, SCOLS_JSON_NUMBER))
			return -1;
	}
	for (i = 0; i < table->nr_cells; i++) {
		if (i % nr == 0)
			line = scols_table_new_line(scols, NULL);
		if (!line)
			return -1;
		if (table->cells[i] && scols_line_set_data(line, i % nr, table->cells[i]))
			return -1;
	}
	return 0;
}

/* Print the table; 0, or -1 if it was not possible */
int table_render(const struct table *table, bool json)
{
	struct libscols_table *scols = scols_new_table();
	int err = -1;

	if (scols && !scols_table_set_name(scols, table->name) &&
	    !scols_table_enable_json(scols, json) && !fill(scols, table))
		err = scols_print_table(scols);
	scols_unref_table(scols);
	return err ? -1 : 0;
}
