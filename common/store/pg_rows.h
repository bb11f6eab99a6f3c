/* A result, seen from inside the door. */
#ifndef STORE_PG_ROWS_H
#define STORE_PG_ROWS_H

#include <libpq-fe.h>

#include "store/pg.h"

struct pg_rows {
	PGresult *result;
};

#endif
