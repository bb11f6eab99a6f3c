/* stepmill bots: list, show, add, edit, remove, and say something to one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "file.h"
#include "print.h"
#include "server.h"
#include "table.h"

#define PROMPT_MAX (100 * 1024)

const struct arg bots_args[] = {
	{ "name", 0, "NAME", "add, edit: as people call it (else its slug)" },
	{ "system", 's', "TEXT",
	  "add, edit: its system prompt; @FILE, or - for standard input" },
	{ "model", 'm', "MODEL", "add, edit: provider:model (else the server's)" },
	{ "tools", 't', "NAMES", "add, edit: that it may call: git.*,state.get" },
	{ "skill", 'k', "SKILL",
	  "add, edit: the skill that answers in a model's place" },
	{ "project", 'p', "ID", "add: whose runs may use it (else those of all)" },
	{ "from", 'f', "BOT", "send: in the name of this bot" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

/* ---- as people see them ---- */

/* "git.*, state.get" */
static void
print_tools(const struct json *bot, struct table *table)
{
	const struct json *tools = json_get(bot, "tools");
	struct buf text = { 0 };

	for (size_t i = 0; i < json_count(tools); i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "",
			   json_str(json_at(tools, i)));
	table_add(table, 3, buf_text(&text));
	buf_fini(&text);
}

static void
print_table(const struct json *all)
{
	static const char *const titles[] = { "SLUG", "NAME", "MODEL", "TOOLS" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *bot = json_at(all, i);

		table_add(table, 0, json_str(json_get(bot, "slug")));
		table_add(table, 1, json_str(json_get(bot, "name")));
		table_add(table, 2, json_str(json_get(bot, "model")));
		print_tools(bot, table);
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no bots");
	table_free(&table);
}

static void
print_bot(const struct json *bot)
{
	static const char *const names[] = { "slug",        "name",         "model",
					     "tools",       "handlerSkill", "projectId",
					     "systemPrompt" };
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *value = json_get(bot, names[i]);

		if (value == NULL)
			continue;
		buf_clear(&text);
		print_value(value, &text);
		printf("%s: %s\n", names[i], buf_text(&text));
	}
	buf_fini(&text);
}

/* ---- what is sent ---- */

/* "@FILE" and "-" stand for what is in them. */
static int
set_system(const char *text, struct json *body, struct err *err)
{
	const char *path = strcmp(text, "-") == 0 ? text
			   : text[0] == '@'       ? text + 1
						  : NULL;
	char *read;
	size_t len;

	if (path == NULL) {
		json_set(body, "systemPrompt", json_new_str(text));
		return 0;
	}
	read = file_read(path, PROMPT_MAX, &len, err);
	if (read == NULL)
		return err_in(err, "--system");
	json_set(body, "systemPrompt", json_new_str_len(read, len));
	free(read);
	return 0;
}

static void
set_tools(const char *text, struct json *body)
{
	struct json *tools = json_new_array();
	size_t len;

	for (const char *at = text; strcmp(text, "none") != 0 && *at != '\0';) {
		len = strcspn(at, ",");
		if (len > 0)
			json_append(tools, json_new_str_len(at, len));
		at += len + (at[len] == ',');
	}
	json_set(body, "tools", tools);
}

/* "none" clears. NULL: err says why. */
static struct json *
body_of(const struct args *args, struct err *err)
{
	const char *system = args_value(args, "system");
	const char *model = args_value(args, "model"),
		   *skill = args_value(args, "skill");
	struct json *body = json_new_object();

	if (args_has(args, "name"))
		json_set(body, "name", json_new_str(args_value(args, "name")));
	if (model != NULL)
		json_set(body, "model",
			 strcmp(model, "none") == 0 ? NULL : json_new_str(model));
	if (skill != NULL)
		json_set(body, "handlerSkill",
			 strcmp(skill, "none") == 0 ? NULL : json_new_str(skill));
	if (args_has(args, "tools"))
		set_tools(args_value(args, "tools"), body);
	if (system != NULL && set_system(system, body, err) < 0)
		json_unref(&body);
	return body;
}

/* ---- one of them ---- */

/* body is taken. */
static int
ask_one(struct server *server, const char *method, const struct args *args,
	const char *rest, struct json *body, struct answer *answer)
{
	char *id = url_segment(args->words[1]);
	char *path = xprintf("/api/bots/%s%s", id, rest);
	int status;

	server_about(server, "bot", args->words[1]);
	status = server_call(server, method, path, body, answer);
	free(path);
	free(id);
	return status;
}

/* What became of it: as JSON, or in a word. */
static int
tell(int status, const struct args *args, struct answer *answer, const char *said)
{
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer->json);
	else if (status == CLI_OK)
		printf("%s %s\n", args->words[1], said);
	answer_fini(answer);
	return status;
}

static int
add(const struct command *command, struct server *server, const struct args *args)
{
	struct err err = { 0 };
	struct json *body = body_of(args, &err);
	struct answer answer;

	if (body == NULL)
		return command_usage(command, "%s", err.text);
	json_set(body, "slug", json_new_str(args->words[1]));
	if (args_has(args, "project"))
		json_set(body, "projectId", json_new_str(args_value(args, "project")));
	return tell(server_call(server, "POST", "/api/bots", body, &answer), args,
		    &answer, "added");
}

static int
edit(const struct command *command, struct server *server, const struct args *args)
{
	struct err err = { 0 };
	struct json *body = body_of(args, &err);
	struct answer answer;

	if (body == NULL)
		return command_usage(command, "%s", err.text);
	return tell(ask_one(server, "PATCH", args, "", body, &answer), args, &answer,
		    "changed");
}

static int
show(const struct command *command, struct server *server, const struct args *args)
{
	struct answer answer;
	int status = ask_one(server, "GET", args, "", NULL, &answer);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		print_bot(answer.json);
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

static int
say(const struct command *command, struct server *server, const struct args *args)
{
	struct json *body = json_new_object();
	struct answer answer;

	(void)command;
	json_set(body, "body", json_new_str(args->words[2]));
	if (args_has(args, "from"))
		json_set(body, "from", json_new_str(args_value(args, "from")));
	return tell(ask_one(server, "POST", args, "/send", body, &answer), args,
		    &answer, "was told");
}

/* ---- all of them ---- */

static int
list(const struct command *command, struct server *server, const struct args *args)
{
	struct json *all = json_new_array();
	int status = server_all(server, "/api/bots", all);

	(void)command;
	if (status == CLI_OK && args_has(args, "json"))
		print_json(all);
	else if (status == CLI_OK)
		print_table(all);
	json_unref(&all);
	return status;
}

int
cmd_bots(const struct command *command, const struct args *args)
{
	static const struct server_verb verbs[] = {
		{ "list", 1, list },
		{ "show", 2, show },
		{ "add", 2, add },
		{ "edit", 2, edit },
		{ "send", 3, say },
		{ "remove", 2, take_away },
		{ 0 },
	};

	return server_verb(command, args, verbs,
			   "expected list, show BOT, add SLUG, edit BOT, "
			   "send BOT TEXT, or remove BOT");
}
