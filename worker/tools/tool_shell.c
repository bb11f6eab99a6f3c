/*
 * shell: a command for /bin/sh. The command stands in a file of the private folder, so
 * that no list of processes shows it and no limit on arguments meets it. Values come in
 * by `env` and `stdin`: they are never part of the command's text.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/answer.h"
#include "actions/script.h"
#include "base/xalloc.h"
#include "tools/tools.h"

#define VALUE_MAX (64 * 1024) /* the system takes 128 KiB for one variable */

struct shell {
	struct attempt *attempt;
	struct program *program;
};

/* ---- variables ---- */

static int
check_name(const char *name, struct err *err)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

	if (name[0] == '\0' || (name[0] >= '0' && name[0] <= '9') ||
	    strspn(name, letters) != strlen(name))
		return err_set(err, ERR_INPUT,
			       "env: \"%.60s\" is no name of a variable", name);
	if (strncmp(name, "STEPMILL_", 9) == 0)
		return err_set(err, ERR_INPUT, "env: %.60s is set by the engine", name);
	return 0;
}

/* A value that is too long for a variable of the environment: the shell reads it from a
 * file and has it as its own variable, byte for byte. */
static int
add_large(struct shell *shell, const char *name, const char *value, size_t len,
	  struct buf *prelude, struct err *err)
{
	char *file = xprintf("value-%s", name);
	char *path = program_put(shell->program, file, value, len, err);

	free(file);
	if (path == NULL)
		return -1;
	buf_printf(prelude, "%s=$(cat '%s' && printf x) && %s=${%s%%x}\n", name, path,
		   name, name);
	free(path);
	return 0;
}

static int
add_variable(struct shell *shell, const struct json_iter *it, struct pairs *pairs,
	     struct buf *prelude, struct err *err)
{
	char *value = field_as_text(it->value);
	size_t len = json_type(it->value) == JSON_STRING ? json_str_len(it->value)
							 : strlen(value);
	int result = 0;

	if (strlen(value) != len)
		result = err_set(err, ERR_INPUT, "env.%.60s: it holds a NUL", it->key);
	else if (len > VALUE_MAX)
		result = add_large(shell, it->key, value, len, prelude, err);
	else
		pairs_add(pairs, xprintf("%s=%s", it->key, value));
	free(value);
	return result;
}

static int
add_variables(struct shell *shell, struct pairs *pairs, struct buf *prelude,
	      struct err *err)
{
	const struct json *env = json_get(shell->attempt->fields, "env");

	for (struct json_iter it = json_iter(env); json_next(&it);)
		if (check_name(it.key, err) < 0 ||
		    add_variable(shell, &it, pairs, prelude, err) < 0)
			return -1;
	return 0;
}

/* ---- the answer ---- */

static struct json *
make_output(const struct attempt *attempt, const struct program_end *end)
{
	struct json *output = json_new_object();
	bool cut = false;

	json_set(output, "exitCode", json_new_int(end->exit_status));
	json_set(output, "stdout", answer_output(attempt, end->out, &cut));
	json_set(output, "stderr", answer_output(attempt, end->errors, &cut));
	if (cut)
		json_set(output, "truncated", json_new_bool(true));
	return output;
}

static void
on_end(void *context, const struct program_end *end)
{
	struct shell *shell = context;
	struct json *result = NULL, *output;

	if (end->code != NULL) {
		script_fail(shell->attempt, end,
			    end->started ? make_output(shell->attempt, end) : NULL);
		return;
	}
	if (script_result(shell->attempt, end, &result) < 0)
		return;
	output = make_output(shell->attempt, end);
	if (end->channel->len > 0)
		json_set(output, "result", result);
	attempt_succeed(shell->attempt, output);
}

/* ---- the start ---- */

/* The file to run: the command, or a prelude that ends with it. */
static char *
put_command(struct shell *shell, struct buf *prelude, struct err *err)
{
	const struct json *command = json_get(shell->attempt->fields, "command");
	char *path = program_put(shell->program, "command", json_str(command),
				 json_str_len(command), err);
	char *first;

	if (path == NULL || prelude->len == 0)
		return path;
	buf_printf(prelude, ". '%s'\n", path);
	free(path);
	first =
	    program_put(shell->program, "prelude", prelude->data, prelude->len, err);
	return first;
}

static int
run(struct shell *shell, int folder, struct err *err)
{
	const struct json *input = json_get(shell->attempt->fields, "stdin");
	const char *argv[] = { "/bin/sh", NULL, NULL };
	struct pairs pairs = { 0 };
	struct buf prelude = { 0 };
	struct program_spec spec = {
		.argv = argv,
		.folder = folder,
		.input = json_str(input),
		.input_len = json_str_len(input),
		.channel = true,
		.log_out = true,
		.log_err = true,
	};
	char *path = NULL;
	int result = -1;

	if (add_variables(shell, &pairs, &prelude, err) < 0)
		goto out;
	path = put_command(shell, &prelude, err);
	if (path == NULL)
		goto out;
	argv[1] = path;
	spec.environment = (const char *const *)pairs.list;
	result = program_start(shell->program, &spec, on_end, shell, err);
out:
	free(path);
	pairs_fini(&pairs);
	buf_fini(&prelude);
	return result;
}

static void
shell_free(void *state)
{
	struct shell *shell = state;

	program_free(&shell->program);
	free(shell);
}

static void *
shell_start(struct attempt *attempt)
{
	struct shell *shell = xcalloc(1, sizeof *shell);
	struct err err = { 0 };
	int folder = script_folder(attempt, field_text(attempt, "cwd", NULL), &err);

	shell->attempt = attempt;
	if (folder >= 0)
		shell->program = program_new(attempt, &err);
	if (shell->program == NULL || run(shell, folder, &err) < 0) {
		answer_error(attempt, "shell", &err);
		shell_free(shell);
		shell = NULL;
	}
	if (folder >= 0)
		close(folder);
	return shell;
}

static void
shell_stop(void *state, enum stop how)
{
	program_stop(((struct shell *)state)->program, how);
}

const struct action tool_shell = {
	.name = "shell",
	.start = shell_start,
	.stop = shell_stop,
	.free = shell_free,
};
