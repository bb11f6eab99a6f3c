/* What a program asks for, and what is found recorded of it. See playing.h. */
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "recorded/playing.h"

#define PROTOCOL 1

typedef void ask_fn(struct playing *playing, struct channel_call *call,
		    const char *method, struct json *params);

/* ---- steps ---- */

/* False, and the call has failed. */
static bool
read_parent(struct playing *playing, struct channel_call *call, struct json *params,
	    int *parent)
{
	const struct json *value = json_get(params, "parent");
	const struct recorded_step *step = NULL;

	*parent = RECORDED_TOP;
	if (value == NULL)
		return true;
	if (json_type(value) == JSON_INT)
		step = recorded_find(playing->recorded, (int)json_int(value));
	if (step != NULL && step->kind == MADE_FUNCTION) {
		*parent = step->number;
		return true;
	}
	channel_fail(&call, RPC_PARAMS, NULL,
		     "parent: the number of a step whose function runs");
	return false;
}

static struct json *
name_value(const char *text)
{
	return json_new_str(text);
}

static void
diverge(struct playing *playing, struct channel_call *call,
	const struct made_step *made, const struct recorded_step *recorded)
{
	struct json *data = json_new_object(), *error;
	const char *what = made->kind == MADE_FUNCTION ? "run"
			   : made->tool != NULL        ? made->tool
						       : action_name(made->def.action);
	char *asked = xprintf("%s \"%s\"", what, made->def.name);
	char *stands = recorded_describe(recorded);
	char *text =
	    xprintf("the program asks for %s, and recorded is %s: it is not the "
		    "program that began this run, or it decides by something "
		    "that is not recorded (time, chance, what is outside)",
		    asked, stands);

	json_set(data, "asked", name_value(asked));
	json_set(data, "recorded", name_value(stands));
	error = step_error("divergence", text);
	json_set(error, "asked", name_value(asked));
	json_set(error, "recorded", name_value(stands));
	channel_fail(&call, RPC_DIVERGENCE, data, "%s", text);
	playing_fail(playing, error);
	free(asked);
	free(stands);
	free(text);
}

static void
begin(struct play_step *step)
{
	if (step->row->kind == MADE_FUNCTION)
		function_begin(step);
	else if (step->row->kind == MADE_CALL)
		doing_begin(step);
	else
		waits_begin(step);
}

void
asks_answer_over(struct play_step *step)
{
	struct recorded_step *row = step->row;
	struct channel_call *call = step->call;
	struct json *answer;

	step->call = NULL;
	if (call == NULL)
		return;
	answer = json_new_object();
	json_set(answer, "step", json_new_int(row->number));
	if (strcmp(step->method, "step.begin") == 0) {
		json_set(answer, "done", json_new_bool(true));
		if (row->status == STEP_COMPLETED)
			json_set(answer, "output", json_ref(row->output));
		else
			json_set(answer, "error", json_ref(row->error));
		channel_result(&call, answer);
	} else if (strcmp(step->method, "step.end") == 0) {
		json_unref(&answer);
		answer = json_new_object();
		if (row->status != STEP_COMPLETED)
			json_set(answer, "failed", json_new_bool(true));
		channel_result(&call, answer);
	} else if (row->status != STEP_COMPLETED) {
		json_set(answer, "error", json_ref(row->error));
		channel_fail(&call, RPC_FAILED, answer, "step \"%s\": %s", row->name,
			     json_str(json_get(row->error, "message")) != NULL
				 ? json_str(json_get(row->error, "message"))
				 : "it did not complete");
	} else if (strcmp(step->method, "call") == 0 ||
		   strcmp(step->method, "wait") == 0) {
		json_set(answer, "output", json_ref(row->output));
		channel_result(&call, answer);
	} else {
		json_unref(&answer);
		channel_result(&call, talk_back_answer(step->method, row->output));
	}
}

/* A call that the program makes once more, after it was run again: the one before has
 * gone with the process that made it. */
static void
attach(struct play_step *step, struct channel_call *call)
{
	struct channel_call *former = step->call;

	if (former != NULL)
		channel_fail(&former, RPC_NOT_NOW, NULL, "asked for again");
	step->call = call;
}

/* What it has changed in the run's state, it has changed at this place, too. */
static void
pass_over(struct playing *playing, const struct recorded_step *row)
{
	struct json *state =
	    recorded_state_after(playing->recorded, row, playing->state);

	json_unref(&playing->state);
	playing->state = state;
}

