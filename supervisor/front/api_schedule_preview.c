/* POST /schedules/preview: when a schedule would fire, by the scheduler's arithmetic.
 * Nothing is read or changed. */
#include <string.h>

#include "front/api.h"
#include "front/object_core.h"
#include "front/schedule_fields_core.h"
#include "lang/schedule_preview.h"

#define COUNT_PRESET 5

/* clang-format off */
static const struct field preview_fields[] = {
	{ .name = "cronExpression", .type = FIELD_TEXT, .required = true, .min = 1,
	  .max = CRON_TEXT_MAX },
	{ .name = "timezone", .type = FIELD_TEXT, .min = 1, .max = 100 },
	{ .name = "count", .type = FIELD_COUNT, .min = 1, .max = SCHEDULE_PREVIEW_MAX },
	{ .name = "activeHours", .type = FIELD_OBJECT, .members = active_hours_fields },
	{ .name = "from", .type = FIELD_TEXT, .min = 1, .max = 40 },
	{ .name = NULL },
};
/* clang-format on */

struct preview {
	struct schedule_rule rule;
	usec_t from;
	int count;
};

static bool
read_preview(const struct json *body, usec_t now, struct preview *out,
	     struct problems *problems)
{
	const struct json *from = json_get(body, "from"),
			  *count = json_get(body, "count");
	struct hours_fields hours;

	object_check(preview_fields, body, "", true, problems);
	*out = (struct preview){ .from = now };
	out->count = count != NULL ? (int)json_int(count) : COUNT_PRESET;
	if (json_str(from) != NULL &&
	    !rfc3339_parse(json_str(from), json_str_len(from), &out->from))
		problems_add_at(problems, 0, 0, "from",
				"expected a time such as 2026-01-31T09:00:00Z");
	hours_fields_read(body, &hours, problems);
	schedule_rule_check(json_str(json_get(body, "cronExpression")),
			    json_str(json_get(body, "timezone")), &hours, out->from,
			    &out->rule, problems);
	return problems->count == 0;
}

static void
answer(struct exchange *exchange, const struct preview *preview)
{
	const struct schedule_rule *rule = &preview->rule;
	struct json *body = json_new_object();

	json_set(body, "firings",
		 schedule_preview(&rule->cron, rule->zone, preview->from,
				  preview->count,
				  rule->has_hours ? &rule->hours : NULL));
	reply_json(exchange, 200, body);
}

static void
on_preview(struct exchange *exchange)
{
	struct problems problems = { 0 };
	struct preview preview;
	struct json *body;

	if (exchange_json(exchange, &body) < 0)
		return;
	if (read_preview(body, loop_now(exchange_front(exchange)->loop), &preview,
			 &problems))
		answer(exchange, &preview);
	else
		reply_problem(exchange, 422, api_problems(&problems),
			      "the schedule is not good");
	problems_fini(&problems);
}

/* clang-format off */
const struct route routes_schedule_preview[] = {
	{ "POST", "/api/schedules/preview", ROLE_VIEWER, 0, false, on_preview, NULL },
	{ 0 },
};
/* clang-format on */
