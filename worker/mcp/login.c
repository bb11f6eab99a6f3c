/* The flow of OAuth, one request after the other. See login.h. */
#include "mcp/login.h"

#include <stdlib.h>
#include <string.h>

#include "address_core.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "mcp/oauth_core.h"

#define REPLY_MAX   (256 * 1024)
#define TIMEOUT     (20 * USEC_SECOND)
#define RANDOM      32 /* bytes of a state and of a verifier */
#define SECRET_TEXT (RANDOM * 2 + 1)
#define REDIRECT    "http://127.0.0.1/stepmill/callback" /* nobody listens there */

struct waiter {
	struct list link;
	mcp_login_fn *done;
	void *context;
};

struct mcp_login {
	struct mcp_wire_conf conf;
	struct list waiters;
	struct timer *turn; /* begins a flow, or tells how it went */
	bool running;
	struct err err;

	char *header, *refresh; /* what there is: "Bearer ...", or NULL */
	char *asked;            /* scopes of the last flow, or NULL */
	int serial;

	/* Of the flow under way. */
	struct http_call *call;
	struct oauth_challenge challenge;
	struct oauth_places places;
	size_t place;
	char *issuer, *resource, *scope;
	struct oauth_server server;
	struct oauth_client client;
	char state[SECRET_TEXT], verifier[SECRET_TEXT], proof[64];
	char *known_issuer; /* whose client the kept one is, or NULL */
	bool refreshing, guarded;
	bool stands_in; /* the server has no metadata: it is its own issuer */
};

typedef void reply_fn(struct mcp_login *login, const struct http_response *response,
		      const struct json *json);

/* ---- the end ---- */

/* The client stays: it need not be registered again. */
static void
forget_places(struct mcp_login *login)
{
	oauth_places_fini(&login->places);
	free(login->issuer);
	free(login->resource);
	free(login->scope);
	login->issuer = login->resource = login->scope = NULL;
	oauth_server_fini(&login->server);
	login->stands_in = false;
}

static void
forget_client(struct mcp_login *login)
{
	oauth_client_fini(&login->client);
	free(login->known_issuer);
	login->known_issuer = NULL;
}

/* Told on a turn of its own. */
static void
end(struct mcp_login *login)
{
	login->running = false;
	timer_set(login->turn, 0);
}

/* Of nobody at home it may be better later; of a no it will not. */
static void
fail(struct mcp_login *login, const struct err *err, const char *what)
{
	if (login->err.kind == ERR_NONE)
		err_set(&login->err, err->kind == ERR_RETRY ? ERR_RETRY : ERR_DENIED,
			"%s: %s", what,
			err->kind != ERR_NONE ? err->text : "it refuses");
	end(login);
}

static void
tell_all(struct mcp_login *login)
{
	const char *why = login->err.kind != ERR_NONE ? login->err.text : NULL;
	bool final = login->err.kind != ERR_RETRY;
	struct list *link;

	while ((link = list_shift(&login->waiters)) != NULL) {
		struct waiter *waiter = container_of(link, struct waiter, link);

		waiter->done(waiter->context, why, final);
		free(waiter);
	}
}

/* ---- requests ---- */

/* The server says where to go: what only this host can reach is not for it to name. */
static bool
is_allowed(void *context, const struct sockaddr *address)
{
	const struct mcp_login *login = context;
	const struct texts *allow = &login->conf.settings->http_allow;

	return !login->guarded || address_allowed(address, allow->list, allow->count);
}

/* "host" of an origin, without its port. */
static size_t
host_of(const char *origin, const char **host)
{
	const char *start = strstr(origin, "://") + 3;
	const char *end = *start == '[' ? strchr(start, ']') : NULL;

	*host = start;
	return end != NULL ? (size_t)(end - start) + 1 : strcspn(start, ":");
}

static bool
is_own_host(const struct mcp_login *login, const char *url)
{
	char *own = oauth_origin(login->conf.server->url), *other = oauth_origin(url);
	const char *a, *b;
	bool same = false;

	if (own != NULL && other != NULL) {
		size_t len = host_of(own, &a);

		same = len == host_of(other, &b) && memcmp(a, b, len) == 0;
	}
	free(own);
	free(other);
	return same;
}

struct asking {
	const char *method, *url;
	const char *type; /* of the body, or NULL */
	const char *auth; /* or NULL */
	const struct buf *body;
	http_done_fn *done;
};

