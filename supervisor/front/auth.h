/*
 * Who asks, and whether they may: keys (table api_keys, stored as hashes), roles, and
 * the server without keys that `stepmill dev` runs on loopback. The right of a route
 * stands in the table of routes and is asked here, nowhere else.
 */
#ifndef FRONT_AUTH_H
#define FRONT_AUTH_H

#include "digest/digest.h"
#include "front/front.h"
#include "front/route.h"

struct auth;

enum auth_verdict {
	AUTH_GRANTED,
	AUTH_REFUSED, /* and answered: 401, 403 or 503 */
	AUTH_PENDING, /* the key is looked up; granted comes later, or the refusal */
	AUTH_VERDICTS
};

typedef void auth_granted_fn(struct exchange *exchange);

struct auth *auth_new(struct front *front);
void auth_free(struct auth **auth_p);
/* What was looked up is looked up anew: a key was revoked here. */
void auth_forget(struct auth *auth);
/* Fills in who and project of the exchange. granted is called only after AUTH_PENDING.
 */
enum auth_verdict auth_check(struct auth *auth, struct exchange *exchange,
			     auth_granted_fn *granted);

/* Whether no keys are asked for here: stepmill dev, and the client on this machine. */
bool auth_is_open(const struct auth *auth, const struct exchange *exchange);
/* Then: whether Host and Origin are of this machine, too. Fills in who ("dev"). */
enum auth_verdict auth_check_loopback(struct exchange *exchange);

/* ---- a key that came another way than in Authorization ---- */

#define AUTH_NAME_MAX 128

struct auth_identity {
	char name[AUTH_NAME_MAX + 1];
	enum role role;
	struct uuid project; /* nil: bound to none */
	struct json *tools;  /* that runs it starts may use, borrowed; NULL: all */
};

struct auth_ask;
/* identity is NULL when the key is not known (err NONE), or when that could not be
 * found out. Comes on a later turn; the auth_ask is gone then. */
typedef void auth_found_fn(void *context, const struct auth_identity *identity,
			   const struct err *err);
/* Whose key has this hash. */
struct auth_ask *auth_ask(struct auth *auth, const unsigned char hash[SHA256_BYTES],
			  auth_found_fn *found, void *context);
void auth_ask_cancel(struct auth_ask **ask_p); /* found will not come; accepts NULL */

#endif
