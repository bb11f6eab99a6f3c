/* How many requests each route answered with which status, and how fast. */
#ifndef FRONT_HTTP_STATS_H
#define FRONT_HTTP_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/usec.h"
#include "front/route.h"

#define HTTP_STATS_BUCKETS 14

extern const usec_t http_stats_bounds[HTTP_STATS_BUCKETS]; /* upper ones, inclusive */

struct http_stat {
	const struct route
	    *route; /* NULL: no route was found, or there was no request */
	int status;
	uint64_t count;
	uint64_t
	    buckets[HTTP_STATS_BUCKETS]; /* each its own; slower ones only in count */
	usec_t time;                     /* summed */
};

struct http_stats {
	struct http_stat *list;
	size_t count;
};

void http_stats_count(struct http_stats *stats, const struct route *route, int status,
		      usec_t took);
void http_stats_fini(struct http_stats *stats);
/* As Prometheus reads it: stepmill_http_requests_total and
 * stepmill_http_request_duration_seconds, by method, route and status. */
void http_stats_write(const struct http_stats *stats, struct buf *out);

#endif
