/*
 * The table of statements. It is made by the build from the files of sql/, sorted by
 * name, migrations behind the statements; nothing here knows what any of them does.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/query.h"
#include "store/sql_embedded.h"

static int
by_name(const void *key, const void *row)
{
	const struct sql_embedded *sql = row;

	return sql->migration ? -1 : strcmp(key, sql->name);
}

int
query_find(const char *name)
{
	const struct sql_embedded *sql;

	sql = bsearch(name, sql_embedded, sql_embedded_count, sizeof *sql, by_name);
	if (sql == NULL)
		bug("there is no sql/%s.sql", name);
	return (int)(sql - sql_embedded);
}

const char *
query_name(int query)
{
	return sql_embedded[query].name;
}

const char *
query_text(int query)
{
	return sql_embedded[query].text;
}

size_t
query_count(void)
{
	return sql_embedded_count;
}
