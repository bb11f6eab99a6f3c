/* Gathers what became of programs' steps and stores it. See recorder.h. */
#include "recorded/recorder.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "bulk_core.h"
#include "finish.h"
#include "worker.h"

#define BULK_FLUSH (32 * 1024 * 1024)
#define AGAIN      (100 * USEC_MS)
#define LAZY       (20 * USEC_MS) /* what nobody waits for gathers so long */

struct record {
	struct list link;
	struct record_item item;
	struct record_extra extra;
	char *key;
	struct record **slot_p; /* of who put it; NULL on its way */
	record_done_fn *done;
	void *context;
	usec_t began_at; /* monotonic: ages are told when it is sent */
	size_t bulk;
};

struct recorder {
	struct worker *worker;
	struct list gathered;
	struct record *flight[RECORDED_BATCH_MAX];
	struct record_item items[RECORDED_BATCH_MAX];
	size_t count; /* of the flight; 0: none is under way */
	size_t
	    most; /* of the next one: fewer while looking for the one that spoils it */
	bool must_check, checking, deferred, dead;
	bool sent_again; /* two items of one step may stand in the list */
	bool waited_for; /* somebody waits for something that gathers */
	struct timer *again;
	struct timer *lazy; /* set: what gathers is waited for by nobody */
};

static void on_flush(void *context);

static void
on_again(void *context)
{
	recorder_wake(context);
}

static void flush_soon(struct recorder *recorder);

static void
on_lazy(void *context)
{
	flush_soon(context);
}

struct recorder *
recorder_new(struct worker *worker)
{
	struct recorder *recorder = xcalloc(1, sizeof *recorder);

	recorder->worker = worker;
	recorder->most = RECORDED_BATCH_MAX;
	recorder->again = timer_new(worker->loop, on_again, recorder);
	recorder->lazy = timer_new(worker->loop, on_lazy, recorder);
	list_init(&recorder->gathered);
	return recorder;
}

static void
extra_fini(struct record_extra *extra)
{
	child_run_free(&extra->child);
	free(extra->wait_event);
	json_unref(&extra->asked);
	*extra = (struct record_extra){ 0 };
}

static void
drop_values(struct record_item *item)
{
	json_unref(&item->input);
	json_unref(&item->output);
	json_unref(&item->error);
	json_unref(&item->payload);
	json_unref(&item->made);
}

static void
record_free(struct record *record)
{
	if (record->slot_p != NULL)
		*record->slot_p = NULL;
	drop_values(&record->item);
	extra_fini(&record->extra);
	free(record->key);
	free(record);
}

static void
dispose(void *context)
{
	free(context);
}

void
recorder_free(struct recorder **recorder_p)
{
	struct recorder *recorder = *recorder_p;
	struct list *link;

	*recorder_p = NULL;
	if (recorder == NULL)
		return;
	pg_forget(recorder->worker->pg, recorder);
	timer_free(&recorder->again);
	timer_free(&recorder->lazy);
	while ((link = list_shift(&recorder->gathered)) != NULL)
		record_free(container_of(link, struct record, link));
	for (size_t i = 0; i < recorder->count; i++)
		record_free(recorder->flight[i]);
	recorder->dead = true;
	loop_defer(recorder->worker->loop, dispose, recorder);
}

bool
recorder_is_idle(const struct recorder *recorder)
{
	return recorder->count == 0 && list_empty(&recorder->gathered);
}

/* ---- gathering ---- */

static void
flush_soon(struct recorder *recorder)
{
	if (recorder->deferred || recorder->count > 0 ||
	    list_empty(&recorder->gathered) || timer_is_set(recorder->again))
		return;
	recorder->deferred = true;
	timer_stop(recorder->lazy);
	loop_defer(recorder->worker->loop, on_flush, recorder);
}

/* That a function began is told with its end, if that comes soon: one commit. */
static void
go_on(struct recorder *recorder)
{
	if (recorder->waited_for)
		flush_soon(recorder);
	else if (!list_empty(&recorder->gathered) && !timer_is_set(recorder->lazy))
		timer_set(recorder->lazy, LAZY);
}

static void
hold_values(struct record_item *item)
{
	item->input = json_ref(item->input);
	item->output = json_ref(item->output);
	item->error = json_ref(item->error);
	item->payload = json_ref(item->payload);
	item->made = json_ref(item->made);
}

/* What was gathered before is part of it. */
static void
join(struct record *record, struct record_item *item)
{
	item->say_started |= record->item.say_started;
	item->cut |= record->item.cut;
	if (item->input == NULL)
		item->input = json_ref(record->item.input);
	drop_values(&record->item);
}

