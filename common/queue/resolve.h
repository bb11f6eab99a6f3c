/*
 * A host's addresses without blocking the loop. The result comes on a later turn, also
 * for numeric addresses and socket paths, which ask nobody.
 */
#ifndef QUEUE_RESOLVE_H
#define QUEUE_RESOLVE_H

#include <sys/socket.h>

#include "loop/loop.h"
#include "queue/redis_url.h"

#define ADDRESSES_MAX 4

struct addresses {
	struct sockaddr_storage list[ADDRESSES_MAX];
	socklen_t lens[ADDRESSES_MAX];
	size_t count;
};

struct resolve;

/* count is 0 when there is none: error says why. */
typedef void resolve_fn(void *context, const struct addresses *addresses,
			const char *error);

struct resolve *resolve_new(struct loop *loop, const struct redis_url *url,
			    resolve_fn *done, void *context);
void resolve_free(struct resolve **resolve_p); /* done will not come */

#endif
