/* Gathers new runs and stores them together. See inserts.h. */
#include "front/inserts.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/xalloc.h"

struct insert {
	struct list link;
	struct inserts *inserts;
	struct new_run run;
	struct uuid project;
	char *texts[7]; /* what run points to, owned */
	pg_end_fn *done;
	void *context;
	struct err early; /* refused before it was tried */
};

struct inserts {
	struct loop *loop;
	struct pg *write;
	struct queue *queue;
	struct list gathered;
	size_t waiting;
	struct insert *flight[INSERTS_BATCH_MAX];
	struct new_run runs[INSERTS_BATCH_MAX];
	size_t count;
	size_t alone; /* so many are still sent one by one: one of them conflicts */
	bool deferred;
};

struct inserts *
inserts_new(struct loop *loop, struct pg *write, struct queue *queue)
{
	struct inserts *inserts = xcalloc(1, sizeof *inserts);

	inserts->loop = loop;
	inserts->write = write;
	inserts->queue = queue;
	list_init(&inserts->gathered);
	return inserts;
}

static void
insert_free(struct insert *insert)
{
	for (size_t i = 0; i < sizeof insert->texts / sizeof *insert->texts; i++)
		free(insert->texts[i]);
	json_unref(&insert->run.input);
	json_unref(&insert->run.trigger);
	free(insert);
}

void
inserts_free(struct inserts **inserts_p)
{
	struct inserts *inserts = *inserts_p;
	struct list *link;

	if (inserts == NULL)
		return;
	pg_forget(inserts->write, inserts);
	while ((link = list_shift(&inserts->gathered)) != NULL)
		insert_free(container_of(link, struct insert, link));
	for (size_t i = 0; i < inserts->count; i++)
		insert_free(inserts->flight[i]);
	free(inserts);
	*inserts_p = NULL;
}

static const char *
keep(struct insert *insert, int place, const char *text)
{
	insert->texts[place] = xstrdup(text);
	return insert->texts[place];
}

static struct insert *
insert_new(struct inserts *inserts, const struct new_run *run)
{
	struct insert *insert = xcalloc(1, sizeof *insert);

	insert->inserts = inserts;
	insert->run = *run;
	if (run->project != NULL) {
		insert->project = *run->project;
		insert->run.project = &insert->project;
	}
	insert->run.workflow_name = keep(insert, 0, run->workflow_name);
	insert->run.triggered_by = keep(insert, 1, run->triggered_by);
	insert->run.requested_by = keep(insert, 2, run->requested_by);
	insert->run.idempotency_key = keep(insert, 3, run->idempotency_key);
	insert->run.trace_id = keep(insert, 4, run->trace_id);
	insert->run.step_key = keep(insert, 5, run->step_key);
	insert->run.queue = keep(insert, 6, run->queue);
	insert->run.input = json_ref(run->input);
	insert->run.trigger = json_ref(run->trigger);
	return insert;
}

static void
answer(struct insert *insert, const struct err *err)
{
	if (insert->done != NULL)
		insert->done(insert->context, err);
	insert_free(insert);
}

static void flush_soon(struct inserts *inserts);

static void
push(struct inserts *inserts, const struct insert *insert)
{
	struct step_ref ref = { insert->run.id, 1 };

	if (insert->run.run_at == 0)
		queue_push(inserts->queue, insert->run.queue, insert->run.priority,
			   &ref, 1);
}

static void
on_stored(void *context, const struct err *err)
{
	struct inserts *inserts = context;
	size_t count = inserts->count;

	inserts->count = 0;
	if (err->kind != ERR_NONE && count > 1 &&
	    (err->kind == ERR_CONFLICT || err->kind == ERR_INPUT)) {
		/* One of them spoils it for all: each gets its own answer. */
		inserts->alone = count;
		while (count-- > 0)
			list_unshift(&inserts->gathered, &inserts->flight[count]->link);
		flush_soon(inserts);
		return;
	}
	inserts->waiting -= count;
	for (size_t i = 0; i < count; i++) {
		if (err->kind == ERR_NONE)
			push(inserts, inserts->flight[i]);
		answer(inserts->flight[i], err);
	}
	flush_soon(inserts);
}

static void
on_flush(void *context)
{
	struct inserts *inserts = context;
	size_t most = inserts->alone > 0 ? 1 : INSERTS_BATCH_MAX;
	struct list *link;

	inserts->deferred = false;
	if (inserts->count > 0)
		return;
	while (inserts->count < most &&
	       (link = list_shift(&inserts->gathered)) != NULL) {
		struct insert *insert = container_of(link, struct insert, link);

		inserts->runs[inserts->count] = insert->run;
		inserts->flight[inserts->count++] = insert;
	}
	if (inserts->alone > 0)
		inserts->alone--;
	if (inserts->count > 0)
		runs_insert(inserts->write, inserts->runs, inserts->count, on_stored,
			    inserts);
}

static void
flush_soon(struct inserts *inserts)
{
	if (inserts->deferred || inserts->count > 0 || list_empty(&inserts->gathered))
		return;
	inserts->deferred = true;
	loop_defer(inserts->loop, on_flush, inserts);
}

static void
on_refused(void *context)
{
	struct insert *insert = context;
	struct err err = insert->early;

	answer(insert, &err);
}

void
inserts_add(struct inserts *inserts, const struct new_run *run, pg_end_fn *done,
	    void *context)
{
	struct insert *insert = insert_new(inserts, run);

	insert->done = done;
	insert->context = context;
	list_init(&insert->link);
	if (inserts->waiting >= INSERTS_WAITING_MAX) {
		err_set(&insert->early, ERR_RETRY, "too many runs wait to be stored");
		loop_defer(inserts->loop, on_refused, insert);
		return;
	}
	inserts->waiting++;
	list_push(&inserts->gathered, &insert->link);
	flush_soon(inserts);
}

void
inserts_forget(struct inserts *inserts, const void *context)
{
	list_each (it, &inserts->gathered) {
		struct insert *insert = container_of(it, struct insert, link);

		if (insert->context == context)
			insert->done = NULL;
	}
	for (size_t i = 0; i < inserts->count; i++)
		if (inserts->flight[i]->context == context)
			inserts->flight[i]->done = NULL;
}
