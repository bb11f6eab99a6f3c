/* What handlers ask about a request, and how one begins and ends. See exchange.h. */
#include "front/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/caller.h"
#include "front/http_conn.h"
#include "front/http_stats.h"
#include "front/listen.h"
#include "front/position_core.h"
#include "front/router.h"

/* ---- life ---- */

static struct front *
front_of(const struct http_conn *conn)
{
	return listener_front(http_conn_listener(conn));
}

void
exchange_begin(struct exchange *exchange, struct http_conn *conn)
{
	struct front *front = front_of(conn);

	*exchange = (struct exchange){ .conn = conn, .front = front };
	listener_request_id(http_conn_listener(conn), exchange->request_id);
	exchange->began = loop_mono(front->loop);
}

static bool
decent_id(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._-");

	return len > 0 && len <= EXCHANGE_ID_MAX && text[len] == '\0';
}

void
exchange_head(struct exchange *exchange, const struct http_head *head)
{
	const char *id = http_field(head, "X-Request-Id");

	exchange->head = head;
	exchange->bodiless = strcmp(http_method(head), "HEAD") == 0;
	if (id != NULL && decent_id(id))
		memcpy(exchange->request_id, id, strlen(id) + 1);
}

static void
answer_no_route(struct exchange *exchange, enum router_verdict verdict,
		const char *allow)
{
	const char *method = exchange_method(exchange);

	if (verdict == ROUTER_NO_METHOD || verdict == ROUTER_OPTIONS)
		reply_header(exchange, "Allow", allow);
	if (verdict == ROUTER_OPTIONS)
		reply_empty(exchange, 204);
	else if (verdict == ROUTER_NO_METHOD)
		reply_problem(exchange, 405, NULL, "%s is not allowed here, %s is",
			      method, allow);
	else if (verdict == ROUTER_UNKNOWN_METHOD)
		reply_problem(exchange, 501, NULL, "the method %s is not known",
			      method);
	else
		reply_problem(exchange, 404, NULL, "there is nothing at %.200s",
			      exchange_path(exchange));
}

bool
exchange_route(struct exchange *exchange, const struct router *router)
{
	const struct http_head *head = exchange->head;
	struct buf allow = { 0 };
	enum router_verdict verdict;

	verdict = router_find(router, http_method(head), &head->target,
			      &exchange->route, &exchange->route_skip, &allow);
	if (verdict != ROUTER_FOUND)
		answer_no_route(exchange, verdict, buf_text(&allow));
	buf_fini(&allow);
	return verdict == ROUTER_FOUND;
}

bool
exchange_conditions(struct exchange *exchange)
{
	const char *text = exchange_header(exchange, "Stepmill-Read-After");
	uint64_t position;

	if (text == NULL || position_parse(text, &position))
		return true;
	reply_problem(exchange, 400, NULL,
		      "Stepmill-Read-After: expected what an answer had there, such as "
		      "0/16B3740");
	return false;
}

static void
log_answered(const struct exchange *exchange, usec_t took)
{
	const struct route *route = exchange->route;

	if (!log_wants(LOG_DEBUG))
		return;
	log_debug("request.answered", F_STR("request", exchange->request_id),
		  F_STR("method", exchange->head ? http_method(exchange->head) : NULL),
		  F_STR("route", route != NULL ? route->path : NULL),
		  F_INT("status", exchange->status), F_INT("ms", took / USEC_MS),
		  F_STR("who", exchange->who),
		  F_STR("address", exchange_address(exchange)));
}

void
exchange_let_go(struct exchange *exchange)
{
	void (*free_state)(void *state) = exchange->free_state;
	void *state = exchange->state;

	exchange->held = false;
	exchange->state = NULL;
	exchange->free_state = NULL;
	if (free_state != NULL)
		free_state(state);
}

static void
free_parts(struct exchange *exchange)
{
	exchange_change_drop(exchange);
	exchange_let_go(exchange);
	free(exchange->kept);
	exchange->kept = NULL;
	caller_left(exchange);
	file_reply_free(&exchange->file);
	json_unref(&exchange->json);
	json_unref(&exchange->tools);
	json_unref(&exchange->once);
	buf_fini(&exchange->body);
	buf_fini(&exchange->headers);
}

void
exchange_end(struct exchange *exchange)
{
	usec_t took = loop_mono(exchange->front->loop) - exchange->began;

	log_answered(exchange, took);
	http_stats_count(listener_stats(http_conn_listener(exchange->conn)),
			 exchange->route, exchange->status, took);
	free_parts(exchange);
}

bool
exchange_abandon(struct exchange *exchange)
{
	exchange->gone = true;
	exchange->on_drained = NULL;
	exchange_change_leave(exchange);
	if (exchange->held && exchange->free_state == NULL)
		return false;
	free_parts(exchange);
	return true;
}

void
exchange_time_out(struct exchange *exchange)
{
	struct exchange kept;
	bool stays;

	exchange_change_leave(exchange);
	stays = exchange->held && exchange->free_state == NULL;
	if (stays) {
		kept = *exchange;
		exchange->body = (struct buf){ 0 };
		exchange->json = json_ref(exchange->json);
		exchange->tools = json_ref(exchange->tools);
		exchange->kept = NULL;
		exchange->change = NULL;
	} else {
		exchange_abandon(exchange);
		exchange->gone = false;
	}
	reply_header(exchange, "Retry-After", "1");
	reply_refusal(exchange, 503, "this took too long, or the server is stopping");
	if (!stays)
		return;
	exchange->body = kept.body;
	exchange->json = kept.json;
	exchange->tools = kept.tools;
	exchange->kept = kept.kept;
	exchange->change = kept.change;
	exchange->held = true;
	exchange->gone = true;
}

