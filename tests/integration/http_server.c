/*
 * The HTTP server alone, with routes that make it show what it does: no database, no
 * queue. test_http.py drives it over real sockets.
 *
 *	http_server PORT|any:PORT|unix:PATH [NAME=VALUE]...
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "front/auth.h"
#include "front/front.h"
#include "front/listen.h"
#include "front/route.h"

static int handled; /* requests that reached a handler */
static int alive;   /* handlers that wait for something */

/* ---- echo and small answers ---- */

static void
on_echo(struct exchange *exchange)
{
	struct json *answer = json_new_object();
	const char *param = exchange_param(exchange, "name");
	size_t len;
	const char *body = exchange_body(exchange, &len);

	handled++;
	json_set(answer, "method", json_new_str(exchange_method(exchange)));
	json_set(answer, "path", json_new_str(exchange_path(exchange)));
	json_set(answer, "name", json_new_str(param));
	json_set(answer, "q", json_new_str(exchange_query(exchange, "q")));
	json_set(answer, "who", json_new_str(exchange_who(exchange)));
	json_set(answer, "trace",
		 json_new_str(exchange_header(exchange, "traceparent")));
	json_set(answer, "length", json_new_int((int64_t)len));
	json_set(answer, "body", json_new_str_len(body, len));
	reply_json(exchange, 200, answer);
}

static void
on_json(struct exchange *exchange)
{
	struct json *json;

	handled++;
	if (exchange_json(exchange, &json) == 0)
		reply_json(exchange, 201, json_ref(json));
}

static void
on_small(struct exchange *exchange)
{
	static const char text[] =
	    "{\"executionId\":\"0191f9c2-7d5b-7e3a-8c1d-000000000001\","
	    "\"status\":\"PENDING\"}";

	handled++;
	reply_json_text(exchange, 200, text, sizeof text - 1);
}

static void
on_count(struct exchange *exchange)
{
	struct listen_stats stats = listener_counts(exchange_front(exchange)->listener);
	struct json *answer = json_new_object();

	json_set(answer, "handled", json_new_int(handled));
	json_set(answer, "alive", json_new_int(alive));
	json_set(answer, "open", json_new_int((int64_t)stats.open));
	json_set(answer, "refused", json_new_int((int64_t)stats.refused));
	json_set(answer, "evicted", json_new_int((int64_t)stats.evicted));
	reply_json(exchange, 200, answer);
}

static void
on_error(struct exchange *exchange)
{
	struct err err = { 0 };

	err_set(&err, (enum err_kind)atoi(exchange_query(exchange, "kind")),
		"why\n\"x\"");
	reply_err(exchange, &err);
}

static void
on_header(struct exchange *exchange)
{
	reply_header(exchange, "X-Given", exchange_query(exchange, "value"));
	reply_empty(exchange, 204);
}

static void
on_metrics(struct exchange *exchange)
{
	struct buf text = { 0 };

	http_stats_write(listener_stats(exchange_front(exchange)->listener), &text);
	reply_text(exchange, 200, "text/plain; version=0.0.4", text.data, text.len);
	buf_fini(&text);
}

/* ---- slow answers ---- */

struct slow {
	struct list link; /* in all_slow */
	struct exchange *exchange;
	struct timer *timer;
};

static struct list all_slow = { &all_slow, &all_slow };

static void
slow_free(void *state)
{
	struct slow *slow = state;

	list_remove(&slow->link);
	timer_free(&slow->timer);
	free(slow);
	alive--;
}

static void
on_slow_over(void *context)
{
	struct slow *slow = context;

	reply_text(slow->exchange, 200, "text/plain", "slow", 4);
}

static struct slow *
slow_new(struct exchange *exchange, loop_fn *fn)
{
	struct slow *slow = xcalloc(1, sizeof *slow);
	const char *ms = exchange_query(exchange, "ms");

	handled++;
	alive++;
	list_push(&all_slow, &slow->link);
	slow->exchange = exchange;
	slow->timer = timer_new(exchange_front(exchange)->loop, fn, slow);
	timer_set(slow->timer, (ms != NULL ? atoi(ms) : 100) * USEC_MS);
	return slow;
}