static void
lend_effects(struct record *record)
{
	struct finish_item *effects = &record->item.effects;
	struct record_extra *extra = &record->extra;

	effects->wait_event = extra->wait_event;
	effects->checked_at = extra->checked_at;
	effects->child = extra->child != NULL ? &extra->child->run : NULL;
	effects->ask = extra->asks ? &extra->ask : NULL;
}

void
recorder_put(struct recorder *recorder, const struct record_item *item,
	     struct record_extra *extra, struct record **slot_p, record_done_fn *done,
	     void *context)
{
	struct record *record = *slot_p;
	struct record_item fresh = *item;

	hold_values(&fresh);
	if (record == NULL) {
		record = xcalloc(1, sizeof *record);
		record->slot_p = slot_p;
		record->key = xstrdup(item->key);
		list_push(&recorder->gathered, &record->link);
		*slot_p = record;
	} else {
		join(record, &fresh);
	}
	record->item = fresh;
	record->item.key = record->key;
	record->began_at = loop_mono(recorder->worker->loop) - item->age;
	record->done = done;
	record->context = context;
	record->bulk =
	    bulk_of(fresh.input, BULK_FLUSH) + bulk_of(fresh.output, BULK_FLUSH);
	if (extra != NULL) {
		record->extra = *extra;
		*extra = (struct record_extra){ 0 };
		lend_effects(record);
	}
	recorder->waited_for |= done != NULL;
	go_on(recorder);
}

static void
forget_in(struct record *record, const void *context)
{
	if (record->context != context)
		return;
	record->done = NULL;
	if (record->slot_p != NULL)
		*record->slot_p = NULL;
	record->slot_p = NULL;
}

void
recorder_forget(struct recorder *recorder, const void *context)
{
	list_each (it, &recorder->gathered)
		forget_in(container_of(it, struct record, link), context);
	for (size_t i = 0; i < recorder->count; i++)
		forget_in(recorder->flight[i], context);
}

/* ---- storing ---- */

static void on_stored(void *context, const struct record_answer *answer,
		      const struct err *err);

/* A row is stored once in a transaction. */
static bool
is_in_flight(const struct recorder *recorder, const struct record *record)
{
	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->items[i].number == record->item.number &&
		    uuid_equal(&recorder->items[i].run, &record->item.run))
			return true;
	return false;
}

static struct record *
next_record(struct recorder *recorder, size_t *bulk)
{
	struct record *record;

	if (recorder->count == recorder->most || list_empty(&recorder->gathered))
		return NULL;
	record = container_of(recorder->gathered.next, struct record, link);
	if (recorder->sent_again && is_in_flight(recorder, record))
		return NULL;
	*bulk += record->bulk;
	if (recorder->count > 0 && *bulk > BULK_FLUSH)
		return NULL;
	list_remove(&record->link);
	return record;
}

static void
on_flush(void *context)
{
	struct recorder *recorder = context;
	struct worker *worker = recorder->worker;
	struct record *record;
	size_t bulk = 0;

	if (recorder->dead)
		return;
	recorder->deferred = false;
	if (recorder->count > 0 || worker->gone || !pg_is_up(worker->pg))
		return;
	while ((record = next_record(recorder, &bulk)) != NULL) {
		if (record->slot_p != NULL)
			*record->slot_p = NULL;
		record->slot_p = NULL;
		record->item.age = loop_mono(worker->loop) - record->began_at;
		recorder->items[recorder->count] = record->item;
		recorder->flight[recorder->count++] = record;
	}
	recorder->sent_again &= !list_empty(&recorder->gathered);
	recorder->waited_for = !list_empty(&recorder->gathered);
	if (recorder->count > 0)
		recorded_rows_store(worker->pg, &worker->id, recorder->items,
				    recorder->count, on_stored, recorder);
}

/* To the front, in their order. Steps of theirs that gather meanwhile come after. */
static void
put_all_back(struct recorder *recorder)
{
	size_t count = recorder->count;

	recorder->count = 0;
	recorder->sent_again = true;
	while (count-- > 0)
		list_unshift(&recorder->gathered, &recorder->flight[count]->link);
}

