/* Why a run does not move, over HTTP. What is said of it is decided in why_core.c. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/yaml.h"
#include "front/api.h"
#include "front/why_core.h"

/* NULL when it cannot be read: then less is known. */
static struct workflow *
read_definition(const char *source, size_t len)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(source, len, &problems);
	struct workflow *workflow = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	problems_fini(&problems);
	doc_free(&doc);
	return workflow;
}

/* RUN:NUMBER names a step of that run only. */
static bool
is_of_run(const char *asked, const struct json *facts)
{
	const char *colon = asked != NULL ? strrchr(asked, ':') : NULL;
	const char *id = json_str(json_get(facts, "id"));

	return colon == NULL || (strlen(id) == (size_t)(colon - asked) &&
				 strncasecmp(id, asked, strlen(id)) == 0);
}

static void
on_facts(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	const char *asked = exchange_query(exchange, "stepId"), *source;
	struct json *facts, *answer;
	struct workflow *workflow;
	size_t len;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	source = pg_text(rows, 0, 1, &len);
	workflow = read_definition(source, len);
	facts = pg_json(rows, 0, 0);
	answer = is_of_run(asked, facts) ? why_answer(facts, workflow, asked) : NULL;
	if (answer != NULL)
		reply_json(exchange, 200, answer);
	else
		reply_problem(exchange, 404, NULL,
			      "the execution has no step \"%.200s\"", asked);
	json_unref(&facts);
	workflow_free(&workflow);
}

/* A step's row is named RUN:NUMBER; its number and its id in the file do as well. */
static void
arg_step(struct pg_args *args, const char *step)
{
	const char *colon = step != NULL ? strrchr(step, ':') : NULL;
	const char *text = colon != NULL ? colon + 1 : step;
	char *end = NULL;
	long number = text != NULL ? strtol(text, &end, 10) : 0;

	if (number > 0 && number <= INT_MAX && *end == '\0')
		pg_arg_int4(args, (int)number);
	else
		pg_arg_null(args, PG_INT4);
	pg_arg_text(args, step);
}

static void
on_why(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run(exchange, &args);
	arg_step(&args, exchange_query(exchange, "stepId"));
	api_read(exchange, "runs_why", &args, on_facts);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_why[] = {
	{ "GET", "/api/executions/:id/why", ROLE_VIEWER, 0, false, on_why, NULL },
	{ 0 },
};
/* clang-format on */
