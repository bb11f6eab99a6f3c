/* What comments and artifacts have in common: the answer is the event's number. Only
 * for this folder. */
#ifndef STORE_ADDED_H
#define STORE_ADDED_H

#include "store/comments.h"

void added_send(struct pg *pg, const struct held_ref *held, const char *statement,
		const struct pg_args *args, added_fn *done, void *context);

#endif
