/* Any JSON as what a client sends about a bot: what is read could be stored, or says
 * where it is wrong. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bot_read.h"
#include "front/bot_fields_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
read_one(const struct field *table, const struct json *json)
{
	struct bot_fields fields;
	struct problems problems = { 0 };
	bool good = bot_fields_read(table, json, &fields, &problems);

	if (good != (problems.count == 0))
		abort();
	if (good && table == bot_fields && !bot_is_slug(fields.slug))
		abort();
	if (good && strlen(fields.system) > BOT_PROMPT_MAX)
		abort();
	bot_fields_fini(&fields);
	problems_fini(&problems);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json *json = NULL, *merged;
	struct err err = { 0 };

	if (json_parse((const char *)data, len, &json, &err) < 0)
		return 0;
	read_one(bot_fields, json);
	read_one(bot_put_fields, json);
	if (json_type(json) == JSON_OBJECT) {
		merged = bot_fields_merge(json, json);
		read_one(bot_put_fields, merged);
		json_unref(&merged);
	}
	json_unref(&json);
	return 0;
}
