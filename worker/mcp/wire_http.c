/*
 * A server over streamable HTTP: each message of ours is a POST, which is answered by
 * JSON or by a stream of events; a GET may bring what the server says by itself. A
 * stream that breaks is taken up again behind its last event, where it names them. The
 * address stands in the configuration and is allowed by that; redirects are not
 * followed, for they would take the headers along.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/list.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "mcp/lines_core.h"
#include "mcp/login.h"
#include "mcp/mcp_core.h"
#include "mcp/oauth_core.h"
#include "mcp/wire.h"
#include "sse_core.h"

#define HEADER_ROOM    8 /* of ours, beside those of the configuration */
#define SESSION_MAX    1024
#define NOTICE_TIMEOUT (30 * USEC_SECOND)
#define LEAVE_TIMEOUT  (2 * USEC_SECOND)
#define AGAIN          USEC_SECOND /* unless the server says when */
#define AGAIN_MAX      (30 * USEC_SECOND)
#define LOGINS_MAX     2 /* of one message */
#define RESUMES        5 /* of one answer, without an event between them */
#define STREAM_MAX     (64 * 1024 * 1024) /* bytes of an answer that is a stream */
#define LOST_SHOWN     300

enum post_kind {
	POST_MESSAGE, /* a message of ours and its answer */
	POST_LISTEN,  /* what the server says by itself */
	POST_LEAVE,   /* the end of the session */
};

struct http_wire;

struct post {
	struct list link;
	struct http_wire *wire;
	enum post_kind kind;
	int64_t id; /* of the request; -1 */
	struct http_call *call;
	struct timer *again;
	struct sse sse;
	struct buf text;    /* of the message */
	bool held;          /* it waits for the gate */
	int logins, serial; /* of the token that it was sent with */
	struct buf body;    /* of an answer that is no stream */
	size_t bytes;
	int tries, status;
	bool sent, is_stream, has_head;
	bool resumed;  /* a GET for what the POST did not bring to its end */
	bool answered; /* or given up: it is only to be freed */
};

struct http_wire {
	struct mcp_wire wire;
	struct list posts;
	char *session, *version; /* or NULL */
	struct timer *sweep;     /* frees what is over; tells the end */
	/* The greeting ends with a notification: everything else waits until the server
	 * has taken it. */
	struct post *gate;
	bool greeted, gated;
	bool closing, over;
};

static void listen_to(struct http_wire *wire);

static struct http_wire *
http_of(struct mcp_wire *wire)
{
	return (struct http_wire *)wire;
}

/* ---- the life of a post ---- */

static void
post_free(struct post *post)
{
	if (post->wire->wire.conf.login != NULL)
		mcp_login_forget(post->wire->wire.conf.login, post);
	http_call_cancel(&post->call);
	timer_free(&post->again);
	list_remove(&post->link);
	sse_fini(&post->sse);
	buf_fini(&post->body);
	buf_fini(&post->text);
	free(post);
}

static void open_gate(struct http_wire *wire);

static void
post_over(struct post *post)
{
	post->answered = true;
	if (post->wire->wire.conf.login != NULL)
		mcp_login_forget(post->wire->wire.conf.login, post);
	if (post->wire->gate == post)
		open_gate(post->wire);
	http_call_cancel(&post->call);
	timer_stop(post->again);
	timer_set(post->wire->sweep, 0);
}

static void
on_sweep(void *context)
{
	struct http_wire *wire = context;
	const struct mcp_loss loss = { .reach = MCP_UNKNOWN, .why = "closed" };

	list_each_safe (it, &wire->posts) {
		struct post *post = container_of(it, struct post, link);

		if (post->answered)
			post_free(post);
	}
	if (!wire->closing || wire->over || !list_empty(&wire->posts))
		return;
	wire->over = true;
	wire->wire.conf.events->on_end(wire->wire.conf.context, &loss);
}

