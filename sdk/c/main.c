/* A workflow program from hello to its end, and what it was told at its beginning. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define PROTOCOL 1
#define AN_HOUR  3600000

/* ---- from hello to the end ---- */

static int
describe(struct stepmill *run, const struct stepmill_workflow *workflow,
	 struct json_object **out)
{
	struct json_object *input, *told;

	if (smw_run_parse(run, "more", workflow->more, true, &told) < 0 ||
	    smw_run_parse(run, "input", workflow->input, true, &input) < 0)
		return -1;
	if (told == NULL)
		told = json_object_new_object();
	smw_run_add_text(told, "name", workflow->name);
	smw_run_add_text(told, "description", workflow->description);
	json_object_object_add(told, "timeout",
			       json_object_new_int64(workflow->timeout_ms > 0
							 ? workflow->timeout_ms
							 : AN_HOUR));
	if (input != NULL)
		json_object_object_add(told, "input", input);
	*out = told;
	return 0;
}

static int
say_hello(struct stepmill *run, const struct stepmill_workflow *workflow)
{
	struct json_object *params, *told, *input = NULL;

	if (describe(run, workflow, &told) < 0)
		return -1;
	params = json_object_new_object();
	json_object_object_add(params, "protocol", json_object_new_int(PROTOCOL));
	smw_run_add_text(params, "sdk", "c 1.0");
	json_object_object_add(params, "workflow", told);
	run->told = smw_run_ask(run, "hello", params);
	if (run->told == NULL)
		return -1;
	json_object_object_get_ex(run->told, "input", &input);
	run->input =
	    input == NULL ? strdup("{}") : smw_run_text(json_object_get(input));
	return 0;
}

static void
tell_failure(struct stepmill *run)
{
	struct json_object *params = json_object_new_object();
	struct json_object *error = json_object_new_object();

	smw_run_add_text(error, "code", *run->error.code ? run->error.code : "failed");
	smw_run_add_text(error, "message",
			 *run->error.message ? run->error.message
					     : "the workflow gave no result");
	json_object_object_add(params, "error", error);
	json_object_put(smw_run_ask(run, "fail", params));
}

static void
tell_end(struct stepmill *run, const char *output)
{
	struct json_object *params, *value, *answer;

	if (output == NULL || smw_run_parse(run, "output", output, false, &value) < 0) {
		tell_failure(run);
		return;
	}
	params = json_object_new_object();
	json_object_object_add(params, "output", value);
	answer = smw_run_ask(run, "done", params);
	if (answer == NULL)
		tell_failure(run);
	json_object_put(answer);
}

int
smw_run_perform(struct stepmill *run, const struct stepmill_workflow *workflow,
		stepmill_fn *work, void *data)
{
	char *output;

	if (say_hello(run, workflow) < 0) {
		fprintf(stderr, "%s: %s\n", workflow->name, run->error.message);
		return EXIT_FAILURE;
	}
	if (strcmp(smw_run_member_text(run->told, "mode"), "describe") == 0)
		return EXIT_SUCCESS;
	output = work(run, data);
	tell_end(run, output);
	free(output);
	return EXIT_SUCCESS;
}

void
smw_run_fini(struct stepmill *run)
{
	json_object_put(run->told);
	free(run->input);
	smw_wire_fini(&run->wire);
}

int
stepmill_main(const struct stepmill_workflow *workflow, stepmill_fn *work, void *data)
{
	const char *text = getenv("STEPMILL_FD");
	struct stepmill run = { 0 };
	int status;
	char *end;

	if (text == NULL || *text == '\0') {
		fprintf(stderr,
			"%s is a workflow: stepmill run NAME.workflow, or\n"
			"stepmill workflows test NAME.workflow\n",
			workflow->name);
		return EXIT_FAILURE;
	}
	run.wire.fd = (int)strtol(text, &end, 10);
	if (*end != '\0') {
		fprintf(stderr, "STEPMILL_FD: %s is no descriptor\n", text);
		return EXIT_FAILURE;
	}
	status = smw_run_perform(&run, workflow, work, data);
	smw_run_fini(&run);
	return status;
}

/* ---- what is known ---- */

const char *
stepmill_execution_id(const struct stepmill *run)
{
	return smw_run_member_text(run->told, "executionId");
}

const char *
stepmill_run_id(const struct stepmill *run)
{
	return smw_run_member_text(run->told, "runId");
}

const char *
stepmill_project_id(const struct stepmill *run)
{
	return smw_run_member_text(run->told, "projectId");
}

const char *
stepmill_project_path(const struct stepmill *run)
{
	return smw_run_member_text(run->told, "projectPath");
}

const char *
stepmill_input(const struct stepmill *run)
{
	return run->input;
}
