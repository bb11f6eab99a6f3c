/* Any JSON as what a client sends about a schedule: what is read fires, or says where
 * it is wrong. */
#include <stdint.h>
#include <stdlib.h>

#include "front/schedule_fields_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOW (INT64_C(1790000000) * USEC_SECOND)

static void
read_one(const struct json *json, bool strict)
{
	struct schedule_fields fields;
	struct problems problems = { 0 };
	struct cron_firing firing;

	if (schedule_fields_read(json, strict, NOW, &fields, &problems)) {
		if (!schedule_rule_next(&fields.rule, NOW, &firing) ||
		    firing.at <= NOW || fields.hours.days_count > 7 ||
		    problems.count > 0)
			abort();
	} else if (problems.count == 0) {
		abort();
	}
	problems_fini(&problems);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json *json = NULL, *merged;
	struct err err = { 0 };

	if (json_parse((const char *)data, len, &json, &err) < 0)
		return 0;
	read_one(json, true);
	read_one(json, false);
	if (json_type(json) == JSON_OBJECT) {
		merged = schedule_fields_merge(json, json);
		read_one(merged, true);
		json_unref(&merged);
	}
	json_unref(&json);
	return 0;
}
