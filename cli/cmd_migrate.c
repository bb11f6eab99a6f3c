/* stepmill migrate: brings the database to this version, or says where it is. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "install.h"
#include "print.h"
#include "store/migrate.h"

const struct arg migrate_args[] = {
	{ "status", 0, NULL, "only say where the database is" },
	DATABASE_ARGS,
	COMMAND_ARGS,
};

static void
on_applied(void *context, const char *name)
{
	if (!*(const bool *)context)
		printf("applied %s\n", name);
}

static int
say_status(const struct command *command, const char *url, bool json)
{
	struct migration_state state;
	struct err err = { 0 };
	struct json *answer;

	if (migrate_status(url, &state, &err) < 0)
		return command_fail(command, CLI_UNREACHABLE, "%s", err.text);
	if (json) {
		answer = json_new_object();
		json_set(answer, "known", json_new_int(state.known));
		json_set(answer, "applied", json_new_int(state.applied));
		json_set(answer, "changed", json_new_bool(state.changed));
		print_json(answer);
		json_unref(&answer);
	} else {
		printf("database at %d, this version knows %d%s\n", state.applied,
		       state.known,
		       state.changed ? "; an applied migration differs from ours" : "");
	}
	return state.applied == state.known && !state.changed ? CLI_OK : CLI_FAILED;
}

/* The path of the project "default", where somebody says one: the preset "." is of the
 * folder that we happen to be in. The caller's. */
static char *
project_path(const struct install *install)
{
	bool said =
	    install->settings->file != NULL || getenv("STEPMILL_PROJECT_PATH") != NULL;

	if (install->dev != NULL)
		return xstrdup(json_str(json_get(install->dev, "project")));
	return said ? realpath(install->settings->project_path, NULL) : NULL;
}

static int
migrate(const struct command *command, const struct args *args,
	const struct install *install)
{
	bool json = args_has(args, "json");
	struct err err = { 0 };
	char *path;

	if (install->database_url == NULL)
		return command_usage(command,
				     "no database: set DATABASE_URL or database.url, "
				     "or give --database-url");
	if (!args_has(args, "status")) {
		path = project_path(install);
		migrate_apply(install->database_url, path, on_applied, &json, &err);
		free(path);
	}
	if (err.kind != ERR_NONE)
		return command_fail(
		    command, err.kind == ERR_RETRY ? CLI_UNREACHABLE : CLI_FAILED, "%s",
		    err.text);
	return say_status(command, install->database_url, json);
}

int
cmd_migrate(const struct command *command, const struct args *args)
{
	struct install install;
	int status;

	if (args->words_count > 0)
		return command_usage(command, "\"%s\": not understood", args->words[0]);
	status = install_find(&install, command, args);
	if (status != CLI_OK)
		return status;
	status = migrate(command, args, &install);
	install_fini(&install);
	return status;
}
