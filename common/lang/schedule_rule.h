/*
 * What says when a schedule fires, as it is stored and sent, read into a value: text
 * (cron_parse.h), zone, active hours; and when it is due.
 */
#ifndef LANG_SCHEDULE_RULE_H
#define LANG_SCHEDULE_RULE_H

#include "base/uuid7.h"
#include "lang/active_hours.h"
#include "lang/cron_next.h"

#define SCHEDULE_JITTER_MAX (3600 * USEC_SECOND)

struct schedule_rule {
	struct cron cron;
	const struct zone *zone;
	struct active_hours hours;
	bool has_hours;
	usec_t anchor; /* what @every counts from: when the schedule was made */
};

/* zone NULL: UTC; start and end both NULL: always active; days_count 0: all days.
 * ERR_INPUT begins with the name of the field: "cronExpression: ...", "timezone: ...",
 * "activeHours.start: ...", "activeHours.end: ...", "activeHours.daysOfWeek: ...". A
 * pattern that never fires is refused. */
struct schedule_words {
	const char *cron, *zone, *start, *end;
	const int *days;
	size_t days_count;
};
int schedule_rule_read(const struct schedule_words *words, usec_t anchor,
		       struct schedule_rule *out, struct err *err);
bool schedule_rule_next(const struct schedule_rule *rule, usec_t after,
			struct cron_firing *out);
bool schedule_rule_is_active(const struct schedule_rule *rule, usec_t at);
/* How much later than its time this firing is due: below jitter, spread over it, and
 * always the same for the same schedule and time. */
usec_t schedule_jitter(const struct uuid *schedule, usec_t fire_time, usec_t jitter);

#endif
