/*
 * stepmill schedule: list, show, add, edit, pause, resume, remove, fire, and the ledger
 * of firings. A schedule is named by its id, or by its name where that is enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/uuid7.h"
#include "base/xalloc.h"
#include "changes.h"
#include "commands.h"
#include "print.h"
#include "query.h"
#include "schedule_preview.h"
#include "schedule_show.h"
#include "schedule_words.h"
#include "server.h"

#define FIRINGS_DEFAULT 20
#define FIRINGS_MOST    100

const struct arg schedule_args[] = {
	{ "workflow", 'w', "NAME",
	  "add, edit: what it starts; list: of this one only" },
	{ "timezone", 'z', "ZONE", "IANA name or +02:00 (default UTC)" },
	{ "active-hours", 'a', "START-END",
	  "it starts nothing outside of them: 22:00-06:00" },
	{ "days", 'd', "DAYS", "on which active hours start: 1,2,3 (1 Monday)" },
	{ "max-runs", 'm', "N", "it pauses itself after so many runs" },
	{ "catch-up", 0, "last|all|none", "which missed firings are made up (last)" },
	{ "overlap", 0, "skip|allow", "while its last run is alive (skip)" },
	{ "jitter", 0, "DURATION", "each firing comes up to so much later" },
	{ "input", 'i', "JSON", "of its runs; @FILE, or - for standard input" },
	{ "project", 'p', "ID", "add: whose it is (else its workflow's)" },
	{ "disabled", 0, NULL, "add: it does not fire yet" },
	{ "name", 0, "NAME", "edit: another name" },
	{ "cron", 0, "EXPR", "edit: when it fires" },
	{ "outcome", 'o', "OUTCOME", "firings: with this outcome only" },
	{ "count", 'n', "N", "preview, firings: how many (default 5, 20)" },
	{ "from", 'f', "TIME", "preview: RFC 3339, firings after it (default now)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

/* ---- which one ---- */

static bool
is_id(const char *text)
{
	struct uuid id;

	return strncmp(text, "heartbeat-", 10) == 0 ||
	       uuid_parse(text, strlen(text), &id);
}

/* By its name: the caller's id, or NULL and *status, which was said. */
static char *
find_name(const struct command *command, struct server *server, const char *name,
	  int *status)
{
	char *encoded = url_segment(name);
	char *path = xprintf("/api/schedules?name=%s&limit=2", encoded);
	struct answer answer;
	const struct json *data;
	char *id = NULL;

	*status = server_call(server, "GET", path, NULL, &answer);
	data = json_get(answer.json, "data");
	if (*status == CLI_OK && json_count(data) == 1)
		id = xstrdup(json_str(json_get(json_at(data, 0), "id")));
	else if (*status == CLI_OK && json_count(data) == 0)
		*status = command_fail(command, CLI_FAILED,
				       "there is no schedule \"%s\"; stepmill schedule "
				       "list shows all",
				       name);
	else if (*status == CLI_OK)
		*status =
		    command_fail(command, CLI_FAILED,
				 "several schedules are named \"%s\": take the id "
				 "that stepmill schedule list shows",
				 name);
	answer_fini(&answer);
	free(path);
	free(encoded);
	return id;
}

/* Asks about the schedule that the second word names; rest: of the path. *answer is the
 * caller's. */
static int
ask(const struct command *command, struct server *server, const struct args *args,
    const char *method, const char *rest, struct json *body /* taken */,
    struct answer *answer)
{
	const char *named = args->words[1];
	int status = CLI_OK;
	char *id = is_id(named) ? url_segment(named)
				: find_name(command, server, named, &status);
	char *path;

	*answer = (struct answer){ 0 };
	if (id == NULL) {
		json_unref(&body);
		return status;
	}
	path = xprintf("/api/schedules/%s%s", id, rest);
	server_about(server, "schedule", named);
	status = server_call(server, method, path, body, answer);
	free(path);
	free(id);
	return status;
}

/* ---- look ---- */

static int
add_page(struct server *server, const struct args *args, char **cursor,
	 struct json *all)
{
	struct buf path = { 0 };
	struct answer answer;
	const struct json *data;
	int status;

	buf_str(&path, "/api/schedules?limit=100");
	query_add(&path, "workflowId", args, "workflow");
	if (*cursor != NULL)
		buf_printf(&path, "&cursor=%s", *cursor);
	status = server_call(server, "GET", buf_text(&path), NULL, &answer);
	data = json_get(answer.json, "data");
	for (size_t i = 0; i < json_count(data); i++)
		json_append(all, json_ref(json_at(data, i)));
	free(*cursor);
	*cursor = xstrdup(
	    json_str(json_get(json_get(answer.json, "pagination"), "nextCursor")));
	answer_fini(&answer);
	buf_fini(&path);
	return status;
}

