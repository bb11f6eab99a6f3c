/* See schedule_rule.h. */
#include "lang/schedule_rule.h"

#include <string.h>

#include "base/siphash.h"

static int
read_cron(const char *text, usec_t anchor, struct schedule_rule *out, struct err *err)
{
	struct cron_firing firing;
	struct err why = { 0 };

	if (text == NULL)
		return err_set(err, ERR_INPUT,
			       "cronExpression: expected a cron pattern, or words as "
			       "\"every 5 minutes\"");
	if (cron_parse(text, strlen(text), &out->cron, &why) < 0)
		return err_set(err, ERR_INPUT, "cronExpression: %s", why.text);
	if (!cron_next(&out->cron, out->zone, anchor, anchor, &firing))
		return err_set(err, ERR_INPUT, "cronExpression: \"%s\" never fires",
			       text);
	return 0;
}

static int
read_hours(const struct schedule_words *words, struct schedule_rule *out,
	   struct err *err)
{
	struct err why = { 0 };

	out->has_hours = words->start != NULL || words->end != NULL;
	if (!out->has_hours)
		return 0;
	if (words->start == NULL ||
	    active_hours_time(words->start, strlen(words->start), false,
			      &out->hours.start, &why) < 0)
		return err_set(err, ERR_INPUT, "activeHours.start: %s",
			       words->start != NULL ? why.text : "expected HH:MM");
	if (words->end == NULL || active_hours_time(words->end, strlen(words->end),
						    true, &out->hours.end, &why) < 0)
		return err_set(err, ERR_INPUT, "activeHours.end: %s",
			       words->end != NULL ? why.text : "expected HH:MM");
	for (size_t i = 0; i < words->days_count; i++)
		if (active_hours_day(&out->hours, words->days[i], &why) < 0)
			return err_set(err, ERR_INPUT, "activeHours.daysOfWeek: %s",
				       why.text);
	if (words->days_count == 0)
		out->hours.days = ACTIVE_DAYS_ALL;
	return 0;
}

int
schedule_rule_read(const struct schedule_words *words, usec_t anchor,
		   struct schedule_rule *out, struct err *err)
{
	struct err why = { 0 };

	*out = (struct schedule_rule){ .anchor = anchor };
	out->zone = zone_get(words->zone != NULL ? words->zone : "UTC", &why);
	if (out->zone == NULL)
		return err_set(err, ERR_INPUT, "timezone: %s", why.text);
	if (read_cron(words->cron, anchor, out, err) < 0)
		return -1;
	return read_hours(words, out, err);
}

bool
schedule_rule_next(const struct schedule_rule *rule, usec_t after,
		   struct cron_firing *out)
{
	return cron_next(&rule->cron, rule->zone, rule->anchor, after, out);
}

bool
schedule_rule_is_active(const struct schedule_rule *rule, usec_t at)
{
	struct wall wall;

	if (!rule->has_hours)
		return true;
	wall = zone_wall(rule->zone, at);
	return active_hours_open(&rule->hours, &wall);
}

usec_t
schedule_jitter(const struct uuid *schedule, usec_t fire_time, usec_t jitter)
{
	static const struct siphash_seed seed = { 0x7374657070696c6c, 0x6a6974746572 };
	unsigned char data[24];

	if (jitter <= 0)
		return 0;
	memcpy(data, schedule->b, 16);
	memcpy(data + 16, &fire_time, 8);
	return (usec_t)(siphash(seed, data, sizeof data) % (uint64_t)jitter);
}
