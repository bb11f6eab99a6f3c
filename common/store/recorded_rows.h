/*
 * The steps of programs as they are stored: what a program asked for and what became of
 * it, for many of them in one transaction, under the fence of the program's own row.
 */
#ifndef STORE_RECORDED_ROWS_H
#define STORE_RECORDED_ROWS_H

#include "engine/finish_item.h"
#include "store/workers.h"

#define RECORDED_BATCH_MAX 256

struct record_item {
	struct uuid run;
	int program_fence;
	int number;
	const char *key; /* its name; borrowed, as all here */
	int parent;      /* 0: none */
	enum step_status status;
	int attempt, max_attempts, losses;
	bool cut; /* its former attempt was cut off, and that is to be told */
	bool say_started;
	enum event_type event; /* its other event, or EVENT_NONE */
	usec_t age;            /* since it began */
	struct json *input, *output, *error, *payload, *made; /* storable */
	usec_t run_at;                                        /* of what waits, or 0 */
	enum phase phase;
	/* Of what waits: the question, the event, the run that it starts. Its run,
	 * number, fence and status are filled in here. */
	struct finish_item effects;
	/* the answer */
	bool accepted, lost; /* lost: the program is not ours any more */
	bool paused;         /* its run is */
	int64_t seq;
};

/* done: err as of finishes_store. items must stay where they are until then; at most
 * one per step. ready: what became ready for everybody; valid during the callback. */
struct record_answer {
	struct record_item *items;
	size_t count;
	const struct ready_ref *ready;
	size_t ready_count;
};
typedef void record_fn(void *context, const struct record_answer *answer,
		       const struct err *err);
void recorded_rows_store(struct pg *pg, const struct uuid *worker,
			 struct record_item *items, size_t count, record_fn *done,
			 void *context);
/* After ERR_LOST: accepted, or lost, or neither: to be sent again. */
void recorded_rows_check(struct pg *pg, const struct uuid *worker,
			 struct record_item *items, size_t count, record_fn *done,
			 void *context);

struct recorded_row {
	int number;
	const char *key; /* valid during the callback */
	int parent;      /* 0: none */
	enum step_status status;
	int attempt, losses;
	struct json *made, *output, *error; /* the receiver's: take and set NULL */
};
typedef void recorded_rows_fn(void *context, struct recorded_row *rows, size_t count,
			      const struct err *err);
/* In order of their numbers; those under way come under this fence. */
void recorded_rows_load(struct pg *pg, const struct uuid *run, int fence,
			recorded_rows_fn *done, void *context);
/* Of the named steps those that have ended: number, status, output and error. */
void recorded_rows_awaited(struct pg *pg, const struct uuid *run, const int *numbers,
			   size_t count, recorded_rows_fn *done, void *context);

#endif
