/* Starting an agent's program. See launch.h. */
#include "agent/launch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/answer.h"
#include "actions/script.h"
#include "agent/call_core.h"
#include "agent/parser_core.h"
#include "base/xalloc.h"

#define KEPT (64 * 1024) /* of its outputs, beside what the parser takes */

static const char *
value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

static void
add_environment(const struct attempt *attempt, const struct launch *launch,
		struct pairs *pairs)
{
	const struct agent *agent = launch->assignment->agent;

	for (size_t i = 0; i < agent->environment.count; i++) {
		const char *name = agent->environment.list[i];
		const char *value = value_of(attempt->services->environment, name);

		if (value != NULL)
			pairs_add(pairs, xprintf("%s=%s", name, value));
	}
	for (struct json_iter it = json_iter(agent->variables); json_next(&it);)
		pairs_add(pairs, xprintf("%s=%s", it.key, json_str(it.value)));
	pairs_add(pairs, xprintf("HOME=%s", launch->home->path));
}

static char **
words_of(const struct launch *launch, struct err *err)
{
	const struct assignment *assignment = launch->assignment;
	const struct agent *agent = assignment->agent;
	const struct json *command = launch->session != NULL && agent->resume != NULL
					 ? agent->resume
					 : agent->command;
	const struct buf *prompt = launch->prompt;

	if (!agent->prompt_stdin && strlen(buf_text(prompt)) != prompt->len) {
		err_set(err, ERR_INPUT,
			"prompt: a NUL cannot be part of an argument; an agent with "
			"prompt_stdin reads it");
		return NULL;
	}
	return call_words(command,
			  &(struct call_values){
			      .prompt = agent->prompt_stdin ? NULL : buf_text(prompt),
			      .model = assignment->model,
			      .session = launch->session,
			      .schema = assignment->schema,
			      .permissions = assignment->permissions,
			  },
			  err);
}

static int
start(struct program *program, const struct launch *launch, char *const *words,
      const struct pairs *pairs, int folder, struct err *err)
{
	const struct agent *agent = launch->assignment->agent;
	const struct program_spec spec = {
		.argv = (const char *const *)words,
		.folder = folder,
		.environment = (const char *const *)pairs->list,
		.input = agent->prompt_stdin ? buf_text(launch->prompt) : NULL,
		.input_len = agent->prompt_stdin ? launch->prompt->len : 0,
		.log_out = parser_is_text(agent->parser),
		.log_err = true,
		.heard = launch->heard,
		.out_max = KEPT,
	};

	return program_start(program, &spec, launch->done, launch->context, err);
}

struct program *
launch(const struct attempt *attempt, const struct launch *launch, struct err *err)
{
	char **words = words_of(launch, err);
	struct program *program = NULL;
	struct pairs pairs = { 0 };
	int folder = -1;

	if (words != NULL)
		folder = script_folder(
		    attempt, field_text(attempt, "workingDirectory", NULL), err);
	if (folder >= 0)
		program = program_new(attempt, err);
	add_environment(attempt, launch, &pairs);
	if (program != NULL && start(program, launch, words, &pairs, folder, err) < 0)
		program_free(&program);
	if (folder >= 0)
		close(folder);
	pairs_fini(&pairs);
	call_free(&words);
	return program;
}
