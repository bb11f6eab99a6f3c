/* One question per run. See changes.h. */
#include "changes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "print.h"

void
changes_print(const char *run, const struct json *answer, bool json)
{
	if (json)
		print_json(answer);
	else
		printf("%s %s\n", run, json_str(json_get(answer, "status")));
}

static int
change_one(struct server *server, const char *run, const char *verb, bool json)
{
	char *id = url_segment(run);
	char *path = xprintf("/api/executions/%s/%s", id, verb);
	struct answer answer;
	int status;

	server_about(server, "run", run);
	status = server_call(server, "POST", path, NULL, &answer);
	if (status == CLI_OK)
		changes_print(run, answer.json, json);
	answer_fini(&answer);
	free(path);
	free(id);
	return status;
}

int
changes_run(const struct command *command, const struct args *args, const char *verb)
{
	struct server *server;
	int status, worst = CLI_OK;

	if (args->words_count == 0)
		return command_usage(command, "name at least one run");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	for (size_t i = 0; i < args->words_count; i++) {
		status =
		    change_one(server, args->words[i], verb, args_has(args, "json"));
		worst = status > worst ? status : worst;
	}
	server_close(&server);
	return worst;
}
