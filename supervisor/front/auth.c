/*
 * Keys are random and long: their SHA-256 is what is stored and looked for. A key that
 * was good is believed for five seconds more, so that a busy client costs PostgreSQL
 * nothing; revoking takes as long.
 */
#include "front/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "front/auth_core.h"
#include "front/caller.h"
#include "front/exchange.h"

#define BELIEVED_FOR (5 * USEC_SECOND)
#define KNOWN_MAX    1024
#define LOOKUPS_MAX  256 /* at once: who tries keys does not get all of PostgreSQL */

struct identity {
	struct list link; /* in auth->order */
	unsigned char hash[SHA256_BYTES];
	char name[EXCHANGE_WHO_MAX + 1];
	enum role role;
	struct uuid project;
	struct json *tools; /* NULL: all */
	usec_t until;       /* monotonic */
};

struct auth {
	struct front *front;
	struct map *known; /* hash -> struct identity */
	struct list order; /* oldest first */
	size_t lookups;
};

struct lookup {
	struct auth *auth;
	struct exchange *exchange;
	auth_granted_fn *granted;
	unsigned char hash[SHA256_BYTES];
};

struct auth *
auth_new(struct front *front)
{
	struct auth *auth = xcalloc(1, sizeof *auth);

	auth->front = front;
	auth->known = map_new();
	list_init(&auth->order);
	return auth;
}

void
auth_free(struct auth **auth_p)
{
	struct auth *auth = *auth_p;

	if (auth == NULL)
		return;
	*auth_p = NULL;
	auth_forget(auth);
	map_free(&auth->known, NULL);
	free(auth);
}

/* ---- what is known ---- */

static void
forget(struct auth *auth, struct identity *identity)
{
	list_remove(&identity->link);
	map_remove(auth->known, identity->hash, SHA256_BYTES);
	json_unref(&identity->tools);
	free(identity);
}

static struct identity *
recall(struct auth *auth, const unsigned char *hash)
{
	struct identity *identity = map_get(auth->known, hash, SHA256_BYTES);

	if (identity == NULL || !digest_equal(identity->hash, hash, SHA256_BYTES))
		return NULL;
	if (identity->until > loop_mono(auth->front->loop))
		return identity;
	forget(auth, identity);
	return NULL;
}

static struct identity *
remember(struct auth *auth, const unsigned char *hash, const struct pg_rows *rows)
{
	struct identity *identity = recall(auth, hash);

	if (identity != NULL)
		forget(auth, identity);
	if (map_count(auth->known) >= KNOWN_MAX)
		forget(auth, container_of(auth->order.next, struct identity, link));
	identity = xcalloc(1, sizeof *identity);
	memcpy(identity->hash, hash, SHA256_BYTES);
	snprintf(identity->name, sizeof identity->name, "%s",
		 pg_text(rows, 0, 0, NULL));
	if (!auth_role_parse(pg_text(rows, 0, 1, NULL), &identity->role))
		identity->role = ROLE_NONE;
	if (!pg_is_null(rows, 0, 2))
		identity->project = pg_uuid(rows, 0, 2);
	identity->tools = pg_json(rows, 0, 4);
	identity->until = loop_mono(auth->front->loop) + BELIEVED_FOR;
	map_put(auth->known, identity->hash, SHA256_BYTES, identity);
	list_push(&auth->order, &identity->link);
	return identity;
}

void
auth_forget(struct auth *auth)
{
	while (!list_empty(&auth->order))
		forget(auth, container_of(auth->order.next, struct identity, link));
}

/* ---- answers ---- */

static enum auth_verdict
refuse_key(struct exchange *exchange, const char *why)
{
	if (!caller_may(exchange))
		return AUTH_REFUSED;
	reply_header(exchange, "WWW-Authenticate", "Bearer realm=\"stepmill\"");
	reply_problem(exchange, 401, NULL, "%s", why);
	return AUTH_REFUSED;
}

static enum auth_verdict
judge(struct exchange *exchange, const struct identity *identity)
{
	enum role needed = exchange->route->role;

	snprintf(exchange->who, sizeof exchange->who, "%s", identity->name);
	exchange->has_key = true;
	exchange->project = identity->project;
	exchange->tools = json_ref(identity->tools);
	if (identity->role >= needed)
		return AUTH_GRANTED;
	if (!caller_may(exchange))
		return AUTH_REFUSED;
	reply_problem(exchange, 403, NULL, "this needs the role %s, the key has %s",
		      auth_role_name(needed), auth_role_name(identity->role));
	return AUTH_REFUSED;
}

/* ---- looking up ---- */

static void
lookup_free(void *state)
{
	struct lookup *lookup = state;

	lookup->auth->lookups--;
	pg_forget(lookup->auth->front->read, lookup);
	free(lookup);
}

static bool
row_is_of(const struct pg_rows *rows, const unsigned char *hash)
{
	size_t len;
	const char *stored;

	if (pg_count(rows) != 1)
		return false;
	stored = pg_text(rows, 0, 3, &len);
	return len == SHA256_BYTES && digest_equal(stored, hash, SHA256_BYTES);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct lookup *lookup = context;
	struct exchange *exchange = lookup->exchange;
	auth_granted_fn *granted = lookup->granted;
	struct identity *identity = NULL;

	if (rows != NULL && row_is_of(rows, lookup->hash))
		identity = remember(lookup->auth, lookup->hash, rows);
	exchange_set_state(exchange, NULL, NULL);
	lookup_free(lookup);
	if (rows == NULL)
		reply_err(exchange, err);
	else if (identity == NULL)
		refuse_key(exchange, "the key is not known, or no longer good");
	else if (judge(exchange, identity) == AUTH_GRANTED)
		granted(exchange);
}

