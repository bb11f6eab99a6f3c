/*
 * An agent's program, started: its words, its environment (HOME, the variables that the
 * configuration allows), its folder, its prompt. What it prints goes to a parser.
 */
#ifndef AGENT_LAUNCH_H
#define AGENT_LAUNCH_H

#include "agent/assignment.h"
#include "agent/home.h"
#include "program.h"

struct launch {
	const struct assignment *assignment;
	const struct home *home;
	const struct buf *prompt;
	const char *session; /* to go on with, or NULL */
	program_heard_fn *heard;
	program_done_fn *done;
	void *context;
};

/* NULL with err. */
struct program *launch(const struct attempt *attempt, const struct launch *launch,
		       struct err *err);

#endif
