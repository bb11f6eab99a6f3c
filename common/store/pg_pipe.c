/*
 * Transactions on the pipeline. Those of one turn gather and are sent at its end; what
 * came back is told when the transaction's Sync has been answered, for only then it is
 * committed. If the connection goes, those whose Sync was sent are lost (nobody knows),
 * the others never happened.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "store/pg_error.h"
#include "store/pg_priv.h"
#include "store/pg_rows.h"
#include "store/pg_types.h"
#include "store/query.h"

#define PATIENCE (5 * USEC_SECOND) /* beyond the statement timeout */

#define BATCH_OWNERS 4

struct statement {
	int query;
	struct pg_args args;
	pg_done_fn *done;
	void *context;
	PGresult *result;
};

struct pg_batch {
	struct list link;
	struct pg *pg;
	struct statement *list;
	size_t count, capacity;
	size_t answered; /* statements whose results have ended */
	pg_end_fn *end;
	void *context;
	const void *owners[BATCH_OWNERS];
	void *attached[BATCH_OWNERS];
	int prepares; /* it only prepares this query; -1: an ordinary one */
	usec_t sent_at;
	struct err err;
};

/* ---- a batch ---- */

struct pg_batch *
pg_batch_new(struct pg *pg)
{
	struct pg_batch *batch = xcalloc(1, sizeof *batch);

	batch->pg = pg;
	batch->prepares = -1;
	list_init(&batch->link);
	return batch;
}

static void
batch_free(struct pg_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		pg_args_fini(&batch->list[i].args);
		PQclear(batch->list[i].result);
	}
	for (int i = 0; i < BATCH_OWNERS; i++)
		free(batch->attached[i]);
	free(batch->list);
	free(batch);
}

static void
copy_args(struct pg_args *to, const struct pg_args *from)
{
	pg_args_init(to);
	if (from == NULL)
		return;
	to->count = from->count;
	memcpy(to->at, from->at, sizeof to->at[0] * (size_t)from->count);
	if (from->data.len > 0)
		buf_add(&to->data, from->data.data, from->data.len);
}

void
pg_batch_add(struct pg_batch *batch, const char *name, const struct pg_args *args,
	     pg_done_fn *done, void *context)
{
	struct statement *statement;

	if (batch->count == batch->capacity) {
		batch->capacity = batch->capacity > 0 ? batch->capacity * 2 : 2;
		batch->list =
		    xrealloc(batch->list, batch->capacity, sizeof *batch->list);
	}
	statement = &batch->list[batch->count++];
	statement->query = query_find(name);
	copy_args(&statement->args, args);
	statement->done = done;
	statement->context = context;
	statement->result = NULL;
}

void
pg_batch_attach(struct pg_batch *batch, const void *owner, void *memory)
{
	int i = 0;

	while (batch->owners[i] != NULL || batch->attached[i] != NULL)
		if (++i == BATCH_OWNERS)
			bug("more than %d owners of a transaction", BATCH_OWNERS);
	batch->owners[i] = owner;
	batch->attached[i] = memory;
}

/* ---- telling ---- */

/* A callback may free the connection or forget what is still to be told. */
static void
tell(struct pg *pg, struct pg_batch *batch)
{
	struct pg_rows rows;

	pg->telling = batch;
	for (size_t i = 0; i < batch->count && !pg->dead; i++) {
		struct statement *statement = &batch->list[i];

		rows.result = statement->result;
		if (statement->done != NULL)
			statement->done(statement->context,
					batch->err.kind == ERR_NONE ? &rows : NULL,
					&batch->err);
	}
	if (batch->end != NULL && !pg->dead)
		batch->end(batch->context, &batch->err);
	pg->telling = NULL;
	batch_free(batch);
}

/* What the callbacks ask anew and is refused again waits for the turn after. */
void
pg_pipe_on_refuse(void *context)
{
	struct pg *pg = context;
	struct list *last = pg->refused.prev, *link;

	do {
		link = list_shift(&pg->refused);
		pg->pending--;
		tell(pg, container_of(link, struct pg_batch, link));
	} while (!pg->dead && link != last);
}

