/*
 * code: a text in javascript, python or shell, run as a child program. It finds what
 * the run knows (input, steps, state, run, step, trigger) as variables; shell finds it
 * as the file that STEPMILL_CONTEXT names. Its output is what it returns (shell: what
 * it writes to the descriptor of STEPMILL_FD, else what it prints, as JSON if it is
 * some).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "actions/code_runners.h"
#include "actions/script.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"

struct code {
	struct attempt *attempt;
	struct program *program;
	const struct code_runner *runner;
};

/* ---- what the code sees ---- */

static struct json *
step_json(const struct attempt *attempt)
{
	struct json *step = json_new_object();

	json_set(step, "id", json_new_str(attempt->def->id));
	json_set(step, "name", json_new_str(attempt->def->name));
	json_set(step, "number", json_new_int(attempt->number));
	json_set(step, "attempt", json_new_int(attempt->attempt));
	json_set(step, "idempotencyKey", json_new_str(attempt->idempotency_key));
	return step;
}

static struct json *
visit_json(const struct visit *visit)
{
	struct json *value = json_new_object();

	json_set(value, "status", json_new_str(step_status_name(visit->status)));
	json_set(value, "output", json_ref(visit->output));
	json_set(value, "result", json_ref(visit->output));
	json_set(value, "error", json_ref(visit->error));
	return value;
}

static struct json *
steps_json(const struct run *run)
{
	struct json *steps = json_new_object();

	for (size_t i = 0; run->workflow != NULL && i < run->workflow->steps_count; i++)
		json_set(steps, run->workflow->steps[i].id,
			 visit_json(&run->visits[i]));
	return steps;
}

static void
write_context(const struct attempt *attempt, struct buf *out)
{
	const struct run *run = attempt->run_values;
	struct json *context = json_new_object();

	json_set(context, "input", json_ref(run->input));
	json_set(context, "steps", steps_json(run));
	json_set(context, "state", json_ref(run->state));
	json_set(context, "run", json_ref(run->facts));
	json_set(context, "step", step_json(attempt));
	json_set(context, "trigger", json_ref(run->trigger));
	json_write(context, out);
	json_unref(&context);
}

/* ---- the answer ---- */

/* What a shell printed: JSON if it is some, else text without the last line's end. */
static struct json *
printed(const struct attempt *attempt, const struct output *output)
{
	struct buf text = { 0 };
	struct json *json = NULL;
	struct err err = { 0 };

	output_text(output, &text);
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (text.len > 0 && answer_json(attempt, text.data, text.len, &json, &err) < 0)
		json = answer_text(attempt, text.data, text.len);
	buf_fini(&text);
	return json;
}

static void
on_end(void *context, const struct program_end *end)
{
	struct code *code = context;
	struct json *output;

	if (end->code != NULL) {
		script_fail(code->attempt, end, NULL);
		return;
	}
	if (script_result(code->attempt, end, &output) < 0)
		return;
	if (end->channel->len == 0 && code->runner->runner == NULL)
		output = printed(code->attempt, end->out);
	attempt_succeed(code->attempt, output);
}

/* ---- the start ---- */

struct code_files {
	char *context, *source, *runner;
};

static int
put_files(struct code *code, struct code_files *files, struct err *err)
{
	const struct code_runner *runner = code->runner;
	const struct json *source = json_get(code->attempt->fields, "source");
	struct buf context = { 0 };

	write_context(code->attempt, &context);
	files->context = program_put(code->program, "context.json", buf_text(&context),
				     context.len, err);
	buf_fini(&context);
	if (files->context == NULL)
		return -1;
	files->source = program_put(code->program, runner->source_name,
				    json_str(source), json_str_len(source), err);
	if (files->source == NULL || runner->runner == NULL)
		return files->source != NULL ? 0 : -1;
	files->runner = program_put(code->program, runner->runner_name, runner->runner,
				    strlen(runner->runner), err);
	return files->runner != NULL ? 0 : -1;
}

static int
run(struct code *code, int folder, struct err *err)
{
	struct code_files files = { 0 };
	struct pairs pairs = { 0 };
	const char *argv[] = { code->runner->program, NULL, NULL };
	struct program_spec spec = {
		.argv = argv,
		.folder = folder,
		.channel = true,
		.log_out = true,
		.log_err = true,
	};
	int result = put_files(code, &files, err);

	if (result == 0) {
		argv[1] = files.runner != NULL ? files.runner : files.source;
		pairs_add(&pairs, xprintf("STEPMILL_CONTEXT=%s", files.context));
		spec.environment = (const char *const *)pairs.list;
		result = program_start(code->program, &spec, on_end, code, err);
	}
	free(files.context);
	free(files.source);
	free(files.runner);
	pairs_fini(&pairs);
	return result;
}

static void
code_free(void *state)
{
	struct code *code = state;

	program_free(&code->program);
	free(code);
}

static void *
code_start(struct attempt *attempt)
{
	struct code *code;
	struct err err = { 0 };
	int folder;

	if (!answer_allowed(attempt, "code") ||
	    !answer_checked(attempt, NULL, action_fields[ACTION_CODE].fields))
		return NULL;
	code = xcalloc(1, sizeof *code);
	code->attempt = attempt;
	code->runner = code_runner_find(field_text(attempt, "language", ""));
	folder = script_folder(attempt, NULL, &err);
	if (folder >= 0)
		code->program = program_new(attempt, &err);
	if (code->program == NULL || run(code, folder, &err) < 0) {
		answer_error(attempt, NULL, &err);
		code_free(code);
		code = NULL;
	}
	if (folder >= 0)
		close(folder);
	return code;
}

static void
code_stop(void *state, enum stop how)
{
	program_stop(((struct code *)state)->program, how);
}

const struct action action_code = {
	.name = "code",
	.start = code_start,
	.stop = code_stop,
	.free = code_free,
};
