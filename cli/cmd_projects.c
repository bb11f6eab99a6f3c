/* stepmill projects: folders that runs work in: list, add, show, remove. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "server.h"
#include "table.h"

const struct arg projects_args[] = {
	{ "path", 'p', "DIR", "add: its folder (else this one)" },
	{ "branch", 'b', "NAME", "add: the branch its work goes into (else main)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "NAME", "BRANCH", "ID", "PATH" };

static void
print_table(const struct json *all)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *one = json_at(all, i);

		table_add(table, 0, json_str(json_get(one, "name")));
		table_add(table, 1, json_str(json_get(one, "defaultBranch")));
		table_add(table, 2, json_str(json_get(one, "id")));
		table_add(table, 3, json_str(json_get(one, "path")));
		table_end_row(table);
	}
	table_print(table);
	table_free(&table);
}

static int
list(const struct command *command, struct server *server, const struct args *args)
{
	struct json *all = json_new_array();
	int status = server_all(server, "/api/projects", all);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		print_json(all);
	else if (status == CLI_OK)
		print_table(all);
	json_unref(&all);
	return status;
}

static int
add(const struct command *command, struct server *server, const struct args *args)
{
	const char *branch = args_value(args, "branch");
	const char *given = args_has(args, "path") ? args_value(args, "path") : ".";
	char *path = realpath(given, NULL);
	struct json *body;
	struct answer answer;
	int status;

	if (path == NULL)
		return command_fail(command, CLI_USAGE, "--path %s: %s", given,
				    strerror(errno));
	body = json_new_object();
	json_set(body, "name", json_new_str(args->words[1]));
	json_set(body, "path", json_new_str(path));
	if (branch != NULL)
		json_set(body, "defaultBranch", json_new_str(branch));
	status = server_call(server, "POST", "/api/projects", body, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		printf("%s\n", json_str(json_get(answer.json, "id")));
	answer_fini(&answer);
	free(path);
	return status;
}

static int
ask_one(struct server *server, const char *method, const char *name,
	struct answer *answer)
{
	char *id = url_segment(name), *path = xprintf("/api/projects/%s", id);
	int status;

	server_about(server, "project", name);
	status = server_call(server, method, path, NULL, answer);
	free(path);
	free(id);
	return status;
}

static int
show(const struct command *command, struct server *server, const struct args *args)
{
	struct json *all = json_new_array();
	struct answer answer;
	int status = ask_one(server, "GET", args->words[1], &answer);

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
take_away(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	bool more = true;
	int status = CLI_OK;

	(void)command;
	while (more && status == CLI_OK) {
		status = ask_one(server, "DELETE", args->words[1], &answer);
		more = answer.status == 202; /* some of its runs have gone */
		answer_fini(&answer);
	}
	if (status == CLI_OK && args_has(args, "json"))
		puts("{\"removed\": true}");
	else if (status == CLI_OK)
		printf("%s removed\n", args->words[1]);
	return status;
}

int
cmd_projects(const struct command *command, const struct args *args)
{
	static const struct server_verb verbs[] = { { "list", 1, list },
						    { "add", 2, add },
						    { "show", 2, show },
						    { "remove", 2, take_away },
						    { 0 } };

	return server_verb(command, args, verbs,
			   "expected list, add NAME, show NAME, or remove NAME");
}
