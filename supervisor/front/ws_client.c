/*
 * One connection: who speaks on it, when it must have said so, whether its key is still
 * good, and how much is taken from it. What it says: ws_request.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/ws_priv.h"

#define AUTH_WAIT  (10 * USEC_SECOND)
#define AUTH_AGAIN (20 * USEC_SECOND)

/* ---- small things ---- */

const struct uuid *
ws_client_project(const struct ws_client *client)
{
	return uuid_is_nil(&client->identity.project) ? NULL
						      : &client->identity.project;
}

struct ws_text *
ws_text_of(const struct json *message)
{
	struct buf text = { 0 };
	struct ws_text *result;

	json_write(message, &text);
	result = ws_text_new(buf_text(&text), text.len);
	buf_fini(&text);
	return result;
}

/* ---- out ---- */

void
ws_client_send_text(struct ws_client *client, struct ws_text *text,
		    const struct ws_origin *origin)
{
	struct ws_text *own = ws_text_ref(text);

	ws_conn_send(client->conn, &own, origin);
	if (!client->choked && ws_conn_unsent(client->conn) >= WS_FULL_MARK) {
		client->choked = true;
		ws_client_flow(client);
	}
}

void
ws_client_send(struct ws_client *client, const struct json *message,
	       const struct ws_origin *origin)
{
	struct ws_text *text = ws_text_of(message);

	ws_client_send_text(client, text, origin);
	ws_text_unref(&text);
}

void
ws_client_flow(struct ws_client *client)
{
	ws_conn_pause(client->conn, client->choked || !list_empty(&client->held) ||
					client->requests_count >= WS_REQUESTS_MAX);
}

/* ---- who it is ---- */

static void
take_tools(struct ws_client *client, struct json *tools)
{
	json_ref(tools);
	json_unref(&client->identity.tools);
	client->identity.tools = tools;
}

static void
on_looked_again(void *context, const struct auth_identity *identity,
		const struct err *err)
{
	struct ws_client *client = context;

	client->ask = NULL;
	if (identity == NULL && err->kind == ERR_NONE) {
		ws_conn_close(client->conn, WS_CLOSE_POLICY,
			      "the key is no longer good");
		return;
	}
	if (identity != NULL) {
		client->identity.role = identity->role;
		take_tools(client, identity->tools);
	}
	timer_set(client->timer, AUTH_AGAIN);
}

/* A key may be revoked while its connection lives. */
static void
on_timer(void *context)
{
	struct ws_client *client = context;

	if (client->known)
		client->ask = auth_ask(client->ws->front->auth, client->key_hash,
				       on_looked_again, client);
	else
		ws_conn_close(client->conn, WS_CLOSE_POLICY,
			      "nobody said who this is within 10 s");
}

void
ws_client_known(struct ws_client *client, const struct auth_identity *identity,
		const unsigned char *key_hash)
{
	client->known = true;
	client->identity = *identity;
	json_ref(client->identity.tools);
	if (client->name[0] == '\0')
		client->who = xstrdup(identity->name);
	else
		client->who = xprintf("%s/%s", identity->name, client->name);
	timer_stop(client->timer);
	if (key_hash != NULL) {
		client->keyed = true;
		caller_id_of_key(identity->name, client->caller);
		memmove(client->key_hash, key_hash, SHA256_BYTES);
		timer_set(client->timer, AUTH_AGAIN);
	}
	log_info("ws.opened", F_STR("client", client->who),
		 F_INT("clients", client->ws->clients_count));
	ws_audience_join(client);
}

/* ---- what the connection tells ---- */

static void
on_message(void *context, const char *text, size_t len)
{
	ws_request_take(context, text, len);
}

static void
on_room(void *context)
{
	struct ws_client *client = context;

	client->choked = false;
	ws_requests_go_on(client);
	ws_subs_room(client);
}

static void
on_drain(void *context)
{
	struct ws_client *client = context;

	ws_conn_close(client->conn, WS_CLOSE_GOING_AWAY,
		      "going away: connect again, and subscribe with since, the last "
		      "seq you have");
}

static void
free_memory(void *context)
{
	free(context);
}

static void
on_closed(void *context)
{
	struct ws_client *client = context;
	struct ws *ws = client->ws;

	list_remove(&client->link);
	ws->clients_count--;
	if (client->known)
		log_info("ws.closed", F_STR("client", client->who),
			 F_INT("clients", ws->clients_count));
	auth_ask_cancel(&client->ask);
	if (client->ask_request != NULL)
		ws_request_end(client->ask_request);
	ws_audience_leave(client);
	ws_subs_fini(client);
	ws_requests_leave(client);
	timer_free(&client->timer);
	free(client->address);
	free(client->who);
	json_unref(&client->identity.tools);
	loop_defer(ws->front->loop, free_memory, client);
}

static const struct ws_conn_events events = { on_message, on_room, on_drain,
					      on_closed };

/* ---- the beginning ---- */

void
ws_client_begin(struct ws *ws, struct exchange *exchange,
		const struct auth_identity *identity, const unsigned char *key_hash,
		const char *name, bool packs)
{
	struct ws_client *client = xcalloc(1, sizeof *client);

	client->ws = ws;
	client->address = xstrdup(exchange_address(exchange));
	caller_id(exchange, client->caller);
	client->conn =
	    ws_conn_upgrade(exchange, packs ? ws->packer : NULL, &events, client);
	if (client->conn == NULL) {
		free(client->address);
		free(client);
		return;
	}
	snprintf(client->name, sizeof client->name, "%s", name);
	list_push(&ws->clients, &client->link);
	ws->clients_count++;
	list_init(&client->requests);
	list_init(&client->held);
	list_init(&client->audience_link);
	ws_subs_init(client);
	client->timer = timer_new(ws->front->loop, on_timer, client);
	if (identity != NULL)
		ws_client_known(client, identity, key_hash);
	else
		timer_set(client->timer, AUTH_WAIT);
}
