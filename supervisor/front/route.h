/*
 * The table of routes: method, path, role, body limit, handler; and what a handler gets
 * and may do. The right of each route stands here and nowhere else.
 */
#ifndef FRONT_ROUTE_H
#define FRONT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid7.h"
#include "front/auth_core.h"
#include "json/json.h"

struct change;   /* front/change.h */
struct front;    /* what handlers share: loop, store, queue, settings; front/front.h */
struct exchange; /* one request and its answer */

/* The body is read whole before on_request (up to body_max); or on_request comes when
 * the key is good, and takes it in pieces (exchange_take_body). */
#define BODY_IN_PIECES SIZE_MAX

struct route {
	const char *method; /* GET also answers HEAD */
	const char *path;   /* "/api/executions/:id/logs"; /api also stands for /api/v1;
			       ":path" at the end stands for all that follows */
	enum role role;     /* ROLE_NONE: no key needed */
	size_t body_max;    /* 0: the setting http.body_max */
	bool no_timeout; /* long polls, streams: http.request_timeout does not apply */
	void (*on_request)(struct exchange *exchange);
	/* "execution.pause": what the audit log calls it. The handler then works within
	 * a change, see exchange_pg. NULL: it changes nothing. */
	const char *changes;
};

/* One table per resource, ended by a row without method. */
extern const struct route routes_workflows[], routes_executions[], routes_pool[],
    routes_health[], routes_transitions[], routes_events[], routes_comments[],
    routes_logs[], routes_artifacts[], routes_removals[], routes_workflow_changes[],
    routes_bulk[], routes_projects[], routes_keys[], routes_stats[], routes_tools[],
    routes_audit[], routes_why[], routes_dry_run[], routes_test_step[],
    routes_documents[], routes_execute_batch[], routes_ws[], routes_schedules[],
    routes_schedule_preview[], routes_heartbeats[], routes_webhooks[], routes_skills[],
    routes_sessions[], routes_bots[], routes_messages[];

/* All of them, ended by NULL. */
extern const struct route *const routes_all[];
/* A line each on stdout: METHOD PATH ROLE WHAT-IT-CHANGES ("-": nothing). */
void routes_print(void);

/* ---- what was asked; borrowed, until the exchange ends ---- */

struct front *exchange_front(struct exchange *exchange);
const char *exchange_method(const struct exchange *exchange);
const char *exchange_path(const struct exchange *exchange);
const char *exchange_param(const struct exchange *exchange, const char *name); /* :id */
/* Decoded; NULL when absent. */
const char *exchange_query(const struct exchange *exchange, const char *name);
const char *exchange_header(const struct exchange *exchange, const char *name);
/* All of them, the caller's: by names in small letters, repeated ones with ", " between
 * them; of queries the first of each name. Bytes that are no UTF-8 stay as they are. */
struct json *exchange_headers(const struct exchange *exchange);
struct json *exchange_queries(const struct exchange *exchange);
const char *exchange_body(const struct exchange *exchange, size_t *len);
/* The body as JSON (an empty one gives null). -1: a 400 or 415 was answered already. */
int exchange_json(struct exchange *exchange, struct json **out /* borrowed */);
/* -1: the body is said to be something else than JSON, and a 415 was answered. */
int exchange_check_json(struct exchange *exchange);
const char *exchange_request_id(const struct exchange *exchange);
const char *exchange_who(const struct exchange *exchange); /* the key's name, "dev" */
const char *exchange_address(const struct exchange *exchange); /* the client's */
/* The tools that runs may use which the key starts, or NULL: all. */
const struct json *exchange_tools(const struct exchange *exchange);
/* The position in PostgreSQL's log that the client has seen (Stepmill-Read-After); 0:
 * none. What is read from PostgreSQL lies behind it; what is kept here may not. */
uint64_t exchange_read_after(const struct exchange *exchange);
/* What the key is bound to and may not leave, or NULL: not bound. */
const struct uuid *exchange_project(const struct exchange *exchange);

/* What a handler keeps over turns, freed with the exchange: by the call that answers,
 * or when the client is gone or the time is over; then no answer may be given any more.
 * One per exchange; setting another does not free the first. Without state a handler
 * holds the exchange until it has answered; what it then says to nobody is dropped. */
void exchange_set_state(struct exchange *exchange, void *state,
			void (*free_state)(void *state));
