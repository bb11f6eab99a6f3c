/* Gathers new runs and stores them together. See inserts.h. */
#include "front/inserts.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"

#define LOST_PATIENCE (5 * USEC_SECOND) /* for a connection that tells what became */
#define LOST_AGAIN    (100 * USEC_MS)

struct insert {
	struct list link;
	struct inserts *inserts;
	struct new_run run;
	struct uuid project, schedule;
	struct json *tools;
	char *texts[7]; /* what run points to, owned */
	struct new_step *steps;
	char **step_texts; /* key and queue of each */
	pg_end_fn *done;
	void *context;
	struct err early; /* refused before it was tried */
	usec_t lost_at;   /* monotonic: its answer was lost then; 0: it was not */
};

struct inserts {
	struct loop *loop;
	struct pg *write;
	struct queue *queue;
	struct list gathered;
	struct list early; /* refused, to be told at the end of the turn */
	struct timer *again;
	size_t waiting;
	struct insert *flight[INSERTS_BATCH_MAX];
	struct new_run runs[INSERTS_BATCH_MAX];
	size_t count;
	struct err err;    /* what became of the flight */
	char position[32]; /* that it lies behind, or "" */
	size_t alone; /* so many are still sent one by one: one of them conflicts */
	bool deferred, dead;
};

static void flush_soon(struct inserts *inserts);

static void
on_again(void *context)
{
	flush_soon(context);
}

struct inserts *
inserts_new(struct loop *loop, struct pg *write, struct queue *queue)
{
	struct inserts *inserts = xcalloc(1, sizeof *inserts);

	inserts->loop = loop;
	inserts->write = write;
	inserts->queue = queue;
	list_init(&inserts->gathered);
	list_init(&inserts->early);
	inserts->again = timer_new(loop, on_again, inserts);
	return inserts;
}

static void
insert_free(struct insert *insert)
{
	for (size_t i = 0; i < sizeof insert->texts / sizeof *insert->texts; i++)
		free(insert->texts[i]);
	for (size_t i = 0; i < 2 * insert->run.steps_count; i++)
		free(insert->step_texts[i]);
	free(insert->step_texts);
	free(insert->steps);
	json_unref(&insert->run.input);
	json_unref(&insert->run.trigger);
	json_unref(&insert->tools);
	free(insert);
}

static void
free_all(struct list *list)
{
	struct list *link;

	while ((link = list_shift(list)) != NULL)
		insert_free(container_of(link, struct insert, link));
}

/* The end of the turn may still look at it. */
static void
dispose(void *context)
{
	free(context);
}

void
inserts_free(struct inserts **inserts_p)
{
	struct inserts *inserts = *inserts_p;

	if (inserts == NULL)
		return;
	pg_forget(inserts->write, inserts);
	timer_free(&inserts->again);
	free_all(&inserts->gathered);
	free_all(&inserts->early);
	for (size_t i = 0; i < inserts->count; i++)
		insert_free(inserts->flight[i]);
	inserts->dead = true;
	loop_defer(inserts->loop, dispose, inserts);
	*inserts_p = NULL;
}

static const char *
keep(struct insert *insert, int place, const char *text)
{
	insert->texts[place] = xstrdup(text);
	return insert->texts[place];
}

static void
keep_steps(struct insert *insert, const struct new_run *run)
{
	size_t count = run->steps_count;

	insert->steps = xmemdup(run->steps, count * sizeof *run->steps);
	insert->step_texts = xcalloc(2 * count, sizeof *insert->step_texts);
	insert->run.steps = insert->steps;
	for (size_t i = 0; i < count; i++) {
		insert->step_texts[2 * i] = xstrdup(run->steps[i].key);
		insert->step_texts[2 * i + 1] = xstrdup(run->steps[i].queue);
		insert->steps[i].key = insert->step_texts[2 * i];
		insert->steps[i].queue = insert->step_texts[2 * i + 1];
	}
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
	if (run->schedule != NULL) {
		insert->schedule = *run->schedule;
		insert->run.schedule = &insert->schedule;
	}
	insert->run.workflow_name = keep(insert, 0, run->workflow_name);
	insert->run.triggered_by = keep(insert, 1, run->triggered_by);
	insert->run.requested_by = keep(insert, 2, run->requested_by);
	insert->run.idempotency_key = keep(insert, 3, run->idempotency_key);
	insert->run.trace_id = keep(insert, 4, run->trace_id);
	insert->run.concurrency_key = keep(insert, 5, run->concurrency_key);
	insert->run.address = keep(insert, 6, run->address);
	keep_steps(insert, run);
	insert->run.input = json_ref(run->input);
	insert->run.trigger = json_ref(run->trigger);
	insert->run.tools = insert->tools = json_ref((struct json *)run->tools);
	return insert;
}

static void
answer(struct insert *insert, const struct err *err)
{
	if (insert->done != NULL)
		insert->done(insert->context, err);
	insert_free(insert);
}

static void
on_admitted(void *context, const struct ready_ref *refs, size_t count,
	    const struct err *err)
{
	struct inserts *inserts = context;

	for (size_t i = 0; err->kind == ERR_NONE && i < count; i++)
		queue_push(inserts->queue, refs[i].queue, refs[i].priority,
			   &refs[i].ref, 1);
}

