/* The cases of test_sdk_protocol.py in C: which one, the input says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stepmill/workflow.h"

static void
ran(const char *what)
{
	FILE *file = fopen(getenv("RAN"), "a");

	fprintf(file, "%s\n", what);
	fclose(file);
}

/* ---- every call ---- */

static char *
one(struct stepmill *run, void *data)
{
	char *n = stepmill_member(data, "n"), *output;

	(void)run;
	ran("one");
	output = stepmill_json("{\"got\": %j}", n);
	free(n);
	return output;
}

static char *
inner(struct stepmill *run, void *data)
{
	(void)run;
	(void)data;
	ran("inner");
	return strdup("2");
}

static char *
outer(struct stepmill *run, void *data)
{
	char *two = stepmill_run(run, "inner", inner, data, NULL);
	char *metadata = stepmill_json("{\"n\": %j}", two);

	stepmill_comment(run, "inside", metadata);
	free(metadata);
	return two;
}

static char *
tool(struct stepmill *run, const char *name, char *args, const char *as)
{
	struct stepmill_options options = { .name = as };
	char *output = stepmill_tool(run, name, args, &options);

	free(args);
	return output;
}

static void
use_tools(struct stepmill *run)
{
	struct stepmill_options twice = { .retry = "{\"maxAttempts\": 2}" };

	free(tool(run, "git.commit",
		  stepmill_json("{\"message\": %s, \"all\": %b}", "changed", true),
		  "save"));
	free(tool(run, "files.write",
		  stepmill_json("{\"path\": %s, \"content\": %s}", "a.txt", "text"),
		  NULL));
	free(tool(run, "files.copy",
		  stepmill_json("{\"from\": %s, \"to\": %s}", "a.txt", "b.txt"), NULL));
	free(stepmill_tool(run, "json.pick", "{\"from\": {}, \"keys\": []}", &twice));
}

static char *
everything(struct stepmill *run)
{
	char *a, *first, *second, *shell, *plan, *event, *approval, *child, *output;
	int had, has;

	stepmill_set(run, "a", "{\"n\": 1}");
	a = stepmill_get(run, "a");
	first = stepmill_run(run, "one", one, a, NULL);
	second = stepmill_run(run, "outer", outer, NULL, NULL);
	shell = stepmill_shell(
	    run, "echo hi",
	    &(struct stepmill_options){ .more = "{\"env\": {\"A\": \"b\"}}",
					.timeout_ms = 5000 });
	use_tools(run);
	plan = stepmill_run_cli(
	    run, "plan", "claude", "Plan it.",
	    &(struct stepmill_options){ .more = "{\"model\": \"m\"}" });
	stepmill_sleep(run, 1000, NULL);
	event = stepmill_wait_for_event(
	    run, "paid",
	    &(struct stepmill_options){ .more = "{\"when\": \"event.data.n == 1\"}",
					.timeout_ms = 60000 });
	approval = stepmill_approval(run, "Really?",
				     &(struct stepmill_options){ .name = "gate" });
	child = stepmill_child(run, "other", "{\"x\": 1}", NULL);
	stepmill_comment_execution(run, "outside", NULL);
	stepmill_artifact(run, "a.txt", "{\"type\": \"DOCUMENT\"}");
	had = stepmill_has(run, "a");
	stepmill_delete(run, "a");
	has = stepmill_has(run, "a");
	free(a);
	a = stepmill_get(run, "missing");
	stepmill_log(run, "warn", "%s", "said");
	output = stepmill_json(
	    "{\"one\": %j, \"outer\": %j, \"shell\": %j, \"plan\": %j, \"event\": %j,"
	    " \"approval\": %j, \"child\": %j, \"had\": %b, \"has\": %b,"
	    " \"missing\": %s, \"ids\": [%s, %s, %s], \"is\": true, \"cancelled\": %b}",
	    first, second, shell, plan, event, approval, child, had, has,
	    a == NULL && stepmill_error(run)->trouble == STEPMILL_FINE ? "none"
								       : "some",
	    stepmill_execution_id(run), stepmill_project_id(run),
	    stepmill_project_path(run), stepmill_cancelled(run));
	free(first), free(second), free(shell), free(plan), free(event), free(approval),
	    free(child);
	return output;
}

