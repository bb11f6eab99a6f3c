/*
 * Tells the front what the pool looks like: "pool {json}" at each change, at most five
 * times a second. What GET /api/pool shows; the service manager gets a line of it too.
 */
#ifndef POOL_REPORTS_H
#define POOL_REPORTS_H

#include "loop/loop.h"
#include "pool/notify.h"
#include "pool/pool_core.h"

struct reports;

struct reports *reports_new(struct loop *loop, const struct pool_core *core,
			    struct notify *notify);
void reports_free(struct reports **reports_p);
void reports_changed(struct reports *reports); /* something of the pool did */

#endif