static void
refuse(struct pg *pg, struct pg_batch *batch, enum err_kind kind, const char *why)
{
	if (batch->prepares >= 0) {
		batch_free(batch);
		return;
	}
	if (batch->err.kind == ERR_NONE)
		err_set(&batch->err, kind, "%s", why);
	list_push(&pg->refused, &batch->link);
	timer_set(pg->refuse, 0);
}

void
pg_pipe_fail_all(struct pg *pg, const char *why)
{
	struct list *link;

	pg->broken = pg->held;
	while ((link = list_shift(&pg->sent)) != NULL)
		refuse(pg, container_of(link, struct pg_batch, link),
		       pg->held ? ERR_RETRY : ERR_LOST, why);
	while ((link = list_shift(&pg->queued)) != NULL)
		refuse(pg, container_of(link, struct pg_batch, link), ERR_RETRY, why);
}

static void
drop_list(struct list *list)
{
	struct list *link;

	while ((link = list_shift(list)) != NULL)
		batch_free(container_of(link, struct pg_batch, link));
}

void
pg_pipe_drop_all(struct pg *pg)
{
	drop_list(&pg->queued);
	drop_list(&pg->sent);
	drop_list(&pg->refused);
}

static void
forget_batch(struct pg_batch *batch, const void *context)
{
	bool owned = false;

	for (int i = 0; i < BATCH_OWNERS; i++)
		owned = owned || batch->owners[i] == context;
	for (size_t i = 0; i < batch->count; i++)
		if (owned || batch->list[i].context == context)
			batch->list[i].done = NULL;
	if (owned || batch->context == context)
		batch->end = NULL;
}

void
pg_forget(struct pg *pg, const void *context)
{
	struct list *lists[] = { &pg->queued, &pg->sent, &pg->refused };

	if (context == NULL)
		return;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		list_each (link, lists[i])
			forget_batch(container_of(link, struct pg_batch, link),
				     context);
	if (pg->telling != NULL)
		forget_batch(pg->telling, context);
}

/* ---- crash points ---- */

static void
visit(const struct pg_batch *batch, const char *when)
{
	for (size_t i = 0; i < batch->count; i++)
		POINT_OF("transaction", query_name(batch->list[i].query), when);
}

/* ---- sending ---- */

void
pg_pipe_watch(struct pg *pg)
{
	if (list_empty(&pg->sent))
		timer_stop(pg->patience);
	else
		timer_set(pg->patience, pg->conf.statement_timeout + PATIENCE);
}

static int
send_prepare(struct pg *pg, const struct statement *statement)
{
	struct pg_batch *batch;
	Oid types[PG_ARGS_MAX];

	for (int i = 0; i < statement->args.count; i++)
		types[i] = statement->args.at[i].type;
	if (PQsendPrepare(pg->conn, query_name(statement->query),
			  query_text(statement->query), statement->args.count,
			  types) == 0 ||
	    PQpipelineSync(pg->conn) == 0)
		return -1;
	batch = pg_batch_new(pg);
	batch->prepares = statement->query;
	list_push(&pg->sent, &batch->link);
	pg->prepared[statement->query] = PREPARE_SENT;
	return 0;
}

/* Preparing is a transaction of its own, before: inside, a failed neighbour would keep
 * it from being run. */
static int
prepare_what_is_not(struct pg *pg, const struct pg_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (pg->prepared[batch->list[i].query] == NOT_PREPARED &&
		    send_prepare(pg, &batch->list[i]) < 0)
			return -1;
	return 0;
}

static int
send_statement(struct pg *pg, const struct statement *statement)
{
	const struct pg_args *args = &statement->args;
	const char *values[PG_ARGS_MAX];
	int lengths[PG_ARGS_MAX], formats[PG_ARGS_MAX];

	pg_args_give(args, values, lengths, formats);
	pg->stats.statements++;
	return PQsendQueryPrepared(pg->conn, query_name(statement->query), args->count,
				   values, lengths, formats, 1) != 0
		   ? 0
		   : -1;
}

