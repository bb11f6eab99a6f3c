/* The audit log: who did what to what, one row per change, in the change's transaction.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/pg.h"

struct audit_row {
	struct uuid id;
	const char *who, *what, *target;
	const char *address; /* where the call came from; NULL or no address: unknown */
	const struct json *details; /* storable, or NULL */
};

/* One row, as a statement of the transaction that is open (pg_begin). */
void audit_insert(struct pg *pg, const struct audit_row *row, pg_done_fn *done,
		  void *context);
/* Several, as a part of one. */
void audit_insert_into(struct pg_batch *batch, const struct audit_row *rows,
		       size_t count);

#endif
