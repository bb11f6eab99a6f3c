/*
 * Answers: a head, and a body known at once or in pieces. What may be said here is said
 * with the rules of RFC 9110 for HEAD, 204 and 304, and for clients of HTTP/1.0. Files
 * have a room of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "front/exchange.h"
#include "front/http_conn.h"
#include "front/listen.h"

static const struct {
	int status;
	const char *text;
} texts[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
reply_status_text(int status)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Other";
}

bool
reply_possible(struct exchange *exchange)
{
	if (exchange->gone) {
		exchange->held = false;
		http_conn_released(exchange->conn);
		return false;
	}
	if (exchange->answer != ANSWER_NONE)
		bug("a second answer to request %s", exchange->request_id);
	return true;
}

/* A value may come from a client, or from a step (the media type of an artifact): what
 * would end the line, or begin another, is left out. */
static void
add_field(struct buf *out, const char *name, const char *value)
{
	buf_str(out, name);
	buf_str(out, ": ");
	for (; *value != '\0'; value++)
		if (*value == '\t' || ((unsigned char)*value >= ' ' && *value != 0x7f))
			buf_char(out, *value);
	buf_str(out, "\r\n");
}

void
reply_header(struct exchange *exchange, const char *name, const char *value)
{
	if (exchange->gone)
		return;
	if (strcasecmp(name, "Cache-Control") == 0)
		exchange->cacheable = true;
	add_field(&exchange->headers, name, value);
}

/* Without a length: chunked, or until the connection is closed. */
static void
add_framing(struct exchange *exchange, int64_t body_len, struct buf *out)
{
	char number[24];

	if (exchange->status == 101 || exchange->status == 204 ||
	    exchange->status == 304)
		return;
	if (body_len >= 0) {
		snprintf(number, sizeof number, "%lld", (long long)body_len);
		add_field(out, "Content-Length", number);
	} else if (exchange->head->minor > 0) {
		exchange->chunked = true;
		add_field(out, "Transfer-Encoding", "chunked");
	}
}

void
reply_head(struct exchange *exchange, int status, const char *content_type,
	   int64_t body_len)
{
	struct http_conn *conn = exchange->conn;
	struct buf *out = http_conn_output(conn);
	char line[16];

	exchange->status = status;
	if (status == 204 || status == 304)
		exchange->bodiless = true;
	snprintf(line, sizeof line, "HTTP/1.1 %03d ", status);
	buf_str(out, line);
	buf_str(out, reply_status_text(status));
	buf_str(out, "\r\n");
	add_field(out, "Date", listener_date(http_conn_listener(conn)));
	if (content_type != NULL)
		add_field(out, "Content-Type", content_type);
	add_framing(exchange, body_len, out);
	add_field(out, "X-Request-Id", exchange->request_id);
	buf_str(out, "X-Content-Type-Options: nosniff\r\n");
	if (!exchange->cacheable)
		buf_str(out, "Cache-Control: no-store\r\n");
	if (exchange->headers.len > 0)
		buf_add(out, exchange->headers.data, exchange->headers.len);
	if (status != 101 && http_conn_will_close(conn))
		buf_str(out, "Connection: close\r\n");
	buf_str(out, "\r\n");
}

static void
answer_whole(struct exchange *exchange, int status, const char *content_type,
	     const char *text, size_t len)
{
	reply_head(exchange, status, content_type, (int64_t)len);
	if (!exchange->bodiless && len > 0)
		buf_add(http_conn_output(exchange->conn), text, len);
	exchange->answer = ANSWER_DONE;
	http_conn_answered(exchange->conn);
}

void
reply_text(struct exchange *exchange, int status, const char *content_type,
	   const char *text, size_t len)
{
	if (reply_possible(exchange))
		answer_whole(exchange, status, content_type, text, len);
}

void
reply_json_text(struct exchange *exchange, int status, const char *text, size_t len)
{
	if (exchange_change_takes(exchange, status, text, len))
		return;
	if (reply_possible(exchange))
		answer_whole(exchange, status, "application/json", text, len);
}

void
reply_json(struct exchange *exchange, int status, struct json *body)
{
	struct buf text = { 0 };

	json_write(body, &text);
	reply_json_text(exchange, status, text.data, text.len);
	buf_fini(&text);
	json_unref(&body);
}

void
reply_empty(struct exchange *exchange, int status)
{
	if (exchange_change_takes(exchange, status, NULL, 0))
		return;
	if (reply_possible(exchange))
		answer_whole(exchange, status, NULL, NULL, 0);
}

struct stream *
reply_upgrade(struct exchange *exchange, const struct http_heir *heir, void *context)
{
	if (!reply_possible(exchange))
		return NULL;
	reply_head(exchange, 101, NULL, -1);
	exchange->answer = ANSWER_DONE;
	return http_conn_hand_over(exchange->conn, heir, context);
}

