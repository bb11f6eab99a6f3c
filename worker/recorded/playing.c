/*
 * The life of a workflow program in a slot: its record is read, its process begins and
 * answers from it, and how it ends is the slot's answer. A process that is killed is
 * begun again here; what its worker's death makes of it is the engine's business.
 */
#include "recorded/playing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/xalloc.h"
#include "step_log.h"

#define LOAD_AGAIN  (200 * USEC_MS)
#define HELLO_WAIT  (30 * USEC_SECOND)
#define EXIT_WAIT   (2 * USEC_SECOND)
#define DEATHS_MAX  10
#define DEATH_DELAY USEC_SECOND
#define DEATH_MOST  (30 * USEC_SECOND)
#define STDERR_MAX  2000

static const struct channel_events events = { .on_call = asks_call };

/* ---- the end ---- */

static void
give_rest(struct playing *playing)
{
	struct buf numbers = { 0 };

	list_each (it, &playing->steps) {
		struct play_step *step = container_of(it, struct play_step, link);

		if (step->state == PLAY_WAITING)
			buf_add(&numbers, &step->row->number, sizeof(int));
	}
	attempt_rest(playing->attempt, (const int *)(const void *)buf_text(&numbers),
		     numbers.len / sizeof(int));
	buf_fini(&numbers);
}

static void
give_failure(struct playing *playing)
{
	const struct json *error = playing->error;
	const char *code = json_str(json_get(error, "code"));
	const char *message = json_str(json_get(error, "message"));
	struct json *details = json_copy(error);

	json_remove(details, "code");
	json_remove(details, "message");
	attempt_fail_with(playing->attempt, code != NULL ? code : "error", true,
			  details, NULL, "%s", message != NULL ? message : "");
}

static void
give_answer(struct playing *playing)
{
	struct json *output = playing->output;

	switch (playing->end) {
	case PLAY_DONE:
		playing->output = NULL;
		attempt_succeed(playing->attempt, output);
		return;
	case PLAY_FAILED:
		give_failure(playing);
		return;
	case PLAY_RESTS:
		give_rest(playing);
		return;
	case PLAY_GIVEN_BACK:
		attempt_give_back(playing->attempt);
		return;
	case PLAY_GOES_ON:
	case PLAY_STOPPED:
		attempt_fail(playing->attempt, "stopped", false,
			     "the program was told to stop");
		return;
	}
}

static void
on_told(void *context)
{
	struct playing *playing = context;

	if (!playing->told) {
		playing->told = true;
		give_answer(playing);
	}
}

void
playing_settle(struct playing *playing)
{
	if (playing->end == PLAY_GOES_ON || playing->program != NULL ||
	    playing->storing > 0 || playing->inners > 0 || playing->told)
		return;
	timer_set(playing->load_timer, 0); /* on a turn of its own */
}

static void
stop_inners(struct playing *playing, enum stop how)
{
	list_each_safe (it, &playing->steps)
		doing_stop(container_of(it, struct play_step, link), how);
}

/* What still runs is not needed for anything. */
static void
end_all(struct playing *playing)
{
	playing->stopping = true;
	asks_drop_held(playing, RPC_CANCELLED, "the run is being ended");
	stop_inners(playing, STOP_FORCE);
	if (playing->program != NULL) {
		playing->ended_by_us = true;
		program_stop(playing->program, STOP_FORCE);
	}
	playing_settle(playing);
}

void
playing_fail(struct playing *playing, struct json *error)
{
	if (playing->end != PLAY_GOES_ON) {
		json_unref(&error);
		return;
	}
	playing->end = PLAY_FAILED;
	playing->error = error;
	/* It may read the answer that tells it why. */
	timer_set(playing->exit_timer, PLAYING_GRACE);
	playing->stopping = true;
}

void
playing_suspend(struct playing *playing, enum play_end end)
{
	playing->suspending = true;
	playing->end = end;
	timer_stop(playing->look_timer);
	if (playing->program != NULL)
		channel_notify(program_channel(playing->program), "suspend", NULL);
	asks_drop_held(playing, RPC_NOT_NOW, "the program is to be run again later");
	timer_set(playing->exit_timer, EXIT_WAIT);
	playing_settle(playing);
}

/* ---- the end of a process ---- */

/* What it was at is at nobody now; what the worker does for it goes on. */
static void
forget_process(struct playing *playing)
{
	asks_drop_held(playing, RPC_NOT_NOW, "the program has ended");
	list_each_safe (it, &playing->steps) {
		struct play_step *step = container_of(it, struct play_step, link);

		if (step->state == PLAY_FUNCTION)
			step->state = PLAY_IDLE;
	}
	timer_stop(playing->exit_timer);
	timer_stop(playing->quiet_timer);
	talk_back_free(&playing->talk_back);
	launch_fini(&playing->launch);
}

