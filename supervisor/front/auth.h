/*
 * Who asks, and whether they may: keys (table api_keys, stored as hashes), roles, and
 * the server without keys that `stepmill dev` runs on loopback. The right of a route
 * stands in the table of routes and is asked here, nowhere else.
 */
#ifndef FRONT_AUTH_H
#define FRONT_AUTH_H

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
/* Fills in who and project of the exchange. granted is called only after AUTH_PENDING.
 */
enum auth_verdict auth_check(struct auth *auth, struct exchange *exchange,
			     auth_granted_fn *granted);

#endif
