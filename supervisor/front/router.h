/*
 * Which route answers: a tree of path segments, literal ones before parameters; a last
 * parameter named :path takes all segments that are left.
 */
#ifndef FRONT_ROUTER_CORE_H
#define FRONT_ROUTER_CORE_H

#include "base/buf.h"
#include "front/route.h"
#include "front/target_core.h"

struct router;

enum router_verdict {
	ROUTER_FOUND,
	ROUTER_NO_PATH,        /* 404 */
	ROUTER_NO_METHOD,      /* 405; allow tells which there are */
	ROUTER_UNKNOWN_METHOD, /* 501 */
	ROUTER_OPTIONS,        /* what is allowed is asked for */
	ROUTER_VERDICTS
};

/* tables: ended by NULL. A path or a method that stands there twice is a bug. */
struct router *router_new(const struct route *const *tables);
void router_free(struct router **router_p);
/* The route with this method whose path fits, the one with the longest literal begin
 * where several do. *skip: leading segments of the target that stand for nothing (the
 * v1 of /api/v1). allow: added to, "GET, HEAD, OPTIONS". */
enum router_verdict router_find(const struct router *router, const char *method,
				const struct target *target, const struct route **route,
				size_t *skip, struct buf *allow);
/* The segment that ":name" of the route's path stands for, or NULL. */
const char *router_param(const struct route *route, const struct target *target,
			 size_t skip, const char *name);

#endif