/* Says that there is work; one of a limited number at once begins if there is a place.
 */
static void
push(struct inserts *inserts, const struct insert *insert)
{
	const struct new_run *run = &insert->run;

	if (run->run_at != 0)
		return;
	if (run->concurrency_key != NULL) {
		runs_admit(inserts->write, run->concurrency_key, on_admitted, inserts);
		return;
	}
	for (size_t i = 0; i < run->steps_count; i++) {
		struct step_ref ref = { run->id, run->steps[i].number };

		if (run->steps[i].needs == 0)
			queue_push(inserts->queue, run->steps[i].queue, run->priority,
				   &ref, 1);
	}
}

/* The ids were chosen before sending, so what conflicts with itself is stored. */
static bool
was_stored(const struct insert *insert, const struct err *err)
{
	return insert->lost_at != 0 && err->kind == ERR_CONFLICT &&
	       strstr(err->text, "_pkey") != NULL;
}

/* Nobody knows what became of it: sent again, until PostgreSQL tells or it takes too
 * long. */
static bool
send_again(struct insert *insert, const struct err *err)
{
	struct inserts *inserts = insert->inserts;
	usec_t now = loop_mono(inserts->loop);

	if (err->kind != ERR_LOST && (err->kind != ERR_RETRY || insert->lost_at == 0))
		return false;
	if (insert->lost_at == 0)
		insert->lost_at = now;
	if (now - insert->lost_at >= LOST_PATIENCE)
		return false;
	list_unshift(&inserts->gathered, &insert->link);
	timer_set(inserts->again, LOST_AGAIN);
	return true;
}

static void
settle(struct insert *insert, const struct err *err)
{
	struct err own = *err;

	if (send_again(insert, err))
		return;
	if (was_stored(insert, err))
		own = (struct err){ 0 };
	else if (insert->lost_at != 0 && err->kind == ERR_RETRY)
		own.kind = ERR_LOST;
	insert->inserts->waiting--;
	POINT("run.stored.before_bell");
	if (own.kind == ERR_NONE)
		push(insert->inserts, insert);
	POINT("run.stored.before_answer");
	answer(insert, &own);
}

static void
on_stored(void *context, const struct err *err)
{
	struct inserts *inserts = context;

	inserts->err = *err;
}

/* It was asked for behind the commit, in the same round trip. */
static void
on_position(void *context, const struct pg_rows *rows, const struct err *ignored)
{
	struct inserts *inserts = context;
	size_t count = inserts->count;
	const struct err *err = &inserts->err;

	(void)ignored;
	inserts->count = 0;
	inserts->position[0] = '\0';
	if (rows != NULL)
		strncpy(inserts->position, pg_text(rows, 0, 0, NULL),
			sizeof inserts->position - 1);
	if (err->kind != ERR_NONE && count > 1 &&
	    (err->kind == ERR_CONFLICT || err->kind == ERR_INPUT)) {
		/* One of them spoils it for all: each gets its own answer. */
		inserts->alone = count;
		while (count-- > 0)
			list_unshift(&inserts->gathered, &inserts->flight[count]->link);
		flush_soon(inserts);
		return;
	}
	while (count-- > 0)
		settle(inserts->flight[count], err);
	flush_soon(inserts);
}

static void
on_flush(void *context)
{
	struct inserts *inserts = context;
	size_t most = inserts->alone > 0 ? 1 : INSERTS_BATCH_MAX;
	struct list *link;

	if (inserts->dead)
		return;
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
	if (inserts->count == 0)
		return;
	runs_insert(inserts->write, inserts->runs, inserts->count, on_stored, inserts);
	pg_query(inserts->write, "wal_position", NULL, on_position, inserts);
}

const char *
inserts_position(const struct inserts *inserts)
{
	return inserts->position[0] != '\0' ? inserts->position : NULL;
}

static void
flush_soon(struct inserts *inserts)
{
	if (inserts->deferred || inserts->count > 0 || list_empty(&inserts->gathered) ||
	    timer_is_set(inserts->again))
		return;
	inserts->deferred = true;
	loop_defer(inserts->loop, on_flush, inserts);
}

static void
on_refused(void *context)
{
	struct inserts *inserts = context;
	struct list *link;

	while (!inserts->dead && (link = list_shift(&inserts->early)) != NULL) {
		struct insert *insert = container_of(link, struct insert, link);
		struct err err = insert->early;

		answer(insert, &err);
	}
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
		list_push(&inserts->early, &insert->link);
		loop_defer(inserts->loop, on_refused, inserts);
		return;
	}
	inserts->waiting++;
	list_push(&inserts->gathered, &insert->link);
	flush_soon(inserts);
}

static void
forget_in(struct list *list, const void *context)
{
	list_each (it, list) {
		struct insert *insert = container_of(it, struct insert, link);

		if (insert->context == context)
			insert->done = NULL;
	}
}

void
inserts_forget(struct inserts *inserts, const void *context)
{
	forget_in(&inserts->gathered, context);
	forget_in(&inserts->early, context);
	for (size_t i = 0; i < inserts->count; i++)
		if (inserts->flight[i]->context == context)
			inserts->flight[i]->done = NULL;
}
