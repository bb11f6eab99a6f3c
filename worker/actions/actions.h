/* The actions themselves, for the table in actions.c; each is in the file of its name.
 */
#ifndef ACTIONS_ACTIONS_H
#define ACTIONS_ACTIONS_H

#include "actions/action.h"

extern const struct action action_noop;
extern const struct action action_tool;
extern const struct action action_http;
extern const struct action action_wait;
extern const struct action action_code;
extern const struct action action_workflow;
extern const struct action action_model, action_skill;
extern const struct action action_agent, action_message;
extern const struct action action_program; /* of the row of a workflow program */

#endif
