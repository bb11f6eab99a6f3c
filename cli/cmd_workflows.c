/* stepmill workflows: list them, look at one, register files, test a program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"
#include "table.h"
#include "workflow_test.h"

const struct arg workflows_args[] = {
	{ "record", 'r', "FILE", "test: recorded results: a run, or outputs by name" },
	{ "against", 'a', "RUN", "test: against what is recorded of this run" },
	{ "input", 'i', "JSON", "test: the input: JSON, @FILE, or - for stdin" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "NAME", "VERSION", "ACTIVE", "FILE",
				      "DESCRIPTION" };

static void
print_workflows(const struct json *answer)
{
	const struct json *data = json_get(answer, "data");
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	char text[32];

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *row = json_at(data, i);

		snprintf(text, sizeof text, "%lld",
			 (long long)json_int(json_get(row, "version")));
		table_add(table, 0, json_str(json_get(row, "name")));
		table_add(table, 1, text);
		table_add(table, 2,
			  json_bool(json_get(row, "isActive")) ? "yes" : "no");
		table_add(table, 3, json_str(json_get(row, "definitionPath")));
		table_add(table, 4, json_str(json_get(row, "description")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no workflows yet; put one into "
		     ".agent/workflows/templates/NAME.yaml");
	table_free(&table);
}

static int
get_and_print(struct server *server, const char *path, bool json)
{
	struct answer answer;
	int status = server_call(server, "GET", path, NULL, &answer);
	const char *source = json_str(json_get(answer.json, "source"));

	if (status == CLI_OK && !json && source != NULL)
		fputs(source, stdout);
	else if (status == CLI_OK && !json && json_has(answer.json, "data"))
		print_workflows(answer.json);
	else if (status == CLI_OK)
		print_json(answer.json);
	answer_fini(&answer);
	return status;
}

static int
register_one(struct server *server, const char *path, bool json)
{
	int status;
	struct json *answer = server_register(server, path, &status);

	if (answer != NULL && json)
		print_json(answer);
	else if (answer != NULL)
		printf("%s version %lld%s\n", json_str(json_get(answer, "name")),
		       (long long)json_int(json_get(answer, "version")),
		       json_bool(json_get(answer, "created")) ? "" : " (unchanged)");
	json_unref(&answer);
	return status;
}

/* Page by page; as one list. */
static int
list_all(struct server *server, const struct args *args)
{
	struct json *all = json_new_object(), *data = json_new_array();
	int64_t total = 0;
	int status = CLI_OK;

	json_set(all, "data", data);
	for (int page = 1; status == CLI_OK; page++) {
		char *path = xprintf("/api/workflows?limit=100&page=%d", page);
		struct answer answer;
		const struct json *rows;

		status = server_call(server, "GET", path, NULL, &answer);
		rows = json_get(answer.json, "data");
		for (size_t i = 0; i < json_count(rows); i++)
			json_append(data, json_ref(json_at(rows, i)));
		total =
		    json_int(json_get(json_get(answer.json, "pagination"), "total"));
		free(path);
		if (json_count(rows) == 0 || (int64_t)json_count(data) >= total) {
			answer_fini(&answer);
			break;
		}
		answer_fini(&answer);
	}
	if (status == CLI_OK && args_has(args, "json"))
		print_json(all);
	else if (status == CLI_OK)
		print_workflows(all);
	json_unref(&all);
	return status;
}

static int
show_one(struct server *server, const struct args *args)
{
	char *name = url_segment(args->words[1]);
	char *path = xprintf("/api/workflows/%s", name);
	int status;

	server_about(server, "workflow", args->words[1]);
	status = get_and_print(server, path, args_has(args, "json"));

	free(path);
	free(name);
	return status;
}

static int
show_versions(struct server *server, const struct args *args)
{
	char *name = url_segment(args->words[1]);
	char *path = xprintf("/api/workflows/%s/versions", name);
	int status;

	server_about(server, "workflow", args->words[1]);
	status = get_and_print(server, path, args_has(args, "json"));

	free(path);
	free(name);
	return status;
}

static int
register_all(struct server *server, const struct args *args)
{
	int worst = CLI_OK;

	for (size_t i = 1; i < args->words_count; i++) {
		int status =
		    register_one(server, args->words[i], args_has(args, "json"));

		worst = status > worst ? status : worst;
	}
	return worst;
}

static const struct verb {
	const char *word;
	size_t least, most; /* words, itself too */
	int (*run)(struct server *server, const struct args *args);
} verbs[] = { { "list", 1, 1, list_all },
	      { "show", 2, 2, show_one },
	      { "versions", 2, 2, show_versions },
	      { "register", 2, ARGS_WORDS_MAX, register_all } };

static const struct verb *
find_verb(const char *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	return NULL;
}

int
cmd_workflows(const struct command *command, const struct args *args)
{
	const char *word = args->words_count > 0 ? args->words[0] : "list";
	size_t count = args->words_count > 0 ? args->words_count : 1;
	const struct verb *verb = find_verb(word);
	struct server *server;
	int status;

	if (strcmp(word, "test") == 0)
		return count > 1 ? workflow_test(command, args)
				 : command_usage(command, "test what?");
	if (verb == NULL)
		return command_usage(
		    command, "\"%s\": expected list, show, versions, register or test",
		    word);
	if (count < verb->least)
		return command_usage(command, "%s what?", word);
	if (count > verb->most)
		return command_usage(command, "\"%s\": not understood",
				     args->words[verb->most]);
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	status = verb->run(server, args);
	server_close(&server);
	return status;
}
