// SPDX-License-Identifier: GPL-2.0
/*
 * mintctl: tables without a library, for the static program of an initrd.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

static void print_columns(const struct table *table)
{
	size_t width[COLUMNS_MAX] = {}, nr = table->nr_columns, i, len;

	for (i = 0; i < nr; i++)
		width[i] = strlen(table->columns[i].head);
	for (i = 0; i < table->nr_cells; i++) {
		len = table->cells[i] ? strlen(table->cells[i]) : 0;
		if (len > width[i % nr])
			width[i % nr] = len;
	}
	for (i = 0; i < nr + table->nr_cells; i++) {
		const struct column *column = &table->columns[i % nr];
		const char *text = i < nr ? column->head : table->cells[i - nr] ?: "";
		bool last = i % nr == nr - 1;

		if (column->number)
			printf("%*s%s", (int)width[i % nr], text, last ? "\n" : " ");
		else if (last)
			printf("%s\n", text);
		else
			printf("%-*s ", (int)width[i % nr], text);
	}
}

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (*text == '\n')
			printf("\\n");
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_json(const struct table *table)
{
	size_t nr = table->nr_columns, i;
	const char *p;

	printf("{\n   \"%s\": [", table->name);
	for (i = 0; i < table->nr_cells; i++) {
		const struct column *column = &table->columns[i % nr];

		if (i % nr == 0)
			printf(i ? ",{\n" : "\n      {\n");
		printf("         \"");
		for (p = column->head; *p; p++)
			putchar(tolower((unsigned char)*p));
		printf("\": ");
		if (!table->cells[i] || !*table->cells[i])
			printf("null");
		else if (column->number)
			printf("%s", table->cells[i]);
		else
			print_string(table->cells[i]);
		printf(i % nr == nr - 1 ? "\n      }" : ",\n");
	}
	printf("\n   ]\n}\n");
}

/* Print the table; 0, or -1 if it was not possible */
int table_render(const struct table *table, bool json)
{
	if (json)
		print_json(table);
	else
		print_columns(table);
	return fflush(stdout) ? -1 : 0;
}
