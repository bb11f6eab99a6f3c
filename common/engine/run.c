/*
 * A run's values, and what expressions see of them. `steps` is built when an expression
 * first asks for it and kept up to date from then on: a run may have a thousand steps.
 */
#include "engine/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void
run_init(struct run *run, const struct workflow *workflow)
{
	*run = (struct run){ .workflow = workflow };
	run->visits = xcalloc(workflow->steps_count, sizeof *run->visits);
}

void
run_fini(struct run *run)
{
	for (size_t i = 0; run->visits != NULL && i < run->workflow->steps_count; i++) {
		json_unref(&run->visits[i].output);
		json_unref(&run->visits[i].error);
	}
	free(run->visits);
	free(run->run_id);
	json_unref(&run->input);
	json_unref(&run->trigger);
	json_unref(&run->state);
	json_unref(&run->facts);
	json_unref(&run->environment);
	json_unref(&run->secrets);
	json_unref(&run->steps_value);
	*run = (struct run){ 0 };
}

/* ---- `steps` ---- */

static struct json *
visit_value(const struct visit *visit)
{
	struct json *value = json_new_object();

	json_set(value, "status", json_new_str(step_status_name(visit->status)));
	json_set(value, "output", json_ref(visit->output));
	json_set(value, "result", json_ref(visit->output));
	json_set(value, "error", json_ref(visit->error));
	return value;
}

/* load-spec is steps["load-spec"] and steps.load_spec. */
static void
set_step(struct json *steps, const char *id, struct json *value)
{
	char *alias;

	if (strchr(id, '-') != NULL) {
		alias = xstrdup(id);
		for (char *c = alias; *c != '\0'; c++)
			if (*c == '-')
				*c = '_';
		json_set(steps, alias, json_ref(value));
		free(alias);
	}
	json_set(steps, id, value);
}

static struct json *
steps_value(struct run *run)
{
	const struct visit nothing = { .status = STEP_PENDING };
	struct json *pending;

	if (run->steps_value != NULL)
		return run->steps_value;
	run->steps_value = json_new_object();
	pending = visit_value(&nothing);
	for (size_t i = 0; i < run->workflow->steps_count; i++) {
		const struct visit *visit = &run->visits[i];

		set_step(run->steps_value, run->workflow->steps[i].id,
			 visit->status == STEP_PENDING ? json_ref(pending)
						       : visit_value(visit));
	}
	json_unref(&pending);
	return run->steps_value;
}

void
run_set_visit(struct run *run, int index, int number, enum step_status status,
	      struct json *output, struct json *error)
{
	struct visit *visit = &run->visits[index];

	json_unref(&visit->output);
	json_unref(&visit->error);
	*visit = (struct visit){ status, number, output, error };
	if (run->steps_value == NULL)
		return;
	/* Who took `steps` itself may still hold it: then it must not change. */
	if (run->workflow->reads_steps_whole)
		json_unref(&run->steps_value);
	else
		set_step(run->steps_value, run->workflow->steps[index].id,
			 visit_value(visit));
}

/* ---- the scope ---- */

/* The error that led here: of the step that ended last, if it failed. */
static struct json *
last_error(const struct run *run)
{
	const struct visit *last = NULL;

	for (size_t i = 0; i < run->workflow->steps_count; i++) {
		const struct visit *visit = &run->visits[i];

		if (step_is_over(visit->status) &&
		    (last == NULL || visit->number > last->number))
			last = visit;
	}
	return last != NULL && last->status == STEP_FAILED ? last->error : NULL;
}

static struct json *
get_input(struct run_scope *scope)
{
	return scope->run->input;
}

static struct json *
get_steps(struct run_scope *scope)
{
	return steps_value(scope->run);
}

static struct json *
get_result(struct run_scope *scope)
{
	return scope->result;
}

static struct json *
get_state(struct run_scope *scope)
{
	return scope->run->state;
}

static struct json *
get_error(struct run_scope *scope)
{
	if (scope->error != NULL || scope->has_result)
		return scope->error;
	return last_error(scope->run);
}

static struct json *
get_run(struct run_scope *scope)
{
	return scope->run->facts;
}

static struct json *
get_trigger(struct run_scope *scope)
{
	return scope->run->trigger;
}

static struct json *
get_event(struct run_scope *scope)
{
	return scope->event;
}

static struct json *
get_environment(struct run_scope *scope)
{
	return scope->run->environment;
}

static struct json *
get_secrets(struct run_scope *scope)
{
	return scope->run->secrets;
}

static struct json *
get_item(struct run_scope *scope)
{
	return scope->item;
}

static struct json *
get_index(struct run_scope *scope)
{
	if (scope->index_value == NULL)
		scope->index_value = json_new_int(scope->index);
	return scope->index_value;
}

static bool
has_result(const struct run_scope *scope)
{
	return scope->has_result;
}

static bool
has_index(const struct run_scope *scope)
{
	return scope->index >= 0;
}

static const struct {
	const char *name;
	struct json *(*get)(struct run_scope *scope);
	bool (*is_there)(const struct run_scope *scope); /* NULL: always */
} variables[] = {
	{ "input", get_input, NULL },         { "steps", get_steps, NULL },
	{ "result", get_result, has_result }, { "state", get_state, NULL },
	{ "error", get_error, NULL },         { "run", get_run, NULL },
	{ "trigger", get_trigger, NULL },     { "event", get_event, NULL },
	{ "item", get_item, has_index },      { "index", get_index, has_index },
	{ "env", get_environment, NULL },     { "secrets", get_secrets, NULL },
};

static bool
lookup(void *context, const char *name, struct json **value)
{
	struct run_scope *scope = context;

	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
		if (strcmp(variables[i].name, name) != 0)
			continue;
		if (variables[i].is_there != NULL && !variables[i].is_there(scope))
			return false;
		*value = variables[i].get(scope);
		return true;
	}
	return false;
}

void
run_scope_init(struct run_scope *scope, struct run *run)
{
	*scope = (struct run_scope){
		.scope = { lookup, scope },
		.run = run,
		.index = -1,
	};
}

void
run_scope_fini(struct run_scope *scope)
{
	json_unref(&scope->index_value);
}

/* ---- before there is a run ---- */

#define KEY_MAX 500

char *
workflow_concurrency_key(const struct workflow *workflow, struct json *input,
			 struct json *trigger, struct err *err)
{
	struct run run = { .workflow = workflow, .input = input, .trigger = trigger };
	struct run_scope scope;
	struct json *value = NULL;
	char *text, *key;

	if (workflow->concurrency == 0)
		return NULL;
	if (workflow->concurrency_key == NULL)
		return xstrdup(workflow->name);
	run_scope_init(&scope, &run);
	if (template_resolve(workflow->concurrency_key, &scope.scope, &value, err) <
	    0) {
		err_in(err, "concurrency.key");
		return NULL;
	}
	text = json_type(value) == JSON_STRING ? xstrdup(json_str(value))
					       : json_text(value);
	json_unref(&value);
	if (strlen(text) > KEY_MAX) {
		err_set(err, ERR_INPUT, "concurrency.key: longer than %d bytes",
			KEY_MAX);
		free(text);
		return NULL;
	}
	key = xprintf("%s:%s", workflow->name, text);
	free(text);
	return key;
}
