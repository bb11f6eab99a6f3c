/* stepmill ctx: what a script can say to the run that it is a step of, without a
 * server, a key or a network: over the descriptor that it was started with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "commands.h"
#include "print.h"
#include "step_channel.h"

const struct arg ctx_args[] = {
	{ "execution", 'e', NULL, "comment: on the run, not on this step" },
	{ "metadata", 'm', "JSON", "comment: an object kept beside it" },
	{ "string", 's', NULL, "set: VALUE is text, even where it is JSON" },
	{ "default", 'd', "VALUE", "get: what to print when there is none" },
	{ "name", 'n', "NAME", "artifact: show it under this name" },
	{ "type", 't', "TYPE", "artifact: DOCUMENT, TEST_REPORT and so on" },
	{ "media", 0, "TYPE", "artifact: its media type, such as text/plain" },
	{ "description", 0, "TEXT", "artifact: what it is" },
	{ "fields", 'f', "JSON", "log: an object kept beside it" },
	COMMAND_ARGS,
};

struct ctx {
	const struct command *command;
	const struct args *args;
	const char *const *words; /* behind the verb */
};

struct ctx_verb {
	const char *word, *second; /* second: a further one, or NULL */
	size_t least, most;        /* words behind these */
	const char *method;
	int (*fill)(const struct ctx *ctx, struct json *params, struct err *err);
	int (*show)(const struct ctx *ctx, const struct json *result);
};

/* ---- what is asked ---- */

static int
add_object(const struct ctx *ctx, const char *option, struct json *params,
	   struct err *err)
{
	const char *text = args_value(ctx->args, option);
	struct json *value = NULL;

	if (text == NULL)
		return 0;
	if (json_parse(text, strlen(text), &value, err) < 0 ||
	    json_type(value) != JSON_OBJECT) {
		json_unref(&value);
		return err_set(err, ERR_INPUT, "--%s: expected a JSON object", option);
	}
	json_set(params, option, value);
	return 0;
}

static void
add_option(const struct ctx *ctx, const char *option, const char *key,
	   struct json *params)
{
	if (args_has(ctx->args, option))
		json_set(params, key, json_new_str(args_value(ctx->args, option)));
}

static int
fill_comment(const struct ctx *ctx, struct json *params, struct err *err)
{
	json_set(params, "message", json_new_str(ctx->words[0]));
	json_set(params, "scope",
		 json_new_str(args_has(ctx->args, "execution") ? "execution" : "step"));
	return add_object(ctx, "metadata", params, err);
}

static int
fill_key(const struct ctx *ctx, struct json *params, struct err *err)
{
	(void)err;
	json_set(params, "key", json_new_str(ctx->words[0]));
	return 0;
}

/* JSON where it is JSON, else text, as KEY=VALUE of `stepmill run`. */
static int
fill_set(const struct ctx *ctx, struct json *params, struct err *err)
{
	const char *text = ctx->words[1];
	struct json *value = NULL;
	struct err none = { 0 };

	if (args_has(ctx->args, "string") ||
	    json_parse(text, strlen(text), &value, &none) < 0)
		value = json_new_str(text);
	json_set(params, "value", value);
	return fill_key(ctx, params, err);
}

static int
fill_artifact(const struct ctx *ctx, struct json *params, struct err *err)
{
	(void)err;
	json_set(params, "path", json_new_str(ctx->words[0]));
	add_option(ctx, "name", "name", params);
	add_option(ctx, "type", "type", params);
	add_option(ctx, "media", "mimeType", params);
	add_option(ctx, "description", "description", params);
	return 0;
}

static int
fill_log(const struct ctx *ctx, struct json *params, struct err *err)
{
	json_set(params, "level", json_new_str(ctx->words[0]));
	json_set(params, "message", json_new_str(ctx->words[1]));
	return add_object(ctx, "fields", params, err);
}

static int
fill_nothing(const struct ctx *ctx, struct json *params, struct err *err)
{
	(void)ctx;
	(void)params;
	(void)err;
	return 0;
}

/* ---- what is shown ---- */

static int
show_nothing(const struct ctx *ctx, const struct json *result)
{
	if (args_has(ctx->args, "json"))
		print_json(result);
	return CLI_OK;
}

static int
show_id(const struct ctx *ctx, const struct json *result)
{
	const char *id = json_str(json_get(result, "id"));

	if (args_has(ctx->args, "json"))
		print_json(result);
	else if (id != NULL)
		puts(id);
	return CLI_OK;
}

