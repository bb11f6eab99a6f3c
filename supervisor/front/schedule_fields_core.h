/*
 * What clients send about a schedule, over HTTP or WebSocket, read into a value: one
 * table of fields, every problem at once, each with its path. Pure.
 */
#ifndef FRONT_SCHEDULE_FIELDS_CORE_H
#define FRONT_SCHEDULE_FIELDS_CORE_H

#include "base/doc.h"
#include "base/uuid7.h"
#include "engine/field.h"
#include "lang/schedule_rule.h"
#include "json/json.h"

#define SCHEDULE_NAME_MAX 200 /* bytes, of a workflow's name, too */

extern const struct field schedule_fields[]; /* of a workflow's schedule */
extern const struct field active_hours_fields[];

/* "activeHours" of an object. Texts are borrowed from it. */
struct hours_fields {
	const char *start, *end; /* NULL: always active */
	int days[7];
	size_t days_count; /* 0: all days */
};
/* What must have been checked by active_hours_fields; adds to problems what the table
 * cannot tell. */
void hours_fields_read(const struct json *object, struct hours_fields *out,
		       struct problems *problems);

struct schedule_fields {
	const char *name, *cron;
	const char *zone; /* "UTC" where none was given */
	struct hours_fields hours;
	const char *workflow; /* its id or name; NULL: none */
	const struct json *input;
	const char *catch_up, *overlap;
	int max_runs; /* 0: no limit */
	int jitter_ms;
	bool enabled;
	bool has_project;
	struct uuid project;
	struct schedule_rule rule;
};

/* All is borrowed from object. anchor: when the schedule was made. strict: unknown keys
 * are wrong. False: something is wrong, and was added to problems. */
bool schedule_fields_read(const struct json *object, bool strict, usec_t anchor,
			  struct schedule_fields *out, struct problems *problems);
/* A schedule as it would be: of what is stored the fields of the table (NULL: nothing
 * is), and over them what is sent; null stands there for what is cleared. The caller's.
 */
struct json *schedule_fields_merge(const struct json *stored, const struct json *sent);
/* Whether one of these members (ended by NULL) differs. */
bool schedule_fields_differ(const struct json *a, const struct json *b,
			    const char *const *names);

/* Zone, pattern and hours as a rule; what is wrong becomes problems. zone NULL: UTC;
 * cron NULL: that alone is not judged. Anything else that fires has these three. */
bool schedule_rule_check(const char *cron, const char *zone,
			 const struct hours_fields *hours, usec_t anchor,
			 struct schedule_rule *out, struct problems *problems);

#endif
