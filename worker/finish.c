/* Gathers outcomes and stores them, one flush at a time. See finish.h. */
#include "finish.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "bulk_core.h"
#include "child_run.h"
#include "digest/digest.h"
#include "finish_core.h"
#include "record/records.h"
#include "store/finishes.h"
#include "store/runs.h"

#define FINISH_BULK    (32 * 1024 * 1024) /* of a flush, unless one alone is more */
#define SYSTEM_TRIES   30 /* at a fault of PostgreSQL's own, before it is the item's */
#define SYSTEM_AGAIN   USEC_SECOND
#define READY_TOGETHER 256 /* pushed in one go */
#define FINISH_AGAIN                                                                   \
	(100 * USEC_MS) /* after a passing fault on a living connection                \
			 */

struct finish_entry {
	struct list link;
	struct slot *slot; /* NULL: it died meanwhile */
	struct finish_plan plan;
	bool ended;      /* false: only that it started */
	bool acts;       /* its workflow does something, see record_end */
	bool unstorable; /* an error report stands where the result could not be stored
			  */
	enum priority priority;
	int tries;   /* ended by a fault that is nobody's */
	size_t bulk; /* of what it borrows */
	/* what the plan's item borrows */
	struct json *input, *output, *made, *asked;
	struct child_run *child;
	struct approval_ask ask;
	struct uuid run;
	int *awaited;
	char *wait_event;
	char *concurrency_key; /* of a run that this may end; or NULL */
};

struct finish {
	struct worker *worker;
	struct list gathered;
	struct finish_entry *flight[FINISH_BATCH_MAX];
	struct finish_item items[FINISH_BATCH_MAX];
	size_t count;    /* of the flight; 0: none is under way */
	bool must_check; /* the flight's answer is unknown */
	bool checking;   /* the question is under way */
	bool deferred, dead;
	size_t most; /* of the next flight: fewer while looking for the one that spoils
		      */
	struct timer *again;
	struct finish_stats stats;
};

static void flush_soon(struct finish *finish);
static void on_flush(void *context);

static void
on_again(void *context)
{
	struct finish *finish = context;

	finish_wake(finish);
}

struct finish *
finish_new(struct worker *worker)
{
	struct finish *finish = xcalloc(1, sizeof *finish);

	finish->worker = worker;
	finish->most = FINISH_BATCH_MAX;
	finish->again = timer_new(worker->loop, on_again, finish);
	list_init(&finish->gathered);
	return finish;
}

static void
entry_free(struct finish_entry *entry)
{
	if (entry->slot != NULL && entry->slot->gathered == entry)
		entry->slot->gathered = NULL;
	finish_plan_fini(&entry->plan);
	json_unref(&entry->input);
	json_unref(&entry->output);
	json_unref(&entry->made);
	json_unref(&entry->asked);
	child_run_free(&entry->child);
	free(entry->concurrency_key);
	free(entry->wait_event);
	free(entry->awaited);
	free(entry);
}

/* on_flush may be deferred still. */
static void
dispose(void *context)
{
	free(context);
}

void
finish_free(struct finish **finish_p)
{
	struct finish *finish = *finish_p;
	struct list *link;

	if (finish == NULL)
		return;
	pg_forget(finish->worker->pg, finish);
	timer_free(&finish->again);
	while ((link = list_shift(&finish->gathered)) != NULL)
		entry_free(container_of(link, struct finish_entry, link));
	for (size_t i = 0; i < finish->count; i++)
		entry_free(finish->flight[i]);
	finish->dead = true;
	loop_defer(finish->worker->loop, dispose, finish);
	*finish_p = NULL;
}

bool
finish_is_idle(const struct finish *finish)
{
	return finish->count == 0 && list_empty(&finish->gathered);
}

const struct finish_stats *
finish_stats(const struct finish *finish)
{
	return &finish->stats;
}

/* ---- gathering ---- */

static struct finish_entry *
entry_of(struct finish *finish, struct slot *slot)
{
	struct finish_entry *entry = slot->gathered;

	if (entry != NULL)
		return entry;
	entry = xcalloc(1, sizeof *entry);
	entry->slot = slot;
	entry->run = slot->live->run.id;
	entry->priority = slot->live->priority;
	list_push(&finish->gathered, &entry->link);
	slot->gathered = entry;
	return entry;
}

