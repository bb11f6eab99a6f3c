/* A run that a step starts, made ready to be stored with the step's finish. */
#ifndef WORKER_CHILD_RUN_H
#define WORKER_CHILD_RUN_H

#include "store/runs.h"

struct child_run {
	struct new_run run; /* borrows from what follows */
	struct uuid project;
	struct new_step *steps;
	char *texts[2]; /* key of concurrency, trace id */
	struct json *input;
	/* Whose texts the steps are. */
	void (*drop)(void *context, void *definition);
	void *context, *definition;
};

void child_run_free(struct child_run **child_p);

#endif
