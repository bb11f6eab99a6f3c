/* stepmill cancel: ends runs; what of them runs is stopped. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"

const struct arg cancel_args[] = { SERVER_ARGS, COMMAND_ARGS };

static int
cancel_one(struct server *server, const char *run, bool json)
{
	char *id = url_segment(run);
	char *path = xprintf("/api/executions/%s/cancel", id);
	struct answer answer;
	int status;

	server_about(server, "run", run);
	status = server_call(server, "POST", path, NULL, &answer);

	if (status == CLI_OK && json)
		print_json(answer.json);
	else if (status == CLI_OK)
		printf("%s %s\n", run, json_str(json_get(answer.json, "status")));
	answer_fini(&answer);
	free(path);
	free(id);
	return status;
}

int
cmd_cancel(const struct command *command, const struct args *args)
{
	struct server *server;
	int status, worst = CLI_OK;

	if (args->words_count == 0)
		return command_usage(command, "name at least one run");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	for (size_t i = 0; i < args->words_count; i++) {
		status = cancel_one(server, args->words[i], args_has(args, "json"));
		worst = status > worst ? status : worst;
	}
	server_close(&server);
	return worst;
}