static void
keep_input(struct finish_entry *entry, struct slot *slot)
{
	json_unref(&entry->input);
	if (json_count(slot->shown) > 0)
		entry->input = json_ref(slot->shown);
	entry->plan.item.input = entry->input;
	entry->plan.item.fence = slot->attempt.fence;
	entry->plan.item.say_started = slot->say_started;
}

void
finish_started(struct finish *finish, struct slot *slot)
{
	struct finish_entry *entry;

	if (!slot->say_started)
		return;
	entry = entry_of(finish, slot);
	entry->plan.item = (struct finish_item){
		.run = slot->live->run.id,
		.priority = slot->live->priority,
		.number = slot->attempt.number,
		.status = STEP_RUNNING,
		.run_status = RUN_RUNNING,
	};
	keep_input(entry, slot);
	flush_soon(finish);
}

static uint64_t
random_bits(void)
{
	uint64_t bits;

	digest_random(&bits, sizeof bits);
	return bits;
}

/* What the event of asking tells; the columns have the rest. */
static struct json *
asked_value(const struct slot *slot, const struct uuid *approval)
{
	struct json *value = json_new_object();
	char text[UUID_TEXT];

	json_set(value, "approvalId", json_new_str(uuid_format(approval, text)));
	json_set(value, "prompt", json_ref(slot->ask.prompt));
	return value;
}

/* What it borrows must outlive the slot. */
static void
keep_effects(struct finish_entry *entry, struct slot *slot)
{
	struct finish_item *item = &entry->plan.item;
	const struct live_run *live = slot->live;

	item->priority = live->priority;
	item->parent_run = live->parent_run;
	item->has_parent_run = live->has_parent_run;
	json_unref(&entry->made);
	entry->made = json_ref(slot->made);
	free(entry->concurrency_key);
	entry->concurrency_key = xstrdup(live->concurrency_key);
	child_run_free(&entry->child);
	entry->child = slot->child;
	slot->child = NULL;
	item->child = entry->child != NULL ? &entry->child->run : NULL;
	free(entry->wait_event);
	entry->wait_event = slot->wait_event;
	slot->wait_event = NULL;
	item->wait_event = entry->wait_event;
	item->checked_at = slot->checked_at;
	free(entry->awaited);
	entry->awaited = slot->awaited;
	slot->awaited = NULL;
	item->awaited = entry->awaited;
	item->awaited_count = slot->outcome == OUTCOME_REST ? slot->awaited_count : 0;
	if (slot->outcome != OUTCOME_APPROVAL)
		return;
	entry->ask = slot->ask;
	item->ask = &entry->ask;
	item->approval = uuid7_new(loop_now(slot->worker->loop));
	json_unref(&entry->asked);
	entry->asked = asked_value(slot, &item->approval);
	item->error = entry->asked;
}

void
finish_ended(struct finish *finish, struct slot *slot)
{
	struct finish_entry *entry = entry_of(finish, slot);
	struct held_step held = slot_held(slot);
	struct outcome outcome = { .kind = slot->outcome,
				   .output = slot->output,
				   .error = slot->error,
				   .final = slot->final,
				   .run_at = slot->run_at,
				   .children = slot->children,
				   .ask = slot->ask };

	finish_plan_fini(&entry->plan);
	finish_plan(&entry->plan, &slot->live->run, &held, &outcome,
		    loop_now(finish->worker->loop),
		    slot->outcome == OUTCOME_FAILURE ? random_bits() : 0);
	finish_plan_mask(&entry->plan, finish->worker->mask);
	entry->ended = true;
	json_unref(&entry->output);
	entry->output = json_ref(slot->output);
	keep_input(entry, slot);
	keep_effects(entry, slot);
	entry->acts = run_is_over(entry->plan.item.run_status) &&
		      workflow_acts(slot->live->run.workflow);
	entry->bulk = bulk_of(entry->input, FINISH_BULK) +
		      bulk_of(entry->output, FINISH_BULK) +
		      bulk_of(entry->plan.item.run_output, FINISH_BULK);
	flush_soon(finish);
}