static int
show_found(const struct ctx *ctx, const struct json *result)
{
	bool found = json_bool(json_get(result, "found"));

	if (args_has(ctx->args, "json"))
		print_json(result);
	else
		puts(found ? "true" : "false");
	return found ? CLI_OK : CLI_FAILED;
}

/* The value for scripts: a text as it is, byte by byte, all else as JSON. */
static int
show_value(const struct ctx *ctx, const struct json *result)
{
	const struct json *value = json_get(result, "value");
	const char *instead = args_value(ctx->args, "default");
	bool found = json_bool(json_get(result, "found"));

	if (args_has(ctx->args, "json")) {
		print_json(result);
	} else if (!found) {
		if (instead == NULL)
			return command_fail(ctx->command, CLI_FAILED,
					    "there is no \"%s\"", ctx->words[0]);
		puts(instead);
	} else if (json_type(value) == JSON_STRING) {
		fwrite(json_str(value), 1, json_str_len(value), stdout);
		putchar('\n');
	} else {
		print_line(value);
	}
	return found || instead != NULL ? CLI_OK : CLI_FAILED;
}

static int
show_info(const struct ctx *ctx, const struct json *result)
{
	(void)ctx;
	print_json(result);
	return CLI_OK;
}

static const struct ctx_verb verbs[] = {
	{ "comment", NULL, 1, 1, "comment", fill_comment, show_id },
	{ "set", NULL, 2, 2, "state.set", fill_set, show_nothing },
	{ "get", NULL, 1, 1, "state.get", fill_key, show_value },
	{ "has", NULL, 1, 1, "state.has", fill_key, show_found },
	{ "delete", NULL, 1, 1, "state.delete", fill_key, show_nothing },
	{ "artifact", "add", 1, 1, "artifact", fill_artifact, show_id },
	{ "log", NULL, 2, 2, "log", fill_log, show_nothing },
	{ "info", NULL, 0, 0, "info", fill_nothing, show_info },
	{ 0 },
};

/* ---- the command ---- */

static int
status_of(const struct err *err)
{
	return err->kind == ERR_RETRY || err->kind == ERR_NOT_FOUND ? CLI_UNREACHABLE
								    : CLI_FAILED;
}

static int
carry_out(const struct ctx *ctx, const struct ctx_verb *verb)
{
	struct json *params = json_new_object(), *result = NULL;
	struct err err = { 0 };
	int fd, status;

	if (verb->fill(ctx, params, &err) < 0) {
		json_unref(&params);
		return command_usage(ctx->command, "%s", err.text);
	}
	fd = step_channel_open(&err);
	if (fd < 0) {
		json_unref(&params);
		return command_fail(ctx->command, status_of(&err), "%s", err.text);
	}
	if (step_channel_ask(fd, verb->method, params, &result, &err) < 0)
		status = command_fail(ctx->command, status_of(&err), "%s", err.text);
	else
		status = verb->show(ctx, result);
	json_unref(&result);
	close(fd);
	return status;
}

static const struct ctx_verb *
find_verb(const struct args *args)
{
	for (const struct ctx_verb *it = verbs; it->word != NULL; it++) {
		if (args->words_count == 0 || strcmp(args->words[0], it->word) != 0)
			continue;
		if (it->second == NULL ||
		    (args->words_count > 1 && strcmp(args->words[1], it->second) == 0))
			return it;
	}
	return NULL;
}

int
cmd_ctx(const struct command *command, const struct args *args)
{
	const struct ctx_verb *verb = find_verb(args);
	size_t taken = verb != NULL && verb->second != NULL ? 2 : 1;
	struct ctx ctx = { command, args, args->words + taken };

	if (verb == NULL)
		return command_usage(command,
				     "expected comment, set, get, has, delete, "
				     "artifact add, log or info");
	if (args->words_count < taken + verb->least)
		return command_usage(command, "%s what?", verb->word);
	if (args->words_count > taken + verb->most)
		return command_usage(command, "\"%s\": not understood",
				     args->words[taken + verb->most]);
	for (size_t i = 0; i < args->words_count; i++)
		if (!utf8_valid(args->words[i], strlen(args->words[i])))
			return command_usage(command, "word %zu is not UTF-8", i + 1);
	return carry_out(&ctx, verb);
}
