/*
 * Claims of one worker: the low-water marks, the look without them every 2 s, and what
 * a claim took whose answer was lost. What to do with a claimed step is not known here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/claims.h"
#include "store/session.h"

#define CLAIM_MOST     256
#define MARK_MARGIN    (5 * USEC_SECOND) /* a commit may come this much later */
#define UNMARKED_EVERY (2 * USEC_SECOND)
#define FROM_THE_FIRST 1 /* a mark before everything */

struct place {
	char *queue;
	usec_t marks[PRIORITIES]; /* what was ready before has been taken */
};

struct claimer {
	struct pg *pg;
	struct loop *loop;
	struct uuid worker;
	struct place *places;
	size_t count;
	usec_t unmarked_at; /* monotonic: the last look from the first */
	int number;         /* of the last claim */
	int lost_from;      /* claims from here on have unknown answers; 0: none */
	bool more, aside;
};

struct claim_call {
	struct claimer *claimer;
	int number, most;
	claimed_fn *done;
	void *context;
};

struct claimer *
claimer_new(struct pg *pg, struct loop *loop, const struct uuid *worker,
	    const char *const *queues, size_t queues_count)
{
	struct claimer *claimer = xcalloc(1, sizeof *claimer);

	claimer->pg = pg;
	claimer->loop = loop;
	claimer->worker = *worker;
	claimer->places = xcalloc(queues_count, sizeof *claimer->places);
	claimer->count = queues_count;
	for (size_t i = 0; i < queues_count; i++) {
		claimer->places[i].queue = xstrdup(queues[i]);
		for (int priority = 0; priority < PRIORITIES; priority++)
			claimer->places[i].marks[priority] = FROM_THE_FIRST;
	}
	return claimer;
}

void
claimer_free(struct claimer **claimer_p)
{
	struct claimer *claimer = *claimer_p;

	if (claimer == NULL)
		return;
	*claimer_p = NULL;
	pg_forget(claimer->pg, claimer);
	for (size_t i = 0; i < claimer->count; i++)
		free(claimer->places[i].queue);
	free(claimer->places);
	free(claimer);
}

bool
claimer_has_more(const struct claimer *claimer)
{
	return claimer->more;
}

bool
claimer_stands_aside(const struct claimer *claimer)
{
	return claimer->aside;
}

/* ---- the question ---- */

static void
arg_refs(struct pg_args *args, const struct step_ref *refs, size_t count)
{
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(args, &refs[i].run);
	pg_array_end(args);
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < count; i++)
		pg_arg_int4(args, refs[i].number);
	pg_array_end(args);
}

/* Priority by priority; within one, each claim begins with another queue. */
static const struct place *
place_at(const struct claimer *claimer, size_t i)
{
	size_t count = claimer->count;

	return &claimer->places[(i + (size_t)claimer->number) % count];
}

static void
arg_places(struct pg_args *args, const struct claimer *claimer,
	   const enum priority order[static PRIORITIES], bool marked, size_t count)
{
	size_t all = count * PRIORITIES;

	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < all; i++)
		pg_arg_text(args, place_at(claimer, i % count)->queue);
	pg_array_end(args);
	pg_array_begin(args, PG_INT2);
	for (size_t i = 0; i < all; i++)
		pg_arg_int2(args, (int)order[i / count]);
	pg_array_end(args);
	pg_array_begin(args, PG_TIME);
	for (size_t i = 0; i < all; i++)
		pg_arg_time(
		    args, marked ? place_at(claimer, i % count)->marks[order[i / count]]
				 : FROM_THE_FIRST);
	pg_array_end(args);
}

static void
arg_served(struct pg_args *args, const struct claimer *claimer)
{
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < claimer->count; i++)
		pg_arg_text(args, claimer->places[i].queue);
	pg_array_end(args);
}

static bool
is_marked_turn(struct claimer *claimer)
{
	usec_t now = loop_mono(claimer->loop);

	if (now - claimer->unmarked_at < UNMARKED_EVERY)
		return true;
	claimer->unmarked_at = now;
	return false;
}

/* ---- the answer ---- */

enum column {
	COL_MINE,
	COL_ASIDE,
	COL_RUN,
	COL_NUMBER,
	COL_FENCE,
	COL_ATTEMPT,
	COL_LOSSES,
	COL_DEATHS,
	COL_LAST_DEATH,
	COL_KEY,
	COL_WOKE,
	COL_STARTED_LOGGED,
	COL_STARTED_AT,
	COL_PRIORITY,
	COL_QUEUE,
	COL_READY_AT,
	COL_OWN,
	COL_PHASE,
	COL_PARENT,
	COL_ITEM_INDEX,
	COL_ITERATION,
	COL_ITEM,
	COL_NEEDS,
	COL_MADE,
	COL_DEFINITION,
	COL_PROJECT,
	COL_RUN_ID,
	COL_PATH,
	COL_TRIGGERED_BY,
	COL_INPUT,
	COL_TRIGGER,
	COL_STATE,
	COL_PARENT_RUN,
	COL_CONCURRENCY,
	COL_TOOLS,
	COL_TRACE_ID,
};

