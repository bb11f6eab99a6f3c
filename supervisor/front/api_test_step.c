/*
 * A step is tested alone, on a worker, over HTTP. It is a run like any other, of a
 * definition that is made for it (engine/test_step_core.c), and committed before its
 * result is waited for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "conf/yaml_text.h"
#include "digest/digest.h"
#include "engine/test_step_core.h"
#include "front/api.h"
#include "front/change.h"
#include "front/test_result.h"
#include "front/trial.h"
#include "store/runs.h"

/* A test on its way into the database. */
struct testing {
	struct exchange *exchange;
	struct test_step test;
	struct workflow *definition; /* it is tested in */
	struct json *input, *steps;
	struct uuid run, project;
	bool has_project;
};

/* What is left of it once it is committed. */
struct tested {
	struct uuid run;
	int number;
};

static struct exchange *
testing_end(struct testing *testing)
{
	struct exchange *exchange = testing->exchange;

	test_step_fini(&testing->test);
	workflow_free(&testing->definition);
	json_unref(&testing->input);
	json_unref(&testing->steps);
	free(testing);
	return exchange;
}

static void
on_committed(struct exchange *exchange)
{
	const struct tested *tested = exchange_kept(exchange);

	test_result_reply(exchange, &tested->run, tested->number);
}

/* JSON that is YAML, too. */
static char *
source_of(const struct test_step *test)
{
	char *text = json_text(test->definition);
	struct buf source = { 0 };

	yaml_text_escape(text, strlen(text), &source);
	free(text);
	return buf_take(&source);
}

/* ---- storing it ---- */

static const struct step_def *
tested_step(const struct testing *testing)
{
	return &testing->definition->steps[testing->test.place];
}

static int
number_of(const struct testing *testing)
{
	return (int)testing->test.given_count + 1;
}

static void
ring(const struct testing *testing)
{
	struct change *change = exchange_change(testing->exchange);
	struct step_ref ref = { testing->run, number_of(testing) };

	change_tell_ready(change, tested_step(testing)->queue,
			  testing->definition->priority, &ref);
	change_tell_run(change, &testing->run, 1);
}

static void
on_stored(void *context, const struct err *err)
{
	struct testing *testing = context;
	struct exchange *exchange = testing->exchange;
	struct json *details = json_new_object();
	struct uuid run = testing->run;
	struct tested *tested;
	char id[UUID_TEXT];

	if (err->kind != ERR_NONE) {
		json_unref(&details);
		reply_err(testing_end(testing), err);
		return;
	}
	ring(testing);
	json_set(details, "executionId", json_new_str(uuid_format(&run, id)));
	json_set(details, "step", json_new_str(testing->test.key));
	exchange_audit(exchange, exchange_path(exchange), details);
	tested = exchange_keep(exchange, sizeof *tested);
	*tested = (struct tested){ run, number_of(testing) };
	exchange_then(exchange, on_committed);
	testing_end(testing);
	api_reply_status(exchange, 202, &run, RUN_RUNNING);
}

static void
add_given(struct pg_batch *batch, const struct testing *testing)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &testing->run);
	pg_array_begin(&args, PG_TEXT);
	for (size_t i = 0; i < testing->test.given_count; i++)
		pg_arg_text(&args, testing->test.given[i]);
	pg_array_end(&args);
	pg_arg_json(&args, testing->steps);
	pg_arg_int4(&args, number_of(testing));
	pg_batch_add(batch, "steps_given", &args, NULL, NULL);
	pg_args_fini(&args);
}

static void
store_run(struct testing *testing, const struct uuid *definition)
{
	struct pg_batch *batch = pg_batch_new(exchange_pg(testing->exchange));
	const struct step_def *def = tested_step(testing);
	const struct new_step first = { .key = def->id,
					.queue = def->queue,
					.number = number_of(testing),
					.max_attempts = def->retry.max_attempts };
	const struct new_run run = {
		.id = testing->run,
		.definition = *definition,
		.workflow_name = testing->definition->name,
		.project = testing->has_project ? &testing->project : NULL,
		.input = testing->input,
		.priority = testing->definition->priority,
		.triggered_by = "test",
		.requested_by = exchange_who(testing->exchange),
		.tools = exchange_tools(testing->exchange),
		.timeout = testing->definition->timeout,
		.crash_on_interrupt = testing->definition->crash_on_interrupt,
		.steps = &first,
		.steps_count = 1,
	};

	runs_insert_into(batch, &run, 1);
	add_given(batch, testing);
	pg_batch_send(&batch, on_stored, testing);
}

