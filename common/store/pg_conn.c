/*
 * One connection that comes back by itself: resolve, connect, set up, lose, wait,
 * again. The session's settings travel as start-up options, so setting it up costs no
 * round trip. What is sent on it is none of this room's business.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "store/pg_priv.h"
#include "store/query.h"

#define CONNECT_PATIENCE (5 * USEC_SECOND)
#define RESOLVER_LOOK    (5 * USEC_MS)
#define BACKOFF_FIRST    (100 * USEC_MS)
#define BACKOFF_LEAST    (10 * USEC_MS)
#define BACKOFF_MOST     (2 * USEC_SECOND)
/* A server that is full needs fewer who knock. */
#define BACKOFF_CROWDED (5 * USEC_SECOND)
#define SERVER_LEAST    150000

static void connect_step(struct pg *pg);

/* Full jitter: anything up to the ceiling, which doubles with each failure. */
static usec_t
backoff(const struct pg *pg, bool crowded)
{
	usec_t most = crowded ? BACKOFF_CROWDED : BACKOFF_MOST;
	usec_t ceiling = BACKOFF_FIRST;

	for (int i = 1; i < pg->failures && ceiling < most; i++)
		ceiling *= 2;
	if (ceiling > most)
		ceiling = most;
	return BACKOFF_LEAST + (usec_t)arc4random_uniform((uint32_t)ceiling);
}

/* Once per change: a server that stays away for an hour is one line. */
static void
say_lost(struct pg *pg, const char *why)
{
	if (pg->said_lost)
		return;
	pg->said_lost = true;
	log_warn("postgres.lost", F_STR("server", pg_address_shown(pg->address)),
		 F_STR("why", why));
	if (pg->was_up && pg->conf.on_state != NULL)
		pg->conf.on_state(pg->conf.context, false);
}

static void
close_connection(struct pg *pg)
{
	watch_free(&pg->watch);
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->phase = PG_AWAY;
	timer_stop(pg->patience);
	memset(pg->prepared, NOT_PREPARED, query_count());
}

/* libpq ends its texts with a newline, and several hosts give several lines. */
static char *
one_line(const char *text)
{
	char *copy = xstrdup(text);
	size_t len = strlen(copy);

	while (len > 0 && copy[len - 1] == '\n')
		copy[--len] = '\0';
	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	return copy;
}

/* libpq gives no SQLSTATE of a refused connection. */
static bool
is_crowded(const char *why)
{
	return strstr(why, "too many clients") != NULL ||
	       strstr(why, "remaining connection slots") != NULL ||
	       strstr(why, "too many connections") != NULL;
}

static void
try_later(struct pg *pg, const char *text)
{
	char *why = one_line(text);

	pg->failures++;
	close_connection(pg);
	timer_set(pg->retry, backoff(pg, is_crowded(why)));
	say_lost(pg, why);
	free(why);
}

void
pg_conn_lost(struct pg *pg, const char *text)
{
	char *why = one_line(text);

	pg->stats.failures++;
	pg_pipe_fail_all(pg, why);
	try_later(pg, why);
	free(why);
}

static void
on_ready(void *context, unsigned ready)
{
	struct pg *pg = context;

	if (pg->phase == PG_CONNECTING)
		connect_step(pg);
	else
		pg_pipe_ready(pg, ready);
}

/* The descriptor may have changed: another host, or TLS refused. */
static void
watch_anew(struct pg *pg, unsigned want)
{
	watch_free(&pg->watch);
	pg->watch = watch_new(pg->loop, PQsocket(pg->conn), want, on_ready, pg);
}

static void
on_notice(void *context, const PGresult *result)
{
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	(void)context;
	log_debug("postgres.noticed", F_STR("text", text));
}

static void
listen(struct pg *pg)
{
	for (const char *const *name = pg->conf.listen; name != NULL && *name != NULL;
	     name++)
		pg_query(pg, *name, NULL, NULL, NULL);
}

static void
set_up(struct pg *pg)
{
	if (PQserverVersion(pg->conn) < SERVER_LEAST) {
		try_later(pg, "the server is older than PostgreSQL 15");
		return;
	}
	if (PQsetnonblocking(pg->conn, 1) < 0 || PQenterPipelineMode(pg->conn) == 0) {
		try_later(pg, PQerrorMessage(pg->conn));
		return;
	}
	watch_anew(pg, WATCH_READ);
	timer_stop(pg->patience);
	pg->phase = PG_UP;
	pg->failures = 0;
	pg->stats.reconnects += pg->was_up;
	pg->was_up = true;
	pg->said_lost = false;
	arc4random_buf(&pg->session, sizeof pg->session);
	pg->session_worker = (struct uuid){ { 0 } };
	log_info("postgres.connected", F_STR("server", pg_address_shown(pg->address)),
		 F_INT("backend", PQbackendPID(pg->conn)));
	listen(pg);
	if (pg->conf.on_state != NULL)
		pg->conf.on_state(pg->conf.context, true);
}

static void
connect_step(struct pg *pg)
{
	switch (PQconnectPoll(pg->conn)) {
	case PGRES_POLLING_READING:
		watch_anew(pg, WATCH_READ);
		break;
	case PGRES_POLLING_WRITING:
		watch_anew(pg, WATCH_WRITE);
		break;
	case PGRES_POLLING_OK:
		set_up(pg);
		break;
	default:
		try_later(pg, PQerrorMessage(pg->conn));
		break;
	}
}

static void
connect_begin(struct pg *pg)
{
	const char *const *keywords, *const *values;
	struct err err = { 0 };

	if (pg_address_params(pg->address, &keywords, &values, &err) < 0) {
		try_later(pg, err.text);
		return;
	}
	pg->phase = PG_CONNECTING;
	pg->conn = PQconnectStartParams(keywords, values, 0);
	if (pg->conn == NULL)
		bug("out of memory");
	if (PQstatus(pg->conn) == CONNECTION_BAD) {
		try_later(pg, PQerrorMessage(pg->conn));
		return;
	}
	PQsetNoticeReceiver(pg->conn, on_notice, NULL);
	timer_set(pg->patience, CONNECT_PATIENCE);
	watch_anew(pg, WATCH_WRITE);
}

static void
on_retry(void *context)
{
	struct pg *pg = context;

	if (pg->phase == PG_AWAY) {
		pg->phase = PG_RESOLVING;
		pg_address_resolve(pg->address);
	}
	if (pg_address_is_resolving(pg->address))
		timer_set(pg->retry, RESOLVER_LOOK);
	else
		connect_begin(pg);
}

static void
on_patience_over(void *context)
{
	struct pg *pg = context;

	if (pg->phase == PG_UP)
		pg_conn_lost(pg, "the server does not answer");
	else
		try_later(pg, "connecting takes too long");
}

void
pg_conn_start(struct pg *pg)
{
	pg->retry = timer_new(pg->loop, on_retry, pg);
	pg->patience = timer_new(pg->loop, on_patience_over, pg);
	timer_set(pg->retry, 0);
}

void
pg_conn_end(struct pg *pg)
{
	close_connection(pg);
	timer_free(&pg->retry);
	timer_free(&pg->patience);
}
