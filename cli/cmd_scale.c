/* stepmill scale: how many workers there are, and how many there shall be. */
#include <stdio.h>

#include "commands.h"
#include "print.h"
#include "server.h"
#include "table.h"

#define WORKERS_MAX 100000 /* the server knows its own limit */

const struct arg scale_args[] = {
	{ "node", 'n', "NODE", "of another host, by its name or its supervisor's id" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "WORKER", "PID", "STATE", "SLOTS" };

static const char *const node_titles[] = { "HOST", "NODE", "STATE", "WORKERS",
					   "WANTED" };

static void
print_nodes(const struct json *nodes)
{
	struct table *table;
	char text[24];

	if (json_count(nodes) < 2)
		return;
	table = table_new(node_titles, sizeof node_titles / sizeof *node_titles);
	for (size_t i = 0; i < json_count(nodes); i++) {
		const struct json *node = json_at(nodes, i);

		table_add(table, 0, json_str(json_get(node, "host")));
		table_add(table, 1, json_str(json_get(node, "id")));
		table_add(table, 2, json_str(json_get(node, "status")));
		snprintf(text, sizeof text, "%lld",
			 (long long)json_int(json_get(node, "running")));
		table_add(table, 3, text);
		snprintf(text, sizeof text, "%lld",
			 (long long)json_int(json_get(node, "desired")));
		table_add(table, 4, text);
		table_end_row(table);
	}
	table_print(table);
	table_free(&table);
}

static void
print_pool(const struct json *pool)
{
	const struct json *workers = json_get(pool, "workers");
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	char text[48];

	for (size_t i = 0; i < json_count(workers); i++) {
		const struct json *worker = json_at(workers, i);

		table_add(table, 0, json_str(json_get(worker, "id")));
		snprintf(text, sizeof text, "%lld",
			 (long long)json_int(json_get(worker, "pid")));
		table_add(table, 1, text);
		table_add(table, 2, json_str(json_get(worker, "state")));
		snprintf(text, sizeof text, "%lld/%lld",
			 (long long)json_int(json_get(worker, "used")),
			 (long long)json_int(json_get(worker, "slots")));
		table_add(table, 3, text);
		table_end_row(table);
	}
	printf("%lld workers wanted\n", (long long)json_int(json_get(pool, "desired")));
	if (table_rows(table) > 0)
		table_print(table);
	table_free(&table);
	print_nodes(json_get(pool, "nodes"));
}

static void
print_answer(const struct json *answer, bool changed, bool json)
{
	if (json)
		print_json(answer);
	else if (changed)
		printf("%lld workers wanted; those too many finish what they hold\n",
		       (long long)json_int(json_get(answer, "desired")));
	else
		print_pool(answer);
}

int
cmd_scale(const struct command *command, const struct args *args)
{
	bool change = args->words_count > 0;
	struct json *body = NULL;
	struct err err = { 0 };
	struct server *server;
	struct answer answer;
	long workers;
	int status;

	if (args->words_count > 1)
		return command_usage(command, "one number of workers");
	if (!change && args_has(args, "node"))
		return command_usage(command, "with --node, a number of workers");
	if (change &&
	    count_read("WORKERS", args->words[0], 0, WORKERS_MAX, &workers, &err) < 0)
		return command_usage(command, "%s", err.text);
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	if (change) {
		body = json_new_object();
		json_set(body, "workers", json_new_int(workers));
		if (args_has(args, "node"))
			json_set(body, "node", json_new_str(args_value(args, "node")));
	}
	status =
	    server_call(server, change ? "PUT" : "GET", "/api/pool", body, &answer);
	if (status == CLI_OK)
		print_answer(answer.json, change, args_has(args, "json"));
	answer_fini(&answer);
	server_close(&server);
	return status;
}
