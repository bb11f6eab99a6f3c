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
#include "engine/status.h"
#include "json/json.h"

struct finish_next {
	const char *key;
	int number;
	const char *queue;
	int max_attempts;
	bool held; /* inserted as running, held by this worker under fence 1, with its
		      step.started; else queued */
};

struct finish_item {
	struct uuid run;
	int number, fence;
	bool say_started;        /* its step.started is not in the log yet */
	enum step_status status; /* RUNNING: only say_started, the step goes on */
	struct json *input, *output, *error; /* borrowed; storable */
	usec_t run_at;                       /* of RETRYING and WAITING */
	bool will_retry;
	bool only_waits;            /* the run's timeout stands still from here */
	struct finish_next next;    /* key NULL: none */
	enum run_status run_status; /* RUN_RUNNING, or how the run ends */
	struct json *run_output, *run_error; /* borrowed */
	bool accepted;                       /* the answer */
	int64_t seq; /* the answer: the run's last seq after it */
};

#endif
