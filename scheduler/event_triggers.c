/*
 * The shell around a trigger's `when` and `input`: one round at a time. A round looks,
 * reads the definitions that are not known, asks the triggers, stores. When a round is
 * refused for what it holds, its events are taken one by one, and the one that cannot
 * be stored is let go.
 */
#include "event_triggers.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "definitions.h"
#include "starts.h"
#include "store/event_triggers.h"
#include "zone/zone.h"

#define ROUND_EVENTS 100
#define DEPTH_MAX    8                 /* runs one behind the other, by events */
#define LOOK_EVERY   (5 * USEC_SECOND) /* should a notification be lost */
#define LOOK_AFTER   (500 * USEC_MS)   /* who saw ours pending did not notify */
#define LOOK_FAILED  (250 * USEC_MS)

struct event_triggers {
	struct loop *loop;
	struct event_triggers_conf conf;
	struct pg *pg;
	struct definitions *definitions;
	bool up, busy, failing;
	bool look_again; /* something came while the round was under way */
	bool alone;      /* the next round is of one event only */
	bool hopeless;   /* and that one starts nothing */
	bool followed;   /* events came in the last round */
	usec_t next_look;
	/* the round under way */
	struct event_row *rows;
	size_t rows_count;
	struct uuid *ids; /* of the events, each once */
	size_t ids_count;
	struct starts starts;
};

static void
wake(struct event_triggers *events)
{
	events->conf.wake(events->conf.context);
}

static void
round_end(struct event_triggers *events)
{
	event_rows_free(events->rows, events->rows_count);
	free(events->ids);
	events->rows = NULL;
	events->ids = NULL;
	events->rows_count = events->ids_count = 0;
	starts_clear(&events->starts);
	events->busy = false;
}

/* Once per change, not per call. */
static void
note_result(struct event_triggers *events, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !events->failing)
		log_warn("event_triggers.failed", F_STR("why", err->text));
	if (!failed && events->failing)
		log_info("event_triggers.recovered", F_INT("count", events->ids_count));
	events->failing = failed;
}

static void
come_back(struct event_triggers *events, usec_t delay)
{
	round_end(events);
	events->next_look = loop_mono(events->loop) + delay;
	wake(events);
}

/* ---- storing ---- */

static void
on_refused(struct event_triggers *events, const struct err *err)
{
	if (err->kind == ERR_RETRY || err->kind == ERR_LOST) {
		come_back(events, LOOK_FAILED);
		return;
	}
	log_error("event_triggers.refused", F_INT("count", events->ids_count),
		  F_STR("why", err->text));
	events->hopeless = events->alone;
	events->alone = true;
	come_back(events, events->failing ? LOOK_FAILED : 0);
}

static void
on_stored(void *context, const struct err *err)
{
	struct event_triggers *events = context;

	if (err->kind != ERR_NONE) {
		on_refused(events, err);
		note_result(events, err);
		return;
	}
	note_result(events, err);
	POINT("event_triggers.stored.before_bell");
	starts_ring(&events->starts, events->pg, events->conf.queue);
	log_debug("event_triggers.taken", F_INT("events", events->ids_count),
		  F_INT("runs", events->starts.count));
	events->alone = events->hopeless = false;
	events->followed = true;
	come_back(events, 0);
}

static void
store(struct event_triggers *events)
{
	struct pg_batch *batch = pg_batch_new(events->pg);

	starts_insert_into(&events->starts, batch);
	event_triggers_clear_into(batch, events->conf.epoch(events->conf.context),
				  events->ids, events->ids_count);
	pg_batch_send(&batch, on_stored, events);
}

/* ---- asking the triggers ---- */

static struct json *
payload_of(const struct event_row *row)
{
	struct json *payload = json_new_object();
	char text[UUID_TEXT > 40 ? UUID_TEXT : 40];

	json_set(payload, "type", json_new_str("event"));
	json_set(payload, "id", json_new_str(uuid_format(&row->id, text)));
	json_set(payload, "source", json_new_str(row->source));
	json_set(payload, "eventType", json_new_str(row->type));
	json_set(payload, "data", json_ref(row->data));
	json_set(payload, "at", json_new_str(rfc3339_format(row->at, text)));
	json_set(payload, "depth", json_new_int(row->depth + 1));
	return payload;
}

/* The one of that place, if it is one of this type. */
static const struct trigger_def *
trigger_of(const struct workflow *workflow, const struct event_row *row)
{
	for (size_t i = 0; i < workflow->triggers_count; i++) {
		const struct trigger_def *trigger = &workflow->triggers[i];

		if (trigger->place == row->place && trigger->kind == TRIGGER_EVENT)
			return trigger;
	}
	return NULL;
}

static void
note_skipped(const struct event_row *row, const char *why)
{
	char id[UUID_TEXT];

	log_warn("event_trigger.skipped", F_STR("workflow", row->workflow),
		 F_STR("event", uuid_format(&row->id, id)), F_STR("type", row->type),
		 F_STR("why", why));
}

static const struct uuid *
project_of(const struct event_row *row)
{
	if (!uuid_is_nil(&row->workflow_project))
		return &row->workflow_project;
	return uuid_is_nil(&row->project) ? NULL : &row->project;
}

static void
start(struct event_triggers *events, const struct event_row *row,
      const struct workflow *workflow, struct json *payload, const struct json *input)
{
	const struct starter starter = {
		.workflow = workflow,
		.definition = row->definition,
		.project = project_of(row),
		.triggered_by = "event",
		.trigger = payload,
	};

	starts_add(&events->starts, &starter, input, loop_now(events->loop));
}