static void
found(struct playing *playing, struct channel_call *call, struct recorded_step *row,
      struct made_step *made, const char *method)
{
	struct play_step *step = play_step_of(playing, row, &made, method);

	step->method = method;
	attach(step, call);
	if (step_is_over(row->status) && step->state == PLAY_IDLE) {
		pass_over(playing, row);
		asks_answer_over(step);
	} else if (step->state == PLAY_IDLE) {
		begin(step);
	}
}

static void
make(struct playing *playing, struct channel_call *call,
     const struct recorded_place *place, struct made_step *made, struct json *params,
     const char *method, bool aside)
{
	struct recorded_step *row;
	struct play_step *step;
	const struct workflow *workflow = playing->attempt->run_values->workflow;

	if (playing->recorded->last >= workflow->max_steps) {
		made_step_free(&made);
		channel_fail(&call, RPC_LIMIT, NULL, "a run has at most %d steps",
			     workflow->max_steps);
		return;
	}
	row = recorded_make(playing->recorded, place, made, aside);
	row->made = json_masked(json_storable(made_step_value(made, params), NULL),
				playing->attempt->services->mask);
	if (aside)
		json_set(row->made, "aside", json_new_bool(true));
	step = play_step_of(playing, row, &made, method);
	step->call = call;
	begin(step);
}

static void
hold(struct playing *playing, struct channel_call *call, struct recorded_place *place,
     struct made_step *made, struct json *params, const char *method)
{
	struct held_ask *held = xcalloc(1, sizeof *held);

	*held = (struct held_ask){ .call = call,
				   .place = *place,
				   .made = made,
				   .params = json_ref(params),
				   .method = method };
	*place = (struct recorded_place){ 0 };
	list_push(&playing->held, &held->link);
}

/* One that the record has an answer for, or that begins, or has to wait for others. */
static void
decide(struct playing *playing, enum recorded_answer answer, struct channel_call *call,
       struct recorded_place *place, struct recorded_step *row, struct made_step *made,
       struct json *params, const char *method)
{
	bool works = row != NULL && row->owner != NULL &&
		     ((struct play_step *)row->owner)->state != PLAY_IDLE;

	/* A run that is paused begins nothing, and what was cut off is begun, too. */
	if (playing->paused && !works &&
	    (answer == RECORDED_NEW ||
	     (answer == RECORDED_KNOWN && !step_is_over(row->status))))
		answer = RECORDED_HELD;
	if (answer == RECORDED_DIVERGES) {
		diverge(playing, call, made, row);
		made_step_free(&made);
	} else if (answer == RECORDED_HELD) {
		hold(playing, call, place, made, params, method);
	} else if (answer == RECORDED_KNOWN) {
		found(playing, call, row, made, method);
	} else {
		make(playing, call, place, made, params, method, false);
	}
	recorded_place_fini(place);
}

static void
held_free(struct held_ask *held)
{
	list_remove(&held->link);
	recorded_place_fini(&held->place);
	made_step_free(&held->made);
	json_unref(&held->params);
	free(held);
}

void
asks_drop_held(struct playing *playing, enum rpc_code code, const char *why)
{
	list_each_safe (it, &playing->held) {
		struct held_ask *held = container_of(it, struct held_ask, link);

		channel_fail(&held->call, code, NULL, "%s", why);
		held_free(held);
	}
}

/* In the order in which they came; what is held again comes to the end. */
void
asks_look_again(struct playing *playing)
{
	struct list all;

	if (playing->stopping || playing->suspending)
		return;
	list_init(&all);
	while (!list_empty(&playing->held))
		list_push(&all, list_shift(&playing->held));
	while (!list_empty(&all)) {
		struct held_ask *held =
		    container_of(list_shift(&all), struct held_ask, link);
		struct recorded_step *row;
		enum recorded_answer answer;

		if (playing->stopping) {
			channel_fail(&held->call, RPC_CANCELLED, NULL,
				     "the run is being ended");
			held_free(held);
			continue;
		}
		answer =
		    recorded_again(playing->recorded, &held->place, held->made, &row);
		decide(playing, answer, held->call, &held->place, row, held->made,
		       held->params, held->method);
		held->made = NULL;
		held_free(held);
	}
}

/* made is taken. */
static void
ask(struct playing *playing, struct channel_call *call, const char *method,
    struct made_step *made, struct json *params, int parent)
{
	struct recorded_place place;
	struct recorded_step *row;
	enum recorded_answer answer =
	    recorded_ask(playing->recorded, parent, made->def.name, made, &place, &row);

