/*
 * What is known of a run when something about it is decided: a value without a home.
 * The process that decides fills it from the store; nothing here reads or writes
 * anything.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "base/uuid7.h"
#include "engine/status.h"
#include "engine/workflow.h"

/* The newest visit of a step of the definition. */
struct visit {
	enum step_status status; /* STEP_PENDING: not visited */
	int number;
	struct json *output, *error; /* owned; NULL where there is none */
};

struct run {
	struct uuid id;
	char *run_id;                    /* the readable one */
	const struct workflow *workflow; /* borrowed */
	struct json *input, *trigger, *state;
	struct json
	    *facts; /* `run` in expressions: id, runId, workflow, projectId, ... */
	struct json *environment; /* `env`: the allow-listed names */
	struct json *secrets;     /* `secrets`: never logged */
	struct visit *visits;     /* one per step of the definition */
	struct json
	    *steps_value; /* `steps` in expressions; built when first asked for */
};

void run_init(struct run *run, const struct workflow *workflow);
void run_fini(struct run *run);
/* Takes output and error. */
void run_set_visit(struct run *run, int index, int number, enum step_status status,
		   struct json *output, struct json *error);

/* What an expression of one step sees beside the run: `result`, `error`, `item`, ... */
struct run_scope {
	struct cel_scope scope; /* hand &scope to cel_eval and template_resolve */
	struct run *run;
	struct json *result, *error; /* borrowed; result only where it exists */
	bool has_result;
	struct json *event; /* borrowed; in `when` */
	struct json *item;  /* borrowed; of a child of foreach */
	int index;          /* of it, of a loop's iteration, of a repetition; or -1 */
	struct json *index_value; /* owned: see run_scope_fini */
};

void run_scope_init(struct run_scope *scope, struct run *run);
void run_scope_fini(struct run_scope *scope);

#endif
