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

/* What several statements of one transaction made ready, until it is committed. Queues
 * are copied. */
#define READY_QUEUE_MAX 64

struct ready_item {
	struct ready_ref ref;
	char queue[READY_QUEUE_MAX + 1];
};

struct ready_list {
	struct ready_item *items;
	size_t count, room;
};

void ready_list_add(struct ready_list *list, const struct uuid *run, int number,
		    const char *queue, enum priority priority);
/* Rows of (run, number, queue, priority). */
void ready_list_rows(struct ready_list *list, const struct pg_rows *rows);
/* As an array that points into the list; the caller's. */
struct ready_ref *ready_list_refs(struct ready_list *list);
void ready_list_fini(struct ready_list *list);

#endif
