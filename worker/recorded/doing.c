/*
 * Steps that the worker carries out while the program runs: an action as an attempt
 * inside that of the program, with a row, a log and a key of its own. The row is stored
 * first: what the action makes belongs to it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "actions/actions.h"
#include "base/duration.h"
#include "base/xalloc.h"
#include "recorded/playing.h"
#include "step_log.h"

static void
set_key(struct play_step *step)
{
	char id[UUID_TEXT];

	if (step->key == NULL)
		step->key =
		    xprintf("%s:%d", uuid_format(&step->playing->attempt->run, id),
			    step->row->number);
}

static struct attempt
attempt_of(struct play_step *step)
{
	struct playing *playing = step->playing;
	struct attempt attempt = *playing->attempt;

	step->held = (struct held_step){ .index = NO_STEP,
					 .number = step->row->number,
					 .attempt = step->row->attempt,
					 .losses = step->row->losses,
					 .made = &step->made->def };
	attempt.number = step->row->number;
	attempt.attempt = step->row->attempt;
	attempt.def = &step->made->def;
	attempt.idempotency_key = step->key;
	attempt.part = NULL;
	attempt.held = &step->held;
	attempt.log = step->log;
	if (playing->program != NULL)
		attempt.own_folder = program_folder(playing->program);
	attempt.state_p = &step->state_value;
	attempt.started_at = attempt.began_at = loop_now(attempt.services->loop);
	return attempt;
}

/* ---- how it went ---- */

/* What it changed in the state is changed for all that comes after it. */
static void
keep_changes(struct play_step *step)
{
	struct playing *playing = step->playing;
	struct recorded_step *row = step->row;
	struct json *changes = recorded_changes(step->answer, step->state_value);
	struct json *state, *made;

	if (changes == NULL)
		return;
	state = recorded_apply(playing->state, changes);
	json_unref(&playing->state);
	playing->state = state;
	json_unref(playing->attempt->state_p);
	*playing->attempt->state_p = json_ref(state);
	/* The recorder may hold the former one. */
	made = json_copy(row->made);
	json_set(made, "state", changes);
	json_unref(&row->made);
	row->made = play_step_kept(step, made);
}

static void
end_inner(struct play_step *step)
{
	step->playing->inners--;
	inner_free(&step->inner);
	timer_stop(step->timer);
	keep_changes(step);
	json_unref(&step->state_value);
	json_unref(&step->answer);
}

static void
on_due(void *context)
{
	struct play_step *step = context;

	if (step->state == PLAY_PAUSING)
		doing_begin(step);
	else if (!step->timed_out) {
		step->timed_out = true;
		timer_set(step->timer, PLAYING_GRACE);
		inner_stop(step->inner, STOP_ASK);
	} else {
		inner_stop(step->inner, STOP_FORCE);
	}
}

static void
on_again(void *context, enum record_fate fate, bool paused)
{
	struct play_step *step = context;
	usec_t now = loop_mono(step->playing->attempt->services->loop);

	if (play_step_lost(step, fate, paused))
		return;
	step->state = PLAY_PAUSING;
	timer_set(step->timer, step->began_at > now ? step->began_at - now : 0);
	settle_look(step->playing);
}

static struct json *
error_of(const struct play_step *step, const struct inner_end *end)
{
	char limit[32], text[128];

	if (!step->timed_out)
		return inner_error(end);
	snprintf(text, sizeof text, "the attempt took longer than its timeout of %s",
		 duration_format(step->made->def.timeout, limit, sizeof limit));
	return step_error("timeout", text);
}

/* Stopped with the program: nothing is to be kept of it. */
static void
drop(struct play_step *step)
{
	end_inner(step);
	step->state = PLAY_IDLE;
	playing_settle(step->playing);
}

static struct json *
misfit(const struct play_step *step, const struct json *output)
{
	struct problems problems = { 0 };
	struct json *error = NULL;
	char *text;

	if (step->made->def.output_rules != NULL &&
	    !schema_check(step->made->def.output_rules, output, "output", &problems)) {
		text = problem_text(&problems, 0);
		error = step_error("output_schema", text);
		free(text);
	}
	problems_fini(&problems);
	return error;
}

static void
on_done(void *context, struct inner_end *end)
{
	struct play_step *step = context;
	bool final = end->final && !step->timed_out;
	usec_t not_before = end->retry_at, delay;
	struct json *error = NULL, *output = NULL;

	if (step->playing->stopping && (end->failed || step->timed_out)) {
		drop(step);
		return;
	}
	if (end->failed || step->timed_out)
		error = error_of(step, end);
	else
		error = misfit(step, end->output);
	output = json_ref(end->output);
	end_inner(step);
	if (error == NULL) {
		play_step_completed(step, output);
		return;
	}
	json_unref(&output);
	if (!play_step_again(step, error, final, not_before, &delay, on_again))
		play_step_failed(step, error);
}

/* ---- the start ---- */

static void
start(struct play_step *step)
{
	struct playing *playing = step->playing;
	const struct attempt *outer = playing->attempt;
	struct attempt attempt;

	if (playing->stopping) {
		step->state = PLAY_IDLE;
		playing_settle(playing);
		return;
	}
	if (step->log == NULL)
		step->log = step_log_new(outer->project_path, outer->run_folder,
					 step->row->number, step->row->name,
					 outer->services->mask);
	json_unref(&step->state_value);
	json_unref(&step->answer);
	step->state_value = json_ref(playing->state);
	step->answer = json_ref(playing->state); /* as it was before */
	attempt = attempt_of(step);
	step->state = PLAY_DOING;
	step->timed_out = false;
	playing->inners++;
	if (step->made->def.timeout > 0)
		timer_set(step->timer, step->made->def.timeout);
	step->inner = inner_new(&attempt, action_find(step->made->def.action),
				json_copy(step->made->fields), NULL, on_done, step);
}

static void
on_begun(void *context, enum record_fate fate, bool paused)
{
	struct play_step *step = context;

	if (!play_step_lost(step, fate, paused))
		start(step);
}

void
doing_begin(struct play_step *step)
{
	struct loop *loop = step->playing->attempt->services->loop;

	set_key(step);
	if (step->timer == NULL)
		step->timer = timer_new(loop, on_due, step);
	if (step->state == PLAY_PAUSING) {
		step->began_at = loop_mono(loop);
		step->say_started = true;
	} else {
		play_step_begin(step);
	}
	step->state = PLAY_STORING;
	play_step_store(step, step->made->fields, EVENT_NONE, NULL, 0, NULL, on_begun);
}

void
doing_stop(struct play_step *step, enum stop how)
{
	if (step->state == PLAY_PAUSING) {
		timer_stop(step->timer);
		step->state = PLAY_IDLE;
	}
	if (step->inner != NULL)
		inner_stop(step->inner, how);
}
