/* What a refusal of PostgreSQL means for the caller. */
#ifndef STORE_PG_ERROR_H
#define STORE_PG_ERROR_H

#include "base/err.h"

/* What the door does beside answering. */
enum pg_remedy {
	PG_GO_ON,
	PG_FORGET_PLAN, /* the statement is not prepared after all */
	PG_RECONNECT,   /* this connection will not get better */
	PG_REMEDIES
};

/* Pure. sqlstate is five characters; constraint may be NULL. */
enum pg_remedy pg_error(const char *sqlstate, const char *message,
			const char *constraint, const char *statement, struct err *err);

#endif