static struct json *
exit_error(const struct playing *playing, const struct program_end *end)
{
	bool cut = false;
	struct json *said = answer_output(playing->attempt, end->errors, &cut), *error;
	const char *text = json_str(said);
	size_t len = json_str_len(said);
	size_t from = len > STDERR_MAX ? len - STDERR_MAX : 0;

	while (from > 0 && from < len && (text[from] & 0xc0) == 0x80)
		from++;
	if (end->code != NULL)
		error = step_error(end->code, end->why);
	else
		error = step_error("exit_status",
				   playing->greeted
				       ? "the program ended without saying `done` or "
					 "`fail`"
				       : "the program ended without saying `hello`: it "
					 "is no workflow program");
	if (end->started)
		json_set(error, "exitCode", json_new_int(end->exit_status));
	if (end->signal != 0)
		json_set(error, "signal", json_new_int(end->signal));
	json_set(error, "stderr", json_new_str_len(text + from, len - from));
	json_unref(&said);
	return error;
}

static bool
has_progressed(const struct playing *playing)
{
	return recorded_over(playing->recorded) > playing->over_before;
}

/* Killed by somebody else: it is begun again, at once at first. */
static void
begin_again(struct playing *playing, const struct program_end *end)
{
	usec_t delay = 0;

	playing->deaths = has_progressed(playing) ? 1 : playing->deaths + 1;
	if (playing->deaths >= DEATHS_MAX) {
		playing->end = PLAY_FAILED;
		playing->error = exit_error(playing, end);
		json_set(playing->error, "deaths", json_new_int(playing->deaths));
		return;
	}
	if (playing->deaths > 2)
		delay = DEATH_DELAY << (playing->deaths - 3);
	if (delay > DEATH_MOST)
		delay = DEATH_MOST;
	step_log_printf(playing->attempt->log, STEP_WARN,
			"%s; it is run again from its record", end->why);
	timer_set(playing->load_timer, delay);
}

static void
on_process_end(void *context, const struct program_end *end)
{
	struct playing *playing = context;
	struct program *program = playing->program;

	playing->program = NULL;
	forget_process(playing);
	if (playing->end == PLAY_GOES_ON && playing->stopping)
		playing->end = PLAY_STOPPED;
	else if (playing->end == PLAY_GOES_ON && end->signal != 0 &&
		 !playing->ended_by_us)
		begin_again(playing, end);
	else if (playing->end == PLAY_GOES_ON) {
		playing->end = PLAY_FAILED;
		playing->error = exit_error(playing, end);
	}
	program_free(&program);
	if (playing->end != PLAY_GOES_ON && playing->end != PLAY_RESTS &&
	    playing->end != PLAY_GIVEN_BACK) {
		playing->stopping = true;
		stop_inners(playing, STOP_FORCE);
	}
	playing_settle(playing);
}

/* ---- the start of a process ---- */

static void
fail_start(struct playing *playing, const struct err *err)
{
	playing->end = PLAY_FAILED;
	playing->error = step_error(
	    err->kind == ERR_CONFLICT ? "definition_changed" : err_kind_name(err->kind),
	    err->text);
	playing_settle(playing);
}

static int
start_program(struct playing *playing, int folder, struct err *err)
{
	const struct attempt *attempt = playing->attempt;
	struct program_spec spec = { .folder = folder,
				     .channel = true,
				     .talk = &events,
				     .talk_context = playing,
				     .log_out = true,
				     .log_err = true };

	if (launch_prepare(&playing->launch, playing->def, attempt->services->settings,
			   playing->program, err) < 0)
		return -1;
	spec.argv = playing->launch.argv;
	spec.environment = (const char *const *)playing->launch.environment.list;
	return program_start(playing->program, &spec, on_process_end, playing, err);
}

void
playing_begin_process(struct playing *playing)
{
	const struct attempt *attempt = playing->attempt;
	struct err err = { 0 };
	int folder = script_folder(attempt, NULL, &err);

	recorded_rewind(playing->recorded);
	json_unref(&playing->state);
	playing->state = json_new_object();
	playing->greeted = playing->ended_by_us = false;
	playing->over_before = recorded_over(playing->recorded);
	if (folder >= 0)
		playing->program = program_new(attempt, &err);
	if (playing->program == NULL || start_program(playing, folder, &err) < 0) {
		program_free(&playing->program);
		launch_fini(&playing->launch);
		fail_start(playing, &err);
	} else {
		playing->talk_back =
		    talk_back_new(attempt, program_folder(playing->program));
		timer_set(playing->exit_timer, HELLO_WAIT);
	}
	if (folder >= 0)
		close(folder);
}