static void
read_claimed(const struct pg_rows *rows, int row, struct claimed *claimed)
{
	*claimed = (struct claimed){
		.run = pg_uuid(rows, row, COL_RUN),
		.number = (int)pg_int(rows, row, COL_NUMBER),
		.fence = (int)pg_int(rows, row, COL_FENCE),
		.attempt = (int)pg_int(rows, row, COL_ATTEMPT),
		.losses = (int)pg_int(rows, row, COL_LOSSES),
		.deaths = (int)pg_int(rows, row, COL_DEATHS),
		.step_key = pg_text(rows, row, COL_KEY, NULL),
		.woke = pg_bool(rows, row, COL_WOKE),
		.started_before = pg_bool(rows, row, COL_STARTED_LOGGED),
		.started_at = pg_time(rows, row, COL_STARTED_AT),
		.definition = pg_uuid(rows, row, COL_DEFINITION),
		.project = pg_uuid(rows, row, COL_PROJECT),
		.run_id = pg_text(rows, row, COL_RUN_ID, NULL),
		.project_path = pg_text(rows, row, COL_PATH, NULL),
		.triggered_by = pg_text(rows, row, COL_TRIGGERED_BY, NULL),
		.input = pg_json(rows, row, COL_INPUT),
		.trigger = pg_json(rows, row, COL_TRIGGER),
		.tools = pg_json(rows, row, COL_TOOLS),
		.trace_id = pg_is_null(rows, row, COL_TRACE_ID)
				? NULL
				: pg_text(rows, row, COL_TRACE_ID, NULL),
		.state = pg_json(rows, row, COL_STATE),
		.priority = (enum priority)pg_int(rows, row, COL_PRIORITY),
		.queue = pg_text(rows, row, COL_QUEUE, NULL),
		.phase = (int)pg_int(rows, row, COL_PHASE),
		.parent = (int)pg_int(rows, row, COL_PARENT),
		.item_index = pg_is_null(rows, row, COL_ITEM_INDEX)
				  ? -1
				  : (int)pg_int(rows, row, COL_ITEM_INDEX),
		.iteration = (int)pg_int(rows, row, COL_ITERATION),
		.remaining_needs = (int)pg_int(rows, row, COL_NEEDS),
		.is_item = !pg_is_null(rows, row, COL_ITEM),
		.item = pg_json(rows, row, COL_ITEM),
		.has_parent_run = !pg_is_null(rows, row, COL_PARENT_RUN),
		.concurrency_key = pg_is_null(rows, row, COL_CONCURRENCY)
				       ? NULL
				       : pg_text(rows, row, COL_CONCURRENCY, NULL),
		.last_death = pg_json(rows, row, COL_LAST_DEATH),
		.made = pg_json(rows, row, COL_MADE),
	};
	if (claimed->has_parent_run)
		claimed->parent_run = pg_uuid(rows, row, COL_PARENT_RUN);
}

/* Only what was found by looking, in order, says that nothing older is left. */
static void
move_mark(struct claimer *claimer, const struct pg_rows *rows, int row,
	  const struct claimed *claimed)
{
	usec_t mark = pg_time(rows, row, COL_READY_AT) - MARK_MARGIN;

	if (!pg_bool(rows, row, COL_OWN))
		return;
	for (size_t i = 0; i < claimer->count; i++) {
		struct place *place = &claimer->places[i];

		if (strcmp(place->queue, claimed->queue) == 0 &&
		    mark > place->marks[claimed->priority])
			place->marks[claimed->priority] = mark;
	}
}

static void
answer(const struct claim_call *call, struct claimed *list, size_t count,
       const struct err *err)
{
	call->done(call->context, list, count, err);
	for (size_t i = 0; i < count; i++) {
		json_unref(&list[i].input);
		json_unref(&list[i].trigger);
		json_unref(&list[i].tools);
		json_unref(&list[i].state);
		json_unref(&list[i].item);
		json_unref(&list[i].last_death);
		json_unref(&list[i].made);
	}
	free(list);
}

static size_t
read_list(struct claimer *claimer, const struct pg_rows *rows, struct claimed **list_p)
{
	int count = pg_count(rows);

	if (pg_is_null(rows, 0, COL_NUMBER))
		return 0;
	*list_p = xcalloc((size_t)count, sizeof **list_p);
	for (int i = 0; i < count; i++) {
		read_claimed(rows, i, &(*list_p)[i]);
		move_mark(claimer, rows, i, &(*list_p)[i]);
	}
	return (size_t)count;
}

