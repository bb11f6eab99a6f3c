/*
 * skill: what a folder with a SKILL.md can do. A prompt is a model step of its own,
 * with the skill's words and schema in place of the step's; a program gets the input as
 * JSON on its standard input, and what it prints is the output.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "actions/script.h"
#include "actions/skill_use.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"

struct using
{
	struct attempt *attempt;
	struct skill_use use;
	struct program *program;
	/* Of a prompt: */
	struct attempt inner;
	struct step_def
	    def; /* the step's, with the skill's schema; borrows all of it */
	struct json *fields;
	void *state; /* of the model's */
};

/* ---- a prompt ---- */

static void
on_success(struct attempt *inner, struct json *output)
{
	attempt_succeed(container_of(inner, struct using, inner)->attempt, output);
}

static void
on_failure(struct attempt *inner, const struct attempt_failure *failure)
{
	attempt_fail_until(container_of(inner, struct using, inner)->attempt, failure);
}

static const struct attempt_maker maker = {
	.succeeded = on_success,
	.failed = on_failure,
};

/* The fields of a model step; NULL: the attempt has failed. */
static struct json *
model_fields(const struct using *using)
{
	const struct skill *skill = &using->use.skill;
	struct json *fields = json_new_object();
	struct buf prompt = { 0 };
	struct err err = { 0 };

	for (struct json_iter it = json_iter(skill->model); json_next(&it);)
		json_set(fields, it.key, json_ref(it.value));
	if (skill_prompt(skill, using->use.input, &prompt, &err) == 0) {
		json_set(fields, "prompt",
			 json_new_str_len(buf_text(&prompt), prompt.len));
	} else {
		json_unref(&fields);
		attempt_fail(using->attempt, "expression", true, "skill \"%s\": %s",
			     skill->name, err.text);
	}
	buf_fini(&prompt);
	return fields;
}

static bool
start_prompt(struct using *using)
{
	const struct skill *skill = &using->use.skill;

	using->fields = model_fields(using);
	if (using->fields == NULL)
		return false;
	using->def = *using->attempt->def;
	using->def.self_correct = false;
	if (skill->output != NULL) {
		using->def.output_schema = skill->output;
		using->def.output_rules = skill->output_rules;
	}
	using->inner = *using->attempt;
	using->inner.maker = &maker;
	using->inner.def = &using->def;
	using->inner.fields = using->fields;
	using->state = action_model.start(&using->inner);
	return using->state != NULL;
}

/* ---- a program ---- */

/* JSON as it was printed, or nothing for null; false: the attempt has failed. */
static bool
printed(struct using *using, const struct program_end *end, struct json **out)
{
	struct attempt *attempt = using->attempt;
	struct buf text = { 0 };
	struct err err = { 0 };
	bool good = false;

	*out = NULL;
	if (!output_bytes(end->out, &text)) {
		attempt_fail(attempt, "output_too_large", true,
			     "the skill printed more than %ld bytes; keep large data "
			     "in a file",
			     attempt->services->settings->worker_output_max);
	} else if (strspn(buf_text(&text), " \t\r\n") == text.len) {
		good = true;
	} else if (answer_json(attempt, text.data, text.len, out, &err) == 0) {
		good = true;
	} else {
		attempt_fail(attempt, "bad_output", true,
			     "what the skill printed is no JSON: %s", err.text);
	}
	buf_fini(&text);
	return good;
}

static void
on_end(void *context, const struct program_end *end)
{
	struct using *using = context;
	struct json *output;

	if (end->code != NULL)
		script_fail(using->attempt, end, NULL);
	else if (printed(using, end, &output) &&
		 skill_use_fits(&using->use, using->attempt, output))
		attempt_succeed(using->attempt, output);
}

/* The words to run, as a list that ends with NULL. A word with a slash in front names a
 * file of the skill; one without is looked up as programs are. -1 with err. */
static int
add_words(const struct skill_use *use, struct pairs *words, struct err *err)
{
	const char *file = skill_program_file(use->skill.runtime);
	const struct json *command = use->skill.command;
	const char *first = json_str(json_at(command, 0));
	char *path;

	if (file != NULL)
		pairs_add(words, xstrdup(skill_program(use->skill.runtime)));
	else if (strchr(first, '/') == NULL)
		pairs_add(words, xstrdup(first));
	else
		file = first;
	if (file != NULL) {
		path = skill_files_real(&use->places, use->place, use->path, file, err);
		if (path == NULL)
			return err_in(err, "skill \"%s\"", use->skill.name);
		pairs_add(words, path);
	}
	for (size_t i = 1; i < json_count(command); i++)
		pairs_add(words, xstrdup(json_str(json_at(command, i))));
	return 0;
}

static int
add_environment(const struct skill_use *use, struct pairs *environment, struct err *err)
{
	char *folder = skill_files_folder(&use->places, use->place, use->path, err);

	if (folder == NULL)
		return -1;
	pairs_add(environment, xprintf("STEPMILL_SKILL=%s", use->skill.name));
	pairs_add(environment, xprintf("STEPMILL_SKILL_PATH=%s", folder));
	free(folder);
	return 0;
}

static int
run(struct using *using, int folder, struct err *err)
{
	struct pairs words = { 0 }, environment = { 0 };
	struct buf input = { 0 };
	int result = -1;

	json_write(using->use.input, &input);
	if (add_words(&using->use, &words, err) == 0 &&
	    add_environment(&using->use, &environment, err) == 0)
		result = program_start(
		    using->program,
		    &(struct program_spec){
			.argv = (const char *const *)words.list,
			.folder = folder,
			.environment = (const char *const *)environment.list,
			.input = buf_text(&input),
			.input_len = input.len,
			.channel = true,
			.log_err = true,
		    },
		    on_end, using, err);
	pairs_fini(&words);
	pairs_fini(&environment);
	buf_fini(&input);
	return result;
}

static bool
start_program(struct using *using)
{
	struct err err = { 0 };
	int folder = script_folder(using->attempt, NULL, &err);
	bool good;

	if (folder >= 0)
		using->program = program_new(using->attempt, &err);
	good = using->program != NULL && run(using, folder, &err) == 0;
	if (!good)
		answer_error(using->attempt, NULL, &err);
	if (folder >= 0)
		close(folder);
	return good;
}

/* ---- either ---- */

static void
skill_free(void *state)
{
	struct using *using = state;

	if (using->state != NULL)
		action_model.free(using->state);
	program_free(&using->program);
	json_unref(&using->fields);
	skill_use_fini(&using->use);
	free(using);
}

static void *
skill_start(struct attempt *attempt)
{
	struct using *using;
	bool good;

	if (!answer_checked(attempt, NULL, action_fields[ACTION_SKILL].fields))
		return NULL;
	using = xcalloc(1, sizeof *using);
	using->attempt = attempt;
	good = skill_use_begin(&using->use, attempt);
	if (good && using->use.skill.runtime == SKILL_PROMPT)
		good = start_prompt(using);
	else if (good)
		good = start_program(using);
	if (good)
		return using;
	skill_free(using);
	return NULL;
}

static void
skill_stop(void *state, enum stop how)
{
	struct using *using = state;

	if (using->state != NULL)
		action_model.stop(using->state, how);
	else
		program_stop(using->program, how);
}

const struct action action_skill = {
	.name = "skill",
	.start = skill_start,
	.stop = skill_stop,
	.free = skill_free,
};
