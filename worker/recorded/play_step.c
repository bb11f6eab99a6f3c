/* One step of a program: its row on its way to the record. See playing.h. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "bulk_core.h"
#include "digest/digest.h"
#include "recorded/playing.h"
#include "step_log.h"

#define OUTPUT_MAX  (16 * 1024 * 1024) /* as JSON text, as of any step */
#define OUTPUT_BULK (OUTPUT_MAX / BULK_ESCAPED_MAX)

struct play_step *
play_step_of(struct playing *playing, struct recorded_step *row,
	     struct made_step **made_p, const char *method)
{
	struct play_step *step = row->owner;

	if (step == NULL) {
		step = xcalloc(1, sizeof *step);
		step->playing = playing;
		step->row = row;
		list_push(&playing->steps, &step->link);
		row->owner = step;
	} else if (step->state != PLAY_IDLE) {
		made_step_free(made_p); /* the one at work is as good */
		return step;
	}
	made_step_free(&step->made);
	step->made = *made_p;
	*made_p = NULL;
	step->method = method;
	return step;
}

void
play_step_free(struct play_step *step)
{
	struct playing *playing = step->playing;
	struct channel_call *call = step->call;

	if (call != NULL)
		channel_fail(&call, RPC_NOT_NOW, NULL, "the program is being stopped");
	recorder_forget(playing->attempt->services->recorder, step);
	inner_free(&step->inner);
	step_log_free(&step->log);
	timer_free(&step->timer);
	json_unref(&step->state_value);
	json_unref(&step->answer);
	made_step_free(&step->made);
	free(step->key);
	list_remove(&step->link);
	step->row->owner = NULL;
	free(step);
}

void
play_step_begin(struct play_step *step)
{
	struct recorded_step *row = step->row;

	if (row->status == STEP_RUNNING) {
		/* It was cut off by a death: no failure of its own. */
		row->attempt++;
		row->losses++;
		step->cut = true;
	}
	row->status = STEP_RUNNING;
	step->began_at = loop_mono(step->playing->attempt->services->loop);
	step->say_started = true;
	step->timed_out = false;
}

static usec_t
age_of(const struct play_step *step)
{
	usec_t now = loop_mono(step->playing->attempt->services->loop);

	return now > step->began_at ? now - step->began_at : 0;
}

struct json *
play_step_kept(const struct play_step *step, struct json *value)
{
	return json_masked(json_storable(value, NULL),
			   step->playing->attempt->services->mask);
}

void
play_step_store(struct play_step *step, struct json *input, enum event_type event,
		struct json *payload, usec_t run_at, struct record_extra *extra,
		record_done_fn *done)
{
	struct playing *playing = step->playing;
	struct recorded_step *row = step->row;
	struct record_item item = {
		.run = playing->attempt->run,
		.program_fence = playing->attempt->fence,
		.number = row->number,
		.key = row->name,
		.parent = row->parent,
		.status = row->status,
		.attempt = row->attempt,
		.max_attempts = step->made->def.retry.max_attempts,
		.losses = row->losses,
		.cut = step->cut,
		.say_started = step->say_started,
		.event = event,
		.age = age_of(step),
		.input = play_step_kept(step, json_ref(input)),
		.output = row->output,
		.error = row->error,
		.payload = payload,
		.made = row->made,
		.run_at = run_at,
		.phase =
		    row->status == STEP_WAITING || row->status == STEP_WAITING_APPROVAL
			? PHASE_ACTION
			: PHASE_FRESH,
	};

	if (extra != NULL && extra->asks)
		item.effects.approval =
		    uuid7_new(loop_now(playing->attempt->services->loop));
	if (extra != NULL && extra->asks)
		json_set(payload, "approvalId",
			 json_new_str(uuid_format(&item.effects.approval,
						  (char[UUID_TEXT]){ 0 })));
	step->say_started = step->cut = false;
	if (done != NULL)
		playing->storing++;
	recorder_put(playing->attempt->services->recorder, &item, extra,
		     &step->gathered, done, step);
	json_unref(&item.input);
	json_unref(&payload);
}

