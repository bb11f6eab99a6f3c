/* stepmill comment: says something on a run, or on a step of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"

const struct arg comment_args[] = {
	{ "step", 's', "STEP", "on this step (its id in the file, or its number)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static char *
path_of(const char *run, const char *step)
{
	char *id = url_segment(run), *step_id = step ? url_segment(step) : NULL;
	char *path;

	if (step_id != NULL)
		path = xprintf("/api/executions/%s/steps/%s/comments", id, step_id);
	else
		path = xprintf("/api/executions/%s/comments", id);
	free(id);
	free(step_id);
	return path;
}

int
cmd_comment(const struct command *command, const struct args *args)
{
	struct server *server;
	struct answer answer;
	struct json *body;
	char *path;
	int status;

	if (args->words_count != 2)
		return command_usage(command, "name a run, and say something");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	path = path_of(args->words[0], args_value(args, "step"));
	body = json_new_object();
	json_set(body, "message", json_new_str(args->words[1]));
	server_about(server, "run", args->words[0]);
	status = server_call(server, "POST", path, body, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		printf("%s commented\n", args->words[0]);
	answer_fini(&answer);
	free(path);
	server_close(&server);
	return status;
}
