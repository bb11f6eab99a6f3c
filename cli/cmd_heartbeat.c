/* stepmill heartbeat: checklists that a model goes through every so often: add, list,
 * show, results, pause, resume, fire, remove. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "query.h"
#include "server.h"
#include "table.h"

#define MINUTE       (60 * USEC_SECOND)
#define INTERVAL_MAX 525600 /* minutes: a year */

const struct arg heartbeat_args[] = {
	{ "interval", 'i', "TIME", "add: how often, minutes or 1h30m (else 30)" },
	{ "timezone", 'z', "ZONE", "add: IANA name (else UTC)" },
	{ "active-hours", 'a', "START-END", "add: only in this time: 08:00-18:00" },
	{ "days", 'd', "DAYS", "add: on which active hours start: 1,2,3 (1 Monday)" },
	{ "model", 'm', "MODEL", "add: provider:model (else the server's)" },
	{ "webhook", 'w', "HOOK", "add: also sent what needs action" },
	{ "project", 'p', "ID",
	  "add: whose folder PATH is relative to (else default)" },
	{ "disabled", 0, NULL, "add: not yet" },
	{ "alerts", 0, NULL, "results: only what needs action" },
	{ "limit", 'n', "COUNT", "results: at most so many, 1 to 100 (else 20)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

/* ---- as people see them ---- */

static void
print_every(const struct json *one, struct table *table)
{
	long minutes = (long)json_int(json_get(one, "interval"));
	char text[32];

	if (minutes > 0)
		table_add(table, 2,
			  duration_format(minutes * MINUTE, text, sizeof text));
	else
		table_add(table, 2, json_str(json_get(one, "cronExpression")));
}

static void
print_table(const struct json *all)
{
	static const char *const titles[] = { "ID",   "ENABLED", "EVERY",
					      "NEXT", "LAST",    "PATH" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *one = json_at(all, i);

		table_add(table, 0, json_str(json_get(one, "id")));
		table_add(table, 1, json_bool(json_get(one, "enabled")) ? "yes" : "no");
		print_every(one, table);
		table_add(table, 3, json_str(json_get(one, "nextRun")));
		table_add(table, 4, json_str(json_get(one, "lastRunAt")));
		table_add(table, 5, json_str(json_get(one, "heartbeatPath")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no heartbeats");
	table_free(&table);
}

static void
print_results(const struct json *data)
{
	static const char *const titles[] = { "AT", "ACTION", "WHAT", "DETAILS" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *one = json_at(data, i);
		bool needed = json_bool(json_get(one, "actionNeeded"));

		table_add(table, 0, json_str(json_get(one, "at")));
		table_add(table, 1, needed ? "needed" : "");
		table_add(table, 2, json_str(json_get(one, "description")));
		table_add(table, 3, json_str(json_get(one, "details")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("nothing was found yet");
	table_free(&table);
}

/* ---- add ---- */

static int
read_interval(const char *text, struct json *body, struct err *err)
{
	usec_t time;
	long minutes;

	if (text == NULL)
		return 0;
	if (text[strspn(text, "0123456789")] == '\0') {
		if (count_read("--interval", text, 1, INTERVAL_MAX, &minutes, err) < 0)
			return -1;
	} else {
		if (duration_parse(text, strlen(text), &time, err) < 0)
			return err_in(err, "--interval");
		minutes = (long)(time / MINUTE);
		if (time % MINUTE != 0 || minutes < 1 || minutes > INTERVAL_MAX)
			return err_set(err, ERR_INPUT,
				       "--interval: expected whole minutes, 1 to %d",
				       INTERVAL_MAX);
	}
	json_set(body, "interval", json_new_int(minutes));
	return 0;
}

/* "1,2,3" */
static int
read_days(const char *text, struct json *hours, struct err *err)
{
	struct json *days = json_new_array();

	json_set(hours, "daysOfWeek", days);
	for (const char *at = text;; at += 2) {
		if (at[0] < '0' || at[0] > '7' || (at[1] != ',' && at[1] != '\0'))
			return err_set(err, ERR_INPUT,
				       "--days: expected days like 1,2,3");
		json_append(days, json_new_int(at[0] - '0'));
		if (at[1] == '\0')
			return 0;
	}
}

/* "22:00-06:00" */
static int
read_hours(const struct args *args, struct json *body, struct err *err)
{
	const char *text = args_value(args, "active-hours");
	const char *days = args_value(args, "days");
	const char *dash = text != NULL ? strchr(text, '-') : NULL;
	struct json *hours;

	if (text == NULL && days == NULL)
		return 0;
	if (text == NULL)
		return err_set(err, ERR_INPUT, "--days goes with --active-hours");
	if (dash == NULL)
		return err_set(err, ERR_INPUT, "--active-hours: expected HH:MM-HH:MM");
	hours = json_new_object();
	json_set(body, "activeHours", hours);
	json_set(hours, "start", json_new_str_len(text, (size_t)(dash - text)));
	json_set(hours, "end", json_new_str(dash + 1));
	return days != NULL ? read_days(days, hours, err) : 0;
}

static struct json *
body_of(const struct args *args, struct err *err)
{
	static const struct {
		const char *option, *name;
	} plain[] = { { "timezone", "timezone" },
		      { "model", "model" },
		      { "webhook", "webhook" },
		      { "project", "projectId" } };
	struct json *body = json_new_object();

	json_set(body, "heartbeatPath", json_new_str(args->words[1]));
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (args_has(args, plain[i].option))
			json_set(body, plain[i].name,
				 json_new_str(args_value(args, plain[i].option)));
	if (args_has(args, "disabled"))
		json_set(body, "enabled", json_new_bool(false));
	if (read_interval(args_value(args, "interval"), body, err) < 0 ||
	    read_hours(args, body, err) < 0)
		json_unref(&body);
	return body;
}

static int
add(const struct command *command, struct server *server, const struct args *args)
{
	struct err err = { 0 };
	struct json *body = body_of(args, &err);
	const char *warning;
	struct answer answer;
	int status;

	if (body == NULL)
		return command_usage(command, "%s", err.text);
	status = server_call(server, "POST", "/api/heartbeats", body, &answer);
	if (status == CLI_OK) {
		warning = json_str(json_get(answer.json, "warning"));
		if (warning != NULL)
			fprintf(stderr, "stepmill heartbeat: for now %s\n", warning);
		if (args_has(args, "json"))
			print_json(answer.json);
		else
			printf("%s\n", json_str(json_get(answer.json, "id")));
	}
	answer_fini(&answer);
	return status;
}

/* ---- list ---- */

static int
list(const struct command *command, struct server *server, const struct args *args)
{
	struct json *all = json_new_array();
	int status = server_all(server, "/api/heartbeats", all);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		print_json(all);
	else if (status == CLI_OK)
		print_table(all);
	json_unref(&all);
	return status;
}

/* ---- one of them ---- */

/* body is taken. */
static int
ask_one(struct server *server, const char *method, const struct args *args,
	const char *rest, struct json *body, struct answer *answer)
{
	char *id = url_segment(args->words[1]);
	char *path = xprintf("/api/heartbeats/%s%s", id, rest);
	int status;

	server_about(server, "heartbeat", args->words[1]);
	status = server_call(server, method, path, body, answer);
	free(path);
	free(id);
	return status;
}

static int
show(const struct command *command, struct server *server, const struct args *args)
{
	struct json *all = json_new_array();
	struct answer answer;
	int status = ask_one(server, "GET", args, "", NULL, &answer);

	(void)command;
	if (status == CLI_OK)
		json_append(all, json_ref(answer.json));
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		print_table(all);
	answer_fini(&answer);
	json_unref(&all);
	return status;
}

static int
results(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	struct err err = { 0 };
	long limit = 20;
	char *rest;
	int status;

	if (args_count(args, "limit", 1, 100, &limit, &err) < 0)
		return command_usage(command, "%s", err.text);
	rest = xprintf("/results?limit=%ld%s", limit,
		       args_has(args, "alerts") ? "&actionNeeded=true" : "");
	status = ask_one(server, "GET", args, rest, NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(json_get(answer.json, "data"));
	else if (status == CLI_OK)
		print_results(json_get(answer.json, "data"));
	answer_fini(&answer);
	free(rest);
	return status;
}

static int
enable(struct server *server, const struct args *args, bool enabled, const char *said)
{
	struct json *body = json_new_object();
	struct answer answer;
	int status;

	json_set(body, "enabled", json_new_bool(enabled));
	status = ask_one(server, "PATCH", args, "", body, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		printf("%s %s\n", args->words[1], said);
	answer_fini(&answer);
	return status;
}

static int
pause_it(const struct command *command, struct server *server, const struct args *args)
{
	(void)command;
	return enable(server, args, false, "paused");
}

static int
resume_it(const struct command *command, struct server *server, const struct args *args)
{
	(void)command;
	return enable(server, args, true, "resumed");
}

static int
fire(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	int status = ask_one(server, "POST", args, "/fire", NULL, &answer);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		printf("%s\n", json_str(json_get(answer.json, "executionId")));
	answer_fini(&answer);
	return status;
}

static int
take_away(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	int status = ask_one(server, "DELETE", args, "", NULL, &answer);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		puts("{\"removed\": true}");
	else if (status == CLI_OK)
		printf("%s removed\n", args->words[1]);
	answer_fini(&answer);
	return status;
}

int
cmd_heartbeat(const struct command *command, const struct args *args)
{
	static const struct server_verb verbs[] = { { "add", 2, add },
						    { "list", 1, list },
						    { "show", 2, show },
						    { "results", 2, results },
						    { "pause", 2, pause_it },
						    { "resume", 2, resume_it },
						    { "fire", 2, fire },
						    { "remove", 2, take_away },
						    { 0 } };

	return server_verb(command, args, verbs,
			   "expected add PATH, list, show ID, results ID, pause ID, "
			   "resume ID, fire ID, or remove ID");
}
