/*
 * Whatever the JSON parser takes, it writes as a text that it takes again as an equal
 * value, that is written the same, and that can be made storable.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was made storable once has nothing left to repair. */
static void
check_storable(struct json **json_p)
{
	bool changed;

	*json_p = json_storable(*json_p, NULL);
	*json_p = json_storable(*json_p, &changed);
	if (changed)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json *json = NULL, *back = NULL, *copy;
	struct buf text = { 0 }, again = { 0 };
	struct err err = { 0 };

	if (json_parse((const char *)data, len, &json, &err) < 0) {
		if (json != NULL || err.kind != ERR_INPUT || err.text[0] == '\0')
			abort();
		return 0;
	}
	json_write(json, &text);
	if (!utf8_valid(text.data, text.len) ||
	    json_parse(text.data, text.len, &back, &err) < 0 || !json_equal(json, back))
		abort();
	json_write(back, &again);
	copy = json_copy(json);
	if (strcmp(text.data, again.data) != 0 || !json_equal(copy, json))
		abort();
	check_storable(&copy);
	json_unref(&json);
	json_unref(&back);
	json_unref(&copy);
	buf_fini(&text);
	buf_fini(&again);
	return 0;
}