/* An answer that is an error after all. */
static int
check_answer(struct claimer *claimer, const struct pg_rows *rows, struct err *err)
{
	if (pg_count(rows) == 0)
		return err_set(err, ERR_DENIED, "this worker was declared dead");
	if (!pg_bool(rows, 0, COL_MINE))
		return session_is_not_ours(claimer->pg, err);
	return 0;
}

static void
on_claimed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct claim_call *call = context;
	struct claimer *claimer = call->claimer;
	struct claimed *list = NULL;
	struct err own = { 0 };
	size_t count;

	if (err->kind == ERR_LOST && claimer->lost_from == 0)
		claimer->lost_from = call->number;
	claimer->more = claimer->aside = false;
	if (err->kind != ERR_NONE || check_answer(claimer, rows, &own) < 0) {
		answer(call, NULL, 0, err->kind != ERR_NONE ? err : &own);
		return;
	}
	count = read_list(claimer, rows, &list);
	claimer->more = count >= (size_t)call->most;
	claimer->aside = pg_bool(rows, 0, COL_ASIDE);
	answer(call, list, count, err);
}

static void
on_lost_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct claim_call *call = context;
	struct claimer *claimer = call->claimer;
	struct claimed *list = NULL;
	struct err own = { 0 };
	size_t count;

	if (err->kind != ERR_NONE || check_answer(claimer, rows, &own) < 0) {
		answer(call, NULL, 0, err->kind != ERR_NONE ? err : &own);
		return;
	}
	claimer->lost_from = 0;
	claimer->more = true; /* this was no look at the queue */
	count = read_list(claimer, rows, &list);
	answer(call, list, count, err);
}

/* ---- asking ---- */

static struct claim_call *
new_call(struct claimer *claimer, int most, claimed_fn *done, void *context)
{
	struct claim_call *call = xcalloc(1, sizeof *call);

	call->claimer = claimer;
	call->most = most;
	call->number = claimer->number;
	call->done = done;
	call->context = context;
	return call;
}

static struct pg_batch *
new_batch(struct claimer *claimer, const struct claim_call *call, void *memory)
{
	struct pg_batch *batch = pg_batch_new(claimer->pg);

	pg_batch_attach(batch, claimer, memory);
	if (call != NULL && call->context != NULL)
		pg_batch_attach(batch, call->context, NULL);
	session_speak(claimer->pg, batch, &claimer->worker);
	return batch;
}

static void
find_lost(struct claimer *claimer, struct claim_call *call)
{
	struct pg_batch *batch = new_batch(claimer, call, call);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &claimer->worker);
	pg_arg_session(claimer->pg, &args);
	pg_arg_int4(&args, claimer->lost_from);
	pg_batch_add(batch, "steps_claim_lost", &args, on_lost_found, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

void
claimer_claim(struct claimer *claimer, const struct step_ref *refs, size_t count,
	      int most, const enum priority order[static PRIORITIES], bool own_search,
	      bool empty, claimed_fn *done, void *context)
{
	struct claim_call *call = new_call(claimer, most, done, context);
	struct pg_batch *batch;
	struct pg_args args;

	if (most < 1 || most > CLAIM_MOST)
		bug("a claim of %d steps", most);
	if (claimer->lost_from > 0) {
		find_lost(claimer, call);
		return;
	}
	call->number = ++claimer->number;
	batch = new_batch(claimer, call, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, &claimer->worker);
	pg_arg_session(claimer->pg, &args);
	pg_arg_int4(&args, claimer->number);
	arg_refs(&args, refs, count);
	pg_arg_int4(&args, most);
	arg_places(&args, claimer, order, is_marked_turn(claimer),
		   own_search ? claimer->count : 0);
	arg_served(&args, claimer);
	pg_arg_bool(&args, empty);
	pg_batch_add(batch, "steps_claim", &args, on_claimed, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

struct exists_call {
	ready_exists_fn *done;
	void *context;
};

static void
on_exists(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exists_call *call = context;

	call->done(call->context, err->kind == ERR_NONE && pg_bool(rows, 0, 0), err);
}

void
claimer_ready_exists(struct claimer *claimer, ready_exists_fn *done, void *context)
{
	static const enum priority order[PRIORITIES] = { PRIORITY_HIGH, PRIORITY_NORMAL,
							 PRIORITY_LOW };
	struct pg_batch *batch = pg_batch_new(claimer->pg);
	struct exists_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, claimer, call);
	pg_batch_attach(batch, context, NULL);
	pg_args_init(&args);
	arg_places(&args, claimer, order, true, claimer->count);
	pg_batch_add(batch, "steps_ready_exists", &args, on_exists, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
