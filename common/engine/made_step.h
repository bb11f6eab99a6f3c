/*
 * A step that a program asked for: what stands in its row instead of in a definition.
 * Values come as they are meant: nothing in them is a template.
 */
#ifndef ENGINE_MADE_STEP_H
#define ENGINE_MADE_STEP_H

#include "engine/workflow.h"

/* Who does it. The numbers are not stored. */
enum made_kind {
	MADE_FUNCTION, /* the program itself: `step.begin` */
	MADE_CALL,     /* the worker, while the program runs */
	MADE_WAIT,     /* the engine, while nothing has to run */
};

struct made_step {
	enum made_kind kind;
	struct step_def def; /* index NO_STEP; not all of it is filled in */
	struct json *fields; /* of the action; NULL of a function */
	const char *tool;    /* of the action tool; borrowed from fields; or NULL */
};

/* params: {action, fields, timeout?, retry?}; for a function {retry?}, with action
 * NULL. name may be NULL: it is called by what it does. NULL with err (ERR_INPUT: which
 * member is wrong). queue: of the program. */
struct made_step *made_step_new(enum made_kind kind, const char *name,
				const struct json *params, const char *queue,
				struct err *err);
void made_step_free(struct made_step **made_p);

/* What is stored of it: {action, tool?, timeout?, retry?, fields? (of a wait)}; the
 * caller's. And back: of rows that wait, for who claims them. */
struct json *made_step_value(const struct made_step *made, const struct json *params);
struct made_step *made_step_read(const char *name, const struct json *value,
				 const char *queue, struct err *err);

#endif
