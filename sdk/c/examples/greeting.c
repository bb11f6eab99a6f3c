/*
 * A workflow as a C program: asks the shell, keeps what it said, waits a moment, and
 * writes a greeting. cc -o greeting.workflow greeting.c $(pkg-config --cflags --libs
 * stepmill-workflow)
 */
#include <stdlib.h>
#include <string.h>

#include "stepmill/workflow.h"

/* The function of a step: the name in capital letters. */
static char *
shout(struct stepmill *run, void *data)
{
	char *name = data, *loud = strdup(name), *output;

	for (char *at = loud; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	stepmill_comment(run, "made it loud", NULL);
	output = stepmill_json("%s", loud);
	free(loud);
	return output;
}

static char *
write_greeting(struct stepmill *run, const char *loud)
{
	char *text = stepmill_text(loud, "");
	char *args =
	    stepmill_json("{\"path\": %s, \"content\": %s}", "greeting.txt", text);
	char *written = stepmill_tool(run, "files.write", args, NULL);

	free(args);
	free(text);
	return written;
}

static char *
greet(struct stepmill *run, void *data)
{
	char *who = stepmill_text(stepmill_input(run), "who"), *loud, *written = NULL;

	(void)data;
	loud = stepmill_run(run, "shout", shout, who, NULL);
	if (loud != NULL && stepmill_set(run, "loud", loud) == 0 &&
	    stepmill_sleep(run, 50, NULL) == 0)
		written = write_greeting(run, loud);
	free(loud);
	free(who);
	return written;
}

int
main(void)
{
	static const struct stepmill_workflow workflow = {
		.name = "greeting",
		.description = "Writes a greeting, loudly.",
		.timeout_ms = 60000,
		.input = "{\"type\": \"object\", \"required\": [\"who\"],"
			 " \"properties\": {\"who\": {\"type\": \"string\"}}}",
	};

	return stepmill_main(&workflow, greet, NULL);
}
