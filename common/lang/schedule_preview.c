/* The coming firings of a schedule. See schedule_preview.h. */
#include "lang/schedule_preview.h"

#include <stdio.h>
#include <stdlib.h>

/* "2024-03-31T03:00:00+02:00"; seconds of an offset, which only old times have, are
 * cut. */
static const char *
local_text(const struct wall *wall, char out[static 40])
{
	int minutes = wall->offset / 60, distance = abs(minutes);

	snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", wall->year,
		 wall->month, wall->day, wall->hour, wall->minute, wall->second,
		 minutes < 0 ? '-' : '+', distance / 60, distance % 60);
	return out;
}

static const char *
note_of(const struct cron_firing *firing, bool skipped)
{
	if (firing->after_gap)
		return skipped ? "after the gap, skipped by active hours"
			       : "after the gap";
	return skipped ? "skipped by active hours" : NULL;
}

static struct json *
firing_json(const struct cron_firing *firing, const struct zone *zone,
	    const struct active_hours *hours)
{
	struct wall wall = zone_wall(zone, firing->at);
	bool skipped = hours != NULL && !active_hours_open(hours, &wall);
	const char *note = note_of(firing, skipped);
	struct json *item = json_new_object();
	char text[40];

	json_set(item, "at", json_new_str(rfc3339_format(firing->at, text)));
	json_set(item, "local", json_new_str(local_text(&wall, text)));
	if (note != NULL)
		json_set(item, "note", json_new_str(note));
	return item;
}

struct json *
schedule_preview(const struct cron *cron, const struct zone *zone, usec_t after,
		 int count, const struct active_hours *hours)
{
	struct cron_firing firing = { .at = after };
	struct json *list = json_new_array();

	for (int i = 0; i < count && cron_next(cron, zone, after, firing.at, &firing);
	     i++)
		json_append(list, firing_json(&firing, zone, hours));
	return list;
}
