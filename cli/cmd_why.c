/* stepmill why: why a run, or a step of it, does not move; and the way out. The words
 * are the server's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"
#include "text.h"

const struct arg why_args[] = { SERVER_ARGS, COMMAND_ARGS };

/* What can be done about a kind of reason: commands whose words are members of the
 * answer or the reason. */
struct way_out {
	const char *kind;
	const char *only_key, *only; /* only where this member of the reason is so */
	const char *command;
	const char *words[3]; /* "runId", or a member of the reason */
};

static const struct way_out ways_out[] = {
	{ .kind = "waiting_approval",
	  .command = "approve",
	  .words = { "runId", "stepKey" } },
	{ .kind = "waiting_approval",
	  .command = "deny",
	  .words = { "runId", "stepKey" } },
	{ .kind = "paused", .command = "resume", .words = { "runId" } },
	{ .kind = "child", .command = "why", .words = { "childRunId" } },
	{ .kind = "queued",
	  .only_key = "cause",
	  .only = "no_free_slot",
	  .command = "scale" },
	{ .kind = "over",
	  .only_key = "ended",
	  .only = "CRASHED",
	  .command = "resume",
	  .words = { "runId" } },
	{ .kind = "over",
	  .only_key = "ended",
	  .only = "FAILED",
	  .command = "retry",
	  .words = { "runId" } },
};

static void
print_way_out(const struct way_out *way, const struct json *answer,
	      const struct json *reason)
{
	struct buf out = { 0 };

	buf_printf(&out, "  stepmill %s", way->command);
	for (size_t i = 0; i < 3 && way->words[i] != NULL; i++) {
		const struct json *from =
		    json_has(reason, way->words[i]) ? reason : answer;

		buf_char(&out, ' ');
		text_clean(json_str(json_get(from, way->words[i])), &out);
	}
	puts(buf_text(&out));
	buf_fini(&out);
}

static bool
is_for(const struct way_out *way, const struct json *reason)
{
	const char *kind = json_str(json_get(reason, "kind")), *is;

	if (kind == NULL || strcmp(way->kind, kind) != 0)
		return false;
	if (way->only_key == NULL)
		return true;
	is = json_str(json_get(reason, way->only_key));
	return is != NULL && strcmp(is, way->only) == 0;
}

/* Who has the places that a run waits for. */
static void
print_holders(const struct json *holders)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < json_count(holders); i++) {
		buf_str(&out, "  stepmill why ");
		text_clean(json_str(json_get(json_at(holders, i), "runId")), &out);
		buf_char(&out, '\n');
	}
	fputs(buf_text(&out), stdout);
	buf_fini(&out);
}

static void
print_reason(const struct json *answer, const struct json *reason)
{
	struct buf out = { 0 };

	text_clean(json_str(json_get(reason, "message")), &out);
	puts(buf_text(&out));
	buf_fini(&out);
	for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++)
		if (is_for(&ways_out[i], reason))
			print_way_out(&ways_out[i], answer, reason);
	print_holders(json_get(reason, "holders"));
}

static void
print_reasons(const struct json *answer)
{
	const struct json *reasons = json_get(answer, "reasons");

	for (size_t i = 0; i < json_count(reasons); i++)
		print_reason(answer, json_at(reasons, i));
	if (json_count(reasons) == 0)
		puts("nothing holds it up");
	if (json_bool(json_get(answer, "more")))
		puts("(and more)");
}

static char *
path_of(const struct args *args)
{
	char *run = url_segment(args->words[0]), *step = NULL, *path;

	if (args->words_count == 2)
		step = url_segment(args->words[1]);
	path = xprintf("/api/executions/%s/why%s%s", run,
		       step != NULL ? "?stepId=" : "", step != NULL ? step : "");
	free(run);
	free(step);
	return path;
}

int
cmd_why(const struct command *command, const struct args *args)
{
	struct server *server;
	struct answer answer;
	char *path;
	int status;

	if (args->words_count < 1 || args->words_count > 2)
		return command_usage(command, "name one run, and perhaps a step of it");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	server_about(server, "run", args->words[0]);
	path = path_of(args);
	status = server_call(server, "GET", path, NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		print_reasons(answer.json);
	answer_fini(&answer);
	free(path);
	server_close(&server);
	return status;
}
