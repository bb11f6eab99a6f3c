/*
 * The one door to PostgreSQL (libpq, non-blocking, pipeline mode): one connection that
 * comes back by itself, statements by the name of their file in sql/, prepared once per
 * connection, parameters and results in binary. What is sent before an answer has come
 * travels in one pipeline. Nothing here waits.
 */
#ifndef STORE_PG_H
#define STORE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/step_ref.h"
#include "loop/loop.h"
#include "json/json.h"

struct pg;

struct pg_conf {
	const char *url;         /* libpq URI or key=value string */
	const char *application; /* "stepmill worker" */
	usec_t statement_timeout;
	bool hot; /* claims and finishes: generic plans only, see engine notes in
		     sql/README */
	/* Called at each change: connected (after the session is set up), or lost. */
	void (*on_state)(void *context, bool up);
	/* Names of `listen` statements, NULL-terminated, that are sent on each new
	 * connection before on_state; and what is notified there, from then on. What
	 * came while the connection was away is not told: look when it is up again. */
	const char *const *listen;
	void (*on_notify)(void *context, const char *channel, const char *payload);
	void *context;
};

struct pg_stats {
	uint64_t statements, transactions, round_trips, failures, reconnects;
	usec_t round_trip_time; /* summed */
};

struct pg *pg_new(struct loop *loop, const struct pg_conf *conf, struct err *err);
void pg_free(struct pg **pg_p); /* what is under way never answers */
bool pg_is_up(const struct pg *pg);
size_t pg_pending(const struct pg *pg); /* transactions sent or waiting */
const struct pg_stats *pg_stats(const struct pg *pg);

/* ---- parameters, in order $1, $2, ... ---- */

enum pg_type {
	PG_BOOL,
	PG_INT2,
	PG_INT4,
	PG_INT8,
	PG_TEXT,
	PG_UUID,
	PG_JSONB,
	PG_TIME,
	PG_BYTES,
	PG_TYPES
};

#define PG_ARGS_MAX 40

struct pg_args {
	struct buf data;
	struct {
		uint32_t type;
		long offset;
		int len;
	} at[PG_ARGS_MAX]; /* len -1: null */
	int count;
	/* the array being built */
	size_t array_start;
	int32_t array_count;
	enum pg_type array_type;
	bool array_nulls;
};

void pg_args_init(struct pg_args *args);
void pg_args_fini(struct pg_args *args);
void pg_arg_null(struct pg_args *args, enum pg_type type);
void pg_arg_bool(struct pg_args *args, bool value);
void pg_arg_int2(struct pg_args *args, int value);
void pg_arg_int4(struct pg_args *args, int32_t value);
void pg_arg_int8(struct pg_args *args, int64_t value);
void pg_arg_text(struct pg_args *args, const char *text); /* NULL: null */
void pg_arg_text_len(struct pg_args *args, const char *text, size_t len);
void pg_arg_uuid(struct pg_args *args, const struct uuid *id);   /* NULL: null */
void pg_arg_json(struct pg_args *args, const struct json *json); /* NULL: SQL null */
void pg_arg_json_text(struct pg_args *args, const char *text,
		      size_t len);                      /* as jsonb */
void pg_arg_time(struct pg_args *args, usec_t instant); /* 0: null */
void pg_arg_bytes(struct pg_args *args, const void *data, size_t len);
/* An array parameter: begin, the items (same calls), end. */
void pg_array_begin(struct pg_args *args, enum pg_type type);
void pg_array_end(struct pg_args *args);

/* ---- results ---- */

struct pg_rows;

int pg_count(const struct pg_rows *rows);
bool pg_is_null(const struct pg_rows *rows, int row, int column);
bool pg_bool(const struct pg_rows *rows, int row, int column);
int64_t pg_int(const struct pg_rows *rows, int row, int column); /* int2, int4, int8 */
double pg_double(const struct pg_rows *rows, int row, int column);
struct uuid pg_uuid(const struct pg_rows *rows, int row, int column);
usec_t pg_time(const struct pg_rows *rows, int row, int column); /* 0 when null */
/* text, json, jsonb (its version byte left out), bytea; valid while rows are. */
const char *pg_text(const struct pg_rows *rows, int row, int column, size_t *len);
struct json *pg_json(const struct pg_rows *rows, int row,
		     int column); /* the caller's */

/* ---- sending ---- */

/* Called exactly once on a later turn. rows are NULL on failure; both are valid during
 * the callback only. err kinds: ERR_RETRY (no connection, nothing happened; deadlock;
 * serialization), ERR_LOST (sent, answer unknown), ERR_CONFLICT (unique or foreign key;
 * the text begins with the constraint's name), ERR_INPUT (data PostgreSQL refuses),
 * ERR_SYSTEM (anything else). */
typedef void pg_done_fn(void *context, const struct pg_rows *rows,
			const struct err *err);
typedef void pg_end_fn(void *context, const struct err *err); /* ERR_NONE: committed */

/* One statement, one transaction. args are copied (may be NULL). While the connection
 * is away the call fails with ERR_RETRY at once (on the next turn). */
void pg_query(struct pg *pg, const char *name, const struct pg_args *args,
	      pg_done_fn *done, void *context);

/* Several statements, one transaction, one round trip. Each may have its own done (or
 * NULL); end comes last. If one fails the rest is not run and all of it is undone; done
 * of statements not run gets the same error. */
struct pg_batch;
struct pg_batch *pg_batch_new(struct pg *pg);
void pg_batch_add(struct pg_batch *batch, const char *name, const struct pg_args *args,
		  pg_done_fn *done, void *context);
void pg_batch_send(struct pg_batch **batch_p, pg_end_fn *end, void *context);

/* A transaction over several round trips, on a connection that nobody else uses
 * meanwhile: everything sent after pg_begin belongs to it. When the connection is lost
 * on the way nothing of it has happened, and what is sent is refused (ERR_RETRY) until
 * one of the two ends. pg_commit: end gets ERR_LOST when nobody knows, and an error
 * when a statement had failed, for then all is undone. */
void pg_begin(struct pg *pg);
void pg_commit(struct pg *pg, pg_end_fn *end, void *context);
void pg_rollback(struct pg *pg);

/* For rooms that answer through a callback of their own: memory lives as long as the
 * batch and is freed with it, told or not (may be NULL). owner: pg_forget with it
 * forgets the batch (may be NULL). Up to four of either. */
void pg_batch_attach(struct pg_batch *batch, const void *owner, void *memory);

/* No callback with this context will come any more (its owner dies). */
void pg_forget(struct pg *pg, const void *context);

#endif
