/*
 * The heart: what happens next in a run. Definition, run and outcome go in, a verdict
 * comes out; it is data, carried out by whoever asked, in one transaction with its
 * events. No clock, no I/O.
 */
#ifndef ENGINE_ADVANCE_CORE_H
#define ENGINE_ADVANCE_CORE_H

#include <stdint.h>

#include "base/usec.h"
#include "engine/run.h"

/* With what a step that waited comes back. The numbers are stored. */
enum phase {
	PHASE_FRESH,
	PHASE_GATE,     /* somebody decided on its approvalRequired */
	PHASE_ACTION,   /* what its action waited for has come, or its time is up */
	PHASE_CHILDREN, /* the rows that it made have ended; of a program: one of those
			   that it waits for */
	PHASES
};

/* How a run of graph style comes to its end. The numbers are stored. */
enum closing {
	CLOSING_NONE,   /* by itself: everything is over */
	CLOSING_END,    /* a step led to `end` */
	CLOSING_FAILED, /* a step failed, and nothing acts on it */
	CLOSINGS
};

enum outcome_kind {
	OUTCOME_SUCCESS,
	OUTCOME_FAILURE,
	OUTCOME_WAIT,     /* nothing to do until run_at, or until somebody wakes it; the
			     step holds no slot meanwhile */
	OUTCOME_SKIP,     /* error: why, or NULL: its `if` was false */
	OUTCOME_CHILDREN, /* goes on when its children have ended */
	OUTCOME_APPROVAL, /* goes on when somebody has decided */
	OUTCOME_REST, /* a program: goes on when one of its rows that wait has ended */
	OUTCOME_KINDS
};

enum on_timeout { ON_TIMEOUT_FAIL, ON_TIMEOUT_APPROVE, ON_TIMEOUT_DENY, ON_TIMEOUTS };

/* Rows that are made for a step: items of a foreach, or the first step of a block. */
struct children {
	int index; /* of their definition */
	int count;
	int parallel;       /* so many at once */
	struct json *items; /* borrowed; of foreach: one each */
	bool has_index;
	int item_index; /* of the only one; items count from 0 */
	int iteration;  /* that the step itself keeps: which iteration, which block */
};

/* What somebody is asked. */
struct approval_ask {
	struct json *prompt,
	    *args;        /* borrowed; args: what exactly is approved, or NULL */
	enum phase phase; /* with which the step comes back */
	enum on_timeout on_timeout; /* at outcome.run_at, if that is not 0 */
};

struct outcome {
	enum outcome_kind kind;
	struct json *output; /* borrowed */
	struct json *error;  /* borrowed; {code, message, ...} of a failure */
	bool final;          /* a failure that trying again cannot mend */
	usec_t run_at;       /* 0: no time is set; of a failure: not before it again */
	struct children children;
	struct approval_ask ask;
};

/* The attempt that the outcome belongs to. */
struct held_step {
	int index;  /* of its definition, or END_INDEX */
	int number; /* step_number; the next one made gets a higher one */
	int attempt, losses;
	enum phase phase;
	int parent; /* the row that waits for it: a step's number, END_NUMBER, or 0 */
	bool has_index;
	int item_index;
	int iteration; /* as in struct children; of a repetition: how many were before
			*/
	struct json *item; /* borrowed */
	bool is_item;      /* it is a child of a foreach */
	bool chosen;       /* of the graph: a branch led to it */
	int visits;        /* rows so far but for items, or 0: not known */
	/* Of a row that a program asked for: what it asked, and index is NO_STEP; or
	 * NULL. */
	const struct step_def *made;
};

struct next_step {
	int index;
	int number;
};

/* Rows to be made whose numbers the store gives. */
struct fan_out {
	int index, count, parallel;
	int parent; /* as in held_step */
	bool has_index;
	int item_index, iteration;
	struct json *items; /* owned */
};

struct verdict {
	enum step_status status;
	enum phase phase; /* of what is to come back */
	usec_t run_at;    /* of RETRYING and waiting; 0: no time is set */
	struct json
	    *error; /* owned: of the step, when it failed, tries again, is skipped */
	struct next_step *next; /* owned: what is ready now and may start here */
	size_t next_count;
	struct fan_out spawn; /* count 0: none */
	bool expects;         /* the step waits for what is spawned */
	int own_iteration;    /* that it keeps meanwhile */
	int *met; /* owned: numbers of rows that have one thing less to wait for */
	size_t met_count;
	int chosen; /* the number of the row that a branch leads to, or 0 */
	int joins;  /* the row that has one child less to wait for, or 0 */
	struct json *join_error; /* owned: the child failed, and nothing acted on it */
	bool cancel_siblings;    /* those that have not started */
	bool release;            /* the next sibling may start */
	enum closing closing;    /* cancels what has not started */
	enum run_status run_status; /* RUN_RUNNING while it goes on */
	struct json *run_output,
	    *run_error;  /* owned: of a run that ended (or closes) */
	bool close_open; /* the run ended while rows may be open */
	bool only_waits; /* nothing of the step is left but waiting */
};

void verdict_fini(struct verdict *verdict);

/* The first rows of a run. */
struct first_step {
	int index, number;
	int needs;  /* things that it waits for; 0: it is ready */
	int parent; /* END_NUMBER, or 0 */
};

/* The list is the caller's. Sequence style: one. Graph style: all, and the end. */
struct first_step *advance_start(const struct workflow *workflow, size_t *count);

/* After an attempt. Also enters the visit into run. random: any 64 bits, for jitter. */
void advance_on(struct run *run, const struct held_step *held,
		const struct outcome *outcome, usec_t now, uint64_t random,
		struct verdict *verdict);

/* {"code": code, "message": message}: the form of every error of a step or run. */
struct json *step_error(const char *code, const char *message);
/* What expressions of this attempt see. End it with run_scope_fini. */
void held_scope(struct run_scope *scope, struct run *run, const struct held_step *held);

#endif
