/* The kill test: 20 steps. Each function notes that it ran, and gives a number drawn
 * then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "stepmill/workflow.h"

#define ROUNDS 4

static char *
draw(struct stepmill *run, void *data)
{
	FILE *file = fopen("effects-c", "a");
	unsigned number = 0;

	(void)run;
	fprintf(file, "%s\n", (const char *)data);
	fclose(file);
	if (getrandom(&number, sizeof number, 0) < 0)
		abort();
	return stepmill_json("%d", (int)(number % 1000000000));
}

/* One round; what was drawn, or NULL. */
static char *
take_round(struct stepmill *run, int i)
{
	char name[32], key[8], command[128], *drawn;

	snprintf(name, sizeof name, "draw-%d", i);
	snprintf(key, sizeof key, "k%d", i);
	drawn = stepmill_run(run, name, draw, name, NULL);
	if (drawn == NULL || stepmill_set(run, key, drawn) < 0)
		return NULL;
	snprintf(command, sizeof command,
		 "sleep 0.1; echo shell-%d >>effects-c; echo %s", i, drawn);
	snprintf(name, sizeof name, "shell-%d", i);
	free(stepmill_shell(run, command, &(struct stepmill_options){ .name = name }));
	snprintf(name, sizeof name, "agent-%d", i);
	snprintf(command, sizeof command, "Say %d.", i);
	free(stepmill_run_cli(run, name, "scripted", command, NULL));
	snprintf(name, sizeof name, "nap-%d", i);
	return stepmill_sleep(run, 50, &(struct stepmill_options){ .name = name }) == 0
		   ? drawn
		   : NULL;
}

static int
approve(struct stepmill *run, const char *prompt, const char *name)
{
	char *decided =
	    stepmill_approval(run, prompt, &(struct stepmill_options){ .name = name });

	free(decided);
	return decided != NULL ? 0 : -1;
}

static char *
twenty(struct stepmill *run, void *data)
{
	char *drawn[ROUNDS], *kept[ROUNDS], *output;

	(void)data;
	for (int i = 0; i < ROUNDS; i++)
		if ((drawn[i] = take_round(run, i)) == NULL)
			return NULL;
	if (approve(run, "First?", "first") < 0 ||
	    stepmill_comment(run, "approved", NULL) < 0)
		return NULL;
	free(stepmill_run(run, "last", draw, "last", NULL));
	if (approve(run, "Second?", "second") < 0)
		return NULL;
	for (int i = 0; i < ROUNDS; i++) {
		char key[8];

		snprintf(key, sizeof key, "k%d", i);
		if ((kept[i] = stepmill_get(run, key)) == NULL)
			return NULL;
	}
	free(stepmill_shell(run, "true", &(struct stepmill_options){ .name = "end" }));
	output = stepmill_json(
	    "{\"drawn\": [%j, %j, %j, %j], \"kept\": [%j, %j, %j, %j]}", drawn[0],
	    drawn[1], drawn[2], drawn[3], kept[0], kept[1], kept[2], kept[3]);
	for (int i = 0; i < ROUNDS; i++)
		free(drawn[i]), free(kept[i]);
	return output;
}

int
main(void)
{
	return stepmill_main(
	    &(struct stepmill_workflow){ .name = "twenty-c",
					 .input = "{\"type\": \"object\"}" },
	    twenty, NULL);
}
