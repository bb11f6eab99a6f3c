/*
 * The load: so many kept connections, a request in flight on each. A server that says
 * "later" is asked again later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "bench/bench.h"
#include "bench/client.h"
#include "clock.h"

#define LATER (20 * USEC_MS)

struct lane;

struct load {
	struct server *server;
	const struct workload *workload;
	struct client_address *address;
	struct loop *loop;
	struct timer *deadline;
	struct lane *lanes;
	size_t lanes_count, idle;
	long left;     /* to be sent */
	char *execute; /* the request that triggers a run */
	size_t execute_len;
	struct triggered *out;
	struct err *err;
};

/* One connection: triggers a run; one by one it also waits for its end. */
struct lane {
	struct load *load;
	struct client *client;
	struct timer *later;
	struct uuid run;
	bool waits; /* for the end of the run */
};

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
send_next(struct lane *lane)
{
	if (lane->load->left == 0) {
		rest(lane);
		return;
	}
	lane->load->left--;
	lane->waits = false;
	client_send(lane->client, lane->load->execute, lane->load->execute_len);
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

/* The head of a request, up to what only some have. */
static void
put_head(const struct load *load, const char *method, const char *path, struct buf *out)
{
	const char *key = server_authorization(load->server);

	buf_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path,
		   client_host(load->address));
	if (key != NULL)
		buf_printf(out, "%s\r\n", key);
}

/* Of a run of n steps the last event has the number 2 n + 2: asked for that one only,
 * the server answers when all is over. */
static void
await_end(struct lane *lane)
{
	char id[UUID_TEXT];
	char *path =
	    xprintf("/api/executions/%s/events?since=%d&wait=30s",
		    uuid_format(&lane->run, id), 2 * lane->load->workload->steps + 1);
	struct buf request = { 0 };

	put_head(lane->load, "GET", path, &request);
	buf_str(&request, "\r\n");
	lane->waits = true;
	client_send(lane->client, buf_text(&request), request.len);
	buf_fini(&request);
	free(path);
}

static void
on_accepted(struct lane *lane, const struct json *answer)
{
	const char *text = json_str(json_get(answer, "executionId"));

	if (text == NULL || !uuid_parse(text, strlen(text), &lane->run)) {
		err_set(lane->load->err, ERR_SYSTEM,
			"the server's answer names no run");
		give_up(lane->load);
		return;
	}
	note_run(lane->load->out, &lane->run);
	if (lane->load->workload->one_by_one)
		await_end(lane);
	else
		send_next(lane);
}

static void
on_events(struct lane *lane, const struct json *answer)
{
	if (json_bool(json_get(answer, "over")))
		send_next(lane);
	else
		await_end(lane);
}

static void
on_answer(void *context, int status, const char *body, size_t len,
	  const struct err *err)
{
	struct lane *lane = context;
	struct load *load = lane->load;
	struct json *answer = NULL;
	struct err ignored = { 0 };

	if (status == 503 || status == 429) {
		load->out->refused++;
		load->left += lane->waits ? 0 : 1;
		timer_set(lane->later, LATER);
		return;
	}
	if (status == 0)
		*load->err = *err;
	else if (status != 200 && status != 202)
		err_set(load->err, ERR_SYSTEM, "HTTP %d: %.*s", status,
			(int)(len < 300 ? len : 300), body);
	if (load->err->kind != ERR_NONE) {
		give_up(load);
		return;
	}
	if (json_parse(body, len, &answer, &ignored) < 0)
		answer = NULL;
	if (lane->waits)
		on_events(lane, answer);
	else
		on_accepted(lane, answer);
	json_unref(&answer);
}

static void
on_later(void *context)
{
	struct lane *lane = context;

	if (lane->waits)
		await_end(lane);
	else
		send_next(lane);
}

static void
on_deadline(void *context)
{
	struct load *load = context;

	err_set(load->err, ERR_RETRY, "not all runs were accepted in time");
	give_up(load);
}

static void
make_request(struct load *load)
{
	char *path = xprintf("/api/workflows/%s/execute", load->workload->workflow);
	struct buf request = { 0 };

	put_head(load, "POST", path, &request);
	buf_str(&request,
		"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
	load->execute_len = request.len;
	load->execute = buf_take(&request);
	free(path);
}

static int
load_init(struct load *load, size_t lanes)
{
	load->loop = loop_new(load->err);
	if (load->loop == NULL)
		return -1;
	load->deadline = timer_new(load->loop, on_deadline, load);
	load->address = client_address_new(server_base(load->server),
					   server_socket(load->server), load->err);
	if (load->address == NULL)
		return -1;
	make_request(load);
	load->lanes_count = lanes;
	load->lanes = xcalloc(load->lanes_count, sizeof *load->lanes);
	for (size_t i = 0; i < load->lanes_count; i++) {
		struct lane *lane = &load->lanes[i];

		lane->load = load;
		lane->client = client_new(load->loop, load->address, on_answer, lane);
		lane->later = timer_new(load->loop, on_later, lane);
	}
	return 0;
}

static void
load_fini(struct load *load)
{
	for (size_t i = 0; i < load->lanes_count; i++) {
		client_free(&load->lanes[i].client);
		timer_free(&load->lanes[i].later);
	}
	timer_free(&load->deadline);
	loop_free(&load->loop);
	client_address_free(&load->address);
	free(load->lanes);
	free(load->execute);
}

int
bench_trigger(struct server *server, const struct plan *plan,
	      struct triggered *triggered, struct err *err)
{
	struct load load = { .server = server,
			     .workload = plan->workload,
			     .left = plan->runs,
			     .out = triggered,
			     .err = err };
	long lanes = plan->workload->one_by_one     ? 1
		     : plan->in_flight < plan->runs ? plan->in_flight
						    : plan->runs;
	usec_t start = clock_mono();

	*triggered = (struct triggered){ 0 };
	if (load_init(&load, (size_t)lanes) == 0) {
		timer_set(load.deadline, plan->timeout);
		for (size_t i = 0; i < load.lanes_count; i++)
			send_next(&load.lanes[i]);
		loop_run(load.loop);
	}
	triggered->time = clock_mono() - start;
	load_fini(&load);
	return err->kind == ERR_NONE ? 0 : -1;
}