static int
list(const struct command *command, struct server *server, const struct args *args)
{
	struct json *all = json_new_array();
	char *cursor = NULL;
	int status;

	(void)command;
	do
		status = add_page(server, args, &cursor, all);
	while (status == CLI_OK && cursor != NULL);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(all);
	else if (status == CLI_OK)
		schedules_print(all);
	free(cursor);
	json_unref(&all);
	return status;
}

static int
print_one(const struct args *args, int status, struct answer *answer)
{
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer->json);
	else if (status == CLI_OK)
		schedule_print(answer->json);
	answer_fini(answer);
	return status;
}

static int
show(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	int status = ask(command, server, args, "GET", "", NULL, &answer);

	return print_one(args, status, &answer);
}

static int
firings(const struct command *command, struct server *server, const struct args *args)
{
	struct buf rest = { 0 };
	struct answer answer;
	struct err err = { 0 };
	long count = FIRINGS_DEFAULT;
	int status;

	if (args_count(args, "count", 1, FIRINGS_MOST, &count, &err) < 0)
		return command_usage(command, "%s", err.text);
	buf_printf(&rest, "/firings?limit=%ld", count);
	query_add(&rest, "outcome", args, "outcome");
	status = ask(command, server, args, "GET", buf_text(&rest), NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(json_get(answer.json, "data"));
	else if (status == CLI_OK)
		firings_print(json_get(answer.json, "data"));
	answer_fini(&answer);
	buf_fini(&rest);
	return status;
}

/* ---- change ---- */

static int
add(const struct command *command, struct server *server, const struct args *args)
{
	struct json *body = json_new_object();
	struct answer answer;
	struct err err = { 0 };
	int status;

	json_set(body, "name", json_new_str(args->words[1]));
	json_set(body, "cronExpression", json_new_str(args->words[2]));
	if (args_value(args, "project") != NULL)
		json_set(body, "projectId", json_new_str(args_value(args, "project")));
	if (schedule_words_read(args, body, &err) < 0) {
		json_unref(&body);
		return command_usage(command, "%s", err.text);
	}
	status = server_call(server, "POST", "/api/schedules", body, &answer);
	return print_one(args, status, &answer);
}

static int
edit(const struct command *command, struct server *server, const struct args *args)
{
	struct json *body = json_new_object();
	struct answer answer;
	struct err err = { 0 };
	int status;

	if (schedule_words_read(args, body, &err) < 0) {
		json_unref(&body);
		return command_usage(command, "%s", err.text);
	}
	if (json_count(body) == 0) {
		json_unref(&body);
		return command_usage(command,
				     "say what to change: --cron, --name, ...");
	}
	status = ask(command, server, args, "PATCH", "", body, &answer);
	return print_one(args, status, &answer);
}

static int
enable(const struct command *command, struct server *server, const struct args *args,
       bool enabled)
{
	struct json *body = json_new_object();
	const char *next;
	struct answer answer;
	int status;

	json_set(body, "enabled", json_new_bool(enabled));
	status = ask(command, server, args, "PATCH", "", body, &answer);
	next = json_str(json_get(answer.json, "nextRun"));
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK && next != NULL)
		printf("%s fires next at %s\n", args->words[1], next);
	else if (status == CLI_OK)
		printf("%s is paused\n", args->words[1]);
	answer_fini(&answer);
	return status;
}

static int
pause_it(const struct command *command, struct server *server, const struct args *args)
{
	return enable(command, server, args, false);
}

static int
resume_it(const struct command *command, struct server *server, const struct args *args)
{
	return enable(command, server, args, true);
}

static int
take_away(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	int status = ask(command, server, args, "DELETE", "", NULL, &answer);

	if (status == CLI_OK && args_has(args, "json"))
		puts("{\"removed\": true}");
	else if (status == CLI_OK)
		printf("%s removed\n", args->words[1]);
	answer_fini(&answer);
	return status;
}

static int
fire(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	int status = ask(command, server, args, "POST", "/fire", NULL, &answer);

	if (status == CLI_OK)
		changes_print(json_str(json_get(answer.json, "executionId")),
			      answer.json, args_has(args, "json"));
	answer_fini(&answer);
	return status;
}

int
cmd_schedule(const struct command *command, const struct args *args)
{
	static const struct server_verb verbs[] = {
		{ "list", 1, list },        { "show", 2, show },
		{ "add", 3, add },          { "edit", 2, edit },
		{ "pause", 2, pause_it },   { "resume", 2, resume_it },
		{ "remove", 2, take_away }, { "fire", 2, fire },
		{ "firings", 2, firings },  { 0 },
	};

	if (args->words_count > 0 && strcmp(args->words[0], "preview") == 0)
		return preview_run(command, args);
	return server_verb(command, args, verbs,
			   "expected list, add NAME EXPR, preview EXPR, or show, edit, "
			   "pause, resume, remove, fire or firings with a SCHEDULE");
}
