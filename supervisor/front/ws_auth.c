/* auth and ping: the messages about the connection itself. */
#include <string.h>

#include "digest/digest.h"
#include "front/ws_priv.h"

static void
on_found(void *context, const struct auth_identity *identity, const struct err *err)
{
	struct ws_client *client = context;
	struct ws_request *request = client->ask_request;

	client->ask = NULL;
	client->ask_request = NULL;
	if (identity != NULL) {
		ws_answer_plain(request, "ack");
		ws_client_known(client, identity, client->key_hash);
	} else if (err->kind != ERR_NONE) {
		ws_refuse_err(request, err);
	} else {
		ws_refuse(request, "forbidden", NULL,
			  "the key is not known, or no longer good");
		ws_conn_close(client->conn, WS_CLOSE_POLICY,
			      "the key is not known, or no longer good");
	}
}

/* Where no key is needed, any will do. */
void
ws_on_auth(struct ws_request *request)
{
	struct ws_client *client = request->client;
	const char *token = ws_text_field(request, "token");

	if (client->known && !client->keyed) {
		ws_answer_plain(request, "ack");
	} else if (client->known || client->ask != NULL) {
		ws_refuse(request, "conflict", NULL, "the key was given already");
	} else {
		client->ask_request = request;
		sha256(token, strlen(token), client->key_hash);
		client->ask = auth_ask(client->ws->front->auth, client->key_hash,
				       on_found, client);
	}
}

void
ws_on_ping(struct ws_request *request)
{
	ws_answer_plain(request, "pong");
}
