/*
 * GET /ws: from a request to a client. Who asks from a page of another server is
 * refused whatever key it has: a browser sends what the page wants, and only Origin
 * says where that came from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "digest/digest.h"
#include "front/exchange.h"
#include "front/ws_priv.h"

#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define EXTENSION                                                                      \
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* A key is looked up. */
struct handshake {
	struct exchange *exchange;
	struct auth_ask *ask;
	unsigned char hash[SHA256_BYTES];
};

/* ---- the answer ---- */

static void
add_accept(struct exchange *exchange)
{
	const char *key = exchange_header(exchange, "Sec-WebSocket-Key");
	char text[128], accept[(SHA1_BYTES + 2) / 3 * 4 + 1];
	unsigned char hash[SHA1_BYTES];
	int len = snprintf(text, sizeof text, "%s%s", key, ACCEPT_GUID);

	sha1(text, (size_t)len, hash);
	reply_header(exchange, "Sec-WebSocket-Accept",
		     digest_base64(hash, sizeof hash, accept));
}

static void
welcome(struct exchange *exchange, const struct auth_identity *identity,
	const unsigned char *key_hash)
{
	bool packs = ws_handshake_deflates(exchange->head);
	const char *name = exchange_query(exchange, "client");
	char copy[WS_CLIENT_NAME_MAX + 1];

	snprintf(copy, sizeof copy, "%s", name != NULL ? name : "");
	reply_header(exchange, "Upgrade", "websocket");
	reply_header(exchange, "Connection", "Upgrade");
	add_accept(exchange);
	if (ws_handshake_wants_protocol(exchange->head))
		reply_header(exchange, "Sec-WebSocket-Protocol", WS_PROTOCOL);
	if (packs)
		reply_header(exchange, "Sec-WebSocket-Extensions", EXTENSION);
	ws_client_begin(exchange->front->ws, exchange, identity, key_hash, copy, packs);
}

/* ---- who asks ---- */

static void
handshake_free(void *state)
{
	struct handshake *handshake = state;

	auth_ask_cancel(&handshake->ask);
	free(handshake);
}

static void
on_found(void *context, const struct auth_identity *identity, const struct err *err)
{
	struct handshake *handshake = context;
	struct exchange *exchange = handshake->exchange;
	unsigned char hash[SHA256_BYTES];

	memcpy(hash, handshake->hash, sizeof hash);
	handshake->ask = NULL;
	exchange_set_state(exchange, NULL, NULL);
	free(handshake);
	if (identity != NULL) {
		snprintf(exchange->who, sizeof exchange->who, "%s", identity->name);
		welcome(exchange, identity, hash);
	} else if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
	} else {
		reply_header(exchange, "WWW-Authenticate", "Bearer realm=\"stepmill\"");
		reply_problem(exchange, 401, NULL,
			      "the key is not known, or no longer good");
	}
}

static void
look_up(struct exchange *exchange, const char *key, size_t len)
{
	struct handshake *handshake = xcalloc(1, sizeof *handshake);

	handshake->exchange = exchange;
	sha256(key, len, handshake->hash);
	exchange_set_state(exchange, handshake, handshake_free);
	handshake->ask =
	    auth_ask(exchange->front->auth, handshake->hash, on_found, handshake);
}

static void
greet_open(struct exchange *exchange)
{
	struct auth_identity identity = { .role = ROLE_ADMIN };

	if (auth_check_loopback(exchange) != AUTH_GRANTED)
		return;
	snprintf(identity.name, sizeof identity.name, "%s", exchange->who);
	welcome(exchange, &identity, NULL);
}

/* In Authorization, in the query where a browser can put it, or later in a message. */
static void
greet(struct exchange *exchange)
{
	const char *authorization = exchange_header(exchange, "Authorization");
	const char *token = exchange_query(exchange, "access_token");
	const char *key = token;
	size_t len = token != NULL ? strlen(token) : 0;

	if (authorization != NULL && !auth_bearer(authorization, &key, &len)) {
		reply_header(exchange, "WWW-Authenticate", "Bearer realm=\"stepmill\"");
		reply_problem(exchange, 401, NULL, "Authorization must be: Bearer KEY");
	} else if (key != NULL) {
		look_up(exchange, key, len);
	} else {
		welcome(exchange, NULL, NULL);
	}
}

/* ---- the request ---- */

static bool
asks_rightly(struct exchange *exchange)
{
	static const struct {
		int status;
		const char *why;
	} verdicts[WS_VERDICTS] = {
		[WS_NOT_ASKED] = { 426, "here is a WebSocket: Connection: Upgrade, "
					"Upgrade: websocket" },
		[WS_BAD_VERSION] = { 426, "Sec-WebSocket-Version must be 13" },
		[WS_BAD_KEY] = { 400, "Sec-WebSocket-Key must be 16 bytes in base64" },
		[WS_BAD_REQUEST] = { 400, "a WebSocket begins with HTTP/1.1, without a "
					  "body" },
	};
	enum ws_verdict verdict = ws_handshake_judge(exchange->head);

	if (verdict == WS_WELCOME)
		return true;
	if (verdicts[verdict].status == 426) {
		reply_header(exchange, "Upgrade", "websocket");
		reply_header(exchange, "Sec-WebSocket-Version", "13");
	}
	reply_problem(exchange, verdicts[verdict].status, NULL, "%s",
		      verdicts[verdict].why);
	return false;
}

static void
on_upgrade(struct exchange *exchange)
{
	const struct texts *allowed = &exchange->front->settings->http_allowed_origins;
	const char *origin = exchange_header(exchange, "Origin");
	const char *name = exchange_query(exchange, "client");

	if (!asks_rightly(exchange))
		return;
	if (origin != NULL && !ws_origin_allowed(origin, exchange_scheme(exchange),
						 http_host(exchange->head),
						 allowed->list, allowed->count))
		reply_problem(exchange, 403, NULL,
			      "pages from elsewhere are not let in, see "
			      "http.allowed_origins");
	else if (name != NULL && !ws_client_name_valid(name))
		reply_problem(exchange, 400, NULL,
			      "client: expected 1 to %d letters, digits, \".\", \"_\" "
			      "and \"-\"",
			      WS_CLIENT_NAME_MAX);
	else if (auth_is_open(exchange->front->auth, exchange))
		greet_open(exchange);
	else
		greet(exchange);
}

/* clang-format off */
const struct route routes_ws[] = {
	{ "GET", "/ws", ROLE_NONE, 1, false, on_upgrade, NULL },
	{ 0 },
};
/* clang-format on */