static void
lose(struct post *post, enum mcp_reach reach, bool final, bool forgotten,
     const char *why)
{
	const struct mcp_wire_conf *conf = &post->wire->wire.conf;
	const struct mcp_loss loss = {
		.reach = post->resumed ? MCP_UNKNOWN : reach,
		.final = final && !post->resumed,
		.forgotten = forgotten,
		.why = why,
	};
	int64_t id = post->id;

	if (post->answered)
		return;
	post_over(post);
	if (id >= 0)
		conf->events->on_lost(conf->context, id, &loss);
}

/* ---- requests ---- */

struct header_list {
	char *list[NAMED_VALUES_MAX + HEADER_ROOM];
	size_t count;
};

static void
add_header(struct header_list *headers, const char *name, const char *value)
{
	if (value != NULL)
		headers->list[headers->count++] = xprintf("%s: %s", name, value);
}

static void
make_headers(struct post *post, struct header_list *headers)
{
	const struct http_wire *wire = post->wire;
	const struct named_values *own = &wire->wire.conf.server->headers;

	for (size_t i = 0; i < own->count; i++)
		add_header(headers, own->list[i].name, own->list[i].value);
	if (wire->wire.conf.login != NULL)
		add_header(headers, "Authorization",
			   mcp_login_header(wire->wire.conf.login, &post->serial));
	add_header(headers, "Mcp-Session-Id", wire->session);
	add_header(headers, "MCP-Protocol-Version", wire->version);
	if (post->kind == POST_MESSAGE && !post->is_stream)
		add_header(headers, "Content-Type", "application/json");
	if (post->kind != POST_LEAVE)
		add_header(headers, "Accept",
			   post->kind == POST_MESSAGE && !post->is_stream
			       ? "application/json, text/event-stream"
			       : "text/event-stream");
	if (post->sse.id.len > 0)
		add_header(headers, "Last-Event-ID", buf_text(&post->sse.id));
}

static void
free_headers(struct header_list *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		explicit_bzero(headers->list[i], strlen(headers->list[i]));
		free(headers->list[i]);
	}
}

static void on_head(void *context, const struct http_response *response);
static void on_data(void *context, const char *data, size_t len);
static void on_done(void *context, const struct http_response *response,
		    const struct err *err);

static void
send_post(struct post *post, const char *method, const struct buf *body, usec_t timeout)
{
	struct http_wire *wire = post->wire;
	struct header_list headers = { .count = 0 };

	make_headers(post, &headers);
	post->has_head = false;
	post->bytes = 0;
	buf_clear(&post->body);
	post->call = httpc_send(wire->wire.conf.httpc,
				&(struct http_request){
				    .method = method,
				    .url = wire->wire.conf.server->url,
				    .headers = (const char *const *)headers.list,
				    .body = body != NULL ? buf_text(body) : NULL,
				    .body_len = body != NULL ? body->len : 0,
				    .timeout = timeout,
				    .on_head = on_head,
				    .on_data = on_data,
				    .sent = &post->sent,
				},
				on_done, post);
	free_headers(&headers);
}

static void
send_text(struct post *post)
{
	send_post(post, "POST", &post->text, post->id < 0 ? NOTICE_TIMEOUT : 0);
}

static void
open_gate(struct http_wire *wire)
{
	wire->gate = NULL;
	if (wire->closing)
		return;
	list_each (it, &wire->posts) {
		struct post *post = container_of(it, struct post, link);

		if (post->answered || !post->held)
			continue;
		post->held = false;
		send_text(post);
	}
	listen_to(wire);
}

/* A stream is asked for behind its last event. */
static void
on_again(void *context)
{
	struct post *post = context;

	post->is_stream = true;
	send_post(post, "GET", NULL, 0);
}

static struct post *
post_new(struct http_wire *wire, enum post_kind kind, int64_t id)
{
	struct post *post = xcalloc(1, sizeof *post);

	post->wire = wire;
	post->kind = kind;
	post->id = id;
	post->again = timer_new(wire->wire.conf.loop, on_again, post);
	list_push(&wire->posts, &post->link);
	return post;
}