static void
publish(struct recorder *recorder, const struct record_answer *answer)
{
	struct buf data = { 0 };

	for (size_t i = 0; i < answer->count; i++) {
		uint64_t seq = htobe64((uint64_t)answer->items[i].seq);

		if (!answer->items[i].accepted)
			continue;
		buf_add(&data, answer->items[i].run.b, sizeof answer->items[i].run.b);
		buf_add(&data, &seq, sizeof seq);
	}
	if (data.len > 0)
		queue_publish(recorder->worker->queue, CHANNEL_EVENTS, data.data,
			      data.len);
	buf_fini(&data);
}

static void
tell(struct recorder *recorder, struct record *record, enum record_fate fate,
     bool paused)
{
	if (fate == RECORD_STORED && record->extra.child != NULL)
		finish_child_stored(recorder->worker->finish,
				    &record->extra.child->run);
	if (record->done != NULL)
		record->done(record->context, fate, paused);
	record_free(record);
}

/* Callbacks may put again: what is told is out of the flight first. */
static void
flight_stored(struct recorder *recorder, const struct record_answer *answer)
{
	struct record *flight[RECORDED_BATCH_MAX];
	size_t count = recorder->count;
	bool lost = false;

	POINT("record.stored");
	publish(recorder, answer);
	finish_push_ready(recorder->worker, answer->ready, answer->ready_count);
	memcpy(flight, recorder->flight, count * sizeof *flight);
	recorder->count = 0;
	recorder->most = recorder->most * 2 < RECORDED_BATCH_MAX ? recorder->most * 2
								 : RECORDED_BATCH_MAX;
	for (size_t i = 0; i < count; i++) {
		struct record_item item = recorder->items[i];

		lost |= !item.accepted;
		tell(recorder, flight[i], item.accepted ? RECORD_STORED : RECORD_LOST,
		     item.paused);
	}
	POINT("record.told");
	if (lost)
		worker_renew(recorder->worker);
	worker_turn(recorder->worker); /* who leaves waits for the last one */
}

/* One of them spoils it for all: fewer are sent until it is alone. */
static void
refused(struct recorder *recorder, const struct err *err)
{
	struct record *record = recorder->flight[0];

	if (recorder->count > 1) {
		recorder->most = recorder->count / 2;
		put_all_back(recorder);
		return;
	}
	log_error("record.refused", F_UUID("run", &record->item.run),
		  F_INT("number", record->item.number), F_STR("why", err->text));
	recorder->count = 0;
	tell(recorder, record, RECORD_REFUSED, false);
	worker_turn(recorder->worker);
}

static void
on_stored(void *context, const struct record_answer *answer, const struct err *err)
{
	struct recorder *recorder = context;

	switch (err->kind) {
	case ERR_NONE:
		flight_stored(recorder, answer);
		break;
	case ERR_DENIED:
		worker_buried(recorder->worker);
		return;
	case ERR_LOST:
		recorder->must_check = true;
		recorder_wake(recorder);
		return;
	case ERR_RETRY:
		put_all_back(recorder);
		timer_set(recorder->again, AGAIN);
		return;
	default:
		refused(recorder, err);
	}
	go_on(recorder);
}

/* ---- after a lost answer ---- */

static void
on_checked(void *context, const struct record_answer *answer, const struct err *err)
{
	struct recorder *recorder = context;
	size_t kept = 0, count = recorder->count;

	recorder->checking = false;
	if (err->kind == ERR_DENIED) {
		worker_buried(recorder->worker);
		return;
	}
	if (err->kind != ERR_NONE) {
		timer_set(recorder->again, AGAIN);
		return;
	}
	recorder->must_check = false;
	recorder->sent_again = true;
	for (size_t i = count; i-- > 0;)
		if (!recorder->items[i].accepted && !recorder->items[i].lost)
			list_unshift(&recorder->gathered, &recorder->flight[i]->link);
	for (size_t i = 0; i < count; i++) {
		if (!recorder->items[i].accepted && !recorder->items[i].lost)
			continue;
		recorder->items[kept] = recorder->items[i];
		recorder->flight[kept++] = recorder->flight[i];
	}
	recorder->count = kept;
	flight_stored(recorder, &(struct record_answer){ recorder->items, kept,
							 answer->ready, 0 });
	flush_soon(recorder);
}

void
recorder_wake(struct recorder *recorder)
{
	struct worker *worker = recorder->worker;

	timer_stop(recorder->again);
	if (worker->gone || !pg_is_up(worker->pg))
		return;
	if (!recorder->must_check) {
		flush_soon(recorder);
	} else if (!recorder->checking) {
		recorder->checking = true;
		recorded_rows_check(worker->pg, &worker->id, recorder->items,
				    recorder->count, on_checked, recorder);
	}
}