/* ---- trouble ---- */

static char *
shaky(struct stepmill *run, void *data)
{
	int *count = data;

	ran("shaky");
	return ++*count < 3 ? stepmill_fail(run, "early", "not %s", "yet")
			    : stepmill_json("%s", "at last");
}

static char *
tries(struct stepmill *run)
{
	struct stepmill_options options = { .retry =
						"{\"maxAttempts\": 3, \"delay\": 1}" };
	int count = 0;

	return stepmill_run(run, "shaky", shaky, &count, &options);
}

static char *
bad(struct stepmill *run, void *data)
{
	(void)data;
	return stepmill_fail(run, "mine", "broken");
}

static char *
failing(struct stepmill *run)
{
	const struct stepmill_error *error = stepmill_error(run);

	if (stepmill_run(run, "bad", bad, NULL, NULL) == NULL &&
	    error->trouble == STEPMILL_FAILED) {
		char *caught = stepmill_json("[%s, %s, %d]", error->code,
					     error->message, error->step);

		stepmill_set(run, "caught", caught);
		free(caught);
	}
	return stepmill_shell(run, "exit 3", NULL);
}

static char *
trouble(struct stepmill *run)
{
	char *output = stepmill_shell(run, "true", NULL);

	if (stepmill_error(run)->trouble == STEPMILL_DIVERGENCE)
		ran("Divergence");
	if (stepmill_error(run)->trouble == STEPMILL_CANCELLED)
		ran("Cancelled");
	return output;
}

static char *
before(struct stepmill *run, void *data)
{
	(void)run;
	(void)data;
	return strdup("1");
}

static char *
stopped(struct stepmill *run)
{
	free(stepmill_run(run, "before", before, NULL, NULL));
	if (stepmill_sleep(run, 1000, NULL) == 0)
		ran("woken");
	ran("after");
	return stepmill_json("%s", "end");
}

static char *
hold(struct stepmill *run, void *data)
{
	(void)data;
	while (!stepmill_cancelled(run))
		usleep(10000);
	ran("aborted");
	return strdup("null");
}

static char *
held(struct stepmill *run)
{
	free(stepmill_run(run, "holds", hold, NULL, NULL));
	return stepmill_json("{\"cancelled\": %b}", stepmill_cancelled(run));
}

static char *
number(struct stepmill *run, void *data)
{
	(void)run;
	return stepmill_json("%d", *(int *)data);
}

static char *
many(struct stepmill *run)
{
	int sum = 0;

	for (int i = 0; i < 500; i++) {
		char name[32], *output;

		snprintf(name, sizeof name, "step-%d", i);
		output = stepmill_run(run, name, number, &i, NULL);
		sum += atoi(output);
		free(output);
	}
	return stepmill_json("%d", sum);
}

static char *
too_much(struct stepmill *run, void *data)
{
	size_t len = (size_t)5 << 20;
	char *text = malloc(len + 3);

	(void)run;
	(void)data;
	memset(text, 'x', len + 2);
	text[0] = text[len + 1] = '"';
	text[len + 2] = '\0';
	return text;
}

static char *
large(struct stepmill *run)
{
	return stepmill_run(run, "large", too_much, NULL, NULL);
}

static char *
nothing(struct stepmill *run)
{
	(void)run;
	return strdup("null");
}

static const struct {
	const char *name;
	char *(*work)(struct stepmill *run);
} cases[] = {
	{ "everything", everything },
	{ "tries", tries },
	{ "failing", failing },
	{ "trouble", trouble },
	{ "stopped", stopped },
	{ "held", held },
	{ "many", many },
	{ "large", large },
	{ "nothing", nothing },
};

static char *
work(struct stepmill *run, void *data)
{
	char *name = stepmill_text(stepmill_input(run), "case"), *output = NULL;

	(void)data;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (strcmp(cases[i].name, name) == 0)
			output = cases[i].work(run);
	free(name);
	return output;
}

int
main(void)
{
	return stepmill_main(
	    &(struct stepmill_workflow){ .name = "cases",
					 .input = "{\"type\": \"object\"}" },
	    work, NULL);
}