void
finish_forget(struct finish *finish, struct slot *slot)
{
	if (slot->gathered != NULL) {
		list_remove(&slot->gathered->link);
		entry_free(slot->gathered);
	}
	for (size_t i = 0; slot->in_flight > 0 && i < finish->count; i++) {
		if (finish->flight[i]->slot != slot)
			continue;
		finish->flight[i]->slot = NULL;
		slot->in_flight--;
	}
}

/* ---- storing ---- */

static void
flush_soon(struct finish *finish)
{
	if (finish->deferred || finish->count > 0 || list_empty(&finish->gathered) ||
	    timer_is_set(finish->again))
		return;
	finish->deferred = true;
	loop_defer(finish->worker->loop, on_flush, finish);
}

static void on_stored(void *context, const struct finish_answer *answer,
		      const struct err *err);

static void
decide_where_next(struct finish *finish, struct finish_entry *entry)
{
	struct slot *slot = entry->slot;
	struct finish_next *next = &entry->plan.item.next;

	if (next->key == NULL)
		return;
	next->held = slot != NULL && worker_keeps(finish->worker, next->queue,
						  slot->streak, slot->streak_since);
}

/* The next of the flight, if it still has room; PostgreSQL's messages end at 1 GB. */
static struct finish_entry *
next_entry(struct finish *finish, size_t *bulk)
{
	struct finish_entry *entry;

	if (finish->count == finish->most || list_empty(&finish->gathered))
		return NULL;
	entry = container_of(finish->gathered.next, struct finish_entry, link);
	*bulk += entry->bulk;
	if (finish->count > 0 && *bulk > FINISH_BULK)
		return NULL;
	list_remove(&entry->link);
	return entry;
}

static void
on_flush(void *context)
{
	struct finish *finish = context;
	struct finish_entry *entry;
	size_t bulk = 0;

	if (finish->dead)
		return;
	finish->deferred = false;
	if (finish->count > 0 || finish->worker->gone || !pg_is_up(finish->worker->pg))
		return;
	while ((entry = next_entry(finish, &bulk)) != NULL) {
		decide_where_next(finish, entry);
		if (entry->slot != NULL) {
			entry->slot->gathered = NULL;
			entry->slot->in_flight++;
		}
		finish->items[finish->count] = entry->plan.item;
		finish->flight[finish->count++] = entry;
	}
	if (finish->count == 0)
		return;
	finish->stats.flushes++;
	finishes_store(finish->worker->pg, &finish->worker->id, finish->items,
		       finish->count, on_stored, finish);
}

/* Puts entries back to the front, to be sent again in their order. */
static void
put_back(struct finish *finish, struct finish_entry *entry)
{
	struct slot *slot = entry->slot;

	finish->stats.retried++;
	if (slot != NULL) {
		slot->in_flight--;
		if (slot->gathered != NULL) {
			/* It ended meanwhile: one entry says both. */
			slot->gathered->plan.item.say_started |=
			    entry->plan.item.say_started;
			entry_free(entry);
			return;
		}
		slot->gathered = entry;
	}
	list_unshift(&finish->gathered, &entry->link);
}

static void
put_all_back(struct finish *finish)
{
	size_t count = finish->count;

	finish->count = 0;
	while (count-- > 0)
		put_back(finish, finish->flight[count]);
}

static void
go_on_or_free(struct finish *finish, const struct finish_entry *entry,
	      struct slot *slot, const struct finish_item *item)
{
	struct step_ref ref = { entry->run, item->next.number };

	if (item->next.key != NULL && item->holds_next && slot != NULL) {
		slot_go_on(slot, entry->plan.next, item->next.number);
		return;
	}
	if (item->next.key != NULL)
		queue_push(finish->worker->queue, item->next.queue, entry->priority,
			   &ref, 1);
	if (slot != NULL)
		slot_free(&slot);
}

