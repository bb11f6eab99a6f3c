/*
 * The load: requests over kept connections, so many in flight at most. A server that
 * says "later" is asked again later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "bench/bench.h"
#include "clock.h"
#include "httpc/httpc.h"

#define CALL_TIMEOUT (60 * USEC_SECOND)
#define REPLY_MAX    (4 * 1024 * 1024)
#define LATER        (20 * USEC_MS)

struct lane; /* one request at a time */

struct load {
	struct server *server;
	const struct workload *workload;
	struct loop *loop;
	struct httpc *httpc;
	struct timer *deadline;
	struct lane *lanes;
	size_t lanes_count, idle;
	long left; /* to be sent */
	char *execute_url;
	const char *headers[4];
	struct triggered *out;
	struct err *err;
};

struct lane {
	struct load *load;
	struct timer *later;
	struct uuid run; /* being waited for, one by one */
};

static void send_next(struct lane *lane);

static void
give_up(struct load *load)
{
	load->left = 0;
	loop_stop(load->loop);
}

static void
rest(struct lane *lane)
{
	if (++lane->load->idle == lane->load->lanes_count)
		loop_stop(lane->load->loop);
}

static void
note_run(struct triggered *out, const struct uuid *id)
{
	if (out->accepted++ == 0)
		out->first = out->last = *id;
	if (uuid_compare(id, &out->first) < 0)
		out->first = *id;
	if (uuid_compare(id, &out->last) > 0)
		out->last = *id;
}

static int
read_id(const struct http_response *response, struct uuid *id)
{
	struct json *body = NULL;
	struct err ignored = { 0 };
	const char *text;
	bool good;

	if (json_parse(buf_text(&response->body), response->body.len, &body, &ignored) <
	    0)
		body = NULL;
	text = json_str(json_get(body, "executionId"));
	good = text != NULL && uuid_parse(text, strlen(text), id);
	json_unref(&body);
	return good ? 0 : -1;
}

/* true: it was said what is wrong, and the load ends. */
static bool
is_fatal(struct load *load, const struct http_response *response, const struct err *err,
	 int expected)
{
	if (response == NULL)
		*load->err = *err;
	else if (response->status != expected && response->status != 503 &&
		 response->status != 429)
		err_set(load->err, ERR_SYSTEM, "HTTP %d: %.300s", response->status,
			buf_text(&response->body));
	else
		return false;
	give_up(load);
	return true;
}

static void
request(struct lane *lane, const char *method, const char *url, http_done_fn *done)
{
	const struct http_request request = {
		.method = method,
		.url = url,
		.headers = lane->load->headers,
		.body = "{}",
		.body_len = strcmp(method, "POST") == 0 ? 2 : 0,
		.timeout = CALL_TIMEOUT,
		.reply_max = REPLY_MAX,
		.unix_socket = server_socket(lane->load->server),
	};

	httpc_send(lane->load->httpc, &request, done, lane);
}

/* ---- one by one: until the run is over ---- */

static void await_end(struct lane *lane);

static void
on_events(void *context, const struct http_response *response, const struct err *err)
{
	struct lane *lane = context;
	struct json *body = NULL;
	struct err ignored = { 0 };
	bool over;

	if (is_fatal(lane->load, response, err, 200))
		return;
	if (json_parse(buf_text(&response->body), response->body.len, &body, &ignored) <
	    0)
		body = NULL;
	over = json_bool(json_get(body, "over"));
	json_unref(&body);
	if (over)
		send_next(lane);
	else
		await_end(lane);
}

/* Of a run of n steps the last event has the number 2 n + 2: asked for that one only,
 * the server answers when all is over. */
static void
await_end(struct lane *lane)
{
	char id[UUID_TEXT];
	char *url =
	    xprintf("%s/api/executions/%s/events?since=%d&wait=30s",
		    server_base(lane->load->server), uuid_format(&lane->run, id),
		    2 * lane->load->workload->steps + 1);

	request(lane, "GET", url, on_events);
	free(url);
}

/* ---- triggering ---- */

static void
on_accepted(void *context, const struct http_response *response, const struct err *err)
{
	struct lane *lane = context;
	struct load *load = lane->load;

	if (is_fatal(load, response, err, 202))
		return;
	if (response->status != 202) {
		load->out->refused++;
		load->left++;
		timer_set(lane->later, LATER);
		return;
	}
	if (read_id(response, &lane->run) < 0) {
		err_set(load->err, ERR_SYSTEM, "the server's answer names no run");
		give_up(load);
		return;
	}
	note_run(load->out, &lane->run);
	if (load->workload->one_by_one)
		await_end(lane);
	else
		send_next(lane);
}

static void
send_next(struct lane *lane)
{
	if (lane->load->left == 0) {
		rest(lane);
		return;
	}
	lane->load->left--;
	request(lane, "POST", lane->load->execute_url, on_accepted);
}

static void
on_later(void *context)
{
	send_next(context);
}

static void
on_deadline(void *context)
{
	struct load *load = context;

	err_set(load->err, ERR_RETRY, "not all runs were accepted in time");
	give_up(load);
}

static int
load_init(struct load *load, long in_flight)
{
	const char *key = server_authorization(load->server);

	load->loop = loop_new(load->err);
	load->httpc = load->loop ? httpc_new(load->loop, load->err) : NULL;
	if (load->httpc == NULL)
		return -1;
	load->deadline = timer_new(load->loop, on_deadline, load);
	load->headers[0] = "Content-Type: application/json";
	load->headers[1] = key;
	load->execute_url =
	    xprintf("%s/api/workflows/%s/execute", server_base(load->server),
		    load->workload->workflow);
	load->lanes_count = (size_t)in_flight;
	load->lanes = xcalloc(load->lanes_count, sizeof *load->lanes);
	for (size_t i = 0; i < load->lanes_count; i++) {
		load->lanes[i].load = load;
		load->lanes[i].later = timer_new(load->loop, on_later, &load->lanes[i]);
	}
	return 0;
}

static void
load_fini(struct load *load)
{
	httpc_free(&load->httpc);
	timer_free(&load->deadline);
	for (size_t i = 0; i < load->lanes_count; i++)
		timer_free(&load->lanes[i].later);
	loop_free(&load->loop);
	free(load->lanes);
	free(load->execute_url);
}

int
bench_trigger(struct server *server, const struct workload *workload, long runs,
	      long in_flight, usec_t timeout, struct triggered *triggered,
	      struct err *err)
{
	struct load load = { .server = server,
			     .workload = workload,
			     .left = runs,
			     .out = triggered,
			     .err = err };
	usec_t start = clock_mono();

	*triggered = (struct triggered){ 0 };
	if (workload->one_by_one)
		in_flight = 1;
	if (load_init(&load, in_flight < runs ? in_flight : runs) == 0) {
		timer_set(load.deadline, timeout);
		for (size_t i = 0; i < load.lanes_count; i++)
			send_next(&load.lanes[i]);
		loop_run(load.loop);
	}
	triggered->time = clock_mono() - start;
	load_fini(&load);
	return err->kind == ERR_NONE ? 0 : -1;
}
