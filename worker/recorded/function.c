/* Steps that the program itself carries out: it says when they begin and how they end.
 */
#include <string.h>

#include "actions/answer.h"
#include "recorded/playing.h"

/* The answer does not wait for the store: if nobody ever hears of the beginning, the
 * function is run again. */
void
function_begin(struct play_step *step)
{
	struct channel_call *call = step->call;
	struct json *answer = json_new_object();

	play_step_begin(step);
	step->state = PLAY_FUNCTION;
	play_step_store(step, NULL, EVENT_NONE, NULL, 0, NULL, NULL);
	step->call = NULL;
	json_set(answer, "step", json_new_int(step->row->number));
	json_set(answer, "done", json_new_bool(false));
	json_set(answer, "attempt", json_new_int(step->row->attempt));
	channel_result(&call, answer);
}

static void
on_again(void *context, enum record_fate fate, bool paused)
{
	struct play_step *step = context;
	struct channel_call *call = step->call;
	struct json *answer, *again;

	if (play_step_lost(step, fate, paused))
		return;
	if (call != NULL && strcmp(step->method, "step.begin") == 0) {
		/* Another process of the program asks for it by now. */
		step->state = PLAY_IDLE;
		function_begin(step);
		return;
	}
	again = json_new_object();
	json_set(again, "attempt", json_new_int(step->row->attempt));
	json_set(again, "delay", json_ref(step->answer));
	json_unref(&step->answer);
	answer = json_new_object();
	json_set(answer, "again", again);
	step->call = NULL;
	step->state = PLAY_FUNCTION;
	if (call != NULL)
		channel_result(&call, answer);
	else
		json_unref(&answer);
	settle_look(step->playing);
}

/* {code?, message, stack?} as an error of a step. */
static struct json *
error_of(const struct json *asked)
{
	const char *code = json_str(json_get(asked, "code"));
	const char *message = json_str(json_get(asked, "message"));
	struct json *error = step_error(code != NULL ? code : "error",
					message != NULL ? message : "the step failed");

	for (struct json_iter it = json_iter(asked); json_next(&it);)
		if (!json_has_len(error, it.key, it.key_len))
			json_set_len(error, it.key, it.key_len, json_ref(it.value));
	return error;
}

static void
fail(struct play_step *step, const struct json *asked)
{
	struct json *error = answer_masked(step->playing->attempt, error_of(asked));
	usec_t delay;

	if (play_step_again(step, error, false, 0, &delay, on_again)) {
		json_unref(&step->answer);
		step->answer = json_new_int((int64_t)(delay / USEC_MS));
	} else {
		play_step_failed(step, error);
	}
}

void
function_end(struct playing *playing, struct channel_call *call, struct json *params)
{
	const struct json *number = json_get(params, "step");
	struct recorded_step *row =
	    json_type(number) == JSON_INT
		? recorded_find(playing->recorded, (int)json_int(number))
		: NULL;
	struct play_step *step = row != NULL ? row->owner : NULL;

	if (step == NULL || step->state != PLAY_FUNCTION) {
		channel_fail(&call, RPC_PARAMS, NULL,
			     "step: the number of a step that was begun and has not "
			     "ended");
		return;
	}
	if (json_has(params, "error") &&
	    json_type(json_get(params, "error")) != JSON_OBJECT) {
		channel_fail(&call, RPC_PARAMS, NULL, "error: expected an object");
		return;
	}
	step->call = call;
	step->method = "step.end";
	if (json_has(params, "error"))
		fail(step, json_get(params, "error"));
	else
		play_step_completed(
		    step, answer_masked(playing->attempt,
					json_ref(json_get(params, "output"))));
}
