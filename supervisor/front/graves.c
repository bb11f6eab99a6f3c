/*
 * One entry for each worker that PostgreSQL has not confirmed as dead. Burying twice is
 * harmless, so an unanswered burial is simply repeated. See graves.h.
 */
#include "front/graves.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "store/workers.h"

#define GRAVES_MAX 1024 /* past it the sweep finds them when their leases end */

struct grave {
	struct list link;
	struct graves *graves;
	struct uuid worker;
	struct ending ending; /* how it died */
	bool asked;           /* the answer is still to come */
};

struct graves {
	struct pg *write;
	struct queue *queue;
	struct list open;
	size_t count;
};

struct graves *
graves_new(struct pg *write, struct queue *queue)
{
	struct graves *graves = xcalloc(1, sizeof *graves);

	graves->write = write;
	graves->queue = queue;
	list_init(&graves->open);
	return graves;
}

static void
close_grave(struct grave *grave)
{
	list_remove(&grave->link);
	grave->graves->count--;
	free(grave);
}

void
graves_free(struct graves **graves_p)
{
	struct graves *graves = *graves_p;

	if (graves == NULL)
		return;
	while (!list_empty(&graves->open))
		close_grave(container_of(graves->open.next, struct grave, link));
	free(graves);
	*graves_p = NULL;
}

static void
on_buried(void *context, const struct ready_ref *refs, size_t count,
	  const struct err *err)
{
	struct grave *grave = context;
	struct queue *queue = grave->graves->queue;

	grave->asked = false;
	if (err->kind != ERR_NONE) {
		log_warn("worker.not_buried", F_UUID("worker", &grave->worker),
			 F_STR("why", err->text));
		if (err->kind != ERR_RETRY && err->kind != ERR_LOST)
			close_grave(grave); /* its lease ends, then the sweep does it */
		return;
	}
	log_info("worker.buried", F_UUID("worker", &grave->worker),
		 F_INT("requeued", count));
	for (size_t i = 0; i < count; i++)
		queue_push(queue, refs[i].queue, refs[i].priority, &refs[i].ref, 1);
	close_grave(grave);
}

static void
ask(struct grave *grave)
{
	grave->asked = true;
	workers_bury(grave->graves->write, &grave->worker, &grave->ending, on_buried,
		     grave);
}

void
graves_bury(struct graves *graves, const struct uuid *worker,
	    const struct ending *ending)
{
	struct grave *grave;

	if (graves->count == GRAVES_MAX)
		return;
	grave = xcalloc(1, sizeof *grave);
	grave->graves = graves;
	grave->worker = *worker;
	grave->ending = *ending;
	list_push(&graves->open, &grave->link);
	graves->count++;
	ask(grave);
}

void
graves_again(struct graves *graves)
{
	list_each (it, &graves->open) {
		struct grave *grave = container_of(it, struct grave, link);

		if (!grave->asked)
			ask(grave);
	}
}
