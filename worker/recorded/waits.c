/*
 * Steps that wait, for a time, an event, a person or another run. They begin here, and
 * then belong to the engine as any step that waits: whoever claims their row when it
 * wakes ends it. Here it is only looked at, as long as the program runs beside.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "base/xalloc.h"
#include "engine/enter_core.h"
#include "recorded/playing.h"
#include "step_log.h"

#define LOOK_EVERY USEC_SECOND

static void
set_held(struct play_step *step)
{
	step->held = (struct held_step){ .index = NO_STEP,
					 .number = step->row->number,
					 .attempt = step->row->attempt,
					 .made = &step->made->def };
}

/* ---- stored ---- */

static void
on_waits(void *context, enum record_fate fate, bool paused)
{
	struct play_step *step = context;

	if (play_step_lost(step, fate, paused))
		return;
	step->state = PLAY_WAITING;
	settle_look(step->playing);
}

static void
store_waiting(struct play_step *step, enum step_status status, enum event_type event,
	      struct json *payload, usec_t run_at, struct record_extra *extra)
{
	step->row->status = status;
	step->state = PLAY_STORING;
	play_step_store(step, step->made->fields, event, payload, run_at, extra,
			on_waits);
}

/* ---- a person ---- */

static void
ask_for_decision(struct play_step *step)
{
	struct playing *playing = step->playing;
	struct run *run = (struct run *)(uintptr_t)playing->attempt->run_values;
	struct record_extra extra = { .asks = true };
	struct back back = { 0 };
	struct outcome outcome = { 0 };
	struct json *payload = json_new_object();
	struct json *shown = play_step_kept(step, json_ref(step->made->fields));

	set_held(step);
	enter_with_fields(run, &step->held, &back, shown,
			  loop_now(playing->attempt->services->loop), &outcome,
			  &extra.asked);
	if (extra.asked == NULL)
		extra.asked = json_ref(shown);
	extra.ask = outcome.ask;
	json_set(payload, "prompt", json_ref(outcome.ask.prompt));
	store_waiting(step, STEP_WAITING_APPROVAL, EVENT_APPROVAL_REQUESTED, payload,
		      outcome.run_at, &extra);
	json_unref(&shown);
}

/* ---- a time, an event, another run ---- */

static void
on_begun(void *context, struct inner_end *end)
{
	struct play_step *step = context;
	struct inner *inner = step->inner;
	struct record_extra extra = { 0 };
	struct json *output, *error;

	step->inner = NULL;
	step->playing->inners--;
	extra.wait_event = end->event;
	extra.checked_at = end->checked_at;
	extra.child = end->child;
	end->event = NULL;
	end->child = NULL;
	if (end->kind == INNER_STARTS_RUN && !end->waits) {
		/* It is started with the end of the step, which waits for nothing. */
		step->row->status = STEP_COMPLETED;
		json_unref(&step->row->output);
		step->row->output = play_step_kept(step, json_ref(end->output));
		store_waiting(step, STEP_COMPLETED, EVENT_STEP_COMPLETED, NULL, 0,
			      &extra);
	} else if (end->kind != INNER_ENDED) {
		store_waiting(step, STEP_WAITING, EVENT_STEP_WAITING, NULL, end->run_at,
			      &extra);
	} else if (end->failed) {
		error = inner_error(end);
		play_step_failed(step, error);
	} else {
		output = json_ref(end->output);
		play_step_completed(step, output);
	}
	inner_free(&inner);
	settle_look(step->playing);
}

static void
begin_action(struct play_step *step)
{
	struct playing *playing = step->playing;
	struct attempt attempt = *playing->attempt;
	char id[UUID_TEXT];

	set_held(step);
	if (step->key == NULL)
		step->key =
		    xprintf("%s:%d", uuid_format(&attempt.run, id), step->row->number);
	attempt.number = step->row->number;
	attempt.attempt = step->row->attempt;
	attempt.def = &step->made->def;
	attempt.idempotency_key = step->key;
	attempt.held = &step->held;
	attempt.started_at = attempt.began_at = loop_now(attempt.services->loop);
	step->state = PLAY_DOING;
	playing->inners++;
	step->inner = inner_new_waiting(&attempt, action_find(step->made->def.action),
					json_copy(step->made->fields), on_begun, step);
}

void
waits_begin(struct play_step *step)
{
	enum step_status status = step->row->status;

	/* One that waits is running only in the hands of a slot: what begins here is
	 * stored when it waits already. */
	if (status != STEP_PENDING || step->state == PLAY_WAITING) {
		step->state = PLAY_WAITING; /* begun before: it goes on */
		return;
	}
	play_step_begin(step);
	if (step->made->def.action == ACTION_APPROVAL)
		ask_for_decision(step);
	else
		begin_action(step);
}

/* ---- looking ---- */

static struct play_step *
waiting_step(struct playing *playing, int number)
{
	list_each (it, &playing->steps) {
		struct play_step *step = container_of(it, struct play_step, link);

		if (step->row->number == number && step->state == PLAY_WAITING)
			return step;
	}
	return NULL;
}

static void
on_looked(void *context, struct recorded_row *rows, size_t count, const struct err *err)
{
	struct playing *playing = context;

	playing->looking = false;
	for (size_t i = 0; err->kind == ERR_NONE && i < count && !playing->suspending;
	     i++) {
		struct play_step *step = waiting_step(playing, rows[i].number);

		if (step == NULL)
			continue;
		json_unref(&step->row->output);
		json_unref(&step->row->error);
		step->row->status = rows[i].status;
		step->row->output = rows[i].output;
		step->row->error = rows[i].error;
		rows[i].output = rows[i].error = NULL;
		step->state = PLAY_IDLE;
		asks_answer_over(step);
	}
	settle_look(playing);
}

void
waits_look(void *context)
{
	struct playing *playing = context;
	const struct attempt *attempt = playing->attempt;
	struct buf numbers = { 0 };

	if (playing->looking || playing->suspending)
		return;
	list_each (it, &playing->steps) {
		struct play_step *step = container_of(it, struct play_step, link);

		if (step->state == PLAY_WAITING)
			buf_add(&numbers, &step->row->number, sizeof(int));
	}
	if (numbers.len > 0) {
		playing->looking = true;
		recorded_rows_awaited(attempt->services->pg, &attempt->run,
				      (const int *)(const void *)numbers.data,
				      numbers.len / sizeof(int), on_looked, playing);
		timer_set(playing->look_timer, LOOK_EVERY);
	}
	buf_fini(&numbers);
}
