/*
 * stepmill validate: every error of workflow files, with the place shown; or of any
 * files, by a JSON Schema. No server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "conf/yaml.h"
#include "describe.h"
#include "engine/program_manifest.h"
#include "engine/workflow.h"
#include "file.h"
#include "print.h"
#include "schema_file.h"
#include "text.h"

#define SHOWN_MAX 160 /* columns of a line that are shown */

const struct arg validate_args[] = {
	{ "schema", 's', "FILE",
	  "check JSON or YAML files by this JSON Schema instead" },
	{ "formats", 0, NULL, "with --schema: what `format` says must hold, too" },
	COMMAND_ARGS,
};

/* The line's start; NULL: there is none of that number. */
static const char *
find_line(const char *text, int number)
{
	for (int i = 1; i < number && text != NULL; i++) {
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return text;
}

/* The line, and a caret under the column, which counts characters. */
static void
show_place(const char *text, const struct problem *problem)
{
	const char *line = NULL;
	struct buf clean = { 0 };
	size_t used, before = 0;
	char *copy;

	if (text != NULL && problem->line > 0)
		line = find_line(text, problem->line);
	if (line == NULL)
		return;
	copy = xstrndup(line, strcspn(line, "\r\n"));
	text_clean(copy, &clean);
	printf("    %.*s\n", (int)text_fitting(buf_text(&clean), SHOWN_MAX, &used),
	       buf_text(&clean));
	for (int i = 1; i < problem->column && before < clean.len; i++)
		while (++before < clean.len && (clean.data[before] & 0xc0) == 0x80)
			;
	if (clean.len > 0)
		clean.data[before] = '\0';
	used = text_width(buf_text(&clean));
	if (used < SHOWN_MAX)
		printf("    %*s^\n", (int)used, "");
	buf_fini(&clean);
	free(copy);
}

static void
print_problems(const struct problems *problems, const char *text)
{
	struct buf clean = { 0 };

	for (size_t i = 0; i < problems->count; i++) {
		char *line = problem_text(problems, i);

		buf_clear(&clean);
		text_clean(line, &clean);
		puts(buf_text(&clean));
		show_place(text, &problems->list[i]);
		free(line);
	}
	buf_fini(&clean);
}

static struct json *
problems_json(const struct problems *problems)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < problems->count; i++) {
		struct json *item = json_new_object();

		json_set(item, "line", json_new_int(problems->list[i].line));
		json_set(item, "column", json_new_int(problems->list[i].column));
		json_set(item, "path", json_new_str(problems->list[i].path));
		json_set(item, "message", json_new_str(problems->list[i].message));
		json_append(list, item);
	}
	return list;
}

static struct json *
report_of(const char *path, bool good, const struct problems *problems)
{
	struct json *item = json_new_object();

	json_set(item, "file", json_new_str(path));
	json_set(item, "valid", json_new_bool(good));
	json_set(item, "errors", problems_json(problems));
	return item;
}

static struct workflow *
read_workflow(const char *text, size_t len, struct problems *problems)
{
	struct doc *doc = yaml_parse(text, len, problems);
	struct workflow *workflow = doc != NULL ? workflow_read(doc, problems) : NULL;

	doc_free(&doc);
	return workflow;
}

/* The places in what was made of it are of use to nobody. */
static struct workflow *
read_program(const char *path, struct problems *problems)
{
	char *manifest = describe_program(path, problems);
	struct workflow *workflow = NULL;

	if (manifest == NULL)
		return NULL;
	workflow = read_workflow(manifest, strlen(manifest), problems);
	for (size_t i = 0; i < problems->count; i++)
		problems->list[i].line = problems->list[i].column = 0;
	free(manifest);
	return workflow;
}

static void
print_good(const char *path, const struct workflow *workflow)
{
	if (workflow->program != NULL)
		printf("%s: good (%s, a program: %s)\n", path, workflow->name,
		       program_language_name(workflow->program->language));
	else
		printf("%s: good (%s, %zu step%s)\n", path, workflow->name,
		       workflow->steps_count, workflow->steps_count == 1 ? "" : "s");
}

/* report is NULL where people read. */
static int
validate(const char *path, struct json *report)
{
	struct problems problems = { .file = xstrdup(path) };
	struct workflow *workflow = NULL;
	struct err err = { 0 };
	size_t len;
	bool is_program = describe_is_program(path), good;
	char *text = file_read(
	    path, is_program ? PROGRAM_EXECUTABLE_MAX : YAML_BYTES_MAX, &len, &err);

	if (text != NULL && is_program)
		workflow = read_program(path, &problems);
	else if (text != NULL)
		workflow = read_workflow(text, len, &problems);
	else
		problems_add_at(&problems, 0, 0, "", "%s", err.text);
	good = workflow != NULL;
	if (report != NULL)
		json_append(report, report_of(path, good, &problems));
	else if (good)
		print_good(path, workflow);
	else if (text != NULL)
		print_problems(&problems, text);
	else
		puts(err.text);
	workflow_free(&workflow);
	problems_fini(&problems);
	free(text);
	return good ? CLI_OK : CLI_FAILED;
}

/* Tells how it went with one file. */
static int
tell(const char *path, bool good, struct problems *problems, struct json *report)
{
	if (report != NULL)
		json_append(report, report_of(path, good, problems));
	else if (good)
		printf("%s: good\n", path);
	else
		print_problems(problems, NULL);
	problems_fini(problems);
	return good ? CLI_OK : CLI_FAILED;
}

static int
validate_value(const char *path, const struct schema *schema, struct json *report)
{
	struct problems problems = { .file = xstrdup(path) };
	struct json *value;
	bool good = schema_file_value(path, &value, &problems) &&
		    schema_check(schema, value, "$", &problems);

	json_unref(&value);
	return tell(path, good, &problems, report);
}

static int
validate_by_schema(const struct args *args, struct json *report)
{
	const char *path = args_value(args, "schema");
	struct problems problems = { .file = xstrdup(path) };
	struct schema *schema =
	    schema_file_read(path, args_has(args, "formats"), &problems);
	int status = CLI_OK;

	if (schema == NULL)
		return tell(path, false, &problems, report);
	problems_fini(&problems);
	for (size_t i = 0; i < args->words_count; i++)
		if (validate_value(args->words[i], schema, report) != CLI_OK)
			status = CLI_FAILED;
	schema_free(&schema);
	return status;
}

static int
validate_workflows(const struct args *args, struct json *report)
{
	int status = CLI_OK;

	for (size_t i = 0; i < args->words_count; i++)
		if (validate(args->words[i], report) != CLI_OK)
			status = CLI_FAILED;
	return status;
}

int
cmd_validate(const struct command *command, const struct args *args)
{
	struct json *report;
	int status;

	if (args->words_count == 0)
		return command_usage(command, "name at least one file");
	if (args_has(args, "formats") && !args_has(args, "schema"))
		return command_usage(command, "--formats goes with --schema");
	report = args_has(args, "json") ? json_new_array() : NULL;
	if (args_has(args, "schema"))
		status = validate_by_schema(args, report);
	else
		status = validate_workflows(args, report);
	if (report != NULL)
		print_json(report);
	json_unref(&report);
	return status;
}
