/* See audit_list.h. */
#include "audit_list.h"

#include <stdio.h>

#include "print.h"
#include "query.h"
#include "server.h"
#include "table.h"

static const char *const titles[] = { "AT", "WHO", "WHAT", "TARGET", "FROM", "" };

static void
add_row(struct table *table, const struct json *row)
{
	const struct json *details = json_get(row, "details");
	struct buf text = { 0 };

	table_add(table, 0, json_str(json_get(row, "at")));
	table_add(table, 1, json_str(json_get(row, "who")));
	table_add(table, 2, json_str(json_get(row, "what")));
	table_add(table, 3, json_str(json_get(row, "target")));
	table_add(table, 4, json_str(json_get(row, "ip")));
	if (details != NULL)
		print_value(details, &text);
	table_add(table, 5, buf_text(&text));
	buf_fini(&text);
	table_end_row(table);
}

static void
print_rows(const struct json *data)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(data); i++)
		add_row(table, json_at(data, i));
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no entries");
	table_free(&table);
}

int
audit_list(const struct command *command, const struct args *args)
{
	static const char *const filters[] = { "who",   "what",  "target",
					       "since", "until", NULL };
	struct buf path = { 0 };
	struct answer answer;
	struct server *server;
	struct err err = { 0 };
	long limit = 20;
	int status;

	if (args_count(args, "limit", 1, 100, &limit, &err) < 0)
		return command_usage(command, "%s", err.text);
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	buf_printf(&path, "/api/audit?limit=%ld", limit);
	for (const char *const *name = filters; *name != NULL; name++)
		query_add(&path, *name, args, *name);
	status = server_call(server, "GET", buf_text(&path), NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		print_rows(json_get(answer.json, "data"));
	answer_fini(&answer);
	buf_fini(&path);
	server_close(&server);
	return status;
}