/* It had time enough to go, or to say hello. */
static void
on_exit_due(void *context)
{
	struct playing *playing = context;

	if (!playing->greeted && playing->end == PLAY_GOES_ON)
		playing_fail(playing,
			     step_error("no_hello",
					"the program did not say `hello` within 30 s: "
					"it is no workflow program, or it hangs"));
	if (playing->end == PLAY_FAILED || playing->end == PLAY_DONE) {
		end_all(playing);
	} else if (playing->program != NULL) {
		playing->ended_by_us = true;
		program_stop(playing->program, STOP_FORCE);
	}
}

/* ---- the record ---- */

static void load(struct playing *playing);

static void
on_loaded(void *context, struct recorded_row *rows, size_t count, const struct err *err)
{
	struct playing *playing = context;

	if (err->kind != ERR_NONE) {
		timer_set(playing->load_timer, LOAD_AGAIN);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct recorded_step row = { .number = rows[i].number,
					     .parent = rows[i].parent,
					     .name = (char *)(uintptr_t)rows[i].key,
					     .status = rows[i].status,
					     .attempt = rows[i].attempt,
					     .losses = rows[i].losses,
					     .made = rows[i].made,
					     .output = rows[i].output,
					     .error = rows[i].error };

		rows[i].made = rows[i].output = rows[i].error = NULL;
		recorded_add(playing->recorded, &row);
	}
	playing->loaded = true;
	if (playing->end == PLAY_GOES_ON)
		playing_begin_process(playing);
	else
		playing_settle(playing);
}

static void
load(struct playing *playing)
{
	const struct attempt *attempt = playing->attempt;

	recorded_rows_load(attempt->services->pg, &attempt->run, attempt->fence,
			   on_loaded, playing);
}

/* Its next thing is due: the record, the next process, or the answer. */
static void
on_due(void *context)
{
	struct playing *playing = context;

	if (playing->end != PLAY_GOES_ON)
		on_told(playing);
	else if (!playing->loaded)
		load(playing);
	else
		playing_begin_process(playing);
}

/* ---- as an action ---- */

static void *
program_action_start(struct attempt *attempt)
{
	struct playing *playing = xcalloc(1, sizeof *playing);
	struct loop *loop = attempt->services->loop;

	playing->attempt = attempt;
	playing->def = attempt->run_values->workflow->program;
	playing->recorded = recorded_new();
	playing->state = json_new_object();
	list_init(&playing->steps);
	list_init(&playing->held);
	playing->load_timer = timer_new(loop, on_due, playing);
	playing->exit_timer = timer_new(loop, on_exit_due, playing);
	playing->quiet_timer = timer_new(loop, settle_quiet, playing);
	playing->look_timer = timer_new(loop, waits_look, playing);
	load(playing);
	return playing;
}

static struct json *
cancel_params(void)
{
	struct json *params = json_new_object();

	json_set(params, "reason", json_new_str("cancelled"));
	json_set(params, "graceMs", json_new_int(PLAYING_GRACE / USEC_MS));
	return params;
}

static void
ask_to_stop(struct playing *playing)
{
	if (playing->attempt->leaving) {
		/* It goes on elsewhere, from its record. */
		stop_inners(playing, STOP_ASK);
		playing->stopping = true;
		playing_suspend(playing, PLAY_STOPPED);
		return;
	}
	playing->stopping = true;
	asks_drop_held(playing, RPC_CANCELLED, "the run is being ended");
	stop_inners(playing, STOP_ASK);
	if (playing->program != NULL)
		channel_notify(program_channel(playing->program), "cancel",
			       cancel_params());
	if (playing->program == NULL && playing->end == PLAY_GOES_ON)
		playing->end = PLAY_STOPPED;
	playing_settle(playing);
}

static void
program_action_stop(void *state, enum stop how)
{
	struct playing *playing = state;

	if (how == STOP_ASK) {
		ask_to_stop(playing);
		return;
	}
	if (playing->end == PLAY_GOES_ON)
		playing->end = PLAY_STOPPED;
	end_all(playing);
}

static void
program_action_free(void *state)
{
	struct playing *playing = state;

	pg_forget(playing->attempt->services->pg, playing);
	asks_drop_held(playing, RPC_NOT_NOW, "the program is being stopped");
	list_each_safe (it, &playing->steps)
		play_step_free(container_of(it, struct play_step, link));
	talk_back_free(&playing->talk_back);
	program_free(&playing->program);
	launch_fini(&playing->launch);
	recorded_free(&playing->recorded);
	timer_free(&playing->load_timer);
	timer_free(&playing->exit_timer);
	timer_free(&playing->quiet_timer);
	timer_free(&playing->look_timer);
	json_unref(&playing->state);
	json_unref(&playing->output);
	json_unref(&playing->error);
	free(playing);
}

const struct action action_program = {
	.name = "program",
	.start = program_action_start,
	.stop = program_action_stop,
	.free = program_action_free,
};