/* ---- answers ---- */

static bool
is_answer_to(const struct json *message, int64_t id)
{
	struct mcp_message read;
	struct err err = { 0 };

	return id >= 0 && mcp_read(message, &read, &err) == 0 &&
	       (read.kind == MCP_RESULT || read.kind == MCP_ERROR) && read.id == id;
}

static void
take_message(struct post *post, const char *text, size_t len)
{
	const struct mcp_wire_conf *conf = &post->wire->wire.conf;
	struct json *message = NULL;
	struct err err = { 0 };

	if (json_parse(text, len, &message, &err) < 0 ||
	    (json_type(message) != JSON_OBJECT && json_type(message) != JSON_ARRAY)) {
		conf->events->on_garbage(conf->context, text, len);
	} else {
		bool last = is_answer_to(message, post->id);

		for (size_t i = 0; json_type(message) == JSON_ARRAY &&
				   i < json_count(message) && !last;
		     i++)
			last = is_answer_to(json_at(message, i), post->id);
		if (last)
			post_over(post);
		conf->events->on_message(conf->context, message);
	}
	json_unref(&message);
}

/* An event without data only brings an id, to come back behind. */
static void
on_event(void *context, const char *event, const char *data, size_t len)
{
	struct post *post = context;

	(void)event;
	post->tries = 0;
	if (len > 0 && !post->answered)
		take_message(post, data, len);
}

/* The session begins with the answer to initialize. What cannot be a header again is
 * no session. */