	decide(playing, answer, call, &place, row, made, params, method);
	if (!list_empty(&playing->held))
		asks_look_again(playing);
	settle_look(playing);
}

static struct made_step *
read_made(struct playing *playing, struct channel_call *call, enum made_kind kind,
	  struct json *params)
{
	const struct workflow *workflow = playing->attempt->run_values->workflow;
	struct err err = { 0 };
	struct made_step *made = made_step_new(kind, json_str(json_get(params, "name")),
					       params, workflow->queue, &err);

	if (made == NULL)
		channel_fail(&call, RPC_PARAMS, NULL, "%s", err.text);
	return made;
}

static void
ask_kind(struct playing *playing, struct channel_call *call, const char *method,
	 enum made_kind kind, struct json *params)
{
	struct made_step *made;
	int parent;

	if (!read_parent(playing, call, params, &parent))
		return;
	made = read_made(playing, call, kind, params);
	if (made != NULL)
		ask(playing, call, method, made, params, parent);
}

static void
on_begin(struct playing *playing, struct channel_call *call, const char *method,
	 struct json *params)
{
	ask_kind(playing, call, method, MADE_FUNCTION, params);
}

static void
on_call(struct playing *playing, struct channel_call *call, const char *method,
	struct json *params)
{
	ask_kind(playing, call, method, MADE_CALL, params);
}

static void
on_wait(struct playing *playing, struct channel_call *call, const char *method,
	struct json *params)
{
	ask_kind(playing, call, method, MADE_WAIT, params);
}

static void
on_end(struct playing *playing, struct channel_call *call, const char *method,
       struct json *params)
{
	(void)method;
	function_end(playing, call, params);
}

/* ---- what is a tool, recorded like any ---- */

/* {action, fields, name, parent} of a method that is a tool by another name. */
static struct json *
as_call(const char *method, struct json *params)
{
	struct err unused = { 0 };
	struct json *as = json_new_object();

	json_set(as, "action", json_new_str("tool"));
	json_set(as, "fields", talk_back_fields(method, params, &unused));
	json_set(as, "name", json_ref(json_get(params, "name")));
	json_set(as, "parent", json_ref(json_get(params, "parent")));
	return as;
}

static void
on_tool(struct playing *playing, struct channel_call *call, const char *method,
	struct json *params)
{
	struct json *as = as_call(method, params);

	ask_kind(playing, call, method, MADE_CALL, as);
	json_unref(&as);
}

/* `name` of an artifact is that of the artifact. */
static void
on_artifact(struct playing *playing, struct channel_call *call, const char *method,
	    struct json *params)
{
	struct json *as = as_call(method, params);

	json_remove(as, "name");
	ask_kind(playing, call, method, MADE_CALL, as);
	json_unref(&as);
}

/* By some other process of the program: at no place of it, so it is compared with
 * nothing, and what it changed is remembered beside. */
static void
on_tool_aside(struct playing *playing, struct channel_call *call, const char *method,
	      struct json *params)
{
	struct recorded_place place = { .parent = RECORDED_TOP,
					.name = (char *)method };
	struct json *as = as_call(method, params);
	struct made_step *made;

	json_remove(as, "name");
	made = read_made(playing, call, MADE_CALL, as);
	if (made != NULL)
		make(playing, call, &place, made, as, method, true);
	json_unref(&as);
}

/* ---- state ---- */

static void
on_get(struct playing *playing, struct channel_call *call, const char *method,
       struct json *params)
{
	const struct json *key = json_get(params, "key");
	struct json *answer;
	bool found;

	if (json_str_len(key) == 0) {
		channel_fail(&call, RPC_PARAMS, NULL, "key: expected a text");
		return;
	}
	found = json_has_len(playing->state, json_str(key), json_str_len(key));
	answer = json_new_object();
	json_set(answer, "found", json_new_bool(found));
	if (strcmp(method, "state.get") == 0)
		json_set(answer, "value",
			 json_ref(json_get_len(playing->state, json_str(key),
					       json_str_len(key))));
	channel_result(&call, answer);
}

/* ---- the rest ---- */

static void
on_log(struct playing *playing, struct channel_call *call, const char *method,
       struct json *params)
{
	(void)method;
	talk_back_log(playing->attempt->log, &call, params);
}

static void
on_info(struct playing *playing, struct channel_call *call, const char *method,
	struct json *params)
{
	(void)method;
	(void)params;
	channel_result(&call, talk_back_info(playing->attempt));
}

