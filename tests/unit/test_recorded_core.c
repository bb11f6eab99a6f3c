/* Steps by their place: what answers from the record, what is new, what is held back,
 * and what is another program than was recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "recorded/recorded_core.h"

static struct made_step *
function(const char *name)
{
	struct json *params = json_new_object();
	struct err err = { 0 };
	struct made_step *made =
	    made_step_new(MADE_FUNCTION, name, params, "default", &err);

	assert_non_null(made);
	json_unref(&params);
	return made;
}

static struct made_step *
tool(const char *tool_name, const char *name)
{
	struct json *params = json_new_object(), *fields = json_new_object();
	struct err err = { 0 };
	struct made_step *made;

	json_set(fields, "tool", json_new_str(tool_name));
	json_set(params, "action", json_new_str("tool"));
	json_set(params, "fields", fields);
	made = made_step_new(MADE_CALL, name, params, "default", &err);
	assert_non_null(made);
	json_unref(&params);
	return made;
}

/* made is taken. */
static void
add(struct recorded *recorded, int number, int parent, enum step_status status,
    struct made_step *made, struct json *changes)
{
	struct json *params = json_new_object();
	struct recorded_step row = { .number = number,
				     .parent = parent,
				     .name = made->def.name,
				     .status = status,
				     .attempt = 1,
				     .made = made_step_value(made, params) };

	if (changes != NULL)
		json_set(row.made, "state", changes);
	recorded_add(recorded, &row);
	json_unref(&params);
	made_step_free(&made);
}

/* made is taken. */
static enum recorded_answer
ask(struct recorded *recorded, int parent, struct made_step *made,
    struct recorded_step **step)
{
	struct recorded_place place;
	enum recorded_answer answer =
	    recorded_ask(recorded, parent, made->def.name, made, &place, step);

	if (answer == RECORDED_NEW)
		*step = recorded_make(recorded, &place, made, false);
	recorded_place_fini(&place);
	made_step_free(&made);
	return answer;
}

static void
test_new_steps_are_numbered_in_order(void **state)
{
	struct recorded *recorded = recorded_new();
	struct recorded_step *step;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(ask(recorded, 0, function("same"), &step),
				 RECORDED_NEW);
		assert_int_equal(step->number, i);
		assert_int_equal(step->nth, i);
	}
	assert_int_equal(ask(recorded, 2, function("same"), &step), RECORDED_NEW);
	assert_int_equal(step->nth, 1); /* inside another one */
	assert_true(recorded_find(recorded, 2)->has_inner);
	assert_null(recorded_find(recorded, 9));
	recorded_free(&recorded);
}

static void
test_what_is_recorded_answers(void **state)
{
	struct recorded *recorded = recorded_new();
	struct recorded_step *step;

	(void)state;
	add(recorded, 1, 0, STEP_COMPLETED, function("a"), NULL);
	add(recorded, 2, 0, STEP_RUNNING, tool("shell", "b"), NULL);
	add(recorded, 3, 0, STEP_COMPLETED, function("a"), NULL);
	recorded_rewind(recorded);
	assert_int_equal(recorded_over(recorded), 2);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(ask(recorded, 0, function("a"), &step),
				 RECORDED_KNOWN);
		assert_int_equal(step->number, 1);
		assert_int_equal(ask(recorded, 0, tool("shell", "b"), &step),
				 RECORDED_KNOWN);
		assert_int_equal(step->number, 2);
		assert_int_equal(recorded_first_unasked(recorded)->number, 3);
		assert_int_equal(ask(recorded, 0, function("a"), &step),
				 RECORDED_KNOWN);
		assert_int_equal(step->number, 3);
		assert_null(recorded_first_unasked(recorded));
		if (round == 1)
			assert_int_equal(ask(recorded, 0, function("c"), &step),
					 RECORDED_NEW);
		recorded_rewind(recorded); /* its process began anew */
	}
	assert_int_equal(recorded->last, 4);
	recorded_free(&recorded);
}

static void
test_another_kind_diverges(void **state)
{
	struct recorded *recorded = recorded_new();
	struct recorded_step *step;
	char *text;

	(void)state;
	add(recorded, 1, 0, STEP_COMPLETED, tool("git.commit", "x"), NULL);
	recorded_rewind(recorded);
	assert_int_equal(ask(recorded, 0, tool("git.push", "x"), &step),
			 RECORDED_DIVERGES);
	text = recorded_describe(step);
	assert_string_equal(text, "tool git.commit \"x\" (step 1)");
	free(text);
	recorded_rewind(recorded);
	assert_int_equal(ask(recorded, 0, function("x"), &step), RECORDED_DIVERGES);
	recorded_free(&recorded);
}