bool
play_step_lost(struct play_step *step, enum record_fate fate, bool paused)
{
	struct playing *playing = step->playing;
	struct channel_call *call = step->call;

	playing->storing--;
	playing->paused |= paused;
	if (fate == RECORD_STORED)
		return false;
	step->call = NULL;
	step->state = PLAY_IDLE;
	if (call != NULL)
		channel_fail(&call, RPC_NOT_NOW, NULL,
			     "the result could not be stored");
	if (fate == RECORD_REFUSED)
		playing_fail(
		    playing,
		    step_error("unstorable", "a step's result could not be stored"));
	playing_settle(playing);
	return true;
}

/* ---- the end ---- */

static void
on_over(void *context, enum record_fate fate, bool paused)
{
	struct play_step *step = context;
	struct playing *playing = step->playing;

	if (play_step_lost(step, fate, paused))
		return;
	step->state = PLAY_IDLE;
	step_log_free(&step->log);
	asks_answer_over(step);
	settle_look(playing);
}

static struct json *
too_large(void)
{
	return step_error("output_too_large",
			  "the output is larger than 16 MiB; write it to a file or "
			  "attach it as an artifact");
}

static bool
is_too_large(const struct json *output)
{
	struct buf text = { 0 };
	bool large;

	if (bulk_of(output, OUTPUT_BULK) <= OUTPUT_BULK)
		return false;
	json_write(output, &text);
	large = text.len > OUTPUT_MAX;
	buf_fini(&text);
	return large;
}

static void
end_step(struct play_step *step, enum step_status status, enum event_type event,
	 struct json *payload)
{
	step->row->status = status;
	step->state = PLAY_STORING;
	play_step_store(step, step->row->kind == MADE_WAIT ? step->made->fields : NULL,
			event, payload, 0, NULL, on_over);
}

void
play_step_completed(struct play_step *step, struct json *output)
{
	struct recorded_step *row = step->row;

	if (is_too_large(output)) {
		json_unref(&output);
		play_step_failed(step, too_large());
		return;
	}
	json_unref(&row->output);
	json_unref(&row->error);
	row->output = play_step_kept(step, output);
	end_step(step, STEP_COMPLETED, EVENT_STEP_COMPLETED, NULL);
}

static struct json *
failure_payload(const struct play_step *step, struct json *error, bool again)
{
	struct json *payload = json_new_object();

	json_set(payload, "error", json_ref(error));
	json_set(payload, "willRetry", json_new_bool(again));
	json_set(payload, "attempt", json_new_int(step->row->attempt));
	return payload;
}

void
play_step_failed(struct play_step *step, struct json *error)
{
	struct recorded_step *row = step->row;

	json_unref(&row->output);
	json_unref(&row->error);
	row->error = play_step_kept(step, error);
	end_step(step, STEP_FAILED, EVENT_STEP_FAILED,
		 failure_payload(step, row->error, false));
}

bool
play_step_again(struct play_step *step, struct json *error, bool final,
		usec_t not_before, usec_t *delay, record_done_fn *done)
{
	struct recorded_step *row = step->row;
	const struct retry *retry = &step->made->def.retry;
	struct loop *loop = step->playing->attempt->services->loop;
	struct json *kept, *payload;
	uint64_t random;

	if (final || !retry_again(retry, row->attempt, row->losses))
		return false;
	digest_random(&random, sizeof random);
	*delay = retry_delay(retry, row->attempt - row->losses, random);
	if (not_before > loop_now(loop) + *delay)
		*delay = not_before - loop_now(loop);
	kept = play_step_kept(step, error);
	payload = failure_payload(step, kept, true);
	json_unref(&row->error);
	row->error = kept;
	row->attempt++;
	step->state = PLAY_STORING;
	play_step_store(step, NULL, EVENT_STEP_FAILED, payload, 0, NULL, done);
	step->began_at = loop_mono(loop) + *delay;
	step->say_started = true;
	return true;
}
