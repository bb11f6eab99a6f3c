/*
 * What is to be stored after an attempt: a plain value between the core that decides it
 * and the statement that stores it (sql/steps_finish.sql).
 */
#ifndef ENGINE_FINISH_ITEM_H
#define ENGINE_FINISH_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"
#include "base/uuid7.h"
#include "engine/advance_core.h"
#include "json/json.h"

struct finish_next {
	const char *key;
	int number;
	const char *queue;
	int max_attempts;
	bool held; /* inserted as running, held by this worker under fence 1, with its
		      step.started; else queued */
};

struct new_run; /* store/runs.h */

struct finish_item {
	struct uuid run;
	enum priority priority;
	int number, fence;
	bool say_started;        /* its step.started is not in the log yet */
	enum step_status status; /* RUNNING: only say_started, the step goes on */
	enum phase phase;        /* of what comes back */
	struct json *input, *output, *error; /* borrowed; storable */
	usec_t run_at;                       /* of RETRYING and what waits; or 0 */
	bool will_retry;
	bool only_waits;            /* the run's timeout stands still from here */
	struct finish_next next;    /* key NULL: none */
	enum run_status run_status; /* RUN_RUNNING, or how the run ends */
	struct json *run_output, *run_error; /* borrowed */
	/* What only some steps have; borrowed. */
	const struct workflow *workflow;
	const struct verdict *verdict;  /* rows to be made, counted down, cut short; or
					   NULL */
	const struct approval_ask *ask; /* of WAITING_APPROVAL */
	struct uuid approval;           /* its id */
	const char
	    *wait_event;   /* of WAITING: the type of event that wakes it, or NULL */
	usec_t checked_at; /* what came before has been looked at */
	const struct new_run *child; /* the run that it starts, or NULL */
	/* Of a program that rests: numbers of its rows that it waits for. */
	const int *awaited;
	size_t awaited_count;
	struct uuid parent_run; /* that waits for the end of this run */
	bool has_parent_run;
	/* the answer */
	bool accepted;
	bool holds_next; /* next is ours; false: its run is paused */
	int64_t seq;     /* the run's last seq after it */
};

#endif
