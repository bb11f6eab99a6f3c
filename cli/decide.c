/* A decision about a step that waits for one. See decide.h. */
#include "decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "changes.h"
#include "print.h"

/* The key of the only step of the run that waits; NULL and *status: that was said. */
static char *
only_pending(struct server *server, const char *run, int *status)
{
	char *id = url_segment(run), *path = xprintf("/api/executions/%s", id);
	char *key = NULL;
	struct answer answer;
	const struct json *list, *pending = NULL;
	size_t count = 0;

	server_about(server, "run", run);
	*status = server_call(server, "GET", path, NULL, &answer);
	list = json_get(answer.json, "approvals");
	for (size_t i = 0; *status == CLI_OK && i < json_count(list); i++) {
		const struct json *one = json_at(list, i);

		if (strcmp(json_str(json_get(one, "status")), "pending") != 0)
			continue;
		pending = one;
		count++;
	}
	if (count == 1) {
		key = xstrdup(json_str(json_get(pending, "stepId")));
	} else if (*status == CLI_OK) {
		fprintf(stderr, "stepmill: %s: %s\n", run,
			count == 0 ? "no approval is pending"
				   : "several steps wait: name one of them");
		*status = CLI_FAILED;
	}
	answer_fini(&answer);
	free(path);
	free(id);
	return key;
}

static struct json *
body_of(const struct args *args)
{
	struct json *body = json_new_object();
	const char *comment = args_value(args, "comment");

	if (comment != NULL)
		json_set(body, "comment", json_new_str(comment));
	return body;
}

static int
decide(struct server *server, const struct args *args, const char *step,
       const char *verb)
{
	char *id = url_segment(args->words[0]), *step_id = url_segment(step);
	char *path = xprintf("/api/executions/%s/steps/%s/%s", id, step_id, verb);
	struct answer answer;
	int status;

	server_about(server, "run", args->words[0]);
	status = server_call(server, "POST", path, body_of(args), &answer);
	if (status == CLI_OK)
		changes_print(args->words[0], answer.json, args_has(args, "json"));
	answer_fini(&answer);
	free(path);
	free(id);
	free(step_id);
	return status;
}

int
decide_run(const struct command *command, const struct args *args, const char *verb)
{
	struct server *server;
	char *step;
	int status;

	if (args->words_count < 1 || args->words_count > 2)
		return command_usage(command,
				     "name a run, and a step if several of it wait");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	step = args->words_count == 2 ? xstrdup(args->words[1])
				      : only_pending(server, args->words[0], &status);
	if (step != NULL)
		status = decide(server, args, step, verb);
	free(step);
	server_close(&server);
	return status;
}
