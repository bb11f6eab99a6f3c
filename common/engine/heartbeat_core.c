/* What the front matter of HEARTBEAT.md says. The checklist is in
 * heartbeat_items_core.c. See heartbeat_core.h. */
#include "engine/heartbeat_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/front_matter.h"
#include "engine/heartbeat_items_core.h"
#include "engine/reader.h"
#include "lang/active_hours.h"

/* ---- front matter ---- */

static void
read_interval(struct reader *reader, const struct place *place, void *into)
{
	struct heartbeat *heartbeat = into;
	struct json *value = json_from_doc(place->doc);
	long minutes = 0;
	usec_t time = 0;

	if (json_type(value) == JSON_STRING) {
		if (reader_duration(reader, place, false, &time) &&
		    (time % (60 * USEC_SECOND) != 0 ||
		     time / (60 * USEC_SECOND) > HEARTBEAT_INTERVAL_MAX))
			reader_problem(reader, place, "expected whole minutes, 1 to %d",
				       HEARTBEAT_INTERVAL_MAX);
		else
			minutes = (long)(time / (60 * USEC_SECOND));
	} else {
		reader_count(reader, place, 1, HEARTBEAT_INTERVAL_MAX, &minutes);
	}
	if (minutes > 0)
		json_set(heartbeat->says, "interval", json_new_int(minutes));
	json_unref(&value);
}

static void
read_zone(struct reader *reader, const struct place *place, void *into)
{
	struct heartbeat *heartbeat = into;
	const char *text = reader_text(reader, place, 100);
	struct err err = { 0 };

	if (text == NULL)
		return;
	if (zone_get(text, &err) == NULL)
		reader_problem(reader, place, "%s", err.text);
	else
		json_set(heartbeat->says, "timezone", json_new_str(text));
}

static void
read_time(struct reader *reader, const struct place *place, void *into, bool end)
{
	struct json *hours = into;
	const char *text = reader_text(reader, place, 100);
	struct err err = { 0 };
	int minutes;

	if (text == NULL)
		return;
	if (active_hours_time(text, strlen(text), end, &minutes, &err) < 0)
		reader_problem(reader, place, "%s", err.text);
	else
		json_set(hours, place->key, json_new_str(text));
}

static void
read_start(struct reader *reader, const struct place *place, void *into)
{
	read_time(reader, place, into, false);
}

static void
read_end(struct reader *reader, const struct place *place, void *into)
{
	read_time(reader, place, into, true);
}

/* Each day once, in their order: as it is stored. */
static void
read_days(struct reader *reader, const struct place *place, void *into)
{
	struct json *hours = into, *days;
	struct active_hours given = { 0 };
	struct err err = { 0 };
	long day;

	if (!reader_is(reader, place, DOC_LIST))
		return;
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place_item(place, i);

		if (reader_count(reader, &item, 0, 7, &day))
			active_hours_day(&given, day, &err);
	}
	days = json_new_array();
	for (int i = 1; i <= 7; i++)
		if (given.days >> i & 1)
			json_append(days, json_new_int(i));
	json_set(hours, "daysOfWeek", days);
}

static const struct key hours_keys[] = {
	{ .name = "start", .read = read_start, .required = true },
	{ .name = "end", .read = read_end, .required = true },
	{ .name = "daysOfWeek", .read = read_days },
	{ 0 },
};

static void
read_hours(struct reader *reader, const struct place *place, void *into)
{
	struct heartbeat *heartbeat = into;
	struct json *hours = json_new_object();

	reader_map(reader, place, hours_keys, NULL, hours);
	json_set(heartbeat->says, "activeHours", hours);
}

static void
read_model(struct reader *reader, const struct place *place, void *into)
{
	struct heartbeat *heartbeat = into;
	const char *text = reader_text(reader, place, HEARTBEAT_MODEL_MAX);

	if (text != NULL)
		json_set(heartbeat->says, "model", json_new_str(text));
}

static void
read_webhook(struct reader *reader, const struct place *place, void *into)
{
	struct heartbeat *heartbeat = into;
	const char *text = reader_text(reader, place, HEARTBEAT_WEBHOOK_MAX);

	if (text == NULL)
		return;
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		reader_problem(reader, place, "expected a URL, http or https");
	else
		json_set(heartbeat->says, "webhook", json_new_str(text));
}

/* name and description are for people. */
static const struct key front_keys[] = {
	{ .name = "interval", .read = read_interval },
	{ .name = "timezone", .read = read_zone },
	{ .name = "activeHours", .read = read_hours },
	{ .name = "model", .read = read_model },
	{ .name = "webhook", .read = read_webhook },
	{ .name = "name" },
	{ .name = "description" },
	{ 0 },
};

static void
read_front(const struct front_matter *parts, front_matter_yaml_fn *yaml,
	   struct heartbeat *heartbeat, struct problems *problems)
{
	struct reader reader = { .problems = problems };
	struct doc *doc = yaml(parts->front, parts->front_len, problems);
	const struct place top = { .doc = doc };

	if (doc != NULL)
		reader_map(&reader, &top, front_keys, NULL, heartbeat);
	doc_free(&doc);
}

bool
heartbeat_read(const char *text, size_t len, front_matter_yaml_fn *yaml,
	       struct heartbeat *out, struct problems *problems)
{
	size_t before = problems->count;
	struct front_matter parts;

	if (!front_matter_split(text, len, &parts, problems))
		return false;
	*out = (struct heartbeat){ json_new_object(), json_new_array() };
	if (parts.front != NULL)
		read_front(&parts, yaml, out, problems);
	heartbeat_items(parts.body, parts.body_len, parts.body_line, out->items,
			problems);
	if (problems->count == before)
		return true;
	heartbeat_fini(out);
	return false;
}

void
heartbeat_fini(struct heartbeat *heartbeat)
{
	json_unref(&heartbeat->says);
	json_unref(&heartbeat->items);
}

/* ---- intervals ---- */

void
heartbeat_cron(long minutes, struct buf *out)
{
	if (minutes < 60 && 60 % minutes == 0)
		buf_printf(out, "*/%ld * * * *", minutes);
	else
		buf_printf(out, "@every %ldm", minutes);
}

long
heartbeat_minutes(const char *cron)
{
	struct buf again = { 0 };
	long minutes = 0;
	bool same = false;

	if (sscanf(cron, "*/%6ld", &minutes) != 1)
		sscanf(cron, "@every %6ldm", &minutes);
	if (minutes >= 1 && minutes <= HEARTBEAT_INTERVAL_MAX) {
		heartbeat_cron(minutes, &again);
		same = strcmp(buf_text(&again), cron) == 0;
	}
	buf_fini(&again);
	return same ? minutes : 0;
}