static void
test_what_is_not_recorded_is_held_back(void **state)
{
	struct recorded *recorded = recorded_new();
	struct recorded_place place;
	struct recorded_step *step;
	struct made_step *late = function("late");

	(void)state;
	add(recorded, 1, 0, STEP_COMPLETED, function("a"), NULL);
	recorded_rewind(recorded);
	assert_int_equal(recorded_ask(recorded, 0, "late", late, &place, &step),
			 RECORDED_HELD);
	assert_int_equal(recorded_again(recorded, &place, late, &step), RECORDED_HELD);
	assert_int_equal(ask(recorded, 0, function("a"), &step), RECORDED_KNOWN);
	assert_int_equal(recorded_again(recorded, &place, late, &step), RECORDED_NEW);
	recorded_place_fini(&place);
	made_step_free(&late);
	recorded_free(&recorded);
}

/* A function that has ended is not run again: what it asked for is not asked for. */
static void
test_what_is_inside_an_ended_step_is_passed_over(void **state)
{
	struct recorded *recorded = recorded_new();
	struct recorded_step *step;

	(void)state;
	add(recorded, 1, 0, STEP_COMPLETED, function("outer"), NULL);
	add(recorded, 2, 1, STEP_COMPLETED, function("inner"), NULL);
	add(recorded, 3, 2, STEP_COMPLETED, function("innermost"), NULL);
	add(recorded, 4, 0, STEP_RUNNING, function("open"), NULL);
	add(recorded, 5, 4, STEP_COMPLETED, function("inner"), NULL);
	recorded_rewind(recorded);
	assert_int_equal(ask(recorded, 0, function("outer"), &step), RECORDED_KNOWN);
	assert_int_equal(recorded_first_unasked(recorded)->number, 4);
	assert_int_equal(ask(recorded, 0, function("open"), &step), RECORDED_KNOWN);
	assert_int_equal(recorded_first_unasked(recorded)->number, 5);
	assert_int_equal(ask(recorded, 4, function("inner"), &step), RECORDED_KNOWN);
	assert_int_equal(ask(recorded, 0, function("next"), &step), RECORDED_NEW);
	recorded_free(&recorded);
}

static void
test_rows_that_are_none_are_left_out(void **state)
{
	struct recorded *recorded = recorded_new();
	struct recorded_step row = { .number = 7,
				     .name = (char *)"x",
				     .made = json_new_object() };

	(void)state;
	recorded_add(recorded, &row);
	assert_int_equal(recorded->count, 0);
	assert_null(recorded_first_unasked(recorded));
	recorded_free(&recorded);
}

/* ---- state ---- */

