/* A new run of an old one. See again.h. */
#include "again.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "print.h"
#include "server.h"

int
again_run(const struct command *command, const struct args *args, const char *verb)
{
	struct server *server;
	struct answer answer;
	char *id, *path;
	int status;

	if (args->words_count != 1)
		return command_usage(command, "name one run");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	id = url_segment(args->words[0]);
	path = xprintf("/api/executions/%s/%s", id, verb);
	server_about(server, "run", args->words[0]);
	status = server_call(server, "POST", path, NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		printf("%s %s\n", json_str(json_get(answer.json, "executionId")),
		       json_str(json_get(answer.json, "status")));
	answer_fini(&answer);
	free(path);
	free(id);
	server_close(&server);
	return status;
}
