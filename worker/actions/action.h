/*
 * The one interface of everything a step can do: actions and tools alike. An action
 * gets an attempt (what to do, with everything resolved), starts without blocking, and
 * says exactly once how it went. Limits of time and cancelling are the slot's business.
 */
#ifndef ACTIONS_ACTION_H
#define ACTIONS_ACTION_H

#include <stdbool.h>

#include "base/mask.h"
#include "base/usec.h"
#include "conf/settings.h"
#include "engine/advance_core.h"
#include "httpc/httpc.h"
#include "loop/loop.h"
#include "queue/queue.h"
#include "store/pg.h"
#include "json/json.h"

struct attempt;
struct as_bot;      /* worker/model/as_bot.h */
struct back_row;    /* store/claims.h */
struct child_run;   /* worker/child_run.h */
struct definitions; /* worker/definitions.h */
struct mcp;         /* worker/mcp/mcp.h */
struct programs;    /* worker/programs.h */
struct recorder;    /* worker/recorded/recorder.h */
struct step_log;    /* worker/step_log.h */

/* What all attempts of a worker share; borrowed. */
struct services {
	struct loop *loop;
	const struct settings *settings;
	struct pg *pg; /* for what steps write through: state, comments, artifacts */
	struct httpc *httpc;
	struct queue *queue;
	const struct mask *mask;
	char *const *environment;        /* of the worker itself */
	struct programs *programs;       /* for child programs: programs.h */
	struct definitions *definitions; /* for child runs: definitions.h */
	struct mcp *mcp;                 /* for tools of MCP servers: mcp/mcp.h */
	struct recorder *recorder;       /* for workflow programs: recorder.h */
};

enum stop {
	STOP_ASK,   /* end soon: SIGTERM, close politely */
	STOP_FORCE, /* end now: SIGKILL to the whole tree; nothing of it may be left */
};

struct action {
	const char *name; /* "shell", "http", "files.read" */
	/* Done at once, without I/O: returns the output (may be NULL) or fills err.
	 * Actions with `now` have no other function. */
	struct json *(*now)(const struct attempt *attempt, struct err *err);
	/* Begins. Returns its own state, or NULL when attempt_fail was called already
	 * (that is allowed inside start). The answer comes later by attempt_succeed or
	 * _fail. */
	void *(*start)(struct attempt *attempt);
	/* Asked to end; the answer must still come. FORCE may be called without ASK. */
	void (*stop)(void *state, enum stop how);
	/* Called once after the answer (or to abandon everything when the process
	 * ends). */
	void (*free)(void *state);
};

/* A failure on its way; what is a pointer is borrowed. */
struct attempt_failure {
	const char *code, *message;
	bool final;
	usec_t retry_at;      /* not before this time again; 0: whenever */
	struct json *details; /* members beside code and message, or NULL */
	struct json *output;  /* taken, or NULL */
};

/* Who made an attempt, and hears how it went: the functions below end there. A tool
 * that a model calls is an attempt inside an attempt; what waits or starts runs is not
 * for it, and is NULL there. */
struct attempt_maker {
	void (*succeeded)(struct attempt *attempt, struct json *output); /* taken */
	void (*failed)(struct attempt *attempt, const struct attempt_failure *failure);
	void (*waits)(struct attempt *attempt, usec_t run_at);
	void (*waits_for_event)(struct attempt *attempt, const char *type,
				usec_t checked_at, usec_t run_at);
	void (*starts_run)(struct attempt *attempt, struct child_run *child, bool wait,
			   usec_t run_at, struct json *output);
	void (*rests)(struct attempt *attempt, const int *numbers, size_t count);
	void (*gives_back)(struct attempt *attempt);
};

/* The attempt in hand; every pointer is borrowed and lives until the answer. */
struct attempt {
	const struct attempt_maker *maker;
	const struct services *services;
	struct uuid run;
	const char *run_id;
	int number;  /* step_number */
	int attempt; /* from 1 */
	int fence;
	const struct step_def *def;
	const struct run *run_values; /* input, state, facts, visits of the run */
	const struct json
	    *fields; /* the action's fields, resolved; for a tool its args */
	const char *idempotency_key; /* never changes between attempts */
	const char *part;            /* which one inside the step, or NULL: all of it */
	const char *project_path;    /* absolute */
	const char *own_folder;      /* private to its program, whose files it may keep,
					too; or NULL */
	const char *run_folder; /* relative to it: .agent/workflows/executions/ID */
	struct uuid project;
	const struct json *tools; /* that the run may use; NULL: all */
	struct json *
	    *state_p; /* the run's state as known here: state.* keeps it up to date */
	usec_t started_at;      /* wall time */
	usec_t began_at;        /* the database's: also of one that woke since */
	struct held_step *held; /* for held_scope */
	bool woke;              /* it waited, and that is over */
	bool leaving; /* what is stopped is to be taken up by another worker */
	const struct back_row
	    *back;             /* of one that woke: how its child run went; or NULL */
	struct as_bot *as_bot; /* whose words a model answers in; NULL: its own */
	struct step_log *log;
	const char *trace_id; /* or NULL */
};

/* The answers. On a later turn than start, except attempt_fail inside start. output is
 * taken; the slot makes it storable and checks its size. */
void attempt_succeed(struct attempt *attempt, struct json *output);
/* code: a word that branches can test ("timeout", "exit_status", "http_status"). final:
 * trying again cannot help. */
void attempt_fail(struct attempt *attempt, const char *code, bool final,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Like attempt_fail with members besides code and message (taken): {"exitCode": 2}. An
 * output may come along with the failure (taken; or NULL). */
void attempt_fail_with(struct attempt *attempt, const char *code, bool final,
		       struct json *details, struct json *output, const char *format,
		       ...) __attribute__((format(printf, 6, 7)));
/* Like both of them: not to be tried again before retry_at. */
void attempt_fail_until(struct attempt *attempt, const struct attempt_failure *failure);
/* Nothing to do until then; the slot is free meanwhile and the step comes back. */
void attempt_wait(struct attempt *attempt, usec_t run_at);
/* The same until an event of this type comes, or run_at (0: no time). checked_at: what
 * came before was looked at, by the database's clock. */
void attempt_wait_event(struct attempt *attempt, const char *type, usec_t checked_at,
			usec_t run_at);

/* Starts a run with the answer (taken). wait: the step comes back when that run has
 * ended, or at run_at (0: no time); else it succeeds at once with the output (taken).
 */
void attempt_start_run(struct attempt *attempt, struct child_run *child, bool wait,
		       usec_t run_at, struct json *output);

/* Of a workflow program: the slot is free until one of these steps of it has ended. */
void attempt_rest(struct attempt *attempt, const int *numbers, size_t count);
/* The step goes back to the queue, without spending an attempt; in a paused run it is
 * ready when that goes on. */
void attempt_give_back(struct attempt *attempt);

/* By the kind of the step, or by the name of a tool; NULL if there is none. */
const struct action *action_find(enum action_kind kind);
const struct action *tool_find(const char *name);

#endif