static void
ask(struct event_triggers *events, const struct event_row *row,
    const struct workflow *workflow, const struct trigger_def *trigger)
{
	struct json *payload = payload_of(row), *input = NULL;
	struct err err = { 0 };
	bool applies = false;

	if (trigger_applies(trigger, payload, &applies, &err) == 0 && applies) {
		input = trigger_input(trigger, payload, &err);
		if (input != NULL && starts_check(workflow, input, payload, &err))
			start(events, row, workflow, payload, input);
	}
	if (err.kind != ERR_NONE)
		note_skipped(row, err.text);
	json_unref(&input);
	json_unref(&payload);
}

static void
take(struct event_triggers *events, const struct event_row *row)
{
	const struct trigger_def *trigger;
	const struct workflow *workflow;
	const char *why = NULL;

	if (!row->wanted || events->hopeless)
		return;
	workflow = definitions_get(events->definitions, &row->definition, &why);
	trigger = workflow != NULL ? trigger_of(workflow, row) : NULL;
	if (workflow == NULL)
		note_skipped(row, why);
	else if (trigger != NULL && row->depth >= DEPTH_MAX)
		note_skipped(row, "more than 8 runs that events started stand one "
				  "behind the other");
	else if (trigger != NULL)
		ask(events, row, workflow, trigger);
}

static void
on_definitions(void *context, const struct err *err)
{
	struct event_triggers *events = context;

	if (err->kind != ERR_NONE || !events->conf.may_act(events->conf.context)) {
		if (err->kind != ERR_NONE)
			note_result(events, err);
		come_back(events, LOOK_FAILED);
		return;
	}
	for (size_t i = 0; i < events->rows_count; i++)
		take(events, &events->rows[i]);
	POINT("event_triggers.decided");
	store(events);
}

/* ---- looking ---- */

static void
load_definitions(struct event_triggers *events)
{
	struct uuid *ids = xcalloc(events->rows_count, sizeof *ids);
	size_t count = 0;
	bool known = true;

	for (size_t i = 0; i < events->rows_count; i++) {
		if (!events->rows[i].wanted)
			continue;
		ids[count++] = events->rows[i].definition;
		known &= definitions_knows(events->definitions, &ids[count - 1]);
	}
	if (known)
		on_definitions(events, &(const struct err){ 0 });
	else
		definitions_load(events->definitions, events->pg, ids, count,
				 on_definitions, events);
	free(ids);
}

/* Rows of one event stand together. */
static void
keep_ids(struct event_triggers *events)
{
	events->ids = xcalloc(events->rows_count, sizeof *events->ids);
	for (size_t i = 0; i < events->rows_count; i++)
		if (i == 0 || !uuid_equal(&events->rows[i].id, &events->rows[i - 1].id))
			events->ids[events->ids_count++] = events->rows[i].id;
}

static void
on_rows(void *context, struct event_row *rows, size_t count, const struct err *err)
{
	struct event_triggers *events = context;
	bool followed = events->followed;

	events->rows = rows;
	events->rows_count = count;
	events->followed = false;
	if (err->kind != ERR_NONE) {
		note_result(events, err);
		come_back(events, LOOK_FAILED);
	} else if (count == 0) {
		come_back(events, events->look_again ? 0
				  : followed         ? LOOK_AFTER
						     : LOOK_EVERY);
	} else {
		keep_ids(events);
		load_definitions(events);
	}
}

usec_t
event_triggers_tick(struct event_triggers *events, usec_t now)
{
	if (!events->up || events->busy)
		return USEC_NEVER;
	if (events->next_look > now)
		return events->next_look;
	events->busy = true;
	events->look_again = false;
	event_triggers_pending(events->pg, events->alone ? 1 : ROUND_EVENTS, on_rows,
			       events);
	return USEC_NEVER;
}

/* ---- life ---- */

static void
look_now(struct event_triggers *events)
{
	events->look_again = true;
	events->next_look = loop_mono(events->loop);
	wake(events);
}

static void
on_state(void *context, bool up)
{
	struct event_triggers *events = context;

	events->up = up;
	look_now(events);
}

static void
on_notify(void *context, const char *channel, const char *payload)
{
	(void)channel;
	(void)payload;
	look_now(context);
}

struct event_triggers *
event_triggers_new(struct loop *loop, const struct event_triggers_conf *conf,
		   struct err *err)
{
	static const char *const channels[] = { "listen_events", NULL };
	struct event_triggers *events = xcalloc(1, sizeof *events);
	struct pg_conf pg = { .url = conf->url,
			      .application = "stepmill scheduler events",
			      .statement_timeout = conf->statement_timeout,
			      .on_state = on_state,
			      .listen = channels,
			      .on_notify = on_notify,
			      .context = events };

	events->loop = loop;
	events->conf = *conf;
	events->definitions = definitions_new();
	events->pg = pg_new(loop, &pg, err);
	if (events->pg == NULL)
		event_triggers_free(&events);
	return events;
}

void
event_triggers_free(struct event_triggers **events_p)
{
	struct event_triggers *events = *events_p;

	if (events == NULL)
		return;
	*events_p = NULL;
	pg_free(&events->pg);
	round_end(events);
	definitions_free(&events->definitions);
	free(events);
}

void
event_triggers_forget(struct event_triggers *events)
{
	pg_forget(events->pg, events);
	round_end(events);
	events->alone = events->hopeless = false;
	events->next_look = 0;
}

bool
event_triggers_busy(const struct event_triggers *events)
{
	return events->busy;
}
