/*
 * The environment of a program: a few names of every program, what the configuration
 * allows (worker.environment), who it runs for, and what the step adds. Nothing else of
 * the worker's own environment gets through.
 */
#ifndef WORKER_PROGRAM_ENV_H
#define WORKER_PROGRAM_ENV_H

#include "actions/action.h"
#include "programs.h"

/* attempt: NULL when it is no attempt's. NULL-terminated "NAME=value"; freed by
 * program_env_free. */
char **program_env_new(const struct programs *programs, const struct attempt *attempt,
		       const char *folder, bool channel, const char *const *added);
void program_env_free(char ***environment_p);

#endif