void *exchange_state(const struct exchange *exchange);
/* Memory of the exchange, zeroed: it lives as long, whoever holds that. Once. */
void *exchange_keep(struct exchange *exchange, size_t size);
void *exchange_kept(const struct exchange *exchange);

/* ---- of a route with BODY_IN_PIECES ---- */

struct body_taker {
	/* Some of the body; borrowed. It may answer, which ends the request. */
	void (*on_piece)(struct exchange *exchange, const void *data, size_t len);
	void (*on_all)(struct exchange *exchange); /* that was its end */
};

/* The body may come, up to max bytes. The exchange must have a state that is freed when
 * the client is gone. */
void exchange_take_body(struct exchange *exchange, size_t max,
			const struct body_taker *taker);
/* In on_piece: no more of it until exchange_go_on; what the client sends meanwhile
 * stays with the kernel, and then with the client. */
void exchange_pause(struct exchange *exchange);
void exchange_go_on(struct exchange *exchange);
/* Before that: it takes long, and others do not wait for it. */
void exchange_change_apart(struct exchange *exchange);
/* After the end of the body: begins the change, in which `go` is called instead of
 * on_request. words stand for the body where a repetition is compared with it. */
void exchange_change_later(struct exchange *exchange, const char *words,
			   void (*go)(struct exchange *exchange));

/* ---- of a route that changes something ---- */

/* Where its effect is sent: all of it is one transaction, which an answer below 400
 * commits before the client gets it, together with the row of the audit log and, under
 * an Idempotency-Key, the answer itself; any other answer undoes it. The handler holds
 * the exchange without state while statements are under way there: it happens although
 * the client is gone. */
struct pg *exchange_pg(struct exchange *exchange);
/* What the audit log says was changed (the path by default), and more about it (taken,
 * may be NULL). */
void exchange_audit(struct exchange *exchange, const char *target,
		    struct json *details);
/* A member that is added to the answer's object for this client, now; what is stored
 * for repetitions has it not. */
void exchange_show_once(struct exchange *exchange, const char *key, const char *text);
/* The same change, for the bells that ring after the commit (front/change.h). */
struct change *exchange_change(struct exchange *exchange);

/* What is said to the client once it is committed, in place of the answer that the
 * handler gives: now or at a later turn. A repetition gets the handler's own. */
typedef void exchange_made_fn(struct exchange *exchange);
void exchange_then(struct exchange *exchange, exchange_made_fn *made);

/* ---- the answer: exactly one per exchange, at once or at any later turn ---- */

void reply_json(struct exchange *exchange, int status, struct json *body /* taken */);
void reply_json_text(struct exchange *exchange, int status, const char *text,
		     size_t len);
/* application/problem+json
 * {type,title,status,detail,errors:[{path,message}],requestId}. errors: a JSON array,
 * taken, or NULL. */
void reply_problem(struct exchange *exchange, int status, struct json *errors,
		   const char *detail_format, ...)
    __attribute__((format(printf, 4, 5)));
/* By the kind: INPUT 400, NOT_FOUND 404, CONFLICT 409, DENIED 403, LIMIT 413, RETRY and
 * LOST 503 with Retry-After: 1, SYSTEM 500 (details go to the log, not to the client).
 */
void reply_err(struct exchange *exchange, const struct err *err);
void reply_empty(struct exchange *exchange, int status); /* 204, 304 */
void reply_text(struct exchange *exchange, int status, const char *content_type,
		const char *text, size_t len);
/* A header of the answer; before the answer. */
void reply_header(struct exchange *exchange, const char *name, const char *value);
/* A file, with Range, ETag and HEAD handled; fd is taken. download: the name for
 * Content-Disposition (any bytes), or NULL. */
void reply_file(struct exchange *exchange, int fd, const char *content_type,
		const char *download);
/* A stream: begin (chunked), pieces, end. on_drained comes when the client has read. A
 * client with more than REPLY_UNSENT_MAX unread at the next piece is cut off. Streams
 * need a state, since nothing else tells them that the client is gone. */
#define REPLY_UNSENT_MAX (1024 * 1024)
void reply_begin(struct exchange *exchange, int status, const char *content_type,
		 void (*on_drained)(struct exchange *exchange));
void reply_piece(struct exchange *exchange, const void *data, size_t len);
size_t reply_unsent(const struct exchange *exchange);
void reply_end(struct exchange *exchange);
/* A stream's last words, when the server stops and ends it: pieces only. */
void reply_on_stop(struct exchange *exchange,
		   void (*on_stop)(struct exchange *exchange));

#endif
