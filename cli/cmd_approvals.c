/* stepmill approvals: what waits for somebody to decide. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"
#include "table.h"

const struct arg approvals_args[] = {
	{ "status", 's', "STATUS", "approved, denied, expired or void; else pending" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "RUN", "STEP", "SINCE", "EXPIRES", "PROMPT" };

static void
print_approvals(const struct json *data)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *one = json_at(data, i);

		table_add(table, 0, json_str(json_get(one, "runId")));
		table_add(table, 1, json_str(json_get(one, "stepKey")));
		table_add(table, 2, json_str(json_get(one, "createdAt")));
		table_add(table, 3, json_str(json_get(one, "expiresAt")));
		table_add(table, 4, json_str(json_get(one, "prompt")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("nothing waits");
	table_free(&table);
}

int
cmd_approvals(const struct command *command, const struct args *args)
{
	const char *wanted = args_value(args, "status");
	char *word = url_segment(wanted != NULL ? wanted : "pending");
	char *path = xprintf("/api/approvals?status=%s", word);
	struct server *server = NULL;
	struct answer answer;
	int status = CLI_USAGE;

	if (args->words_count > 0)
		status =
		    command_usage(command, "\"%s\": not understood", args->words[0]);
	else
		server = server_open(command, args, &status);
	if (server != NULL) {
		status = server_call(server, "GET", path, NULL, &answer);
		if (status == CLI_OK && args_has(args, "json"))
			print_json(answer.json);
		else if (status == CLI_OK)
			print_approvals(json_get(answer.json, "data"));
		answer_fini(&answer);
	}
	server_close(&server);
	free(path);
	free(word);
	return status;
}
