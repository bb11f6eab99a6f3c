/* From the body of a call to its workflow. See trial.h. */
#include "front/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void
trial_free(struct trial *trial)
{
	json_unref(&trial->input);
	json_unref(&trial->steps);
	free(trial);
}

static void
on_gone(void *state)
{
	struct trial *trial = state;

	catalog_forget(trial->front->catalog, trial);
	trial_free(trial);
}

struct exchange *
trial_end(struct trial *trial)
{
	struct exchange *exchange = trial->exchange;

	exchange_set_state(exchange, NULL, NULL);
	trial_free(trial);
	return exchange;
}

/* ---- the body ---- */

static bool
is_known(const char *key, const char *const *more)
{
	if (strcmp(key, "input") == 0 || strcmp(key, "steps") == 0)
		return true;
	for (; *more != NULL; more++)
		if (strcmp(key, *more) == 0)
			return true;
	return false;
}

/* -1: it was refused, and that was said. */
static int
check_body(struct exchange *exchange, const struct json *body, const char *const *more)
{
	const struct json *steps = json_get(body, "steps");

	if (body != NULL && json_type(body) != JSON_OBJECT) {
		reply_problem(exchange, 400, NULL, "expected an object {input, steps}");
		return -1;
	}
	for (struct json_iter it = json_iter(body); json_next(&it);)
		if (!is_known(it.key, more)) {
			reply_problem(exchange, 400, NULL, "unknown key \"%.100s\"",
				      it.key);
			return -1;
		}
	if (steps == NULL || json_type(steps) == JSON_OBJECT)
		return 0;
	reply_problem(exchange, 400, NULL,
		      "steps: expected an object of outputs by step, got %s",
		      json_type_name(json_type(steps)));
	return -1;
}

static struct json *
member_or_object(const struct json *body, const char *key)
{
	if (json_get(body, key) == NULL)
		return json_new_object(); /* so has(input.x) can be asked */
	return json_storable(json_ref(json_get(body, key)), NULL);
}

/* ---- its workflow ---- */

static bool
is_visible(const struct trial *trial, const struct catalog_entry *entry)
{
	const struct uuid *project = exchange_project(trial->exchange);

	return project == NULL || !entry->has_project ||
	       uuid_equal(&entry->project, project);
}

/* The first of the given steps that the workflow does not have; NULL: there is none. */
static const char *
stranger(const struct trial *trial, const struct workflow *workflow)
{
	for (struct json_iter it = json_iter(trial->steps); json_next(&it);)
		if (workflow_step_index(workflow, it.key) < 0)
			return it.key;
	return NULL;
}

static void
on_found(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct trial *trial = context;
	const char *key;

	if (entry == NULL) {
		reply_err(trial_end(trial), err);
		return;
	}
	if (!is_visible(trial, entry)) {
		reply_problem(trial_end(trial), 404, NULL, "there is no such workflow");
		return;
	}
	if (entry->workflow->program != NULL) {
		reply_problem(trial_end(trial), 422, NULL,
			      "the workflow is a program: what it will do is not known "
			      "without running it; its steps cannot be walked or "
			      "tested one by one");
		return;
	}
	key = stranger(trial, entry->workflow);
	if (key != NULL) {
		char *name = xstrdup(key);

		reply_problem(trial_end(trial), 422, NULL,
			      "steps: the workflow has no step \"%.200s\"", name);
		free(name);
		return;
	}
	trial->go(trial, entry);
}

void
trial_begin(struct exchange *exchange, const char *const *more,
	    void (*go)(struct trial *trial, const struct catalog_entry *entry))
{
	struct front *front = exchange_front(exchange);
	struct trial *trial;
	struct json *body;

	if (exchange_json(exchange, &body) < 0 || check_body(exchange, body, more) < 0)
		return;
	trial = xcalloc(1, sizeof *trial);
	*trial = (struct trial){ .exchange = exchange,
				 .front = front,
				 .body = body,
				 .input = member_or_object(body, "input"),
				 .steps = member_or_object(body, "steps"),
				 .go = go };
	if (exchange_change(exchange) == NULL)
		exchange_set_state(exchange, trial, on_gone);
	catalog_find(front->catalog, exchange_project(exchange),
		     exchange_param(exchange, "id"), exchange_read_after(exchange),
		     on_found, trial);
}