static void
take_session(struct http_wire *wire, const struct http_response *response)
{
	const char *id = http_header(response, "mcp-session-id");

	if (id == NULL || wire->version != NULL || wire->session != NULL)
		return;
	for (const char *c = id; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return;
	if (*id != '\0' && strlen(id) <= SESSION_MAX)
		wire->session = xstrdup(id);
}

static void
on_head(void *context, const struct http_response *response)
{
	struct post *post = context;
	const char *type = http_header(response, "content-type");

	if (post->has_head)
		return;
	post->has_head = true;
	post->status = response->status;
	post->is_stream = response->status == 200 && type != NULL &&
			  strncasecmp(type, "text/event-stream", 17) == 0;
	if (post->kind == POST_MESSAGE && response->status / 100 == 2)
		take_session(post->wire, response);
}

static void
on_data(void *context, const char *data, size_t len)
{
	struct post *post = context;
	struct err err = { 0 };
	size_t most = post->is_stream ? STREAM_MAX : MCP_MESSAGE_MAX;
	bool endless = post->kind == POST_LISTEN && post->is_stream;

	if (post->answered)
		return;
	if (!endless && len > most - post->bytes) {
		lose(post, MCP_UNKNOWN, false, false, "its answer is too large");
		return;
	}
	post->bytes += endless ? 0 : len;
	if (!post->is_stream)
		buf_add(&post->body, data, len);
	else if (sse_feed(&post->sse, data, len, on_event, post, &err) < 0)
		lose(post, MCP_UNKNOWN, false, false,
		     "it sent an event that is too large");
}

/* ---- the end of an answer ---- */

/* What it says of the refusal: an error of JSON-RPC, or a text. */
static void
add_words(const struct post *post, struct buf *out)
{
	const struct buf *body = &post->body;
	struct json *json = NULL;
	struct err err = { 0 };
	struct buf words = { 0 };
	const char *message = NULL;

	if (json_parse(buf_text(body), body->len, &json, &err) == 0) {
		message = json_str(json_get(json_get(json, "error"), "message"));
		if (message == NULL)
			message = json_str(json_get(json, "message"));
	}
	if (message != NULL)
		buf_str(&words, message);
	else if (json == NULL)
		buf_add(&words, buf_text(body), body->len);
	buf_printf(out, "it answered HTTP %d", post->status);
	if (words.len > 0)
		buf_str(out, ": ");
	utf8_repair(buf_text(&words), words.len < LOST_SHOWN ? words.len : LOST_SHOWN,
		    out);
	buf_fini(&words);
	json_unref(&json);
}

/* The protocol has 404 for it; some servers say 400, and that it is the session. */
static bool
is_session_gone(const struct post *post, const char *words)
{
	if (post->wire->session == NULL)
		return false;
	return post->status == 404 ||
	       (post->status == 400 && strcasestr(words, "session") != NULL);
}

static void
on_login(void *context, const char *why, bool final)
{
	struct post *post = context;

	if (why != NULL) {
		lose(post, MCP_NOT_SENT, final, false, why);
		return;
	}
	post->sent = false;
	send_text(post);
}

static bool
wants_login(const struct post *post, const struct http_response *response)
{
	const char *header = http_header(response, "www-authenticate");
	struct oauth_challenge challenge;
	bool more;

	if (post->status != 403 || header == NULL)
		return post->status == 401;
	oauth_challenge_read(&challenge, header);
	more = challenge.error != NULL &&
	       strcmp(challenge.error, "insufficient_scope") == 0;
	oauth_challenge_fini(&challenge);
	return more;
}

/* A token that another message got meanwhile is tried first. */
static bool
logs_in(struct post *post, const struct http_response *response)
{
	struct mcp_login *login = post->wire->wire.conf.login;
	int serial;

	if (login == NULL || post->resumed || post->logins >= LOGINS_MAX ||
	    !wants_login(post, response))
		return false;
	post->logins++;
	mcp_login_header(login, &serial);
	if (serial != post->serial)
		on_login(post, NULL, false);
	else
		mcp_login_ask(login, http_header(response, "www-authenticate"),
			      on_login, post);
	return true;
}

/* Which refusals tell that nothing was done? Those of the request itself, and of a
 * server that has no time; of a gateway it is not known what stands behind. */
static void
take_refusal(struct post *post, const struct http_response *response)
{
	int status = post->status;
	struct buf words = { 0 };
	bool asked_for = status >= 300 && status < 500 && status != 408;
	bool busy = status == 429 || status == 503;

	if (logs_in(post, response))
		return;
	add_words(post, &words);
	if (is_session_gone(post, buf_text(&words)))
		lose(post, MCP_NOT_SENT, false, true, buf_text(&words));
	else
		lose(post, asked_for || busy ? MCP_NOT_SENT : MCP_UNKNOWN,
		     asked_for && !busy, false, buf_text(&words));
	buf_fini(&words);
}

static usec_t
time_to_wait(const struct post *post)
{
	usec_t wait = post->sse.retry_ms > 0 ? post->sse.retry_ms * USEC_MS : AGAIN;

	for (int i = 1; i < post->tries && wait < AGAIN_MAX; i++)
		wait *= 2;
	return wait;
}

/* Behind its last event, where there is one. */
static bool
resume(struct post *post)
{
	if (post->sse.id.len == 0 || post->tries >= RESUMES || post->id < 0)
		return false;
	post->tries++;
	post->resumed = true;
	buf_clear(&post->sse.line);
	buf_clear(&post->sse.data);
	buf_clear(&post->sse.event);
	post->sse.has_data = false;
	timer_set(post->again, time_to_wait(post));
	return true;
}

/* The server's own stream: what is not offered is not asked for again. */
static void
listen_again(struct post *post, bool good)
{
	if ((post->has_head && !good) || post->wire->closing) {
		post_over(post);
		return;
	}
	post->tries++;
	timer_set(post->again, time_to_wait(post));
}

static void
take_end(struct post *post, const struct err *err)
{
	char why[400];

	if (post->is_stream && resume(post))
		return;
	snprintf(why, sizeof why, "%s%s",
		 post->is_stream ? "its answer broke off" : "the call broke off",
		 err->kind != ERR_NONE ? "" : " without an answer");
	if (err->kind != ERR_NONE)
		snprintf(why + strlen(why), sizeof why - strlen(why), ": %.300s",
			 err->text);
	lose(post, post->sent ? MCP_UNKNOWN : MCP_NOT_SENT,
	     !post->sent && err->kind == ERR_INPUT, false, why);
}

static void
take_json(struct post *post)
{
	if (post->body.len > 0)
		take_message(post, buf_text(&post->body), post->body.len);
	if (post->id < 0)
		post_over(post);
	else
		lose(post, MCP_UNKNOWN, false, false,
		     "its answer is none to what it was asked");
}

static void
on_done(void *context, const struct http_response *response, const struct err *err)
{
	struct post *post = context;
	bool good;

	post->call = NULL;
	if (response != NULL)
		on_head(post, response);
	good = response != NULL && response->status / 100 == 2;
	if (post->answered || post->kind == POST_LEAVE)
		post_over(post);
	else if (post->kind == POST_LISTEN)
		listen_again(post, post->is_stream);
	else if (response != NULL && !good)
		take_refusal(post, response);
	else if (good && !post->is_stream)
		take_json(post);
	else
		take_end(post, err);
}

/* ---- what it is told ---- */

static struct mcp_wire *
http_open(const struct mcp_wire_conf *conf)
{
	struct http_wire *wire = xcalloc(1, sizeof *wire);

	wire->wire = (struct mcp_wire){ &mcp_wire_http, *conf };
	list_init(&wire->posts);
	wire->sweep = timer_new(conf->loop, on_sweep, wire);
	return &wire->wire;
}

static void
http_send(struct mcp_wire *base, const struct json *message, int64_t id)
{
	struct http_wire *wire = http_of(base);
	struct post *post = post_new(wire, POST_MESSAGE, id);

	json_write(message, &post->text);
	if (wire->gate != NULL) {
		post->held = true;
		return;
	}
	if (wire->greeted && !wire->gated) {
		wire->gated = true;
		wire->gate = post;
	}
	send_text(post);
}

static void
http_forget(struct mcp_wire *base, int64_t id)
{
	struct http_wire *wire = http_of(base);

	list_each (it, &wire->posts) {
		struct post *post = container_of(it, struct post, link);

		if (post->id == id && id >= 0)
			post_over(post);
	}
}

static void
listen_to(struct http_wire *wire)
{
	struct post *post = post_new(wire, POST_LISTEN, -1);

	post->is_stream = true;
	send_post(post, "GET", NULL, 0);
}

static void
http_greeted(struct mcp_wire *base, const char *version)
{
	struct http_wire *wire = http_of(base);

	wire->version = xstrdup(version);
	wire->greeted = true;
}

/* Each request that is lost was told by itself. */
static enum mcp_reach
http_reach(const struct mcp_wire *base, int64_t id)
{
	const struct http_wire *wire = (const struct http_wire *)base;

	list_each (it, (struct list *)&wire->posts) {
		const struct post *post = container_of(it, struct post, link);

		if (post->id == id && !post->sent)
			return MCP_NOT_SENT;
	}
	return MCP_UNKNOWN;
}

static void
http_close(struct mcp_wire *base)
{
	struct http_wire *wire = http_of(base);

	if (wire->closing)
		return;
	wire->closing = true;
	list_each (it, &wire->posts)
		post_over(container_of(it, struct post, link));
	if (wire->session != NULL)
		send_post(post_new(wire, POST_LEAVE, -1), "DELETE", NULL,
			  LEAVE_TIMEOUT);
	timer_set(wire->sweep, 0);
}

static void
http_free(struct mcp_wire *base)
{
	struct http_wire *wire = http_of(base);

	list_each_safe (it, &wire->posts)
		post_free(container_of(it, struct post, link));
	timer_free(&wire->sweep);
	free(wire->session);
	free(wire->version);
	free(wire);
}

const struct mcp_wire_type mcp_wire_http = {
	.open = http_open,
	.send = http_send,
	.forget = http_forget,
	.greeted = http_greeted,
	.reach = http_reach,
	.close = http_close,
	.free = http_free,
};