static struct json *
parsed(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static void
assert_json(struct json *json, const char *text)
{
	struct json *wanted = parsed(text);

	assert_true(json_equal(json, wanted));
	json_unref(&wanted);
	json_unref(&json);
}

static void
test_changes_of_the_state(void **state)
{
	struct json *before = parsed("{\"a\":1,\"b\":[2],\"c\":null}");
	struct json *after = parsed("{\"a\":1,\"b\":[3],\"d\":null}");
	struct json *changes = recorded_changes(before, after);

	(void)state;
	assert_json(json_ref(changes),
		    "{\"set\":{\"b\":[3],\"d\":null},\"gone\":[\"c\"]}");
	assert_json(recorded_apply(before, changes), "{\"a\":1,\"b\":[3],\"d\":null}");
	assert_null(recorded_changes(before, before));
	json_unref(&changes);
	json_unref(&before);
	json_unref(&after);
}

/* What others did comes with the step before; what was inside, with what it was in. */
static void
test_the_state_at_a_place(void **state)
{
	struct recorded *recorded = recorded_new();
	struct json *nothing = json_new_object(), *made;
	struct recorded_step *step;
	struct recorded_step row = { .number = 3,
				     .name = (char *)"state.set",
				     .status = STEP_COMPLETED };

	(void)state;
	add(recorded, 1, 0, STEP_COMPLETED, function("outer"), NULL);
	add(recorded, 2, 1, STEP_COMPLETED, tool("state.set", "in"),
	    parsed("{\"set\":{\"in\":1},\"gone\":[]}"));
	made = parsed("{\"action\":\"tool\",\"tool\":\"state.set\",\"aside\":true,"
		      "\"state\":{\"set\":{\"aside\":1},\"gone\":[]}}");
	row.made = made;
	recorded_add(recorded, &row);
	add(recorded, 4, 0, STEP_COMPLETED, tool("state.set", "own"),
	    parsed("{\"set\":{\"own\":1},\"gone\":[\"in\"]}"));
	recorded_rewind(recorded);
	assert_int_equal(ask(recorded, 0, function("outer"), &step), RECORDED_KNOWN);
	assert_json(recorded_state_after(recorded, step, nothing),
		    "{\"in\":1,\"aside\":1}");
	assert_json(recorded_state_after(recorded, step, nothing), "{\"in\":1}");
	assert_int_equal(ask(recorded, 0, tool("state.set", "own"), &step),
			 RECORDED_KNOWN);
	assert_json(recorded_state_after(recorded, step, nothing), "{\"own\":1}");
	json_unref(&nothing);
	recorded_free(&recorded);
}

/* ---- what may be asked ---- */

static void
test_what_may_be_asked(void **state)
{
	static const struct {
		enum made_kind kind;
		const char *name, *params;
		const char *wrong; /* NULL: nothing */
	} cases[] = {
		{ MADE_FUNCTION, "a", "{}", NULL },
		{ MADE_FUNCTION, NULL, "{}", "name" },
		{ MADE_FUNCTION, "", "{}", "name" },
		{ MADE_FUNCTION, "a",
		  "{\"retry\":{\"maxAttempts\":3,\"delay\":\"1s\"}}", NULL },
		{ MADE_FUNCTION, "a", "{\"retry\":{\"maxAttempts\":0}}", "retry" },
		{ MADE_FUNCTION, "a", "{\"retry\":{\"often\":1}}", "retry" },
		{ MADE_CALL, NULL,
		  "{\"action\":\"tool\",\"fields\":{\"tool\":\"shell\"}}", NULL },
		{ MADE_CALL, NULL, "{\"action\":\"tool\",\"fields\":{}}", "fields" },
		{ MADE_CALL, NULL, "{\"action\":\"tool\",\"fields\":[]}", "fields" },
		{ MADE_CALL, NULL, "{\"action\":\"loop\"}", "action" },
		{ MADE_CALL, NULL, "{}", "action" },
		{ MADE_CALL, NULL, "{\"action\":\"noop\",\"timeout\":\"soon\"}",
		  "timeout" },
		{ MADE_CALL, NULL,
		  "{\"action\":\"model\",\"fields\":{\"prompt\":\"x\","
		  "\"outputSchema\":{\"type\":\"object\"}}}",
		  NULL },
		{ MADE_CALL, NULL,
		  "{\"action\":\"model\",\"fields\":{\"prompt\":\"x\","
		  "\"outputSchema\":{\"type\":\"nothing\"}}}",
		  "outputSchema" },
		{ MADE_WAIT, NULL, "{\"action\":\"wait\",\"fields\":{\"for\":\"1s\"}}",
		  NULL },
		{ MADE_WAIT, NULL,
		  "{\"action\":\"wait\",\"fields\":{\"event\":\"e\","
		  "\"when\":\"event.data.n ==\"}}",
		  "when" },
		{ MADE_WAIT, NULL,
		  "{\"action\":\"tool\",\"fields\":{\"tool\":\"shell\"}}", "action" },
		{ MADE_WAIT, NULL, "{\"action\":\"approval\",\"fields\":{}}",
		  "prompt" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json *params = parsed(cases[i].params);
		struct err err = { 0 };
		struct made_step *made = made_step_new(cases[i].kind, cases[i].name,
						       params, "default", &err);

		if (cases[i].wrong == NULL)
			assert_non_null(made);
		else
			assert_null(made);
		if (cases[i].wrong != NULL)
			assert_non_null(strstr(err.text, cases[i].wrong));
		made_step_free(&made);
		json_unref(&params);
	}
}

/* What waits is read back by who claims it. */
static void
test_a_row_that_waits_is_read_back(void **state)
{
	struct json *params =
	    parsed("{\"action\":\"wait\",\"timeout\":500,\"fields\":{"
		   "\"event\":\"e\",\"when\":\"event.data.n == 1\"}}");
	struct err err = { 0 };
	struct made_step *made = made_step_new(MADE_WAIT, "it", params, "q", &err),
			 *back;
	struct json *value = made_step_value(made, params);

	(void)state;
	back = made_step_read("it", value, "q", &err);
	assert_non_null(back);
	assert_int_equal(back->def.action, ACTION_WAIT);
	assert_int_equal(back->def.timeout, 500 * USEC_MS);
	assert_non_null(back->def.when);
	assert_string_equal(json_str(json_get(back->fields, "event")), "e");
	json_unref(&value);
	json_unref(&params);
	made_step_free(&made);
	made_step_free(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_steps_are_numbered_in_order),
		cmocka_unit_test(test_what_is_recorded_answers),
		cmocka_unit_test(test_another_kind_diverges),
		cmocka_unit_test(test_what_is_not_recorded_is_held_back),
		cmocka_unit_test(test_what_is_inside_an_ended_step_is_passed_over),
		cmocka_unit_test(test_rows_that_are_none_are_left_out),
		cmocka_unit_test(test_changes_of_the_state),
		cmocka_unit_test(test_the_state_at_a_place),
		cmocka_unit_test(test_what_may_be_asked),
		cmocka_unit_test(test_a_row_that_waits_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