/* ---- what was asked ---- */

struct front *
exchange_front(struct exchange *exchange)
{
	return exchange->front;
}

const char *
exchange_method(const struct exchange *exchange)
{
	return http_method(exchange->head);
}

const char *
exchange_path(const struct exchange *exchange)
{
	return target_path(&exchange->head->target);
}

const char *
exchange_param(const struct exchange *exchange, const char *name)
{
	return router_param(exchange->route, &exchange->head->target,
			    exchange->route_skip, name);
}

const char *
exchange_query(const struct exchange *exchange, const char *name)
{
	return target_query(&exchange->head->target, name);
}

const char *
exchange_header(const struct exchange *exchange, const char *name)
{
	return http_field(exchange->head, name);
}

/* Names are tokens, so they are ASCII. */
static void
add_header(struct json *headers, const char *name, const char *value)
{
	struct buf lower = { 0 }, both = { 0 };
	const char *before;

	for (; *name != '\0'; name++)
		buf_char(&lower, (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a'
								     : *name));
	before = json_str(json_get(headers, buf_text(&lower)));
	if (before != NULL)
		buf_printf(&both, "%s, ", before);
	buf_str(&both, value);
	json_set(headers, buf_text(&lower), json_new_str(buf_text(&both)));
	buf_fini(&lower);
	buf_fini(&both);
}

struct json *
exchange_headers(const struct exchange *exchange)
{
	const struct http_head *head = exchange->head;
	const char *text = buf_text(&head->text);
	struct json *headers = json_new_object();

	for (size_t i = 0; i < head->fields_count; i++)
		add_header(headers, text + head->fields[i].name,
			   text + head->fields[i].value);
	return headers;
}

struct json *
exchange_queries(const struct exchange *exchange)
{
	const struct target *target = &exchange->head->target;
	const char *text = buf_text(&target->text);
	struct json *queries = json_new_object();

	for (size_t i = 0; i < target->queries_count; i++) {
		const char *name = text + target->queries[i].name;

		if (!json_has(queries, name))
			json_set(queries, name,
				 json_new_str(text + target->queries[i].value));
	}
	return queries;
}

const char *
exchange_body(const struct exchange *exchange, size_t *len)
{
	if (len != NULL)
		*len = exchange->body.len;
	return buf_text(&exchange->body);
}

/* application/json and application/NAME+json, whatever parameters stand behind. */
static bool
is_json(const char *type)
{
	size_t len = strcspn(type, "; \t");

	if (strncasecmp(type, "application/", 12) != 0)
		return false;
	if (len == 16 && strncasecmp(type + 12, "json", 4) == 0)
		return true;
	return len > 17 && strncasecmp(type + len - 5, "+json", 5) == 0;
}

int
exchange_check_json(struct exchange *exchange)
{
	const char *type = exchange_header(exchange, "Content-Type");

	if (type == NULL || is_json(type))
		return 0;
	reply_problem(exchange, 415, NULL,
		      "the body must be application/json, not %.100s", type);
	return -1;
}

int
exchange_json(struct exchange *exchange, struct json **out)
{
	struct err err = { 0 };

	*out = exchange->json;
	if (exchange->json_read || exchange->body.len == 0)
		return 0;
	if (exchange_check_json(exchange) < 0)
		return -1;
	if (json_parse(exchange->body.data, exchange->body.len, &exchange->json, &err) <
	    0) {
		reply_problem(exchange, 400, NULL, "the body: %s", err.text);
		return -1;
	}
	exchange->json_read = true;
	*out = exchange->json;
	return 0;
}

const char *
exchange_request_id(const struct exchange *exchange)
{
	return exchange->request_id;
}

const char *
exchange_who(const struct exchange *exchange)
{
	return exchange->who;
}

const char *
exchange_address(const struct exchange *exchange)
{
	return exchange_peer(exchange)->address;
}

uint64_t
exchange_read_after(const struct exchange *exchange)
{
	const char *text = exchange_header(exchange, "Stepmill-Read-After");
	uint64_t position;

	return text != NULL && position_parse(text, &position) ? position : 0;
}

const struct json *
exchange_tools(const struct exchange *exchange)
{
	return exchange->tools;
}

const struct uuid *
exchange_project(const struct exchange *exchange)
{
	return uuid_is_nil(&exchange->project) ? NULL : &exchange->project;
}

/* ---- the handler's state ---- */

void
exchange_set_state(struct exchange *exchange, void *state,
		   void (*free_state)(void *state))
{
	exchange->state = state;
	exchange->free_state = free_state;
	if (!exchange->gone || free_state == NULL)
		return;
	exchange_let_go(exchange);
	http_conn_released(exchange->conn);
}

void *
exchange_state(const struct exchange *exchange)
{
	return exchange->state;
}

void *
exchange_keep(struct exchange *exchange, size_t size)
{
	if (exchange->kept != NULL)
		bug("an exchange keeps one thing");
	exchange->kept = xcalloc(1, size);
	return exchange->kept;
}

void *
exchange_kept(const struct exchange *exchange)
{
	return exchange->kept;
}
