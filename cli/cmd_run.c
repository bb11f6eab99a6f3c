/* stepmill run: starts a workflow and shows it going. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"

#include "commands.h"
#include "input.h"
#include "print.h"
#include "run_batch.h"
#include "watch.h"

const struct arg run_args[] = {
	{ "input", 'i', "JSON",
	  "the run's input: JSON, @FILE, or - for standard input" },
	{ "batch", 'b', "FILE",
	  "a run for each line of JSON, or each item of a list; - for standard input" },
	{ "priority", 'p', "high|normal|low",
	  "its place in the queue (default: the workflow's)" },
	{ "run-at", 0, "TIME", "start at that time (RFC 3339)" },
	{ "detach", 'd', NULL, "print the run's id and do not wait for its end" },
	{ "timeout", 't', "DURATION", "wait at most so long (the run goes on)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

/* ---- a file instead of a name ---- */

static bool
is_file(const char *word)
{
	const char *dot = strrchr(word, '.');

	return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The name of the workflow; NULL: said why not. */
static char *
find_workflow(struct server *server, const char *word, int *status)
{
	struct json *registered;
	char *name;

	if (!is_file(word))
		return xstrdup(word);
	registered = server_register(server, word, status);
	name = xstrdup(json_str(json_get(registered, "name")));
	json_unref(&registered);
	return name;
}

/* ---- starting it ---- */

/* Takes input. */
static struct json *
make_body(const struct args *args, struct json *input)
{
	struct json *body = json_new_object();

	if (input != NULL)
		json_set(body, "input", input);
	if (args_has(args, "priority"))
		json_set(body, "priority", json_new_str(args_value(args, "priority")));
	if (args_has(args, "run-at"))
		json_set(body, "runAt", json_new_str(args_value(args, "run-at")));
	return body;
}

/* Takes body. The run's id, the caller's; NULL: why not was said. */
static char *
start(const struct command *command, struct server *server, const char *name,
      struct json *body, int *status)
{
	char *segment = url_segment(name);
	char *path = xprintf("/api/workflows/%s/execute", segment);
	struct answer answer;
	char *id;

	*status = server_call(server, "POST", path, body, &answer);
	id = xstrdup(json_str(json_get(answer.json, "executionId")));
	if (*status == CLI_OK && id == NULL)
		*status = command_fail(command, CLI_FAILED,
				       "%s does not answer as stepmill does",
				       server_url(server));
	answer_fini(&answer);
	free(segment);
	free(path);
	return id;
}

static void
print_id(const char *id, bool json)
{
	struct json *answer;

	if (!json) {
		puts(id);
		return;
	}
	answer = json_new_object();
	json_set(answer, "executionId", json_new_str(id));
	print_json(answer);
	json_unref(&answer);
}

static int
read_timeout(const struct args *args, usec_t *timeout, struct err *err)
{
	const char *text = args_value(args, "timeout");

	*timeout = 0;
	if (text == NULL)
		return 0;
	if (duration_parse(text, strlen(text), timeout, err) < 0)
		return err_in(err, "--timeout");
	return *timeout > 0 ? 0 : err_set(err, ERR_INPUT, "--timeout: more than 0s");
}

/* Many runs, of which none is watched. */
static int
start_batch(const struct command *command, const struct args *args)
{
	static const char *const others[] = { "input", "run-at", "timeout", NULL };
	struct server *server;
	struct run_batch *batch;
	struct err err = { 0 };
	char *name;
	int status;

	for (const char *const *other = others; *other != NULL; other++)
		if (args_has(args, *other))
			return command_usage(command, "--batch goes without --%s",
					     *other);
	if (args->words_count != 1)
		return command_usage(command, "--batch goes without KEY=VALUE");
	batch = run_batch_read(args_value(args, "batch"), &err);
	if (batch == NULL)
		return command_usage(command, "--batch: %s", err.text);
	server = server_open(command, args, &status);
	name = server != NULL ? find_workflow(server, args->words[0], &status) : NULL;
	if (name != NULL)
		status = run_batch_start(batch, command, args, server, name);
	free(name);
	server_close(&server);
	run_batch_free(&batch);
	return status;
}

int
cmd_run(const struct command *command, const struct args *args)
{
	struct json *input = NULL;
	struct server *server;
	struct err err = { 0 };
	usec_t timeout;
	char *name, *id = NULL;
	int status;

	if (args->words_count == 0)
		return command_usage(command, "name a workflow, or a file with one");
	if (args_has(args, "batch"))
		return start_batch(command, args);
	if (read_timeout(args, &timeout, &err) < 0 ||
	    input_read(args_value(args, "input"), args->words + 1,
		       args->words_count - 1, &input, &err) < 0) {
		json_unref(&input);
		return command_usage(command, "%s", err.text);
	}
	server = server_open(command, args, &status);
	if (server == NULL) {
		json_unref(&input);
		return status;
	}
	name = find_workflow(server, args->words[0], &status);
	if (name != NULL)
		id = start(command, server, name, make_body(args, input), &status);
	else
		json_unref(&input);
	if (id != NULL && args_has(args, "detach"))
		print_id(id, args_has(args, "json"));
	else if (id != NULL)
		status = watch_run(command, args, server, id, timeout);
	free(id);
	free(name);
	server_close(&server);
	return status;
}