static void
on_hello(struct playing *playing, struct channel_call *call, const char *method,
	 struct json *params)
{
	const struct json *protocol = json_get(params, "protocol");
	struct json *answer;

	(void)method;
	if (json_type(protocol) != JSON_INT || json_int(protocol) != PROTOCOL) {
		channel_fail(&call, RPC_PARAMS, NULL, "protocol: expected %d",
			     PROTOCOL);
		return;
	}
	playing->greeted = true;
	timer_stop(playing->exit_timer);
	answer = talk_back_info(playing->attempt);
	json_set(answer, "mode", json_new_str("run"));
	json_set(answer, "replayed", json_new_int(recorded_over(playing->recorded)));
	channel_result(&call, answer);
}

static void
on_done(struct playing *playing, struct channel_call *call, const char *method,
	struct json *params)
{
	(void)method;
	playing->output =
	    answer_masked(playing->attempt, json_ref(json_get(params, "output")));
	playing->end = PLAY_DONE;
	asks_drop_held(playing, RPC_NOT_NOW, "the program is done");
	channel_result(&call, json_new_object());
	settle_look(playing);
}

static void
on_fail(struct playing *playing, struct channel_call *call, const char *method,
	struct json *params)
{
	struct json *asked = json_get(params, "error"), *error;
	const char *code = json_str(json_get(asked, "code"));
	const char *message = json_str(json_get(asked, "message"));

	(void)method;
	error = step_error(code != NULL ? code : "error",
			   message != NULL ? message : "the program failed");
	for (struct json_iter it = json_iter(asked); json_next(&it);)
		if (!json_has_len(error, it.key, it.key_len))
			json_set_len(error, it.key, it.key_len, json_ref(it.value));
	playing->error = answer_masked(playing->attempt, error);
	playing->end = PLAY_FAILED;
	asks_drop_held(playing, RPC_NOT_NOW, "the program has failed");
	channel_result(&call, json_new_object());
	settle_look(playing);
}

/* Flags of methods: what they begin is not begun any more when the run is to end. */
static const struct method {
	const char *name;
	ask_fn *fn;
	ask_fn *aside; /* by another process; NULL: as of any step */
	bool begins;
} methods[] = {
	{ "hello", on_hello, NULL, false },
	{ "done", on_done, NULL, false },
	{ "fail", on_fail, NULL, false },
	{ "step.begin", on_begin, NULL, true },
	{ "step.end", on_end, NULL, false },
	{ "call", on_call, NULL, true },
	{ "wait", on_wait, NULL, true },
	{ "state.set", on_tool, on_tool_aside, true },
	{ "state.delete", on_tool, on_tool_aside, true },
	{ "state.get", on_get, on_get, false },
	{ "state.has", on_get, on_get, false },
	{ "comment", on_tool, NULL, true },
	{ "artifact", on_artifact, NULL, true },
	{ "log", on_log, on_log, false },
	{ "info", on_info, on_info, false },
};

static const struct method *
method_find(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

/* NULL: it may. */
static const char *
may_not(const struct playing *playing, const struct method *method, enum rpc_code *code)
{
	*code = RPC_REQUEST;
	if (!playing->greeted && method->fn != on_hello)
		return "the first message is hello";
	if (playing->greeted && method->fn == on_hello)
		return "hello was said";
	*code = RPC_NOT_NOW;
	if (playing->suspending)
		return "the program is to end now, and to be run again later";
	if (playing->end != PLAY_GOES_ON && method->fn != on_log)
		return "the program is over";
	*code = RPC_CANCELLED;
	if (playing->stopping && method->begins)
		return "the run is being ended";
	return NULL;
}

void
asks_call(void *context, struct channel_call *call, const char *name,
	  struct json *params)
{
	struct playing *playing = context;
	const struct method *method = method_find(name);
	enum rpc_code code;
	const char *why;

	if (!channel_is_first(call) && (method == NULL || method->aside == NULL)) {
		talk_back_call(playing->talk_back, call, name, params);
		return;
	}
	if (method == NULL) {
		channel_fail(&call, RPC_METHOD, NULL, "there is no method \"%.64s\"",
			     name);
		return;
	}
	why = may_not(playing, method, &code);
	if (why != NULL && channel_is_first(call))
		channel_fail(&call, code, NULL, "%s", why);
	else if (why != NULL && method->begins)
		channel_fail(&call, RPC_NOT_NOW, NULL, "%s", why);
	else if (channel_is_first(call))
		method->fn(playing, call, method->name, params);
	else
		method->aside(playing, call, method->name, params);
}
