/* Attempts inside an attempt. See tool_calls.h. */
#include "model/tool_calls.h"

#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "step_log.h"

struct tool_calls {
	struct attempt *outer;
	struct attempt inner;
	struct talk *talk;
	const struct heard *reply;
	size_t at; /* the call at work */
	int first;
	void *state; /* of the tool at work, or NULL */
	struct json *fields;
	char *key, *part;
	struct timer *turn; /* the next one, or the end: on a turn of its own */
	bool begun, stopped;
	tools_done_fn *done;
	void *context;
};

static struct tool_calls *
calls_of(struct attempt *inner)
{
	return container_of(inner, struct tool_calls, inner);
}

/* ---- what it answers ---- */

static void
answer(struct tool_calls *calls, const char *text, size_t len, bool failed)
{
	talk_result(calls->talk, calls->at, text, len, failed);
	timer_set(calls->turn, 0);
}

static void
on_success(struct attempt *inner, struct json *output)
{
	struct tool_calls *calls = calls_of(inner);
	char *text = json_type(output) == JSON_STRING
			 ? xstrndup(json_str(output), strlen(json_str(output)))
			 : json_text(output);

	answer(calls, text, strlen(text), false);
	free(text);
	json_unref(&output);
}

static void
on_failure(struct attempt *inner, const struct attempt_failure *failure)
{
	struct tool_calls *calls = calls_of(inner);
	struct json *told = json_new_object();
	char *text;

	json_set(told, "error", json_new_str(failure->message));
	json_set(told, "code", json_new_str(failure->code));
	if (failure->output != NULL)
		json_set(told, "output", failure->output);
	text = json_text(told);
	step_log_printf(calls->outer->log, STEP_WARN, "the tool failed: %s",
			failure->message);
	answer(calls, text, strlen(text), true);
	free(text);
	json_unref(&told);
}

static const struct attempt_maker maker = {
	.succeeded = on_success,
	.failed = on_failure,
};

/* ---- one call ---- */

static void
refuse(struct tool_calls *calls, const char *why)
{
	step_log_printf(calls->outer->log, STEP_WARN, "%s", why);
	answer(calls, why, strlen(why), true);
}

/* {tool, args} as a step would have it, or NULL and the model has been told. */
static struct json *
fields_of(struct tool_calls *calls, const struct heard_call *call)
{
	const struct talk_tool *tool =
	    talk_tool(calls->talk, call->name != NULL ? call->name : "");
	struct json *args = NULL, *fields;
	struct err err = { 0 };

	if (tool == NULL) {
		refuse(calls, "there is no tool of this name");
		return NULL;
	}
	if (call->arguments.len > 0 &&
	    json_parse(buf_text(&call->arguments), call->arguments.len, &args, &err) <
		0) {
		err_in(&err, "the arguments are no JSON");
		refuse(calls, err.text);
		return NULL;
	}
	fields = json_new_object();
	json_set(fields, "tool", json_new_str(tool->name));
	json_set(fields, "args", args != NULL ? args : json_new_object());
	return fields;
}

static void
end_inner(struct tool_calls *calls)
{
	if (calls->state != NULL)
		action_tool.free(calls->state);
	calls->state = NULL;
	json_unref(&calls->fields);
	free(calls->key);
	free(calls->part);
	calls->key = calls->part = NULL;
}

static void
start_inner(struct tool_calls *calls)
{
	int number = calls->first + (int)calls->at + 1;

	calls->part = xprintf("tool:%d", number);
	calls->key = xprintf("%s:%s", calls->outer->idempotency_key, calls->part);
	calls->inner = *calls->outer;
	calls->inner.maker = &maker;
	calls->inner.fields = calls->fields;
	calls->inner.idempotency_key = calls->key;
	calls->inner.part = calls->part;
	calls->inner.woke = false;
	calls->inner.back = NULL;
	step_log_printf(calls->outer->log, STEP_INFO, "the model calls %s",
			json_str(json_get(calls->fields, "tool")));
	calls->state = action_tool.start(&calls->inner);
}

static void
begin(struct tool_calls *calls)
{
	calls->fields = fields_of(calls, &calls->reply->calls[calls->at]);
	if (calls->fields != NULL)
		start_inner(calls);
}

static void
on_turn(void *context)
{
	struct tool_calls *calls = context;

	end_inner(calls);
	calls->at += calls->begun;
	calls->begun = true;
	if (calls->at < calls->reply->calls_count && !calls->stopped)
		begin(calls);
	else
		calls->done(calls->context);
}

struct tool_calls *
tool_calls_new(struct attempt *attempt, struct talk *talk, const struct heard *reply,
	       int first, tools_done_fn *done, void *context)
{
	struct tool_calls *calls = xcalloc(1, sizeof *calls);

	calls->outer = attempt;
	calls->talk = talk;
	calls->reply = reply;
	calls->first = first;
	calls->done = done;
	calls->context = context;
	calls->turn = timer_new(attempt->services->loop, on_turn, calls);
	timer_set(calls->turn, 0);
	return calls;
}

void
tool_calls_stop(struct tool_calls *calls, enum stop how)
{
	calls->stopped = true;
	if (calls->state != NULL && !timer_is_set(calls->turn))
		action_tool.stop(calls->state, how);
}

void
tool_calls_free(struct tool_calls **calls_p)
{
	struct tool_calls *calls = *calls_p;

	*calls_p = NULL;
	if (calls == NULL)
		return;
	end_inner(calls);
	timer_free(&calls->turn);
	free(calls);
}
