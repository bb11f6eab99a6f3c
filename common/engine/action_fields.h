/*
 * The actions of this version by name, each with the table of its own fields. What any
 * step may have beside them is read in workflow_read_step.c; what the actions do is
 * worker/actions/.
 */
#ifndef ENGINE_ACTION_FIELDS_H
#define ENGINE_ACTION_FIELDS_H

#include "engine/field.h"
#include "engine/workflow.h"

struct action_fields {
	const char *name;
	const struct field *fields;
	const char *help;   /* what it does, one line */
	const char *output; /* its JSON, one line */
	bool flow;          /* the engine's own: it has a block of steps */
	bool reads_run;     /* it is given all of the run: steps, state, ... */
};

extern const struct action_fields action_fields[ACTION_KINDS];
extern const struct field
    action_http_fields[]; /* the tool http.request takes them too */

/* ACTION_KINDS when there is none of this name. */
enum action_kind action_fields_find(const char *name);

#endif