static void
on_slow(struct exchange *exchange)
{
	exchange_set_state(exchange, slow_new(exchange, on_slow_over), slow_free);
}

/* Holds the exchange without telling it, as a handler that cannot be stopped does. */
static void
on_stubborn_over(void *context)
{
	struct slow *slow = context;
	size_t len;
	const char *body = exchange_body(slow->exchange, &len);
	char *copy = xmemdup(body, len);

	reply_text(slow->exchange, 200, "text/plain", copy, len);
	free(copy);
	slow_free(slow);
}

static void
on_stubborn(struct exchange *exchange)
{
	slow_new(exchange, on_stubborn_over);
}

/* Before the listener goes: what could still answer. */
static void
stop_stubborn(void)
{
	list_each_safe (link, &all_slow) {
		struct slow *slow = container_of(link, struct slow, link);

		if (exchange_state(slow->exchange) == NULL)
			slow_free(slow);
	}
}

/* ---- streams ---- */

struct stream_state {
	struct exchange *exchange;
	long left;
};

static void
stream_state_free(void *state)
{
	free(state);
	alive--;
}

static void
on_stream_drained(struct exchange *exchange)
{
	struct stream_state *state = exchange_state(exchange);
	char piece[1000];

	memset(piece, 'x', sizeof piece);
	for (; state->left > 0 && reply_unsent(exchange) < 65536; state->left--)
		reply_piece(exchange, piece, sizeof piece);
	if (state->left == 0)
		reply_end(exchange);
}

static void
on_stream(struct exchange *exchange)
{
	struct stream_state *state = xcalloc(1, sizeof *state);
	const char *count = exchange_query(exchange, "count");

	handled++;
	alive++;
	state->exchange = exchange;
	state->left = count != NULL ? atol(count) : 10;
	exchange_set_state(exchange, state, stream_state_free);
	reply_begin(exchange, 200, "text/plain", on_stream_drained);
	on_stream_drained(exchange);
}

/* Never looks whether the client reads. */
static void
on_flood_time(void *context)
{
	struct slow *slow = context;
	static char piece[65536];

	for (int i = 0; i < 8; i++)
		reply_piece(slow->exchange, piece, sizeof piece);
	timer_set(slow->timer, 1 * USEC_MS);
}

static void
on_flood(struct exchange *exchange)
{
	exchange_set_state(exchange, slow_new(exchange, on_flood_time), slow_free);
	reply_begin(exchange, 200, "text/plain", NULL);
}

/* ---- files ---- */

static void
on_file(struct exchange *exchange)
{
	int fd = open(exchange_query(exchange, "path"), O_RDONLY | O_CLOEXEC);

	handled++;
	if (fd < 0)
		reply_problem(exchange, 404, NULL, "no such file");
	else
		reply_file(exchange, fd, "application/octet-stream",
			   exchange_query(exchange, "as"));
}

static void on_drain(struct exchange *exchange);

static const struct route routes[] = {
	{ "GET", "/small", ROLE_NONE, 0, false, on_small, NULL },
	{ "GET", "/count", ROLE_NONE, 0, false, on_count, NULL },
	{ "GET", "/metrics", ROLE_NONE, 0, false, on_metrics, NULL },
	{ "GET", "/error", ROLE_NONE, 0, false, on_error, NULL },
	{ "GET", "/header", ROLE_NONE, 0, false, on_header, NULL },
	{ "GET", "/echo", ROLE_NONE, 0, false, on_echo, NULL },
	{ "POST", "/echo", ROLE_NONE, 0, false, on_echo, NULL },
	{ "POST", "/tiny", ROLE_NONE, 64, false, on_echo, NULL },
	{ "GET", "/", ROLE_NONE, 64, false, on_echo, NULL },
	{ "POST", "/", ROLE_NONE, 64, false, on_echo, NULL },
	{ "GET", "/echo/:name", ROLE_NONE, 0, false, on_echo, NULL },
	{ "POST", "/json", ROLE_NONE, 0, false, on_json, NULL },
	{ "GET", "/slow", ROLE_NONE, 0, false, on_slow, NULL },
	{ "GET", "/poll", ROLE_NONE, 0, true, on_slow, NULL },
	{ "POST", "/stubborn", ROLE_NONE, 0, false, on_stubborn, NULL },
	{ "GET", "/stream", ROLE_NONE, 0, true, on_stream, NULL },
	{ "GET", "/flood", ROLE_NONE, 0, true, on_flood, NULL },
	{ "GET", "/file", ROLE_NONE, 0, false, on_file, NULL },
	{ "POST", "/drain", ROLE_NONE, 0, false, on_drain, NULL },
	{ "GET", "/api/things/:name", ROLE_VIEWER, 0, false, on_echo, NULL },
	{ "POST", "/api/things/:name", ROLE_ADMIN, 0, false, on_echo, NULL },
	{ 0 },
};

