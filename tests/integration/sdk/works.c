/* test_sdk.py: state, duplicate names, files, git, waiting, comments, artifacts. */
#include <stdlib.h>
#include <string.h>

#include "stepmill/workflow.h"

static char *
number(struct stepmill *run, void *data)
{
	(void)run;
	return stepmill_json("%d", *(int *)data);
}

static char *
in(struct stepmill *run, void *data)
{
	(void)run;
	(void)data;
	return stepmill_json("%s", "in");
}

static char *
outer(struct stepmill *run, void *data)
{
	if (stepmill_comment(run, "inside", NULL) < 0)
		return NULL;
	return stepmill_run(run, "inner", in, data, NULL);
}

static char *
tool(struct stepmill *run, const char *name, char *args, const char *as)
{
	char *output =
	    stepmill_tool(run, name, args, &(struct stepmill_options){ .name = as });

	free(args);
	return output;
}

static int
count(struct stepmill *run)
{
	char *n = stepmill_get(run, "n"), *next;
	int result;

	if (n == NULL)
		return -1;
	next = stepmill_json("%d", atoi(n) + 1);
	result = stepmill_set(run, "n", next);
	free(next);
	free(n);
	return result;
}

static char *
save(struct stepmill *run)
{
	char *text = stepmill_text(stepmill_input(run), "text"), *saved;

	free(tool(run, "git.ensureBranch", stepmill_json("{\"name\": %s}", "feature/c"),
		  NULL));
	free(tool(run, "files.write",
		  stepmill_json("{\"path\": %s, \"content\": %s}", "c.txt", text),
		  NULL));
	free(text);
	text = tool(run, "files.read", stepmill_json("{\"path\": %s}", "c.txt"), NULL);
	free(tool(run, "git.stageAll", NULL, NULL));
	saved =
	    tool(run, "git.commit", stepmill_json("{\"message\": %s}", "of c"), "save");
	if (saved != NULL) {
		char *sha = stepmill_text(saved, "sha"),
		     *content = stepmill_text(text, "content");

		free(saved);
		saved = stepmill_json("{\"sha\": %s, \"content\": %s}", sha, content);
		free(sha);
		free(content);
	}
	free(text);
	return saved;
}

static char *
finish(struct stepmill *run, const char *saved, const char *decided)
{
	char *by = stepmill_text(decided, "by"), *n, *output;
	char *sha = stepmill_text(saved, "sha"),
	     *content = stepmill_text(saved, "content");
	char *metadata = stepmill_json("{\"by\": %s}", by);

	stepmill_sleep(run, 20, NULL);
	count(run);
	stepmill_comment_execution(run, "outside", metadata);
	stepmill_artifact(run, "c.txt",
			  "{\"name\": \"kept.txt\", \"type\": \"DOCUMENT\"}");
	stepmill_log(run, "warn", "said by %s", "c");
	n = stepmill_get(run, "n");
	output = stepmill_json("{\"twice\": [1, 2], \"inner\": \"in\", \"content\": %s,"
			       " \"sha\": %s, \"by\": %s, \"n\": %j, \"has\": %b,"
			       " \"run\": %s, \"folder\": %s}",
			       content, sha, by, n, stepmill_has(run, "none") != 0,
			       stepmill_execution_id(run), stepmill_project_path(run));
	free(by), free(n), free(sha), free(content), free(metadata);
	return output;
}

static char *
works(struct stepmill *run, void *data)
{
	int one = 1, two = 2;
	char *saved, *decided, *output = NULL;

	stepmill_set(run, "n", "1");
	free(stepmill_run(run, "twice", number, &one, NULL));
	free(stepmill_run(run, "twice", number, &two, NULL));
	free(stepmill_run(run, "outer", outer, data, NULL));
	saved = save(run);
	if (saved == NULL)
		return NULL;
	decided = stepmill_approval(run, "Go on?", NULL);
	if (decided != NULL)
		output = finish(run, saved, decided);
	free(decided);
	free(saved);
	return output;
}

int
main(void)
{
	return stepmill_main(
	    &(struct stepmill_workflow){
		.name = "works-c",
		.description = "A bit of all.",
		.input = "{\"type\": \"object\", \"required\": [\"text\"],"
			 " \"properties\": {\"text\": {\"type\": \"string\"}}}" },
	    works, NULL);
}
