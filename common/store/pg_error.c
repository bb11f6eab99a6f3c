/*
 * SQLSTATEs to kinds of errors: a table, the longest code that fits wins. Pure.
 */
#include <string.h>

#include "store/pg_error.h"

struct meaning {
	const char *code; /* or the beginning of it */
	enum err_kind kind;
	enum pg_remedy remedy;
};

/* Exact codes stand before their class. */
/* clang-format off */
static const struct meaning meanings[] = {
	{ "0A000", ERR_RETRY, PG_RECONNECT }, /* a cached plan's result type changed */
	{ "22", ERR_INPUT, PG_GO_ON },        /* data exception */
	{ "23503", ERR_CONFLICT, PG_GO_ON },  /* foreign key */
	{ "23505", ERR_CONFLICT, PG_GO_ON },  /* unique */
	{ "23P01", ERR_CONFLICT, PG_GO_ON },  /* exclusion */
	{ "23001", ERR_CONFLICT, PG_GO_ON },  /* restrict */
	{ "23", ERR_INPUT, PG_GO_ON },        /* not null, check */
	{ "25006", ERR_RETRY, PG_RECONNECT }, /* read-only: this was the primary once */
	{ "26000", ERR_RETRY, PG_FORGET_PLAN }, /* no such prepared statement */
	{ "40", ERR_RETRY, PG_GO_ON },          /* serialization, deadlock */
	{ "53", ERR_RETRY, PG_GO_ON },          /* disk full, out of memory */
	{ "54", ERR_INPUT, PG_GO_ON },          /* past a limit of PostgreSQL */
	{ "55P03", ERR_RETRY, PG_GO_ON },       /* lock not available */
	{ "57014", ERR_RETRY, PG_GO_ON },       /* statement timeout */
	{ "57", ERR_RETRY, PG_RECONNECT },      /* shutting down, terminated */
	{ "08", ERR_RETRY, PG_RECONNECT },      /* connection exception */
};
/* clang-format on */

static const struct meaning *
find(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		const struct meaning *meaning = &meanings[i];

		if (strncmp(sqlstate, meaning->code, strlen(meaning->code)) == 0)
			return meaning;
	}
	return NULL;
}

enum pg_remedy
pg_error(const char *sqlstate, const char *message, const char *constraint,
	 const char *statement, struct err *err)
{
	const struct meaning *meaning = find(sqlstate);
	enum err_kind kind = meaning != NULL ? meaning->kind : ERR_SYSTEM;

	if (kind == ERR_CONFLICT && constraint != NULL)
		err_set(err, kind, "%s: %s", constraint, message);
	else
		err_set(err, kind, "%s: %s (%s)", statement, message, sqlstate);
	return meaning != NULL ? meaning->remedy : PG_GO_ON;
}
