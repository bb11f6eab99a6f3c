/* stepmill artifacts: files kept with a run: list, fetch, add. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact_files.h"
#include "base/xalloc.h"
#include "commands.h"
#include "print.h"
#include "table.h"

const struct arg artifacts_args[] = {
	{ "step", 's', "STEP", "list, add: of this step (its id in the file)" },
	{ "type", 't', "TYPE", "list, add: DOCUMENT, TEST_REPORT and so on" },
	{ "output", 'o', "FILE", "get: write to this file, or - for standard output" },
	{ "name", 'n', "NAME", "add: show it under this name" },
	{ "media", 'm', "TYPE", "add: its media type, such as text/plain" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "NAME", "TYPE", "STEP", "SIZE", "CREATED", "ID" };

/* The artifacts of a run; NULL: why not was said. */
static struct json *
ask_list(struct server *server, const struct args *args, const char *run, int *status)
{
	char *id = url_segment(run);
	char *step =
	    url_segment(args_has(args, "step") ? args_value(args, "step") : "");
	char *type =
	    url_segment(args_has(args, "type") ? args_value(args, "type") : "");
	char *path =
	    xprintf("/api/executions/%s/artifacts%s%s%s%s", id, *step ? "?stepId=" : "",
		    step, *type ? (*step ? "&type=" : "?type=") : "", type);
	struct answer answer;
	struct json *data = NULL;

	server_about(server, "run", run);
	*status = server_call(server, "GET", path, NULL, &answer);
	if (*status == CLI_OK)
		data = json_ref(json_get(answer.json, "data"));
	answer_fini(&answer);
	free(path);
	free(type);
	free(step);
	free(id);
	return data;
}

/* The number behind RUN: of a step's id. */
static const char *
step_number(const struct json *artifact)
{
	const char *id = json_str(json_get(artifact, "stepId"));
	const char *colon = id != NULL ? strrchr(id, ':') : NULL;

	return colon != NULL ? colon + 1 : NULL;
}

static void
print_list(const struct json *data)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *one = json_at(data, i);
		char size[24];

		snprintf(size, sizeof size, "%lld",
			 (long long)json_int(json_get(one, "sizeBytes")));
		table_add(table, 0, json_str(json_get(one, "name")));
		table_add(table, 1, json_str(json_get(one, "type")));
		table_add(table, 2, step_number(one));
		table_add(table, 3, size);
		table_add(table, 4, json_str(json_get(one, "createdAt")));
		table_add(table, 5, json_str(json_get(one, "id")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no artifacts");
	table_free(&table);
}

static int
list(const struct command *command, struct server *server, const struct args *args)
{
	int status;
	struct json *all = ask_list(server, args, args->words[1], &status);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		print_json(all);
	else if (status == CLI_OK)
		print_list(all);
	json_unref(&all);
	return status;
}

/* By its id, or the newest of its name. */
static const struct json *
find(const struct json *data, const char *wanted)
{
	const struct json *found = NULL;

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *one = json_at(data, i);

		if (strcmp(json_str(json_get(one, "id")), wanted) == 0)
			return one;
		if (strcmp(json_str(json_get(one, "name")), wanted) == 0)
			found = one;
	}
	return found;
}

static int
get(const struct command *command, struct server *server, const struct args *args)
{
	int status;
	struct json *all = ask_list(server, args, args->words[1], &status);
	const struct json *one = find(all, args->words[2]);

	if (status == CLI_OK && one == NULL)
		status = command_fail(command, CLI_FAILED,
				      "the run has no artifact \"%s\"", args->words[2]);
	else if (status == CLI_OK)
		status =
		    artifact_fetch(command, server, one, args_value(args, "output"));
	json_unref(&all);
	return status;
}

static int
add(const struct command *command, struct server *server, const struct args *args)
{
	struct artifact_file file = {
		.run = args->words[1],
		.path = args->words[2],
		.name = args_value(args, "name"),
		.type = args_value(args, "type"),
		.step = args_value(args, "step"),
		.media = args_value(args, "media"),
	};
	struct json *row;
	int status = artifact_send(command, server, &file, &row);

	if (status == CLI_OK && args_has(args, "json"))
		print_json(row);
	else if (status == CLI_OK)
		printf("%s\n", json_str(json_get(row, "id")));
	json_unref(&row);
	return status;
}

int
cmd_artifacts(const struct command *command, const struct args *args)
{
	static const struct server_verb verbs[] = {
		{ "list", 2, list }, { "get", 3, get }, { "add", 3, add }, { 0 }
	};

	return server_verb(command, args, verbs,
			   "expected list RUN, get RUN NAME, or add RUN FILE");
}
