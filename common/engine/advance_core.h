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

enum outcome_kind {
	OUTCOME_SUCCESS,
	OUTCOME_FAILURE,
	OUTCOME_WAIT, /* nothing to do until run_at; the step holds no slot meanwhile */
	OUTCOME_KINDS
};

struct outcome {
	enum outcome_kind kind;
	struct json *output; /* borrowed */
	struct json *error;  /* borrowed; {code, message, ...} of a failure */
	bool final;          /* a failure that trying again cannot mend */
	usec_t run_at;
};

/* The attempt that the outcome belongs to. */
struct held_step {
	int index;  /* of its definition */
	int number; /* step_number; the next one made gets a higher one */
	int attempt, losses;
};

struct next_step {
	int index;
	int number;
};

struct verdict {
	enum step_status status; /* COMPLETED, FAILED, RETRYING or WAITING */
	usec_t run_at;           /* of RETRYING and WAITING */
	struct json *error; /* owned: of the step, when it failed (or tries again) */
	struct next_step *next; /* owned: what is ready now */
	size_t next_count;
	enum run_status run_status;          /* RUN_RUNNING while it goes on */
	struct json *run_output, *run_error; /* owned: of a run that ended */
	bool only_waits; /* nothing of the run is left but waiting: its time stands
			    still */
};

void verdict_fini(struct verdict *verdict);

/* The first steps of a run. */
void advance_start(const struct workflow *workflow, struct verdict *verdict);

/* After an attempt. Also enters the visit into run. random: any 64 bits, for jitter. */
void advance_on(struct run *run, const struct held_step *held,
		const struct outcome *outcome, usec_t now, uint64_t random,
		struct verdict *verdict);

/* {"code": code, "message": message}: the form of every error of a step or run. */
struct json *step_error(const char *code, const char *message);

#endif