static void
ask(struct mcp_login *login, const struct asking *asking)
{
	char *headers[4] = { xstrdup("Accept: application/json") };
	size_t count = 1;

	if (asking->type != NULL)
		headers[count++] = xprintf("Content-Type: %s", asking->type);
	if (asking->auth != NULL)
		headers[count++] = xprintf("Authorization: %s", asking->auth);
	login->guarded = !is_own_host(login, asking->url);
	login->call =
	    httpc_send(login->conf.httpc,
		       &(struct http_request){
			   .method = asking->method,
			   .url = asking->url,
			   .headers = (const char *const *)headers,
			   .body = asking->body != NULL ? buf_text(asking->body) : NULL,
			   .body_len = asking->body != NULL ? asking->body->len : 0,
			   .timeout = TIMEOUT,
			   .reply_max = REPLY_MAX,
			   .address_allowed = is_allowed,
			   .address_context = login,
		       },
		       asking->done, login);
	for (size_t i = 0; i < count; i++) {
		explicit_bzero(headers[i], strlen(headers[i]));
		free(headers[i]);
	}
}

/* The JSON of an answer that is good, or NULL. */
static struct json *
json_of(const struct http_response *response)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (response == NULL || response->status / 100 != 2 ||
	    json_parse(buf_text(&response->body), response->body.len, &json, &err) <
		0 ||
	    json_type(json) != JSON_OBJECT)
		json_unref(&json);
	return json;
}

static struct oauth_request
request_of(const struct mcp_login *login)
{
	return (struct oauth_request){
		.server = &login->server,
		.client = &login->client,
		.redirect = REDIRECT,
		.resource = login->resource,
		.scope = login->scope,
		.state = login->state,
		.verifier = login->verifier,
		.challenge = login->proof,
	};
}

/* ---- the token ---- */

static void find_resource(struct mcp_login *login);

static void
keep_token(struct mcp_login *login, char **token_p, char **refresh_p)
{
	free(login->header);
	login->header = xprintf("Bearer %s", *token_p);
	if (login->conf.mask != NULL)
		mask_learn(login->conf.mask, *token_p, strlen(*token_p));
	login->serial++;
	if (login->conf.mask != NULL && *refresh_p != NULL)
		mask_learn(login->conf.mask, *refresh_p, strlen(*refresh_p));
	if (*refresh_p != NULL || !login->refreshing) {
		free(login->refresh);
		login->refresh = *refresh_p;
		*refresh_p = NULL;
	}
	if (!login->refreshing) {
		free(login->asked);
		login->asked = login->scope != NULL ? xstrdup(login->scope) : NULL;
		free(login->known_issuer);
		login->known_issuer = xstrdup(login->issuer);
	}
	explicit_bzero(*token_p, strlen(*token_p));
	free(*token_p);
	end(login);
}

static void
on_token(void *context, const struct http_response *response, const struct err *err)
{
	struct mcp_login *login = context;
	struct json *json = json_of(response);
	char *token = NULL, *refresh = NULL;

	login->call = NULL;
	if (json != NULL &&
	    oauth_token_read(json, &token, &refresh, &login->err) == 0) {
		keep_token(login, &token, &refresh);
	} else if (login->refreshing) {
		err_clear(&login->err); /* from the beginning, then */
		free(login->refresh);
		login->refresh = NULL;
		login->refreshing = false;
		find_resource(login);
	} else {
		forget_client(login); /* perhaps it is known there no more */
		fail(login, err, "its authorization server gives no token");
	}
	json_unref(&json);
}

static void
ask_token(struct mcp_login *login, struct buf *body)
{
	char *auth = oauth_basic(&login->client);

	ask(login, &(struct asking){ .method = "POST",
				     .url = login->server.token,
				     .type = "application/x-www-form-urlencoded",
				     .auth = auth,
				     .body = body,
				     .done = on_token });
	free(auth);
	if (body->data != NULL)
		explicit_bzero(body->data, body->len);
	buf_fini(body);
}

static void
on_authorized(void *context, const struct http_response *response,
	      const struct err *err)
{
	struct mcp_login *login = context;
	const struct oauth_request request = request_of(login);
	const char *location = NULL;
	struct buf body = { 0 };
	char *code;

	login->call = NULL;
	if (response == NULL) {
		fail(login, err, "its authorization server");
		return;
	}
	if (response->status / 100 == 3)
		location = http_header(response, "location");
	code = oauth_code(&request, location, &login->err);
	if (code == NULL) {
		end(login);
		return;
	}
	oauth_token_by_code(&request, code, &body);
	free(code);
	ask_token(login, &body);
}

