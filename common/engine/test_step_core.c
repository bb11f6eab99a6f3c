/* The workflow that one step is tested in. See test_step_core.h. */
#include "engine/test_step_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void
test_step_fini(struct test_step *test)
{
	json_unref(&test->definition);
	free(test->key);
	free(test->given);
	*test = (struct test_step){ 0 };
}

static const struct json *
written(const struct workflow *workflow, int index)
{
	return json_at(json_get(workflow->config, "steps"), (size_t)index);
}

/* ---- what belongs to the step ---- */

static void
mark_list(const struct workflow *workflow, const struct json *ids, bool *own)
{
	for (size_t i = 0; i < json_count(ids); i++) {
		const char *id = json_str(json_at(ids, i));
		int index = id != NULL ? workflow_step_index(workflow, id) : NO_STEP;

		if (index >= 0)
			own[index] = true;
	}
}

/* The steps of its blocks, and of theirs. Who owns a step may stand behind it. */
static bool *
find_own(const struct workflow *workflow, const struct json *step)
{
	static const char *const blocks[] = { "then", "else", "body" };
	bool *own = xcalloc(workflow->steps_count + 1, sizeof *own);
	bool more = true;

	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		mark_list(workflow, json_get(step, blocks[i]), own);
	while (more) {
		more = false;
		for (size_t i = 0; i < workflow->steps_count; i++) {
			int owner = workflow->steps[i].owner;

			if (owner == NO_STEP || own[i] || !own[owner])
				continue;
			own[i] = more = true;
		}
	}
	return own;
}

/* ---- the definition ---- */

static bool
is_one_of(const char *key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(key, *list) == 0)
			return true;
	return false;
}

static struct json *
copy_without(const struct json *object, const char *const *keys)
{
	struct json *copy = json_new_object();

	for (struct json_iter it = json_iter(object); json_next(&it);)
		if (!is_one_of(it.key, keys))
			json_set_len(copy, it.key, it.key_len, json_ref(it.value));
	return copy;
}

static struct json *
stand_in(const char *id)
{
	struct json *step = json_new_object();

	json_set(step, "id", json_new_str(id));
	json_set(step, "action", json_new_str("noop"));
	return step;
}

/* The tested one comes after what stands for others: nothing follows it. */
static struct json *
list_steps(const struct workflow *workflow, const struct json *step, const bool *own,
	   struct test_step *test)
{
	static const char *const links[] = { "needs",     "if",        "branches",
					     "onSuccess", "onFailure", NULL };
	static const char *const needs[] = { "needs", NULL };
	struct json *list = json_new_array();

	for (size_t i = 0; i < workflow->steps_count; i++)
		if (!own[i] && strcmp(workflow->steps[i].id, test->key) != 0)
			json_append(list, stand_in(workflow->steps[i].id));
	test->place = (int)json_count(list);
	json_append(list, copy_without(step, links));
	for (size_t i = 0; i < workflow->steps_count; i++)
		if (own[i])
			json_append(list,
				    copy_without(written(workflow, (int)i), needs));
	return list;
}

static int
visits_allowed(const struct workflow *workflow)
{
	int most = workflow->max_steps + (int)workflow->steps_count;

	return most < WORKFLOW_MAX_STEPS_MAX ? most : WORKFLOW_MAX_STEPS_MAX;
}

static void
make(const struct workflow *workflow, const struct json *step, const bool *own,
     struct test_step *test)
{
	static const char *const others[] = { "description", "trigger", "input",
					      "output",      "steps",   "concurrency",
					      "maxSteps",    NULL };

	test->definition = copy_without(workflow->config, others);
	json_set(test->definition, "maxSteps", json_new_int(visits_allowed(workflow)));
	json_set(test->definition, "steps", list_steps(workflow, step, own, test));
}

/* ---- what was given ---- */

static int
check_given(const struct workflow *workflow, const struct json *outputs,
	    const bool *own, const char *key, struct err *err)
{
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const char *id = workflow->steps[i].id;

		if (json_has(outputs, id) && (own[i] || strcmp(id, key) == 0))
			return err_set(err, ERR_INPUT,
				       "steps: \"%s\" is to be tested: its output "
				       "cannot be given",
				       id);
	}
	return 0;
}

static void
take_given(const struct json *outputs, struct test_step *test)
{
	const struct json *steps = json_get(test->definition, "steps");

	test->given = xcalloc((size_t)test->place + 1, sizeof *test->given);
	for (int i = 0; i < test->place; i++) {
		const char *id = json_str(json_get(json_at(steps, (size_t)i), "id"));

		if (json_has(outputs, id))
			test->given[test->given_count++] = id;
	}
}

static const struct json *
find_step(const struct workflow *workflow, const char *key, const struct json *step,
	  struct err *err)
{
	int index;

	if ((key == NULL) == (step == NULL)) {
		err_set(err, ERR_INPUT, "expected either stepId or step");
		return NULL;
	}
	if (step != NULL) {
		if (json_str(json_get(step, "id")) != NULL)
			return step;
		err_set(err, ERR_INPUT, "step: expected an object with an id");
		return NULL;
	}
	index = workflow_step_index(workflow, key);
	if (index >= 0)
		return written(workflow, index);
	err_set(err, ERR_NOT_FOUND, "the workflow has no step \"%.200s\"", key);
	return NULL;
}

int
test_step_make(const struct workflow *workflow, const char *key,
	       const struct json *step, const struct json *outputs,
	       struct test_step *out, struct err *err)
{
	bool *own;
	int result;

	*out = (struct test_step){ 0 };
	step = find_step(workflow, key, step, err);
	if (step == NULL)
		return -1;
	out->key = xstrdup(json_str(json_get(step, "id")));
	own = find_own(workflow, step);
	result = check_given(workflow, outputs, own, out->key, err);
	if (result == 0) {
		make(workflow, step, own, out);
		take_given(outputs, out);
	} else {
		test_step_fini(out);
	}
	free(own);
	return result;
}
