/*
 * One edit of a schedule, from the inside: what schedule_edit.c and schedule_change.c
 * share; nobody else includes it.
 *
 *	(found, locked) -> read -> workflow found -> stored -> read back -> told
 */
#ifndef FRONT_SCHEDULE_EDIT_PRIV_H
#define FRONT_SCHEDULE_EDIT_PRIV_H

#include "front/schedule_edit.h"
#include "front/schedule_fields_core.h"
#include "store/schedule_rows.h"

struct edit {
	struct schedule_call call;
	bool whole;          /* what is sent is all of it */
	struct json *sent;   /* storable */
	struct json *stored; /* as it was; NULL: a new one */
	struct json *doc;    /* as it is to be */
	struct json *input;  /* of its runs */
	struct uuid id, project, workflow;
	bool has_project, has_workflow;
	usec_t now, created_at, next_run_at;
	int64_t run_count;
	struct schedule_fields fields;
	struct problems problems;
	schedule_edited_fn *done;
	void *context;
};

/* Borrows the call, and keeps what is sent as PostgreSQL can hold it. */
struct edit *edit_new(const struct schedule_call *call, schedule_edited_fn *done,
		      void *context);
/* Each of these tells how it went, and frees the edit. */
void edit_end(struct edit *edit, const struct schedule_edited *edited);
void edit_refuse(struct edit *edit, int status, const char *text);
void edit_refuse_problems(struct edit *edit);
void edit_refuse_err(struct edit *edit, const struct err *err);

/* Reads edit->doc, and goes on to the end of the edit. */
void edit_read_fields(struct edit *edit);
/* When it fires next, from now on, if that has changed; else it stays. */
void edit_find_next(struct edit *edit);
/* What is enabled has runs left. */
void edit_check_runs(struct edit *edit);
/* Of a row that has its jitter and next run: when it is due. */
void edit_set_due(const struct edit *edit, struct schedule_row *row);
/* A pg_done_fn: the row is stored; reads it back, and ends. */
void edit_on_stored(void *context, const struct pg_rows *rows, const struct err *err);

#endif
