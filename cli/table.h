/* Tables for people: columns as wide as their widest cell, counted in columns of the
 * screen, the last one cut to the width of the terminal. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>

#include "base/buf.h"

#define TABLE_COLUMNS_MAX 12

struct table;

/* titles are borrowed; at most TABLE_COLUMNS_MAX. */
struct table *table_new(const char *const *titles, size_t columns);
/* A cell of this row, made harmless; NULL: empty. */
void table_add(struct table *table, size_t column, const char *text);
void table_end_row(struct table *table);
size_t table_rows(const struct table *table);
/* width 0: no limit. */
void table_write(const struct table *table, size_t width, struct buf *out);
/* To stdout, as wide as the screen is. */
void table_print(const struct table *table);
void table_free(struct table **table_p);
size_t table_screen_width(void); /* 0: stdout is no terminal */

#endif
