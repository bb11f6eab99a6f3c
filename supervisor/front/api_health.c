/* For load balancers and Prometheus: healthz, readyz, metrics. No key is asked. */
#include <stdlib.h>
#include <string.h>

#include "front/api.h"
#include "front/discovery.h"
#include "front/http_stats.h"
#include "front/listen.h"
#include "front/ws.h"

/* ---- is the process there, is it ready ---- */

static void
on_healthz(struct exchange *exchange)
{
	reply_text(exchange, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void
reply_ready(struct exchange *exchange, bool postgres)
{
	struct front *front = exchange_front(exchange);
	bool discovered = discovery_is_done(front->discovery);
	bool ready = postgres && discovered && !front->draining;
	struct json *body = json_new_object();

	json_set(body, "ready", json_new_bool(ready));
	json_set(body, "postgresql", json_new_bool(postgres));
	json_set(body, "redis", json_new_bool(queue_is_up(front->queue)));
	json_set(body, "discovered", json_new_bool(discovered));
	json_set(body, "draining", json_new_bool(front->draining));
	if (!ready)
		reply_header(exchange, "Retry-After", "1");
	reply_json(exchange, ready ? 200 : 503, body);
}

static void
on_alive(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)err;
	reply_ready(context, rows != NULL);
}

/* Not behind a thousand answers that others wait for: they say nothing about
 * PostgreSQL. */
static struct pg *
less_busy(struct front *front)
{
	return pg_pending(front->write) < pg_pending(front->read) ? front->write
								  : front->read;
}

static void
on_readyz(struct exchange *exchange)
{
	struct front *front = exchange_front(exchange);

	if (front->draining || !front_reaches_postgresql(front))
		reply_ready(exchange, front_reaches_postgresql(front));
	else
		api_query(exchange, less_busy(front), "health", NULL, on_alive);
}

/* ---- metrics ---- */

struct metric {
	const char *what; /* in metrics.sql */
	const char *name, *label, *help;
};

static const struct metric counted[] = {
	{ "runs", "stepmill_runs", "status", "Runs that are not over, by status." },
	{ "ready", "stepmill_queue_depth", "queue",
	  "Steps that are ready, up to 10000." },
	{ "ready_age_ms", "stepmill_queue_oldest_milliseconds", "queue",
	  "Age of the oldest ready step." },
	{ "held", "stepmill_steps_held", "what", "Steps that run now." },
	{ "delayed", "stepmill_steps_delayed", "what", "Steps that wait for a time." },
	{ "workers", "stepmill_workers", "status", "Worker processes by status." },
	{ "slots", "stepmill_worker_slots", "kind", "Slots of living workers." },
};

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value with \, " and newline escaped (exposition format 0.0.4). */
static void
label_value(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			buf_char(out, '\\');
		if (*text == '\n')
			buf_str(out, "\\n");
		else
			buf_char(out, *text);
	}
}

static void
write_counted(struct buf *out, const struct pg_rows *rows)
{
	for (size_t m = 0; m < sizeof counted / sizeof *counted; m++) {
		head(out, counted[m].name, "gauge", counted[m].help);
		for (int i = 0; i < pg_count(rows); i++) {
			if (strcmp(pg_text(rows, i, 0, NULL), counted[m].what) != 0)
				continue;
			buf_printf(out, "%s{%s=\"", counted[m].name, counted[m].label);
			label_value(out, pg_text(rows, i, 1, NULL));
			buf_printf(out, "\"} %lld\n", (long long)pg_int(rows, i, 2));
		}
	}
}

static void
number(struct buf *out, const char *name, const char *type, const char *help,
       double value)
{
	head(out, name, type, help);
	buf_printf(out, "%s %.17g\n", name, value);
}

static void
write_doors(struct buf *out, struct front *front)
{
	const struct pg_stats *pg = pg_stats(front->write);
	const struct queue_stats *queue = queue_stats(front->queue);

	number(out, "stepmill_front_postgresql_round_trips_total", "counter",
	       "Round trips of this front's writing connection.",
	       (double)pg->round_trips);
	number(out, "stepmill_front_postgresql_round_trip_seconds_total", "counter",
	       "Time they took.", (double)pg->round_trip_time / 1e6);
	number(out, "stepmill_front_postgresql_transactions_total", "counter",
	       "Transactions sent.", (double)pg->transactions);
	number(out, "stepmill_front_redis_pushed_total", "counter",
	       "Queue entries pushed by this front.", (double)queue->pushed);
	number(out, "stepmill_front_redis_dropped_total", "counter",
	       "Queue entries and messages dropped because Redis was away or full.",
	       (double)queue->dropped);
	number(out, "stepmill_redis_up", "gauge", "Is Redis connected.",
	       queue_is_up(front->queue) ? 1 : 0);
	number(out, "stepmill_front_loop_lag_seconds", "gauge",
	       "Longest turn of the event loop in the last ten seconds.",
	       (double)loop_lag(front->loop) / 1e6);
}

static void
write_sockets(struct buf *out, struct front *front)
{
	number(out, "stepmill_front_websocket_clients", "gauge",
	       "WebSockets that are open on this front.", (double)ws_count(front->ws));
}

static void
on_counted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct front *front = exchange_front(exchange);
	struct buf out = { 0 };

	(void)err;
	number(&out, "stepmill_postgresql_up", "gauge", "Does PostgreSQL answer.",
	       rows != NULL ? 1 : 0);
	if (rows != NULL)
		write_counted(&out, rows);
	write_doors(&out, front);
	write_sockets(&out, front);
	http_stats_write(listener_stats(front->listener), &out);
	reply_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", out.data,
		   out.len);
	buf_fini(&out);
}

static void
on_metrics(struct exchange *exchange)
{
	api_read(exchange, "metrics", NULL, on_counted);
}

/* clang-format off */
const struct route routes_health[] = {
	{ "GET", "/healthz", ROLE_NONE, 0, false, on_healthz, NULL },
	{ "GET", "/readyz",  ROLE_NONE, 0, false, on_readyz, NULL },
	{ "GET", "/metrics", ROLE_NONE, 0, false, on_metrics, NULL },
	{ 0 },
};
/* clang-format on */
