/* Tables for people. See table.h. */
#include "table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/xalloc.h"
#include "text.h"

struct table {
	const char *const *titles;
	size_t columns, rows;
	char **cells; /* rows * columns; the row being filled is the last */
};

struct table *
table_new(const char *const *titles, size_t columns)
{
	struct table *table = xcalloc(1, sizeof *table);

	if (columns == 0 || columns > TABLE_COLUMNS_MAX)
		bug("a table cannot have %zu columns", columns);
	table->titles = titles;
	table->columns = columns;
	table->cells = xcalloc(columns, sizeof *table->cells);
	return table;
}

void
table_add(struct table *table, size_t column, const char *text)
{
	char **cell = &table->cells[table->rows * table->columns + column];
	struct buf clean = { 0 };

	if (column >= table->columns)
		bug("a table has no column %zu", column);
	text_clean(text, &clean);
	free(*cell);
	*cell = xstrdup(buf_text(&clean));
	buf_fini(&clean);
}

void
table_end_row(struct table *table)
{
	size_t filled = ++table->rows * table->columns;

	table->cells =
	    xrealloc(table->cells, filled + table->columns, sizeof *table->cells);
	memset(table->cells + filled, 0, table->columns * sizeof *table->cells);
}

size_t
table_rows(const struct table *table)
{
	return table->rows;
}

static void
write_cell(struct buf *out, const char *text, size_t width, bool last, size_t limit)
{
	size_t used, len;

	if (!last) {
		buf_str(out, text);
		for (used = text_width(text); used < width + 2; used++)
			buf_char(out, ' ');
		return;
	}
	len = text_fitting(text, limit, &used);
	if (text[len] != '\0' && limit > 1) {
		len = text_fitting(text, limit - 1, &used);
		buf_add(out, text, len);
		buf_str(out, "…");
	} else {
		buf_add(out, text, len);
	}
	buf_char(out, '\n');
}

static void
write_row(const struct table *table, char *const *cells, const size_t *widths,
	  size_t width, struct buf *out)
{
	size_t before = 0;

	for (size_t i = 0; i < table->columns; i++) {
		bool last = i + 1 == table->columns;
		size_t limit = width == 0       ? SIZE_MAX
			       : before < width ? width - before
						: 1;

		write_cell(out, cells[i] ? cells[i] : "", widths[i], last, limit);
		before += widths[i] + 2;
	}
}

void
table_write(const struct table *table, size_t width, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < table->columns; i++) {
		widths[i] = text_width(table->titles[i]);
		for (size_t row = 0; row < table->rows; row++) {
			const char *cell = table->cells[row * table->columns + i];
			size_t wide = cell ? text_width(cell) : 0;

			widths[i] = wide > widths[i] ? wide : widths[i];
		}
	}
	write_row(table, (char *const *)table->titles, widths, width, out);
	for (size_t row = 0; row < table->rows; row++)
		write_row(table, table->cells + row * table->columns, widths, width,
			  out);
}

void
table_free(struct table **table_p)
{
	struct table *table = *table_p;

	if (table == NULL)
		return;
	for (size_t i = 0; i < (table->rows + 1) * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
	*table_p = NULL;
}

size_t
table_screen_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

void
table_print(const struct table *table)
{
	struct buf out = { 0 };

	table_write(table, table_screen_width(), &out);
	fputs(buf_text(&out), stdout);
	buf_fini(&out);
}