static void
answer_problem(struct exchange *exchange, int status, struct json *errors,
	       const char *detail)
{
	struct json *problem = json_new_object();
	struct buf text = { 0 };

	json_set(problem, "type", json_new_str("about:blank"));
	json_set(problem, "title", json_new_str(reply_status_text(status)));
	json_set(problem, "status", json_new_int(status));
	json_set(problem, "detail", json_new_str(detail));
	if (errors != NULL)
		json_set(problem, "errors", errors);
	json_set(problem, "requestId", json_new_str(exchange->request_id));
	json_write(problem, &text);
	answer_whole(exchange, status, "application/problem+json", text.data, text.len);
	buf_fini(&text);
	json_unref(&problem);
}

void
reply_problem(struct exchange *exchange, int status, struct json *errors,
	      const char *detail_format, ...)
{
	struct buf detail = { 0 };
	va_list args;

	exchange_change_drop(exchange);
	if (!reply_possible(exchange)) {
		json_unref(&errors);
		return;
	}
	va_start(args, detail_format);
	buf_vprintf(&detail, detail_format, args);
	va_end(args);
	answer_problem(exchange, status, errors, buf_text(&detail));
	buf_fini(&detail);
}

void
reply_refusal(struct exchange *exchange, int status, const char *why)
{
	http_conn_close_after(exchange->conn);
	reply_problem(exchange, status, NULL, "%s", why);
}

/* What went wrong inside is nobody's business outside. */
static void
answer_later(struct exchange *exchange, const struct err *err)
{
	log_debug("request.deferred", F_STR("request", exchange->request_id),
		  F_STR("why", err->text));
	reply_header(exchange, "Retry-After", "1");
	reply_problem(
	    exchange, 503, NULL,
	    err->kind == ERR_LOST
		? "it is not known whether this took effect: look, or send it again "
		  "with the same Idempotency-Key"
		: "not possible at the moment, try again");
}

static void
answer_failure(struct exchange *exchange, const struct err *err)
{
	log_error("request.failed", F_STR("request", exchange->request_id),
		  F_STR("method", exchange_method(exchange)),
		  F_STR("path", exchange_path(exchange)), F_STR("why", err->text));
	reply_problem(exchange, 500, NULL,
		      "something went wrong here; it is in the log");
}

void
reply_err(struct exchange *exchange, const struct err *err)
{
	static const int statuses[ERR_KINDS] = {
		[ERR_INPUT] = 400,  [ERR_NOT_FOUND] = 404, [ERR_CONFLICT] = 409,
		[ERR_DENIED] = 403, [ERR_LIMIT] = 413,
	};

	if (err->kind == ERR_RETRY || err->kind == ERR_LOST)
		answer_later(exchange, err);
	else if (statuses[err->kind] > 0)
		reply_problem(exchange, statuses[err->kind], NULL, "%s", err->text);
	else
		answer_failure(exchange, err);
}

/* ---- streams ---- */

void
reply_begin(struct exchange *exchange, int status, const char *content_type,
	    void (*on_drained)(struct exchange *exchange))
{
	if (exchange->gone)
		return;
	reply_possible(exchange);
	exchange->answer = ANSWER_STREAM;
	exchange->on_drained = on_drained;
	reply_head(exchange, status, content_type, -1);
	http_conn_flush(exchange->conn);
}

void
reply_piece(struct exchange *exchange, const void *data, size_t len)
{
	struct buf *out;

	if (exchange->gone || exchange->bodiless || len == 0)
		return;
	if (reply_unsent(exchange) > REPLY_UNSENT_MAX) {
		http_conn_cut(exchange->conn);
		return;
	}
	out = http_conn_output(exchange->conn);
	if (exchange->chunked)
		buf_printf(out, "%zx\r\n", len);
	buf_add(out, data, len);
	if (exchange->chunked)
		buf_str(out, "\r\n");
	http_conn_flush(exchange->conn);
}

size_t
reply_unsent(const struct exchange *exchange)
{
	return exchange->gone ? 0 : http_conn_unsent(exchange->conn);
}

void
reply_end(struct exchange *exchange)
{
	if (exchange->gone) {
		reply_possible(exchange);
		return;
	}
	if (exchange->answer != ANSWER_STREAM)
		bug("the end of a stream that did not begin");
	if (exchange->chunked && !exchange->bodiless)
		buf_str(http_conn_output(exchange->conn), "0\r\n\r\n");
	exchange->answer = ANSWER_DONE;
	http_conn_answered(exchange->conn);
}

void
reply_on_stop(struct exchange *exchange, void (*on_stop)(struct exchange *exchange))
{
	if (!exchange->gone)
		exchange->on_stop = on_stop;
}
