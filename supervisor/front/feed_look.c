/* Asking for the events of many runs at once. See feed_look.h. */
#include "front/feed_look.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum column {
	C_PLACE,
	C_LAST_SEQ,
	C_OVER,
	C_PROJECT,
	C_NOW,
	C_RUN,
	C_SEQ,
	C_TYPE,
	C_EVENT,
	C_ROW,
	C_APPROVAL,
	C_AT
};

struct feed_look {
	struct pg *pg;
	const struct feed_look_events *events;
	void *context;
	struct feed_ask asks[FEED_LOOK_MAX];
	size_t count;
	bool busy;
};

struct feed_look *
feed_look_new(struct pg *pg, const struct feed_look_events *events, void *context)
{
	struct feed_look *look = xcalloc(1, sizeof *look);

	look->pg = pg;
	look->events = events;
	look->context = context;
	return look;
}

void
feed_look_free(struct feed_look **look_p)
{
	if (*look_p == NULL)
		return;
	pg_forget((*look_p)->pg, *look_p);
	free(*look_p);
	*look_p = NULL;
}

bool
feed_look_is_busy(const struct feed_look *look)
{
	return look->busy;
}

bool
feed_look_is_full(const struct feed_look *look)
{
	return look->count == FEED_LOOK_MAX;
}

size_t
feed_look_add(struct feed_look *look, const struct feed_ask *ask)
{
	if (look->busy || look->count == FEED_LOOK_MAX)
		bug("a look is busy or full");
	look->asks[look->count] = *ask;
	return look->count++;
}

size_t
feed_look_count(const struct feed_look *look)
{
	return look->count;
}

const struct feed_ask *
feed_look_asked(const struct feed_look *look, size_t place)
{
	return &look->asks[place];
}

/* ---- the answer ---- */

/* NULL too where it is nested deeper than we read: then it is told without. */
static struct json *
read_json(const struct pg_rows *rows, int row, enum column column)
{
	struct json *json = NULL;
	struct err err = { 0 };
	const char *text;
	size_t len;

	if (pg_is_null(rows, row, (int)column))
		return NULL;
	text = pg_text(rows, row, (int)column, &len);
	if (json_parse(text, len, &json, &err) < 0)
		return NULL;
	return json;
}

/* No event is dropped, whatever stands in it. */
static struct json *
bare_event(int64_t seq, const char *type)
{
	struct json *event = json_new_object();

	json_set(event, "seq", json_new_int(seq));
	json_set(event, "type", json_new_str(type));
	json_set(event, "payload", json_new_object());
	return event;
}

static void
give_event(struct feed_look *look, size_t place, const struct pg_rows *rows, int row,
	   const struct json *run_doc)
{
	size_t len;
	struct json *event = read_json(rows, row, C_EVENT);
	struct json *shown = read_json(rows, row, C_ROW);
	struct json *approval = read_json(rows, row, C_APPROVAL);
	struct feed_event told = { .run = look->asks[place].run,
				   .seq = pg_int(rows, row, C_SEQ),
				   .type = pg_text(rows, row, C_TYPE, &len),
				   .run_doc = run_doc,
				   .row = shown,
				   .approval = approval };

	if (event == NULL)
		event = bare_event(told.seq, told.type);
	told.event = event;
	look->events->on_event(look->context, place, &told, pg_time(rows, row, C_AT));
	json_unref(&event);
	json_unref(&shown);
	json_unref(&approval);
}

static void
give_state(struct feed_look *look, size_t place, const struct pg_rows *rows, int row)
{
	struct feed_state state = { .there = true,
				    .over = pg_bool(rows, row, C_OVER),
				    .last_seq = pg_int(rows, row, C_LAST_SEQ),
				    .now = pg_time(rows, row, C_NOW) };

	if (!pg_is_null(rows, row, C_PROJECT))
		state.project = pg_uuid(rows, row, C_PROJECT);
	look->events->on_state(look->context, place, &state);
}

/* Those before `end` of which there was no row. */
static void
give_missing(struct feed_look *look, size_t place, size_t end)
{
	struct feed_state none = { 0 };

	for (; place < end; place++)
		look->events->on_state(look->context, place, &none);
}

/* A place begins with its state; the first of its events brings the run. */
static void
give_rows(struct feed_look *look, const struct pg_rows *rows)
{
	struct json *run_doc = NULL;
	size_t next = 0; /* the first place that was not told its state */

	for (int row = 0; row < pg_count(rows); row++) {
		size_t place = (size_t)pg_int(rows, row, C_PLACE) - 1;

		if (pg_is_null(rows, row, C_SEQ)) {
			give_missing(look, next, place);
			next = place + 1;
			json_unref(&run_doc);
			give_state(look, place, rows, row);
			continue;
		}
		if (!pg_is_null(rows, row, C_RUN))
			run_doc = read_json(rows, row, C_RUN);
		give_event(look, place, rows, row, run_doc);
	}
	json_unref(&run_doc);
	give_missing(look, next, look->count);
}

static void
on_answer(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct feed_look *look = context;

	if (rows != NULL)
		give_rows(look, rows);
	look->events->on_end(look->context, err);
	look->busy = false;
	look->count = 0;
}

/* ---- the question ---- */

bool
feed_look_send(struct feed_look *look)
{
	struct pg_args args;

	if (look->count == 0)
		return false;
	look->busy = true;
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < look->count; i++)
		pg_arg_uuid(&args, &look->asks[i].run);
	pg_array_end(&args);
	pg_array_begin(&args, PG_INT8);
	for (size_t i = 0; i < look->count; i++)
		pg_arg_int8(&args, look->asks[i].since);
	pg_array_end(&args);
	pg_array_begin(&args, PG_BOOL);
	for (size_t i = 0; i < look->count; i++)
		pg_arg_bool(&args, look->asks[i].whole);
	pg_array_end(&args);
	pg_array_begin(&args, PG_BOOL);
	for (size_t i = 0; i < look->count; i++)
		pg_arg_bool(&args, look->asks[i].first);
	pg_array_end(&args);
	pg_query(look->pg, "feed_look", &args, on_answer, look);
	pg_args_fini(&args);
	return true;
}
