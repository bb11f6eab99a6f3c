/* What the rooms of a rehearsal share: see rehearsal_core.h for what it is. */
#ifndef CLI_REHEARSAL_PARTS_CORE_H
#define CLI_REHEARSAL_PARTS_CORE_H

#include "record_core.h"
#include "rehearsal_core.h"

struct rehearsal {
	struct record record;
	struct json *input, *report;
	char *folder;
	int64_t steps; /* numbers given out */
	enum rehearsal_end end;
};

/* A step that the program asks for. */
struct asked {
	const char *name, *action;
	int64_t parent;
	bool function;      /* the program can do it itself */
	struct json *error; /* out: of JSON-RPC */
};

/* Answers one method: the result, or *error (of JSON-RPC), the caller's. */
typedef struct json *rehearsal_fn(struct rehearsal *rehearsal,
				  const struct json *params, struct json **error);

/* ---- steps (rehearsal_steps_core.c) ---- */

/* What is recorded of it as the answer of its kind; NULL: asked->error. */
struct json *rehearsal_step(struct rehearsal *rehearsal, struct asked *asked);
/* The recorded row, the caller's; NULL: asked->error, or it may be run. */
struct json *rehearsal_look_up(struct rehearsal *rehearsal, struct asked *asked);
void rehearsal_note(struct rehearsal *rehearsal, const char *name, const char *action,
		    enum rehearsed was);
/* It is over; the first one counts. code: NULL: no error. */
void rehearsal_end_with(struct rehearsal *rehearsal, enum rehearsal_end end,
			const char *code, const char *message);
/* Takes data. */
struct json *rehearsal_error(int code, const char *message, struct json *data);

/* ---- what is kept (rehearsal_kept_core.c) ---- */

rehearsal_fn rehearsal_set, rehearsal_get, rehearsal_delete, rehearsal_comment,
    rehearsal_artifact;

#endif
