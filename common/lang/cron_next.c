/*
 * Wall times of a pattern as instants. A zone is a row of spans with one offset each
 * (zone_span), so every edge, of daylight saving or of a law, is the same here: where
 * the wall time at the end of a span lies before that at the start of the next one is
 * a gap, where it lies behind it is a repeat. See cron_next.h.
 */
#include "lang/cron_next.h"

#include "lang/cron_local.h"

#define DAY        ((int64_t)86400)
#define YEAR_1     (civil_days(1, 1, 1) * DAY)
#define YEAR_10000 (civil_days(CRON_YEAR_MAX + 1, 1, 1) * DAY)
#define TURNS_MAX  250 /* spans looked at when all lies in gaps: a century */

static int64_t
floor_seconds(usec_t instant)
{
	return instant / USEC_SECOND - (instant % USEC_SECOND < 0);
}

static int64_t
ceil_seconds(usec_t instant)
{
	return instant / USEC_SECOND + (instant % USEC_SECOND > 0);
}

/* The wall time at which the span before this one ended. */
static int64_t
wall_end_before(const struct zone *zone, const struct zone_span *span)
{
	if (span->start == INT64_MIN)
		return INT64_MIN;
	return span->start + zone_span(zone, span->start - 1).offset;
}

/* The first instant at which the clock on the wall has come to this time. */
static int64_t
instant_of(const struct zone *zone, int64_t wall, bool *after_gap)
{
	struct zone_span span = zone_span(zone, wall - DAY);

	while (span.end != INT64_MAX && span.end + span.offset <= wall)
		span = zone_span(zone, span.end);
	*after_gap = span.start != INT64_MIN && wall < span.start + span.offset;
	return *after_gap ? span.start : wall - span.offset;
}

/* Instants of wall times rise with them, so the edge is found on the wall. */
static bool
next_fixed(const struct cron *cron, const struct zone *zone, int64_t after,
	   struct cron_firing *out)
{
	struct zone_span span = zone_span(zone, after);
	int64_t ended = wall_end_before(zone, &span), at;
	int64_t wall = after + span.offset;

	/* within a repeat all of it has fired */
	wall = wall + 1 > ended ? wall : ended - 1;
	do {
		if (!cron_local_seek(cron, wall + 1, 1, &wall))
			return false;
		at = instant_of(zone, wall, &out->after_gap);
	} while (at <= after); /* a repeat within a repeat */
	out->at = at * USEC_SECOND;
	return true;
}

static bool
previous_fixed(const struct cron *cron, const struct zone *zone, int64_t before,
	       struct cron_firing *out)
{
	struct zone_span span = zone_span(zone, before);
	int64_t ended = wall_end_before(zone, &span), at;
	int64_t wall = before + span.offset;
	bool after_gap;

	if (before == span.start || wall < ended)
		wall = ended;
	do {
		if (!cron_local_seek(cron, wall - 1, -1, &wall))
			return false;
		at = instant_of(zone, wall, &out->after_gap);
	} while (at >= before);
	out->at = at * USEC_SECOND;
	/* the end of a gap may be a time of the pattern itself */
	if (!out->after_gap && cron_local_seek(cron, wall - 1, -1, &wall))
		out->after_gap = instant_of(zone, wall, &after_gap) == at;
	return true;
}

/* Span after span: the first one in which the wall shows a time of the pattern. Where
 * nothing can be repeated any more, a leap ends shortly before the next one. */
static bool
next_elapsed(const struct cron *cron, const struct zone *zone, int64_t after,
	     struct cron_firing *out)
{
	int64_t from = after + 1, wall;

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		struct zone_span span = zone_span(zone, from);
		bool last = span.end == INT64_MAX;
		bool apart = !last && from + 2 * DAY < span.end;

		if (!cron_local_seek(cron, from + span.offset, 1, &wall)) {
			if (last || apart)
				return false;
			from = span.end;
			continue;
		}
		if (last || wall < span.end + span.offset) {
			*out = (struct cron_firing){ (wall - span.offset) * USEC_SECOND,
						     false };
			return true;
		}
		from = apart && wall - DAY > span.end ? wall - DAY : span.end;
	}
	return false;
}

static bool
previous_elapsed(const struct cron *cron, const struct zone *zone, int64_t before,
		 struct cron_firing *out)
{
	int64_t from = before - 1, wall;

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		struct zone_span span = zone_span(zone, from);
		bool first = span.start == INT64_MIN;
		bool apart = !first && from - 2 * DAY > span.start;

		if (!cron_local_seek(cron, from + span.offset, -1, &wall)) {
			if (first || apart)
				return false;
			from = span.start - 1;
			continue;
		}
		if (first || wall >= span.start + span.offset) {
			*out = (struct cron_firing){ (wall - span.offset) * USEC_SECOND,
						     false };
			return true;
		}
		from = apart && wall + DAY < span.start ? wall + DAY : span.start - 1;
	}
	return false;
}

/* The first multiple after; the anchor itself is none. */
static bool
next_every(usec_t every, usec_t anchor, usec_t after, struct cron_firing *out)
{
	usec_t count = after < anchor ? 1 : (after - anchor) / every + 1;

	*out = (struct cron_firing){ anchor + count * every, false };
	return true;
}

static bool
previous_every(usec_t every, usec_t anchor, usec_t before, struct cron_firing *out)
{
	if (before <= anchor || before - anchor <= every)
		return false;
	*out = (struct cron_firing){ anchor + (before - anchor - 1) / every * every,
				     false };
	return true;
}

/* Keeps all arithmetic away from the ends of its types. */
static usec_t
within_years(usec_t instant)
{
	if (instant < YEAR_1 * USEC_SECOND)
		return YEAR_1 * USEC_SECOND;
	if (instant > YEAR_10000 * USEC_SECOND)
		return YEAR_10000 * USEC_SECOND;
	return instant;
}

static bool
is_within_years(const struct cron_firing *firing)
{
	return firing->at == within_years(firing->at) &&
	       firing->at < YEAR_10000 * USEC_SECOND;
}

bool
cron_next(const struct cron *cron, const struct zone *zone, usec_t anchor, usec_t after,
	  struct cron_firing *out)
{
	bool found;

	after = within_years(after);
	if (cron->every > 0)
		found = next_every(cron->every, within_years(anchor), after, out);
	else if (cron->follows_elapsed)
		found = next_elapsed(cron, zone, floor_seconds(after), out);
	else
		found = next_fixed(cron, zone, floor_seconds(after), out);
	return found && is_within_years(out);
}

bool
cron_previous(const struct cron *cron, const struct zone *zone, usec_t anchor,
	      usec_t before, struct cron_firing *out)
{
	bool found;

	before = within_years(before);
	if (cron->every > 0)
		found = previous_every(cron->every, within_years(anchor), before, out);
	else if (cron->follows_elapsed)
		found = previous_elapsed(cron, zone, ceil_seconds(before), out);
	else
		found = previous_fixed(cron, zone, ceil_seconds(before), out);
	return found && is_within_years(out);
}
