/*
 * The tools that a model asked for, run one after the other inside its step: each is an
 * attempt of its own, of the action `tool`, under the rights of the run. What goes
 * wrong is told to the model, which may do better.
 */
#ifndef MODEL_TOOL_CALLS_H
#define MODEL_TOOL_CALLS_H

#include "actions/action.h"
#include "model/heard_core.h"
#include "model/talk_core.h"

struct tool_calls;

/* Every call has its result in the talk's last turn. Never called from inside. */
typedef void tools_done_fn(void *context);

/* The talk's last turn is one of results, one for each call of reply, which is borrowed
 * until done. first: how many calls the step made before. */
struct tool_calls *tool_calls_new(struct attempt *attempt, struct talk *talk,
				  const struct heard *reply, int first,
				  tools_done_fn *done, void *context);
/* The tool at work is told; done comes when it has ended, and no other begins. */
void tool_calls_stop(struct tool_calls *calls, enum stop how);
void tool_calls_free(struct tool_calls **calls_p);

#endif