static void
entry_stored(struct finish *finish, struct finish_entry *entry,
	     const struct finish_item *item)
{
	struct slot *slot = entry->slot;

	entry->slot = NULL; /* the slot may end here, before its entry */
	if (slot != NULL)
		slot->in_flight--;
	if (item->accepted) {
		if (slot != NULL && item->say_started)
			slot->say_started = false;
		if (slot != NULL && slot->gathered != NULL)
			slot->gathered->plan.item.say_started = false;
		if (entry->ended)
			go_on_or_free(finish, entry, slot, item);
		return;
	}
	finish->stats.fenced++;
	log_info("result.fenced", F_UUID("run", &entry->run),
		 F_INT("number", item->number), F_INT("fence", item->fence));
	if (slot != NULL && entry->ended)
		slot_free(&slot);
	else if (slot != NULL)
		slot_event(slot, SLOT_EV_TAKEN_AWAY);
}

static void
publish(struct finish *finish)
{
	struct buf data = { 0 };

	for (size_t i = 0; i < finish->count; i++) {
		uint64_t seq = htobe64((uint64_t)finish->items[i].seq);

		if (!finish->items[i].accepted)
			continue;
		buf_add(&data, finish->items[i].run.b, sizeof finish->items[i].run.b);
		buf_add(&data, &seq, sizeof seq);
	}
	if (data.len > 0)
		queue_publish(finish->worker->queue, CHANNEL_EVENTS, data.data,
			      data.len);
	buf_fini(&data);
}

/* Neighbours of one list go together. */
void
finish_push_ready(struct worker *worker, const struct ready_ref *ready,
		  size_t ready_count)
{
	struct step_ref refs[READY_TOGETHER];
	size_t count = 0;

	for (size_t i = 0; i < ready_count; i++) {
		const struct ready_ref *ref = &ready[i], *next = ref + 1;

		refs[count++] = ref->ref;
		if (i + 1 < ready_count && count < READY_TOGETHER &&
		    next->priority == ref->priority &&
		    strcmp(next->queue, ref->queue) == 0)
			continue;
		queue_push(worker->queue, ref->queue, ref->priority, refs, count);
		count = 0;
	}
}

static void
on_admitted(void *context, const struct ready_ref *refs, size_t count,
	    const struct err *err)
{
	struct finish *finish = context;

	if (err->kind == ERR_NONE)
		finish_push_ready(finish->worker, refs, count);
}

/* A place is free for the next run of the same key. */
static void
admit(struct finish *finish, const struct finish_entry *entry,
      const struct finish_item *item)
{
	if (item->accepted && item->run_status != RUN_RUNNING &&
	    entry->concurrency_key != NULL)
		runs_admit(finish->worker->pg, entry->concurrency_key, on_admitted,
			   finish);
}

/* A child run begins with what the queue is told of here. */
void
finish_child_stored(struct finish *finish, const struct new_run *child)
{
	if (child->concurrency_key != NULL) {
		runs_admit(finish->worker->pg, child->concurrency_key, on_admitted,
			   finish);
		return;
	}
	for (size_t i = 0; i < child->steps_count; i++) {
		struct step_ref ref = { child->id, child->steps[i].number };

		if (child->steps[i].needs == 0)
			queue_push(finish->worker->queue, child->steps[i].queue,
				   child->priority, &ref, 1);
	}
}

/* A run of nothing but decisions leaves no files, so it gets none from us: there may be
 * tens of thousands of them in a second. */
static void
record_end(struct finish *finish, const struct finish_entry *entry,
	   const struct finish_item *item)
{
	if (item->accepted && entry->acts)
		records_add(finish->worker->records, &item->run);
}

static void
flight_stored(struct finish *finish, const struct finish_answer *answer)
{
	size_t count = finish->count;

	POINT("finish.stored");
	publish(finish);
	finish_push_ready(finish->worker, answer->ready, answer->ready_count);
	POINT("finish.told");
	finish->stats.items += count;
	finish->most =
	    finish->most * 2 < FINISH_BATCH_MAX ? finish->most * 2 : FINISH_BATCH_MAX;
	finish->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (finish->items[i].accepted && finish->items[i].child != NULL)
			finish_child_stored(finish, finish->items[i].child);
		admit(finish, finish->flight[i], &finish->items[i]);
		record_end(finish, finish->flight[i], &finish->items[i]);
		entry_stored(finish, finish->flight[i], &finish->items[i]);
		entry_free(finish->flight[i]);
	}
	POINT("finish.gone_on");
	worker_turn(finish->worker);
}