static void
make_secrets(struct mcp_login *login)
{
	unsigned char bytes[RANDOM], hash[SHA256_BYTES];
	char text[64];

	digest_random(bytes, sizeof bytes);
	digest_hex(bytes, sizeof bytes, login->state);
	digest_random(bytes, sizeof bytes);
	digest_hex(bytes, sizeof bytes, login->verifier);
	sha256(login->verifier, strlen(login->verifier), hash);
	digest_base64(hash, sizeof hash, text);
	text[strcspn(text, "=")] = '\0';
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	memcpy(login->proof, text, sizeof login->proof);
}

static void
ask_grant(struct mcp_login *login)
{
	const struct oauth_request request = request_of(login);
	struct buf text = { 0 };

	if (login->server.by_client && !login->server.by_code) {
		oauth_token_by_client(&request, &text);
		ask_token(login, &text);
		return;
	}
	make_secrets(login);
	oauth_authorize_url(&request, &text);
	ask(login, &(struct asking){ .method = "GET",
				     .url = buf_text(&text),
				     .done = on_authorized });
	buf_fini(&text);
}

/* ---- a client ---- */

static void
on_registered(void *context, const struct http_response *response,
	      const struct err *err)
{
	struct mcp_login *login = context;
	struct json *json = json_of(response);

	login->call = NULL;
	if (json == NULL)
		fail(login, err, "its authorization server does not register us");
	else if (oauth_client_read(&login->client, &login->server, json, &login->err) <
		 0)
		end(login);
	else
		ask_grant(login);
	json_unref(&json);
}

static void
register_client(struct mcp_login *login)
{
	struct json *json = oauth_registration(&login->server, REDIRECT);
	struct buf body = { 0 };

	json_write(json, &body);
	ask(login, &(struct asking){ .method = "POST",
				     .url = login->server.registration,
				     .type = "application/json",
				     .body = &body,
				     .done = on_registered });
	json_unref(&json);
	buf_fini(&body);
}

/* One that is configured; an address, where that may be one; a new one. */
static void
find_client(struct mcp_login *login)
{
	const struct mcp_oauth *oauth = &login->conf.server->oauth;
	struct oauth_client *client = &login->client;

	if (client->id != NULL && strcmp(login->known_issuer, login->issuer) == 0) {
		ask_grant(login);
		return;
	}
	forget_client(login);
	if (oauth->client_id != NULL)
		*client = (struct oauth_client){
			.id = xstrdup(oauth->client_id),
			.secret = oauth->client_secret != NULL
				      ? xstrdup(oauth->client_secret)
				      : NULL,
		};
	else if (login->server.takes_documents && oauth->client_document != NULL)
		*client = (struct oauth_client){
			.id = xstrdup(oauth->client_document),
		};
	oauth_client_shows(client, &login->server);
	if (client->id == NULL && login->server.registration != NULL) {
		register_client(login);
		return;
	}
	if (client->id != NULL) {
		ask_grant(login);
		return;
	}
	err_set(&login->err, ERR_DENIED,
		"its authorization server registers nobody: the configuration has to "
		"name a client_id");
	end(login);
}

/* ---- metadata ---- */

static void next_issuer_place(struct mcp_login *login);

static void
on_issuer(void *context, const struct http_response *response, const struct err *err)
{
	struct mcp_login *login = context;
	struct json *json = json_of(response);

	login->call = NULL;
	if (err->kind == ERR_DENIED)
		fail(login, err, "its authorization server");
	else if (json == NULL)
		next_issuer_place(login);
	else if (oauth_server_read(&login->server, json, &login->err) < 0)
		end(login);
	else
		find_client(login);
	json_unref(&json);
}

static void
next_issuer_place(struct mcp_login *login)
{
	char *origin;

	if (login->place < login->places.count) {
		ask(login, &(struct asking){ .method = "GET",
					     .url = login->places.list[login->place++],
					     .done = on_issuer });
		return;
	}
	if (!login->stands_in) {
		err_set(&login->err, ERR_DENIED,
			"its authorization server %.300s has no metadata",
			login->issuer);
		end(login);
		return;
	}
	origin = oauth_origin(login->issuer);
	oauth_server_usual(&login->server, origin);
	free(origin);
	find_client(login);
}

static void
find_issuer(struct mcp_login *login)
{
	oauth_places_fini(&login->places);
	oauth_issuer_places(&login->places, login->issuer);
	login->place = 0;
	next_issuer_place(login);
}

/* The configuration's word comes first, then the refusal's, then the metadata's. What
 * was granted before is asked for again. */
