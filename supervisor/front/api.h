/* What the handlers of several resources share. */
#ifndef FRONT_API_H
#define FRONT_API_H

#include "engine/status.h"
#include "front/front.h"
#include "front/route.h"

/* Adds $1 uuid, $2 run number, $3 run id: the run of the path by its id or its readable
 * one; and $4, the project that the key may not leave, see api_arg_confined. */
void api_arg_run(struct exchange *exchange, struct pg_args *args);
/* The same of any name, and the project that may not be left (NULL: any). */
void api_arg_run_named(struct pg_args *args, const char *text,
		       const struct uuid *project);
/* Adds the project that the key may not leave, or null: what the statement finds of
 * others is not there for it. */
void api_arg_confined(struct exchange *exchange, struct pg_args *args);
/* What is nobody's alone, such as the pool: 403 for a key bound to a project, and -1.
 */
int api_needs_all(struct exchange *exchange);
/* `page` and `limit` of the query (limit 1..100, default 20). -1: a 400 was answered.
 */
struct api_page {
	int page, limit, offset;
};
int api_page(struct exchange *exchange, struct api_page *page);
/* A number of the query, or preset when absent. -1: a 400 was answered. */
int api_query_int(struct exchange *exchange, const char *name, int64_t min, int64_t max,
		  int64_t preset, int64_t *out);
/* Of the query: absent or false is false; true, 1 or nothing behind the name is true.
 * -1: a 400 was answered. */
int api_query_flag(struct exchange *exchange, const char *name, bool *out);
/* A time of the query (RFC 3339), 0 when absent. -1: a 400 was answered. */
int api_query_time(struct exchange *exchange, const char *name, usec_t *out);
/* Adds a UUID, or a flag, of the query; absent: null. -1: a 400 was answered. */
int api_arg_uuid(struct exchange *exchange, const char *name, struct pg_args *args);
int api_arg_flag(struct exchange *exchange, const char *name, struct pg_args *args);

/* A pg_done_fn whose context is the exchange: the first column of the only row is the
 * answer's JSON; no row, or null: 404. The exchange's state must be set by api_guard.
 */
void api_on_json(void *context, const struct pg_rows *rows, const struct err *err);
/* Sends a statement on the read connection for this exchange; if the client goes away
 * the callback will not come. */
void api_read(struct exchange *exchange, const char *statement,
	      const struct pg_args *args, pg_done_fn *done);
/* The same of what takes long, so that nobody else waits for it. */
void api_add_up(struct exchange *exchange, const char *statement,
		const struct pg_args *args, pg_done_fn *done);
/* The same on another connection. */
void api_query(struct exchange *exchange, struct pg *pg, const char *statement,
	       const struct pg_args *args, pg_done_fn *done);
/* Ends what api_read began, so that the exchange's state can be set to something else.
 */
void api_unguard(struct exchange *exchange);
/* Where the run of the path is (executions_find.sql): id, status, last seq, project's
 * path, run id. No row: answer with api_on_json. */
void api_find_run(struct exchange *exchange, pg_done_fn *done);
/* Adds $5 step number, $6 step key of steps_find.sql, see api_find_step. */
void api_arg_step_named(struct pg_args *args, const char *step);
/* Whether what steps_find.sql found (a row) is that step of that run. */
bool api_is_step(const char *step, const struct pg_rows *rows);
/* The run of the path and one of its steps (steps_find.sql): by the id of its row
 * (RUN:NUMBER), its number, or its id in the file (the newest visit). step NULL: none.
 */
void api_find_step(struct exchange *exchange, const char *step, pg_done_fn *done);
/* False: there is no such run, or no such step of it, and that was said. */
bool api_found_step(struct exchange *exchange, const char *step,
		    const struct pg_rows *rows, const struct err *err);
/* {executionId, status}, the status in upper case. */
void api_reply_status(struct exchange *exchange, int code, const struct uuid *run,
		      enum run_status status);
/* The audit log shall say that it was done to this run. */
void api_audit_run(struct exchange *exchange, const struct uuid *run);
/* An attached_fn whose context is the exchange: 201 with the row, and bells. */
struct attached;
void api_on_attached(void *context, const struct attached *attached,
		     const struct err *err);
/* Problems of a document as the `errors` of an answer: [{path, message, line, column}].
 */
struct json *api_problems(const struct problems *problems);

#endif