static enum auth_verdict
look_up(struct auth *auth, struct exchange *exchange, const unsigned char *hash,
	auth_granted_fn *granted)
{
	struct lookup *lookup;
	struct pg_args args;

	if (auth->lookups >= LOOKUPS_MAX) {
		reply_header(exchange, "Retry-After", "1");
		reply_problem(exchange, 503, NULL, "too many keys to look up");
		return AUTH_REFUSED;
	}
	lookup = xcalloc(1, sizeof *lookup);
	*lookup =
	    (struct lookup){ .auth = auth, .exchange = exchange, .granted = granted };
	memcpy(lookup->hash, hash, SHA256_BYTES);
	auth->lookups++;
	exchange_set_state(exchange, lookup, lookup_free);
	pg_args_init(&args);
	pg_arg_bytes(&args, hash, SHA256_BYTES);
	pg_query(auth->front->read, "api_keys_find", &args, on_found, lookup);
	pg_args_fini(&args);
	return AUTH_PENDING;
}

static enum auth_verdict
check_key(struct auth *auth, struct exchange *exchange, auth_granted_fn *granted)
{
	const char *authorization = exchange_header(exchange, "Authorization");
	unsigned char hash[SHA256_BYTES];
	struct identity *identity;
	const char *key;
	size_t len;

	if (authorization == NULL)
		return refuse_key(exchange,
				  "a key is needed: Authorization: Bearer KEY");
	if (!auth_bearer(authorization, &key, &len))
		return refuse_key(exchange, "Authorization must be: Bearer KEY");
	sha256(key, len, hash);
	identity = recall(auth, hash);
	if (identity != NULL)
		return judge(exchange, identity);
	return look_up(auth, exchange, hash, granted);
}

/* No key, but nobody from another machine, and no page of another server. */
enum auth_verdict
auth_check_loopback(struct exchange *exchange)
{
	const char *host = http_host(exchange->head);
	const char *origin = exchange_header(exchange, "Origin");

	snprintf(exchange->who, sizeof exchange->who, "dev");
	if (auth_host_is_loopback(host) &&
	    (origin == NULL || auth_origin_is_own(origin, host)))
		return AUTH_GRANTED;
	reply_problem(
	    exchange, 403, NULL,
	    "without keys, Host must be localhost, 127.x.x.x or [::1], and Origin "
	    "this server's own");
	return AUTH_REFUSED;
}

bool
auth_is_open(const struct auth *auth, const struct exchange *exchange)
{
	const struct settings *settings = auth->front->settings;

	return settings->development && !settings->auth_required &&
	       exchange_is_loopback(exchange);
}

enum auth_verdict
auth_check(struct auth *auth, struct exchange *exchange, auth_granted_fn *granted)
{
	if (exchange->route->role == ROLE_NONE)
		return AUTH_GRANTED;
	if (auth_is_open(auth, exchange))
		return auth_check_loopback(exchange);
	return check_key(auth, exchange, granted);
}

/* ---- a key alone ---- */

struct auth_ask {
	struct auth *auth;
	auth_found_fn *found; /* NULL: cancelled */
	void *context;
	bool looks_up; /* in PostgreSQL; else it is told at the end of the turn */
	unsigned char hash[SHA256_BYTES];
	struct auth_identity identity; /* as it was known */
	struct err err;
};

static struct auth_identity
identity_of(const struct identity *known)
{
	struct auth_identity identity = { .role = known->role,
					  .project = known->project,
					  .tools = known->tools };

	snprintf(identity.name, sizeof identity.name, "%s", known->name);
	return identity;
}

static void
on_asked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct auth_ask *ask = context;
	struct auth_identity identity;
	bool known = rows != NULL && row_is_of(rows, ask->hash);

	if (known)
		identity = identity_of(remember(ask->auth, ask->hash, rows));
	ask->auth->lookups--;
	ask->found(ask->context, known ? &identity : NULL, err);
	free(ask);
}

static void
tell_asked(void *context)
{
	struct auth_ask *ask = context;
	bool known = ask->err.kind == ERR_NONE;

	if (ask->found != NULL)
		ask->found(ask->context, known ? &ask->identity : NULL, &ask->err);
	json_unref(&ask->identity.tools);
	free(ask);
}

static void
ask_postgresql(struct auth_ask *ask)
{
	struct pg_args args;

	ask->looks_up = true;
	ask->auth->lookups++;
	pg_args_init(&args);
	pg_arg_bytes(&args, ask->hash, SHA256_BYTES);
	pg_query(ask->auth->front->read, "api_keys_find", &args, on_asked, ask);
	pg_args_fini(&args);
}

struct auth_ask *
auth_ask(struct auth *auth, const unsigned char hash[SHA256_BYTES],
	 auth_found_fn *found, void *context)
{
	struct auth_ask *ask = xcalloc(1, sizeof *ask);
	const struct identity *known = recall(auth, hash);

	ask->auth = auth;
	ask->found = found;
	ask->context = context;
	memcpy(ask->hash, hash, SHA256_BYTES);
	if (known == NULL && auth->lookups < LOOKUPS_MAX) {
		ask_postgresql(ask);
		return ask;
	}
	if (known == NULL)
		err_set(&ask->err, ERR_RETRY, "too many keys to look up");
	else
		ask->identity = identity_of(known);
	json_ref(ask->identity.tools);
	loop_defer(auth->front->loop, tell_asked, ask);
	return ask;
}

void
auth_ask_cancel(struct auth_ask **ask_p)
{
	struct auth_ask *ask = *ask_p;

	if (ask == NULL)
		return;
	*ask_p = NULL;
	if (!ask->looks_up) {
		ask->found = NULL;
		return;
	}
	ask->auth->lookups--;
	pg_forget(ask->auth->front->read, ask);
	free(ask);
}