static void
choose_scope(struct mcp_login *login, const char *of_metadata)
{
	const char *own = login->conf.server->oauth.scope;
	const char *told = login->challenge.scope;

	free(login->scope);
	login->scope = own != NULL    ? oauth_scopes(own, told)
		       : told != NULL ? oauth_scopes(login->asked, told)
				      : oauth_scopes(of_metadata, NULL);
}

/* Servers of 2025-03-26 have no metadata of their own: they stand for it themselves. */
static void
stand_in(struct mcp_login *login)
{
	login->issuer = oauth_origin(login->conf.server->url);
	login->resource = xstrdup(login->conf.server->url);
	login->stands_in = true;
	choose_scope(login, NULL);
	find_issuer(login);
}

static void next_resource_place(struct mcp_login *login);

static void
on_resource(void *context, const struct http_response *response, const struct err *err)
{
	struct mcp_login *login = context;
	struct json *json = json_of(response);
	char *scope = NULL;

	login->call = NULL;
	if (err->kind == ERR_DENIED) {
		fail(login, err, "its metadata");
	} else if (json == NULL) {
		next_resource_place(login);
	} else if (oauth_resource_read(json, login->conf.server->url, &login->issuer,
				       &scope, &login->resource, &login->err) < 0) {
		end(login);
	} else {
		choose_scope(login, scope);
		find_issuer(login);
	}
	free(scope);
	json_unref(&json);
}

static void
next_resource_place(struct mcp_login *login)
{
	if (login->place < login->places.count)
		ask(login, &(struct asking){ .method = "GET",
					     .url = login->places.list[login->place++],
					     .done = on_resource });
	else
		stand_in(login);
}

static void
find_resource(struct mcp_login *login)
{
	forget_places(login);
	if (login->challenge.metadata != NULL)
		login->places = (struct oauth_places){
			.list = { xstrdup(login->challenge.metadata) },
			.count = 1,
		};
	else
		oauth_resource_places(&login->places, login->conf.server->url);
	login->place = 0;
	next_resource_place(login);
}

/* ---- asking ---- */

static void
begin(struct mcp_login *login)
{
	const struct oauth_request request = request_of(login);
	struct buf body = { 0 };

	login->refreshing = login->refresh != NULL && login->server.token != NULL &&
			    login->challenge.scope == NULL;
	if (!login->refreshing) {
		find_resource(login);
		return;
	}
	oauth_token_by_refresh(&request, login->refresh, &body);
	ask_token(login, &body);
}

static void
on_turn(void *context)
{
	struct mcp_login *login = context;

	if (login->running)
		begin(login);
	else
		tell_all(login);
}

void
mcp_login_ask(struct mcp_login *login, const char *header, mcp_login_fn *done,
	      void *context)
{
	struct waiter *waiter = xcalloc(1, sizeof *waiter);

	*waiter = (struct waiter){ .done = done, .context = context };
	list_push(&login->waiters, &waiter->link);
	if (login->running || timer_is_set(login->turn))
		return;
	login->running = true;
	err_clear(&login->err);
	oauth_challenge_fini(&login->challenge);
	oauth_challenge_read(&login->challenge, header != NULL ? header : "");
	timer_set(login->turn, 0);
}

void
mcp_login_forget(struct mcp_login *login, const void *context)
{
	list_each_safe (it, &login->waiters) {
		struct waiter *waiter = container_of(it, struct waiter, link);

		if (waiter->context != context)
			continue;
		list_remove(&waiter->link);
		free(waiter);
	}
}

const char *
mcp_login_header(const struct mcp_login *login, int *serial)
{
	*serial = login->serial;
	return login->header;
}

/* ---- life ---- */

struct mcp_login *
mcp_login_new(const struct mcp_wire_conf *conf)
{
	struct mcp_login *login;

	if (!conf->server->oauth.wanted)
		return NULL;
	login = xcalloc(1, sizeof *login);
	login->conf = *conf;
	list_init(&login->waiters);
	login->turn = timer_new(conf->loop, on_turn, login);
	return login;
}

void
mcp_login_free(struct mcp_login **login_p)
{
	struct mcp_login *login = *login_p;
	struct list *link;

	if (login == NULL)
		return;
	*login_p = NULL;
	http_call_cancel(&login->call);
	oauth_challenge_fini(&login->challenge);
	forget_places(login);
	forget_client(login);
	while ((link = list_shift(&login->waiters)) != NULL)
		free(container_of(link, struct waiter, link));
	timer_free(&login->turn);
	if (login->header != NULL)
		explicit_bzero(login->header, strlen(login->header));
	free(login->header);
	free(login->refresh);
	free(login->asked);
	free(login);
}
