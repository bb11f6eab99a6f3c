/* The statements of sql/, embedded at build time under their file's name. */
#ifndef STORE_SQL_EMBEDDED_H
#define STORE_SQL_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

struct sql_embedded {
	const char *name; /* "steps_claim", "0001_first" */
	const char *text;
	size_t len;
	bool migration;
};

extern const struct sql_embedded sql_embedded[]; /* sorted: statements, migrations */
extern const size_t sql_embedded_count;

#endif
