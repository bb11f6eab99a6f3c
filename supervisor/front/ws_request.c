/*
 * One message: from its bytes to its handler, and its answer. Whatever is wrong with a
 * message is answered, and harms neither the connection nor another message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/listen.h"
#include "front/rate_core.h"
#include "front/rates.h"
#include "front/ws_priv.h"

struct held {
	struct list link;
	size_t len;
	char text[];
};

/* ---- life ---- */

static struct ws_request *
request_new(struct ws_client *client)
{
	struct ws_request *request = xcalloc(1, sizeof *request);

	request->ws = client->ws;
	request->client = client;
	listener_request_id(client->ws->front->listener, request->request_id);
	list_push(&client->requests, &request->link);
	list_push(&client->ws->requests, &request->all);
	client->requests_count++;
	return request;
}

static void on_go_on(void *context);

void
ws_request_end(struct ws_request *request)
{
	struct ws_client *client = request->client;

	list_remove(&request->link);
	list_remove(&request->all);
	json_unref(&request->message);
	json_unref(&request->id);
	if (request->free_state != NULL)
		request->free_state(request->state);
	free(request);
	if (client == NULL)
		return;
	client->requests_count--;
	ws_requests_go_on(client);
}

/* At the end of the turn: what answers at once would else call itself for each. */
void
ws_requests_go_on(struct ws_client *client)
{
	if (client->going_on)
		return;
	client->going_on = true;
	loop_defer(client->ws->front->loop, on_go_on, client);
}

void
ws_requests_leave(struct ws_client *client)
{
	struct list *link;

	while ((link = list_shift(&client->requests)) != NULL)
		container_of(link, struct ws_request, link)->client = NULL;
	while ((link = list_shift(&client->held)) != NULL)
		free(container_of(link, struct held, link));
}

/* ---- what handlers ask ---- */

const char *
ws_text_field(const struct ws_request *request, const char *name)
{
	return json_str(json_get(request->message, name));
}

bool
ws_uuid_field(const struct ws_request *request, const char *name, struct uuid *out)
{
	const char *text = ws_text_field(request, name);

	return text != NULL && uuid_parse(text, strlen(text), out);
}

/* ---- answers ---- */

struct json *
ws_answer_new(const struct ws_request *request, const char *type)
{
	struct json *answer = json_new_object();

	json_set(answer, "type", json_new_str(type));
	if (request->id != NULL)
		json_set(answer, "id", json_ref(request->id));
	return answer;
}

void
ws_answer(struct ws_request *request, struct json *answer)
{
	if (request->client != NULL)
		ws_client_send(request->client, answer, NULL);
	json_unref(&answer);
	ws_request_end(request);
}

void
ws_answer_plain(struct ws_request *request, const char *type)
{
	ws_answer(request, ws_answer_new(request, type));
}

void
ws_refuse(struct ws_request *request, const char *code, struct json *errors,
	  const char *format, ...)
{
	struct json *answer = json_new_object();
	char text[1000];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_set(answer, "type", json_new_str("error"));
	json_set(answer, "id", json_ref(request->id));
	json_set(answer, "code", json_new_str(code));
	json_set(answer, "message", json_new_str(text));
	if (errors != NULL)
		json_set(answer, "errors", errors);
	ws_answer(request, answer);
}

void
ws_refuse_err(struct ws_request *request, const struct err *err)
{
	static const char *const codes[ERR_KINDS] = {
		[ERR_NONE] = "internal",       [ERR_INPUT] = "invalid_message",
		[ERR_NOT_FOUND] = "not_found", [ERR_CONFLICT] = "conflict",
		[ERR_DENIED] = "forbidden",    [ERR_LIMIT] = "rate_limited",
		[ERR_RETRY] = "unavailable",   [ERR_LOST] = "unavailable",
		[ERR_SYSTEM] = "internal",
	};

	if (err->kind == ERR_SYSTEM) {
		log_error("request.failed", F_STR("request", request->request_id),
			  F_STR("type", request->route->type), F_STR("why", err->text));
		ws_refuse(request, "internal", NULL, "this failed; the log says why");
		return;
	}
	ws_refuse(request, codes[err->kind], NULL, "%s", err->text);
}

