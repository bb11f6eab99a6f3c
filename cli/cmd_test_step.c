/* stepmill test-step: one step alone, on a worker, really. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "follow.h"
#include "input.h"
#include "print.h"
#include "server.h"
#include "text.h"

const struct arg test_step_args[] = {
	{ "input", 'i', "JSON",
	  "the input it sees: JSON, @FILE, or - for standard input" },
	{ "steps", 0, "JSON",
	  "outputs of other steps by their ids: JSON, @FILE, or -" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static void
print_logs(const struct json *logs)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < json_count(logs); i++) {
		text_clean(json_str(json_get(json_at(logs, i), "message")), &out);
		buf_char(&out, '\n');
	}
	fputs(buf_text(&out), stdout);
	buf_fini(&out);
}

static void
print_result(const struct json *answer)
{
	const char *message = json_str(json_get(json_get(answer, "error"), "message"));
	struct buf out = { 0 };
	char time[32];

	print_logs(json_get(answer, "logs"));
	text_clean(json_str(json_get(answer, "status")), &out);
	buf_printf(
	    &out, " in %s\n",
	    text_ms(json_int(json_get(answer, "durationMs")), time, sizeof time));
	if (message != NULL) {
		buf_str(&out, "  error: ");
		text_clean(message, &out);
		buf_char(&out, '\n');
	}
	if (json_get(answer, "output") != NULL) {
		buf_str(&out, "  output: ");
		print_value(json_get(answer, "output"), &out);
		buf_char(&out, '\n');
	}
	fputs(buf_text(&out), stdout);
	buf_fini(&out);
}

/* 202: it takes longer than the server waits. */
static int
tell(const struct command *command, const struct args *args,
     const struct answer *answer)
{
	const char *id = json_str(json_get(answer->json, "executionId"));

	if (args_has(args, "json"))
		print_json(answer->json);
	else if (answer->status == 200)
		print_result(answer->json);
	if (answer->status == 200)
		return follow_exit_status(answer->json);
	return command_fail(command, CLI_TIMEOUT,
			    "it goes on; see it with: stepmill show %s",
			    id != NULL ? id : "(unknown)");
}

int
cmd_test_step(const struct command *command, const struct args *args)
{
	struct server *server;
	struct answer answer;
	struct json *body;
	struct err err = { 0 };
	char *segment, *path;
	int status;

	if (args->words_count < 2)
		return command_usage(command, "name a workflow and a step of it");
	body = json_new_object();
	json_set(body, "stepId", json_new_str(args->words[1]));
	if (input_fill_body(args, 2, body, &err) < 0) {
		json_unref(&body);
		return command_usage(command, "%s", err.text);
	}
	server = server_open(command, args, &status);
	if (server == NULL) {
		json_unref(&body);
		return status;
	}
	segment = url_segment(args->words[0]);
	path = xprintf("/api/workflows/%s/test-step", segment);
	status = server_call(server, "POST", path, body, &answer);
	if (status == CLI_OK)
		status = tell(command, args, &answer);
	answer_fini(&answer);
	free(segment);
	free(path);
	server_close(&server);
	return status;
}
