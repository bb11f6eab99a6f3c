/* Tries an expression as a workflow would: compile, evaluate, show where it is wrong.
 */
#include "eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "command.h"
#include "file.h"
#include "lang/cel.h"
#include "json/json.h"

#define CONTEXT_MAX (64 * 1024 * 1024)

const struct arg eval_args[] = {
	{ "context", 'c', "FILE", "a JSON object of variables; - is standard input" },
	{ "json", 0, NULL, "errors, too, as JSON on standard output" },
	{ "help", 'h', NULL, "this text" },
	{ 0 },
};

static void
help(void)
{
	fputs("usage: stepmill eval EXPRESSION [--context FILE] [--json]\n\n"
	      "Evaluates one CEL expression, as in `condition` or inside {{ }}, and "
	      "prints the\nresult as JSON.\n\n",
	      stdout);
	args_help(eval_args);
	fputs("\nexamples:\n"
	      "  stepmill eval '[1, 2, 3].filter(n, n > 1)'\n"
	      "  stepmill eval 'result.count > 3' --context result.json\n"
	      "  echo '{\"input\": {\"name\": \"ada\"}}' |\n"
	      "      stepmill eval 'input.name.upperAscii()' --context -\n\n"
	      "Exit statuses: 0 a result, 1 an error in the expression, 2 wrong use.\n",
	      stdout);
}

static bool
lookup(void *context, const char *name, struct json **value)
{
	const struct json *variables = context;

	*value = json_get(variables, name);
	return json_has(variables, name);
}

static int
read_context(const char *path, struct json **out, struct err *err)
{
	size_t len;
	char *text;
	int done;

	*out = NULL;
	if (path == NULL)
		return 0;
	text = file_read(path, CONTEXT_MAX, &len, err);
	if (text == NULL)
		return -1;
	done = json_parse(text, len, out, err);
	free(text);
	if (done < 0)
		return err_in(err, "%s", path);
	if (json_type(*out) == JSON_OBJECT)
		return 0;
	json_unref(out);
	return err_set(err, ERR_INPUT, "%s: expected an object of variables", path);
}

/* How many columns the first characters of the line take, tabs kept as tabs. */
static void
print_mark(const char *line, int column)
{
	int at = 1;

	for (; *line != '\0' && *line != '\n' && at < column; line++)
		if ((*line & 0xc0) != 0x80) {
			fputc(*line == '\t' ? '\t' : ' ', stderr);
			at++;
		}
	fputs("^\n", stderr);
}

/* The line of the expression with a caret below. */
static void
show_error(const char *expr, const struct cel_place *place, const char *why)
{
	const char *line = expr, *end;

	for (int i = 1; i < place->line && (end = strchr(line, '\n')) != NULL; i++)
		line = end + 1;
	fprintf(stderr, "stepmill eval: %d:%d: %s\n", place->line, place->column, why);
	fprintf(stderr, "%.*s\n", (int)strcspn(line, "\n"), line);
	print_mark(line, place->column);
}

static void
show_error_json(const struct cel_place *place, const char *why)
{
	struct json *out = json_new_object();
	char *text;

	json_set(out, "error", json_new_str(why));
	json_set(out, "line", json_new_int(place->line));
	json_set(out, "column", json_new_int(place->column));
	text = json_text(out);
	puts(text);
	free(text);
	json_unref(&out);
}

/* cel_compile puts the place in front of its text; here it is shown apart. */
static const char *
without_place(const struct err *err)
{
	const char *text = err->text + strspn(err->text, "0123456789:");

	return text + (*text == ' ');
}

static int
evaluate(const char *expr, struct json *variables, struct json **out,
	 struct cel_place *place, struct err *err)
{
	struct cel_scope scope = { lookup, variables };
	struct cel *cel = cel_compile(expr, strlen(expr), place, err);
	int done;

	if (cel == NULL)
		return -1;
	done = cel_eval_placed(cel, &scope, out, place, err);
	cel_free(&cel);
	return done;
}

static int
run(const char *expr, struct json *variables, bool json)
{
	struct cel_place place = { 1, 1 };
	struct err err = { 0 };
	struct json *result = NULL;
	char *text;

	if (evaluate(expr, variables, &result, &place, &err) < 0) {
		if (json)
			show_error_json(&place, without_place(&err));
		else
			show_error(expr, &place, without_place(&err));
		return CLI_FAILED;
	}
	text = json_text(result);
	puts(text);
	free(text);
	json_unref(&result);
	return CLI_OK;
}

int
eval_main(int argc, char **argv)
{
	struct json *variables = NULL;
	struct err err = { 0 };
	struct args args;
	int status;

	if (args_read(&args, eval_args, argc, argv, &err) == 0) {
		if (args_has(&args, "help")) {
			help();
			return CLI_OK;
		}
		if (args.words_count != 1)
			err_set(&err, ERR_INPUT, "give one expression; quote it");
		else
			read_context(args_value(&args, "context"), &variables, &err);
	}
	if (err.kind != ERR_NONE) {
		fprintf(stderr, "stepmill eval: %s\n(stepmill eval --help says more)\n",
			err.text);
		return CLI_USAGE;
	}
	status = run(args.words[0], variables, args_has(&args, "json"));
	json_unref(&variables);
	return status;
}
