/* stepmill list: runs, newest first. */
#include <stdio.h>

#include "commands.h"
#include "print.h"
#include "query.h"
#include "server.h"
#include "table.h"
#include "text.h"

const struct arg list_args[] = {
	{ "status", 's', "STATUS", "only these, e.g. running,failed" },
	{ "workflow", 'w', "NAME", "only runs of this workflow" },
	{ "project", 'p', "ID", "only runs of this project" },
	{ "triggered-by", 0, "HOW", "only those started so: manual, retry, workflow" },
	{ "query", 'q', "TEXT", "only those with this in their run id" },
	{ "since", 0, "TIME", "only those made since (RFC 3339)" },
	{ "until", 0, "TIME", "only those made before" },
	{ "limit", 'n', "N", "at most so many (default 20, at most 100)" },
	{ "page", 0, "N", "further pages" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "RUN",  "STATUS",  "STEP",
				      "TIME", "STARTED", "EXECUTION" };

static void
add_row(struct table *table, const struct json *run)
{
	const struct json *duration = json_get(run, "durationMs");
	const char *step = json_str(json_get(json_get(run, "current_step"), "name"));
	char time[32] = "";

	if (json_type(duration) == JSON_INT)
		text_ms(json_int(duration), time, sizeof time);
	table_add(table, 0, json_str(json_get(run, "runId")));
	table_add(table, 1, json_str(json_get(run, "status")));
	table_add(table, 2, step);
	table_add(table, 3, time);
	table_add(table, 4, json_str(json_get(run, "startedAt")));
	table_add(table, 5, json_str(json_get(run, "id")));
	table_end_row(table);
}

static void
print_runs(const struct json *answer)
{
	const struct json *data = json_get(answer, "data");
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(data); i++)
		add_row(table, json_at(data, i));
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no runs");
	table_free(&table);
}

int
cmd_list(const struct command *command, const struct args *args)
{
	struct buf path = { 0 };
	struct answer answer;
	struct server *server;
	long limit = 20, page = 1;
	struct err err = { 0 };
	int status;

	if (args->words_count > 0)
		return command_usage(command, "\"%s\": not understood", args->words[0]);
	if (args_count(args, "limit", 1, 100, &limit, &err) < 0 ||
	    args_count(args, "page", 1, 1000000, &page, &err) < 0)
		return command_usage(command, "%s", err.text);
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	buf_printf(&path, "/api/executions?limit=%ld&page=%ld", limit, page);
	query_add(&path, "status", args, "status");
	query_add(&path, "workflowId", args, "workflow");
	query_add(&path, "projectId", args, "project");
	query_add(&path, "triggeredBy", args, "triggered-by");
	query_add(&path, "q", args, "query");
	query_add(&path, "since", args, "since");
	query_add(&path, "until", args, "until");
	status = server_call(server, "GET", buf_text(&path), NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		print_runs(answer.json);
	answer_fini(&answer);
	buf_fini(&path);
	server_close(&server);
	return status;
}
