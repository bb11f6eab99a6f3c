/*
 * Sessions of steps: conversations with models, each with its events in the run's log,
 * and the sums that budgets are compared with.
 */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include "store/workers.h"
#include "json/json.h"

struct new_session {
	struct uuid id;
	const char *name, *type, *agent, *model;
	const struct uuid *bot, *peer; /* who talks, with which other bot; or NULL */
};

struct session_now {
	struct uuid id;
	const char *status;       /* "running", "completed", "failed", "stopped" */
	const struct json *usage; /* its sums so far */
	const char *model;        /* that answered last */
	const char *activity;     /* what it does now, or NULL */
	bool tell;                /* by an event */
	/* Of a command-line agent; NULL, and has_exit false: not known (yet). */
	const char *external_id; /* the agent's own id of it */
	const char *file_path;   /* its session file, relative to the project */
	bool has_exit;
	int exit_code;
};

/* What was used before, by other sessions when one is under way. */
struct sessions_used {
	int64_t run_tokens, run_micros; /* micros: millionths of a dollar */
	int64_t step_tokens, step_micros;
};

struct session_answer {
	int64_t seq; /* of the event, or 0 */
	struct sessions_used used;
	struct json *former_error, *former_output; /* of the attempt before; borrowed */
};

/* answer is NULL when err says something: ERR_CONFLICT (the step is not held any more;
 * an update was stored all the same), or as pg_done_fn. */
typedef void session_fn(void *context, const struct session_answer *answer,
			const struct err *err);

void sessions_begin(struct pg *pg, const struct held_ref *held,
		    const struct new_session *session, session_fn *done, void *context);
void sessions_update(struct pg *pg, const struct held_ref *held,
		     const struct session_now *session, session_fn *done,
		     void *context);

/* An earlier session of a command-line agent; all is borrowed until the callback
 * returns. */
struct session_row {
	struct uuid id;
	const char *external_id;
	struct json *files; /* [{path, home}]: kept at, and where it was in HOME */
	struct json *sums;  /* `session` of its usage, or NULL */
};

struct session_search {
	struct uuid run, self; /* self: not this one */
	const char *agent;
	const char *text; /* a name, an id of a session, or the agent's own */
};

/* row NULL without an error: there is none in the run's project. */
typedef void session_found_fn(void *context, const struct session_row *row,
			      const struct err *err);
void sessions_find(struct pg *pg, const struct session_search *search,
		   session_found_fn *done, void *context);

#endif
