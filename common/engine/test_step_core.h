/*
 * Pure: a step is tested alone. It gets a workflow of its own: the same, but for the
 * other steps, which stand there for their outputs only and never run; what leads from
 * the tested one to them is left out. Steps of its block come along.
 */
#ifndef ENGINE_TEST_STEP_CORE_H
#define ENGINE_TEST_STEP_CORE_H

#include "engine/workflow.h"

struct test_step {
	struct json *definition; /* the workflow, as it would stand in a file */
	char *key;               /* the tested step */
	int place;               /* its index there, for what is wrong with it */
	const char **given;      /* ids of the steps whose outputs were given, in the
				    order of the file; borrowed from the definition */
	size_t given_count;
};

/* Either key names a step of the workflow, or step is one that was sent. outputs: {id:
 * output}. -1 with err: ERR_NOT_FOUND, there is no such step; ERR_INPUT, what is wrong
 * with what was sent. */
int test_step_make(const struct workflow *workflow, const char *key,
		   const struct json *step, const struct json *outputs,
		   struct test_step *out, struct err *err);
void test_step_fini(struct test_step *test);

#endif
