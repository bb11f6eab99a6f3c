/*
 * Timestamps and durations: reading, writing, arithmetic, accessors in any zone. A
 * timestamp lies in the years 1 to 9999; a duration is a whole number of nanoseconds,
 * which is about 292 years.
 */
#ifndef LANG_CEL_TIME_H
#define LANG_CEL_TIME_H

#include "base/buf.h"
#include "lang/cel_node.h"
#include "lang/cel_run.h"

/* + and - where at least one side is a time; other operands are "no such overload". */
struct cel_value cel_time_arith(struct cel_run *run, enum cel_op op,
				const struct cel_value *a, const struct cel_value *b);

/* RFC 3339, any offset, up to nanoseconds. */
bool cel_timestamp_parse(const char *text, size_t len, struct cel_time *out);
bool cel_timestamp_in_range(const struct cel_time *time);
/* "1h30m", "-1.5s", "250ms"; units ns us ms s m h, and d and w, which CEL has not. */
bool cel_duration_parse(const char *text, size_t len, int64_t *nanos);

#define CEL_TIME_TEXT 48
/* "2009-02-13T23:31:30.5Z"; returns out. */
const char *cel_timestamp_text(const struct cel_time *time, char out[CEL_TIME_TEXT]);
/* "6347s", "-0.25s" */
const char *cel_duration_text(int64_t nanos, char out[CEL_TIME_TEXT]);

#endif
