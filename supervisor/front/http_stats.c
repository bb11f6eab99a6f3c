/* The rows are few: routes times the statuses they really gave. See http_stats.h. */
#include "front/http_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

const usec_t http_stats_bounds[HTTP_STATS_BUCKETS] = {
	1 * USEC_MS,      2500,
	5 * USEC_MS,      10 * USEC_MS,
	25 * USEC_MS,     50 * USEC_MS,
	100 * USEC_MS,    250 * USEC_MS,
	500 * USEC_MS,    1 * USEC_SECOND,
	2500 * USEC_MS,   5 * USEC_SECOND,
	10 * USEC_SECOND, 30 * USEC_SECOND,
};

static struct http_stat *
row_for(struct http_stats *stats, const struct route *route, int status)
{
	struct http_stat *row;

	for (size_t i = 0; i < stats->count; i++)
		if (stats->list[i].route == route && stats->list[i].status == status)
			return &stats->list[i];
	stats->list = xrealloc(stats->list, stats->count + 1, sizeof *stats->list);
	row = &stats->list[stats->count++];
	*row = (struct http_stat){ .route = route, .status = status };
	return row;
}

void
http_stats_count(struct http_stats *stats, const struct route *route, int status,
		 usec_t took)
{
	struct http_stat *row = row_for(stats, route, status);

	row->count++;
	row->time += took;
	for (size_t i = 0; i < HTTP_STATS_BUCKETS; i++)
		if (took <= http_stats_bounds[i]) {
			row->buckets[i]++;
			break;
		}
}

void
http_stats_fini(struct http_stats *stats)
{
	free(stats->list);
	*stats = (struct http_stats){ 0 };
}

/* Route patterns and methods come from our own tables: nothing to escape. */
static void
write_labels(const struct http_stat *row, struct buf *out)
{
	buf_printf(out, "method=\"%s\",route=\"%s\",status=\"%d\"",
		   row->route != NULL ? row->route->method : "",
		   row->route != NULL ? row->route->path : "", row->status);
}

static void
write_line(const char *suffix, const struct http_stat *row, const char *le,
	   struct buf *out)
{
	buf_printf(out, "stepmill_http_request_duration_seconds_%s{", suffix);
	write_labels(row, out);
	buf_str(out, le);
	buf_str(out, "} ");
}

static void
write_histogram(const struct http_stat *row, struct buf *out)
{
	uint64_t below = 0;
	char le[32];

	for (size_t i = 0; i < HTTP_STATS_BUCKETS; i++) {
		below += row->buckets[i];
		snprintf(le, sizeof le, ",le=\"%g\"",
			 (double)http_stats_bounds[i] / USEC_SECOND);
		write_line("bucket", row, le, out);
		buf_printf(out, "%" PRIu64 "\n", below);
	}
	write_line("bucket", row, ",le=\"+Inf\"", out);
	buf_printf(out, "%" PRIu64 "\n", row->count);
	write_line("sum", row, "", out);
	buf_printf(out, "%.6f\n", (double)row->time / USEC_SECOND);
	write_line("count", row, "", out);
	buf_printf(out, "%" PRIu64 "\n", row->count);
}

void
http_stats_write(const struct http_stats *stats, struct buf *out)
{
	buf_str(out, "# HELP stepmill_http_requests_total Requests answered.\n"
		     "# TYPE stepmill_http_requests_total counter\n");
	for (size_t i = 0; i < stats->count; i++) {
		buf_str(out, "stepmill_http_requests_total{");
		write_labels(&stats->list[i], out);
		buf_printf(out, "} %" PRIu64 "\n", stats->list[i].count);
	}
	buf_str(out,
		"# HELP stepmill_http_request_duration_seconds From a request's first "
		"byte to the end of its answer.\n"
		"# TYPE stepmill_http_request_duration_seconds histogram\n");
	for (size_t i = 0; i < stats->count; i++)
		write_histogram(&stats->list[i], out);
}
