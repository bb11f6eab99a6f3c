/* stepmill skills: what steps of a project can name, as the server finds it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"
#include "table.h"

const struct arg skills_args[] = {
	{ "project", 'p', "NAME", "of this project (else the key's, or default)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "NAME", "RUNTIME", "PATH", "WHAT" };

/* What is wrong with it stands where else its description would. */
static void
add_what(struct table *table, const struct json *one)
{
	const struct json *problems = json_get(one, "problems");
	const struct json *first = json_at(problems, 0);
	struct buf text = { 0 };

	if (first == NULL) {
		table_add(table, 3, json_str(json_get(one, "description")));
		return;
	}
	buf_str(&text, "broken: ");
	if (json_has(first, "line"))
		buf_printf(&text, "%lld:%lld ",
			   (long long)json_int(json_get(first, "line")),
			   (long long)json_int(json_get(first, "column")));
	buf_printf(&text, "%s %s", json_str(json_get(first, "path")),
		   json_str(json_get(first, "message")));
	table_add(table, 3, buf_text(&text));
	buf_fini(&text);
}

static void
print_skills(const struct json *data)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *one = json_at(data, i);

		table_add(table, 0, json_str(json_get(one, "name")));
		table_add(table, 1, json_str(json_get(one, "runtime")));
		table_add(table, 2, json_str(json_get(one, "path")));
		add_what(table, one);
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no skills");
	table_free(&table);
}

static int
list(struct server *server, const struct args *args)
{
	const char *project = args_value(args, "project");
	char *word = url_segment(project != NULL ? project : "");
	char *path =
	    xprintf("/api/skills%s%s", project != NULL ? "?projectId=" : "", word);
	struct answer answer;
	int status;

	if (project != NULL)
		server_about(server, "project", project);
	status = server_call(server, "GET", path, NULL, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(json_get(answer.json, "data"));
	else if (status == CLI_OK)
		print_skills(json_get(answer.json, "data"));
	answer_fini(&answer);
	free(path);
	free(word);
	return status;
}

int
cmd_skills(const struct command *command, const struct args *args)
{
	struct server *server;
	int status = CLI_USAGE;

	if (args->words_count > 1 ||
	    (args->words_count == 1 && strcmp(args->words[0], "list") != 0))
		return command_usage(command, "\"%s\": not understood", args->words[0]);
	server = server_open(command, args, &status);
	if (server != NULL)
		status = list(server, args);
	server_close(&server);
	return status;
}