/* ---- from bytes to a handler ---- */

static void
log_message(const struct ws_request *request, const char *type)
{
	char name[64];

	snprintf(name, sizeof name, "%s", type);
	log_info("ws.message", F_STR("type", name),
		 F_STR("client", request->client->who),
		 F_STR("request", request->request_id));
}

static bool
may(struct ws_request *request)
{
	const struct ws_client *client = request->client;
	enum role needed = request->route->role;

	if (needed == ROLE_NONE)
		return true;
	if (!client->known) {
		ws_refuse(request, "forbidden", NULL,
			  "say first who you are: {\"type\":\"auth\",\"token\":...}");
		return false;
	}
	if (client->identity.role >= needed)
		return true;
	ws_refuse(request, "forbidden", NULL, "this needs the role %s, the key has %s",
		  auth_role_name(needed), auth_role_name(client->identity.role));
	return false;
}

static void
give(struct ws_request *request)
{
	struct json *errors;

	if (!may(request))
		return;
	errors = json_new_array();
	if (!ws_message_check(request->route, request->message, errors)) {
		ws_refuse(request, "invalid_message", errors,
			  "the message does not fit its type");
		return;
	}
	json_unref(&errors);
	request->route->on_message(request);
}

static struct json *
error_at(const char *path, const char *message)
{
	struct json *errors = json_new_array(), *error = json_new_object();

	json_set(error, "path", json_new_str(path));
	json_set(error, "message", json_new_str(message));
	json_append(errors, error);
	return errors;
}

/* What is no message counts, too. */
static bool
too_often(struct ws_request *request, usec_t wait)
{
	if (wait > 0)
		ws_refuse(
		    request, "rate_limited", NULL,
		    "more than %ld messages and requests a second: again in %ld s",
		    request->ws->front->settings->http_rate_limit, rate_seconds(wait));
	return wait > 0;
}

static void
route(struct ws_request *request, const char *text, size_t len)
{
	usec_t wait = rate_take(request->ws->front, request->client->caller);
	struct err err = { 0 };
	const char *type;

	if (ws_message_read(text, len, &request->message, &err) < 0) {
		log_message(request, "");
		if (!too_often(request, wait))
			ws_refuse(request, "invalid_message", error_at("", err.text),
				  "%s", err.text);
		return;
	}
	request->id = json_ref(ws_message_id(request->message));
	type = ws_text_field(request, "type");
	log_message(request, type != NULL ? type : "");
	if (too_often(request, wait))
		return;
	if (type == NULL) {
		ws_refuse(request, "invalid_message",
			  error_at("type", "expected a text"), "a message has a type");
		return;
	}
	request->route = ws_route_find(ws_routes, type);
	if (request->route == NULL)
		ws_refuse(request, "unknown_type", NULL, "unknown type \"%.100s\"",
			  type);
	else
		give(request);
}

/* What comes right behind `auth` waits until it is known whose it is. */
static bool
has_room(const struct ws_client *client)
{
	return client->requests_count < WS_REQUESTS_MAX && !client->choked &&
	       client->ask_request == NULL;
}

static void
hold(struct ws_client *client, const char *text, size_t len)
{
	struct held *held = xmalloc(sizeof *held + len);

	held->len = len;
	memcpy(held->text, text, len);
	list_push(&client->held, &held->link);
}

void
ws_request_take(struct ws_client *client, const char *text, size_t len)
{
	if (!has_room(client) || !list_empty(&client->held))
		hold(client, text, len);
	else
		route(request_new(client), text, len);
	ws_client_flow(client);
}

static void
on_go_on(void *context)
{
	struct ws_client *client = context;
	struct list *link;

	client->going_on = false;
	while (has_room(client) && (link = list_shift(&client->held)) != NULL) {
		struct held *held = container_of(link, struct held, link);

		route(request_new(client), held->text, held->len);
		free(held);
	}
	ws_client_flow(client);
}
