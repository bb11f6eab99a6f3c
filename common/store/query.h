/* A statement by the name of its file in sql/, found once and then known by number. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stddef.h>

int query_find(const char *name); /* an unknown name is a bug */
const char *query_name(int query);
const char *query_text(int query);
size_t query_count(void); /* numbers are below it */

#endif