/* -1: the connection is no good. Without its Sync nothing of the batch has happened. */
static int
send_batch(struct pg *pg, struct pg_batch *batch)
{
	visit(batch, "before");
	if (prepare_what_is_not(pg, batch) < 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++)
		if (send_statement(pg, &batch->list[i]) < 0)
			return -1;
	if (PQpipelineSync(pg->conn) == 0)
		return -1;
	list_remove(&batch->link);
	list_push(&pg->sent, &batch->link);
	batch->sent_at = loop_mono(pg->loop);
	pg->stats.transactions++;
	return 0;
}

static void
flush(struct pg *pg)
{
	int left = PQflush(pg->conn);

	if (left < 0)
		pg_conn_lost(pg, PQerrorMessage(pg->conn));
	else
		watch_want(pg->watch, left > 0 ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

static void
send_queued(void *context)
{
	struct pg *pg = context;

	pg->flush_deferred = false;
	if (pg->dead || pg->phase != PG_UP || list_empty(&pg->queued))
		return;
	pg->stats.round_trips++;
	while (!list_empty(&pg->queued)) {
		struct list *link = pg->queued.next;

		if (send_batch(pg, container_of(link, struct pg_batch, link)) < 0) {
			pg_conn_lost(pg, PQerrorMessage(pg->conn));
			return;
		}
	}
	pg_pipe_watch(pg);
	flush(pg);
}

void
pg_batch_send(struct pg_batch **batch_p, pg_end_fn *end, void *context)
{
	struct pg_batch *batch = *batch_p;
	struct pg *pg = batch->pg;

	*batch_p = NULL;
	if (batch->count == 0)
		bug("a transaction without statements");
	batch->end = end;
	batch->context = context;
	pg->pending++;
	if (pg->phase != PG_UP || pg->broken) {
		refuse(pg, batch, ERR_RETRY, "there is no connection to PostgreSQL");
		return;
	}
	list_push(&pg->queued, &batch->link);
	if (!pg->flush_deferred)
		loop_defer(pg->loop, send_queued, pg);
	pg->flush_deferred = true;
}

void
pg_query(struct pg *pg, const char *name, const struct pg_args *args, pg_done_fn *done,
	 void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);

	pg_batch_add(batch, name, args, done, context);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- transactions over several round trips ---- */

struct commit {
	pg_end_fn *end;
	void *context;
};

/* What had failed before is undone by a commit, too, which does not complain. */
static void
on_commit(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct commit *commit = context;
	struct err undone = { 0 };

	if (rows != NULL && PQcmdStatus(rows->result)[0] == 'R') {
		err_set(&undone, ERR_RETRY, "the transaction was rolled back");
		err = &undone;
	}
	commit->end(commit->context, err);
}

void
pg_begin(struct pg *pg)
{
	if (pg->held)
		bug("a transaction within a transaction");
	pg_query(pg, "transaction_begin", NULL, NULL, NULL);
	pg->held = true;
	pg->broken = pg->phase != PG_UP;
}

void
pg_commit(struct pg *pg, pg_end_fn *end, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct commit *commit = xcalloc(1, sizeof *commit);

	*commit = (struct commit){ end, context };
	pg_batch_attach(batch, context, commit);
	pg_batch_add(batch, "transaction_commit", NULL, on_commit, commit);
	pg_batch_send(&batch, NULL, NULL);
	pg->held = pg->broken = false;
}

void
pg_rollback(struct pg *pg)
{
	if (!pg->broken)
		pg_query(pg, "transaction_rollback", NULL, NULL, NULL);
	pg->held = pg->broken = false;
}

/* ---- answers ---- */

/* true: the connection is to be given up. */
static bool
take_error(struct pg *pg, struct pg_batch *batch, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	int query = batch->prepares;
	enum pg_remedy remedy;

	if (query < 0) {
		size_t at =
		    batch->answered < batch->count ? batch->answered : batch->count - 1;

		query = batch->list[at].query;
	}
	if (sqlstate == NULL || batch->err.kind != ERR_NONE)
		return false;
	remedy = pg_error(sqlstate, text, constraint, query_name(query), &batch->err);
	if (remedy == PG_FORGET_PLAN)
		pg->prepared[query] = NOT_PREPARED;
	return remedy == PG_RECONNECT;
}

/* An error that ends the session, or none of the server's at all. */
static bool
is_fatal(struct pg *pg, const PGresult *result)
{
	const char *severity =
	    PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	return PQstatus(pg->conn) == CONNECTION_BAD || severity == NULL ||
	       strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

/* What was sent behind it on the strength of it fails for the same reason. */
static void
blame_prepare(struct pg *pg, const struct pg_batch *failed)
{
	list_each (link, &pg->sent) {
		struct pg_batch *batch = container_of(link, struct pg_batch, link);

		for (size_t i = 0; i < batch->count; i++)
			if (batch->list[i].query == failed->prepares)
				batch->err = failed->err;
	}
}

static void
end_prepare(struct pg *pg, struct pg_batch *batch)
{
	bool failed = batch->err.kind != ERR_NONE;

	pg->prepared[batch->prepares] = failed ? NOT_PREPARED : PREPARED;
	if (failed)
		blame_prepare(pg, batch);
	if (failed && batch->err.kind != ERR_RETRY)
		log_error("postgres.refused",
			  F_STR("statement", query_name(batch->prepares)),
			  F_STR("why", batch->err.text));
	batch_free(batch);
}

static void
end_batch(struct pg *pg, struct pg_batch *batch)
{
	list_remove(&batch->link);
	if (batch->prepares >= 0) {
		end_prepare(pg, batch);
		return;
	}
	pg->pending--;
	pg->stats.round_trip_time += loop_mono(pg->loop) - batch->sent_at;
	if (batch->err.kind != ERR_NONE)
		pg->stats.failures++;
	else
		visit(batch, "after");
	tell(pg, batch);
}

/* One result; NULL ends those of a statement. -1: the connection is over, and we with
 * it perhaps. */
static int
take_result(struct pg *pg, PGresult *result)
{
	struct pg_batch *batch = container_of(pg->sent.next, struct pg_batch, link);
	bool give_up = false;

	if (result == NULL) {
		if (++batch->answered <= batch->count + 1)
			return 0;
		/* libpq has forgotten what was sent, as it does with a connection
		 * that it gave up while sending: it would say NULL for ever. */
		pg_conn_lost(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(result);
		end_batch(pg, batch);
		return pg->dead ? -1 : 0;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (batch->answered >= batch->count) {
			PQclear(result);
			return 0;
		}
		batch->list[batch->answered].result = result;
		return 0;
	case PGRES_PIPELINE_ABORTED:
		break;
	default:
		give_up = is_fatal(pg, result) || take_error(pg, batch, result);
		if (give_up)
			pg_conn_lost(pg, PQresultErrorMessage(result));
		break;
	}
	PQclear(result);
	return give_up ? -1 : 0;
}

/* Also what nobody asked for may not pile up. */
static void
tell_notified(struct pg *pg)
{
	PGnotify *notify;

	while ((notify = PQnotifies(pg->conn)) != NULL) {
		if (pg->conf.on_notify != NULL)
			pg->conf.on_notify(pg->conf.context, notify->relname,
					   notify->extra);
		PQfreemem(notify);
	}
}

static void
read_results(struct pg *pg)
{
	while (!list_empty(&pg->sent) && PQisBusy(pg->conn) == 0)
		if (take_result(pg, PQgetResult(pg->conn)) < 0)
			return;
	tell_notified(pg);
	if (PQstatus(pg->conn) == CONNECTION_BAD)
		pg_conn_lost(pg, PQerrorMessage(pg->conn));
	else
		pg_pipe_watch(pg);
}

void
pg_pipe_ready(struct pg *pg, unsigned ready)
{
	if ((ready & WATCH_READ) == 0) {
		flush(pg);
		return;
	}
	/* What came before the end is still worth reading. */
	if (PQconsumeInput(pg->conn) == 0 && list_empty(&pg->sent))
		pg_conn_lost(pg, PQerrorMessage(pg->conn));
	else
		read_results(pg);
}
