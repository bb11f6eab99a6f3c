/* Answers that several statements give: steps made ready, ids. Only for this folder. */
#ifndef STORE_ANSWERS_H
#define STORE_ANSWERS_H

#include "store/workers.h"

/* Adds a statement whose rows are (run, number, queue, priority). done may be NULL. */
void ready_answer(struct pg_batch *batch, const char *statement,
		  const struct pg_args *args, ready_fn *done, void *context);
/* Sends a statement without parameters whose rows are ids. */
void ids_answer(struct pg *pg, const char *statement, worker_ids_fn *done,
		void *context);

#endif
