/*
 * A command-line agent at work for a step. Every attempt is a session of type `cli`,
 * with what it used, as a model's is.
 *
 *   begin session -> take an earlier one up -> program -> (answer does not fit: again)
 *     -> keep its files -> end session -> answer
 */
#ifndef AGENT_CLI_RUN_H
#define AGENT_CLI_RUN_H

#include "actions/action.h"

struct cli_run;

/* NULL: the attempt has failed. */
struct cli_run *cli_run_new(struct attempt *attempt);
void cli_run_stop(struct cli_run *run, enum stop how);
void cli_run_free(struct cli_run **run_p);

#endif