/* ---- the program ---- */

static void
stop(void *context)
{
	struct front *front = context;

	loop_stop(front->loop);
}

static void
on_drain(struct exchange *exchange)
{
	struct front *front = exchange_front(exchange);

	front->draining = true;
	reply_empty(exchange, 204);
	listener_drain(front->listener, true, stop, front);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, 1024) < 0)
		return -1;
	return fd;
}

static int
listen_port(uint32_t address, int port)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(address) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&where, sizeof where) < 0 ||
	    listen(fd, 1024) < 0)
		return -1;
	return fd;
}

static int
listen_at(const char *where)
{
	if (strncmp(where, "unix:", 5) == 0)
		return listen_unix(where + 5);
	if (strncmp(where, "any:", 4) == 0)
		return listen_port(INADDR_ANY, atoi(where + 4));
	return listen_port(INADDR_LOOPBACK, atoi(where));
}

static void
set(struct settings *settings, const char *name, long value)
{
	if (strcmp(name, "body_max") == 0)
		settings->http_body_max = value;
	else if (strcmp(name, "connections_max") == 0)
		settings->http_connections_max = value;
	else if (strcmp(name, "header_ms") == 0)
		settings->http_header_timeout = value * USEC_MS;
	else if (strcmp(name, "request_ms") == 0)
		settings->http_request_timeout = value * USEC_MS;
	else if (strcmp(name, "debug") == 0)
		log_set_level(value != 0 ? LOG_DEBUG : LOG_INFO);
	else if (strcmp(name, "keepalive_ms") == 0)
		settings->http_keepalive_timeout = value * USEC_MS;
	else
		bug("no setting %s", name);
}

static void
read_settings(struct settings *settings, char **argv)
{
	*settings = (struct settings){
		.http_body_max = 4 * 1024 * 1024,
		.http_header_max = 32 * 1024,
		.http_connections_max = 1024,
		.http_header_timeout = 10 * USEC_SECOND,
		.http_request_timeout = 30 * USEC_SECOND,
		.http_keepalive_timeout = 60 * USEC_SECOND,
		.development = true,
	};
	for (; *argv != NULL; argv++) {
		char *equals = strchr(*argv, '=');

		*equals = '\0';
		set(settings, *argv, atol(equals + 1));
	}
}

int
main(int argc, char **argv)
{
	static const struct route *const tables[] = { routes, NULL };
	struct err err = { 0 };
	struct settings settings;
	struct front front = { .settings = &settings };
	struct listen_conf conf = { .fds_count = 1, .tables = tables };
	struct signal_watch *term;
	int fd;

	if (argc < 2)
		return 2;
	log_open("http_server", LOG_INFO, LOG_TEXT);
	read_settings(&settings, argv + 2);
	fd = listen_at(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	conf.fds = &fd;
	front.loop = loop_new(&err);
	front.auth = auth_new(&front);
	front.listener = listener_new(&front, &conf, &err);
	if (front.listener == NULL)
		bug("%s", err.text);
	term = signal_watch_new(front.loop, SIGTERM, stop, &front);
	log_info("server.started", F_STR("listen", argv[1]));
	loop_run(front.loop);
	signal_watch_free(&term);
	stop_stubborn();
	listener_free(&front.listener);
	auth_free(&front.auth);
	loop_free(&front.loop);
	return 0;
}
