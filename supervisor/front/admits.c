/* Lets runs of limited numbers begin. See admits.h. */
#include "front/admits.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "store/runs.h"

struct waiting {
	struct list link;
	char *key;
};

struct admits {
	struct pg *pg;
	struct queue *queue;
	struct list waiting;
	struct map *by_key; /* of those that wait */
	char *current;      /* what is being asked for, or NULL */
};

struct admits *
admits_new(struct pg *pg, struct queue *queue)
{
	struct admits *admits = xcalloc(1, sizeof *admits);

	admits->pg = pg;
	admits->queue = queue;
	list_init(&admits->waiting);
	admits->by_key = map_new();
	return admits;
}

/* The key of the first one that waits, the caller's; NULL: none does. */
static char *
shift(struct admits *admits)
{
	struct list *link = list_shift(&admits->waiting);
	struct waiting *waiting;
	char *key;

	if (link == NULL)
		return NULL;
	waiting = container_of(link, struct waiting, link);
	key = waiting->key;
	map_remove(admits->by_key, key, strlen(key));
	free(waiting);
	return key;
}

void
admits_free(struct admits **admits_p)
{
	struct admits *admits = *admits_p;
	char *key;

	if (admits == NULL)
		return;
	*admits_p = NULL;
	pg_forget(admits->pg, admits);
	while ((key = shift(admits)) != NULL)
		free(key);
	map_free(&admits->by_key, NULL);
	free(admits->current);
	free(admits);
}

static void go_on(struct admits *admits);

/* As many as one statement admits: there may be more. */
static void
on_admitted(void *context, const struct ready_ref *refs, size_t count,
	    const struct err *err)
{
	struct admits *admits = context;
	char *key = admits->current;

	admits->current = NULL;
	for (size_t i = 0; err->kind == ERR_NONE && i < count; i++)
		queue_push(admits->queue, refs[i].queue, refs[i].priority, &refs[i].ref,
			   1);
	if (err->kind == ERR_NONE && count >= RUNS_ADMIT_MOST)
		admits_add(admits, key);
	free(key);
	go_on(admits);
}

static void
go_on(struct admits *admits)
{
	if (admits->current != NULL)
		return;
	admits->current = shift(admits);
	if (admits->current != NULL)
		runs_admit(admits->pg, admits->current, on_admitted, admits);
}

/* One whose answer is on the way is asked for again: that may not have seen it. */
void
admits_add(struct admits *admits, const char *key)
{
	struct waiting *waiting;

	if (map_get(admits->by_key, key, strlen(key)) == NULL) {
		waiting = xcalloc(1, sizeof *waiting);
		waiting->key = xstrdup(key);
		map_put(admits->by_key, key, strlen(key), waiting);
		list_push(&admits->waiting, &waiting->link);
	}
	go_on(admits);
}