/* One that cannot be stored becomes a failure that can; if even that cannot, its run
 * crashes: a step that never ends would be worse. */
static void
spoilt(struct finish *finish, const struct err *err)
{
	struct finish_entry *entry = finish->flight[0];
	struct slot *slot = entry->slot;

	log_error("result.unstorable", F_UUID("run", &entry->run),
		  F_INT("number", finish->items[0].number), F_STR("why", err->text));
	finish->count = 0;
	worker_turn(finish->worker); /* who leaves waits for the last one */
	if (slot == NULL) {
		entry_free(entry);
		return;
	}
	slot->in_flight--;
	if (entry->unstorable || !entry->ended) {
		entry_free(entry);
		slot_crash(slot, err->text);
		return;
	}
	entry_free(entry);
	json_unref(&slot->output);
	json_unref(&slot->error);
	json_unref(&slot->fields);
	json_unref(&slot->shown);
	slot->outcome = OUTCOME_FAILURE;
	slot->final = true;
	slot->error = json_storable(step_error("unstorable", err->text), NULL);
	finish_ended(finish, slot);
	slot->gathered->unstorable = true;
}

/* One of them spoils it for all: fewer are sent until it is alone. What PostgreSQL says
 * of itself (a schema half migrated, a file it cannot read) is mended by a person, in
 * time perhaps: no run fails of it at once. */
static void
refused(struct finish *finish, const struct err *err)
{
	size_t count = finish->count;

	if (count > 1) {
		finish->most = count / 2;
		put_all_back(finish);
	} else if (err->kind == ERR_SYSTEM &&
		   ++finish->flight[0]->tries < SYSTEM_TRIES) {
		log_error("result.not_stored", F_UUID("run", &finish->flight[0]->run),
			  F_STR("why", err->text));
		put_all_back(finish);
		/* The others need not wait behind it. */
		list_push(&finish->gathered, list_shift(&finish->gathered));
		timer_set(finish->again, SYSTEM_AGAIN);
	} else {
		spoilt(finish, err);
	}
}

static void
on_stored(void *context, const struct finish_answer *answer, const struct err *err)
{
	struct finish *finish = context;

	switch (err->kind) {
	case ERR_NONE:
		flight_stored(finish, answer);
		break;
	case ERR_DENIED:
		worker_buried(finish->worker);
		return;
	case ERR_LOST:
		finish->must_check = true;
		finish_wake(finish);
		return;
	case ERR_RETRY:
		put_all_back(finish);
		timer_set(finish->again, FINISH_AGAIN);
		return;
	default:
		refused(finish, err);
	}
	flush_soon(finish);
}

/* ---- after a lost answer ---- */

static void
on_checked(void *context, const struct finish_answer *answer, const struct err *err)
{
	struct finish *finish = context;
	size_t kept = 0, count = answer->count;

	finish->checking = false;
	if (err->kind == ERR_DENIED) {
		worker_buried(finish->worker);
		return;
	}
	if (err->kind != ERR_NONE) {
		timer_set(finish->again, FINISH_AGAIN);
		return;
	}
	finish->must_check = false;
	/* What is still ours is sent again; the rest has its answer. */
	for (size_t i = 0; i < count; i++) {
		if (!finish->items[i].accepted && finish->items[i].fence >= 0) {
			put_back(finish, finish->flight[i]);
			continue;
		}
		/* Of those it had made ready nobody was told: they are found. */
		finish->items[kept] = finish->items[i];
		finish->flight[kept++] = finish->flight[i];
	}
	finish->count = kept;
	flight_stored(finish, answer);
	flush_soon(finish);
}

void
finish_wake(struct finish *finish)
{
	timer_stop(finish->again);
	if (finish->worker->gone || !pg_is_up(finish->worker->pg))
		return;
	if (!finish->must_check) {
		flush_soon(finish);
	} else if (!finish->checking) {
		finish->checking = true;
		finishes_check(finish->worker->pg, &finish->worker->id, finish->items,
			       finish->count, on_checked, finish);
	}
}
