/*
 * state.set, get, has, delete: what a run remembers, written through at once. What this
 * worker knows of the state is replaced as a whole each time: others may hold the
 * former one.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "store/state.h"
#include "tools/holding.h"
#include "tools/tools.h"

#define KEY_MAX 256

struct state_call {
	struct attempt *attempt;
	const char *tool;
	char *key;
};

/* The state as known here, with one member more, another value, or one less. */
static void
remember(const struct attempt *attempt, const char *key, struct json *value,
	 bool is_there)
{
	struct json *fresh = json_new_object();

	for (struct json_iter it = json_iter(*attempt->state_p); json_next(&it);)
		if (strcmp(it.key, key) != 0)
			json_set(fresh, it.key, json_ref(it.value));
	if (is_there)
		json_set(fresh, key, json_ref(value));
	json_unref(attempt->state_p);
	*attempt->state_p = fresh;
}

static void
state_free(void *state)
{
	struct state_call *call = state;

	pg_forget(call->attempt->services->pg, call);
	free(call->key);
	free(call);
}

/* It is one statement: the answer comes soon, and nothing can be taken back. */
static void
state_stop(void *state, enum stop how)
{
	(void)state;
	(void)how;
}

/* NULL: the attempt has failed. */
static struct state_call *
call_new(struct attempt *attempt, const char *tool)
{
	const struct json *key = json_get(attempt->fields, "key");
	struct state_call *call;

	if (json_str_len(key) == 0 || json_str_len(key) > KEY_MAX ||
	    strlen(json_str(key)) != json_str_len(key)) {
		attempt_fail(attempt, "input", true,
			     "%s: key: 1 to %d bytes, without a NUL", tool, KEY_MAX);
		return NULL;
	}
	call = xcalloc(1, sizeof *call);
	call->attempt = attempt;
	call->tool = tool;
	call->key = xstrdup(json_str(key));
	return call;
}

/* ---- set ---- */

static void
on_set(void *context, bool found, struct json *value, const struct err *err)
{
	struct state_call *call = context;
	struct json *kept = json_get(call->attempt->fields, "value");

	(void)found;
	(void)value;
	if (err->kind != ERR_NONE) {
		answer_error(call->attempt, call->tool, err);
		return;
	}
	remember(call->attempt, call->key, kept, true);
	attempt_succeed(call->attempt, json_ref(kept));
}

static void *
set_start(struct attempt *attempt)
{
	struct state_call *call = call_new(attempt, "state.set");
	struct held_ref held = holding(attempt);
	struct json *value;

	if (call == NULL)
		return NULL;
	value = json_storable(json_ref(json_get(attempt->fields, "value")), NULL);
	state_set(attempt->services->pg, &held, call->key, value, on_set, call);
	json_unref(&value);
	return call;
}

/* ---- get and has ---- */

static void
on_get(void *context, bool found, struct json *value, const struct err *err)
{
	struct state_call *call = context;
	struct json *preset = json_get(call->attempt->fields, "default");

	if (err->kind != ERR_NONE) {
		answer_error(call->attempt, call->tool, err);
		return;
	}
	remember(call->attempt, call->key, value, found);
	attempt_succeed(call->attempt, found ? value : json_ref(preset));
}

static void *
get_start(struct attempt *attempt)
{
	struct state_call *call = call_new(attempt, "state.get");

	if (call != NULL)
		state_get(attempt->services->pg, &attempt->run, call->key, on_get,
			  call);
	return call;
}

static void
on_has(void *context, bool found, struct json *value, const struct err *err)
{
	struct state_call *call = context;

	if (err->kind == ERR_NONE) {
		remember(call->attempt, call->key, value, found);
		attempt_succeed(call->attempt, json_new_bool(found));
	} else {
		answer_error(call->attempt, call->tool, err);
	}
	json_unref(&value);
}

static void *
has_start(struct attempt *attempt)
{
	struct state_call *call = call_new(attempt, "state.has");

	if (call != NULL)
		state_get(attempt->services->pg, &attempt->run, call->key, on_has,
			  call);
	return call;
}

/* ---- delete ---- */

static void
on_delete(void *context, bool found, struct json *value, const struct err *err)
{
	struct state_call *call = context;

	(void)value;
	if (err->kind != ERR_NONE) {
		answer_error(call->attempt, call->tool, err);
		return;
	}
	remember(call->attempt, call->key, NULL, false);
	attempt_succeed(call->attempt, json_new_bool(found));
}

static void *
delete_start(struct attempt *attempt)
{
	struct state_call *call = call_new(attempt, "state.delete");
	struct held_ref held = holding(attempt);

	if (call != NULL)
		state_delete(attempt->services->pg, &held, call->key, on_delete, call);
	return call;
}

const struct action tool_state_set = {
	.name = "state.set", .start = set_start, .stop = state_stop, .free = state_free
};
const struct action tool_state_get = {
	.name = "state.get", .start = get_start, .stop = state_stop, .free = state_free
};
const struct action tool_state_has = {
	.name = "state.has", .start = has_start, .stop = state_stop, .free = state_free
};
const struct action tool_state_delete = { .name = "state.delete",
					  .start = delete_start,
					  .stop = state_stop,
					  .free = state_free };