static void
on_defined(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct testing *testing = context;
	struct uuid definition;

	if (rows == NULL) {
		reply_err(testing_end(testing), err);
		return;
	}
	if (pg_count(rows) == 0) {
		reply_problem(testing_end(testing), 404, NULL,
			      "there is no such workflow");
		return;
	}
	definition = pg_uuid(rows, 0, 0);
	store_run(testing, &definition);
}

static void
store(struct testing *testing, const struct catalog_entry *entry)
{
	struct front *front = exchange_front(testing->exchange);
	struct uuid id = uuid7_new(loop_now(front->loop));
	char *source = source_of(&testing->test);
	char checksum[SHA256_TEXT];
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_arg_uuid(&args, &entry->workflow_id);
	pg_arg_int4(&args, entry->version);
	pg_arg_text(&args, source);
	pg_arg_json(&args, testing->definition->config);
	pg_arg_text(&args, sha256_text(source, strlen(source), checksum));
	pg_query(exchange_pg(testing->exchange), "definitions_test", &args, on_defined,
		 testing);
	pg_args_fini(&args);
	free(source);
}

/* ---- making it ---- */

/* A problem of the tested step is told of "step", wherever it stands. */
static void
rename_places(struct problems *problems, int place)
{
	char *prefix = xprintf("steps[%d]", place);
	size_t len = strlen(prefix);

	for (size_t i = 0; i < problems->count; i++) {
		struct problem *problem = &problems->list[i];
		char *renamed;

		problem->line = problem->column = 0;
		if (strncmp(problem->path, prefix, len) != 0)
			continue;
		renamed = xprintf("step%s", problem->path + len);
		free(problem->path);
		problem->path = renamed;
	}
	free(prefix);
}

/* NULL, and what is wrong with it was answered. */
static struct workflow *
read_definition(struct trial *trial, const struct test_step *test)
{
	struct problems problems = { 0 };
	struct workflow *workflow = NULL;
	char *source = source_of(test);
	struct doc *doc = yaml_parse(source, strlen(source), &problems);

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	doc_free(&doc);
	free(source);
	if (workflow == NULL) {
		rename_places(&problems, test->place);
		reply_problem(trial_end(trial), 422, api_problems(&problems),
			      "the step cannot be tested alone: it has %zu error%s",
			      problems.count, problems.count == 1 ? "" : "s");
	}
	problems_fini(&problems);
	return workflow;
}

static void
begin(struct trial *trial, const struct catalog_entry *entry, struct test_step *test,
      struct workflow *definition)
{
	struct testing *testing = xcalloc(1, sizeof *testing);
	struct front *front = trial->front;
	const struct uuid *project = exchange_project(trial->exchange);

	*testing = (struct testing){ .exchange = trial->exchange,
				     .test = *test,
				     .definition = definition,
				     .input = json_ref(trial->input),
				     .steps = json_ref(trial->steps),
				     .run = uuid7_new(loop_now(front->loop)),
				     .has_project = project != NULL };
	if (project != NULL)
		testing->project = *project;
	trial_end(trial);
	store(testing, entry);
}

static void
on_workflow(struct trial *trial, const struct catalog_entry *entry)
{
	const char *key = NULL;
	struct test_step test;
	struct workflow *definition;
	struct err err = { 0 };

	if (json_want_str(trial->body, "stepId", &key, &err) < 0 ||
	    test_step_make(entry->workflow, key, json_get(trial->body, "step"),
			   trial->steps, &test, &err) < 0) {
		reply_err(trial_end(trial), &err);
		return;
	}
	definition = read_definition(trial, &test);
	if (definition != NULL)
		begin(trial, entry, &test, definition);
	else
		test_step_fini(&test);
}

static void
on_test_step(struct exchange *exchange)
{
	static const char *const more[] = { "stepId", "step", NULL };

	trial_begin(exchange, more, on_workflow);
}

/* clang-format off */
const struct route routes_test_step[] = {
	{ "POST", "/api/workflows/:id/test-step", ROLE_ADMIN, 0, true, on_test_step, "workflow.test_step" },
	{ 0 },
};
/* clang-format on */
