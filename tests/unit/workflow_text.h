/* A workflow from YAML text, for tests that start from one. */
#ifndef TESTS_WORKFLOW_TEXT_H
#define TESTS_WORKFLOW_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "engine/workflow.h"

static inline struct workflow *
workflow_text(const char *text)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);
	struct workflow *workflow = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	doc_free(&doc);
	for (size_t i = 0; i < problems.count; i++) {
		char *said = problem_text(&problems, i);

		print_error("%s\n", said);
		free(said);
	}
	problems_fini(&problems);
	if (workflow == NULL)
		fail_msg("not a workflow:\n%s", text);
	return workflow;
}

static inline struct json *
json_of(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

#endif
