/*
 * A batch's body that is taken in parts, frame and inputs, is the body that would be
 * taken as a whole; and it does not matter in which pieces it comes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/inputs_core.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum inputs_verdict
add(struct inputs *inputs, const uint8_t *data, size_t len, size_t piece)
{
	enum inputs_verdict verdict = INPUTS_GOOD;

	for (size_t at = 0; at < len && verdict == INPUTS_GOOD; at += piece)
		verdict = inputs_add(inputs, (const char *)data + at,
				     len - at < piece ? len - at : piece);
	return verdict;
}

/* The inputs as a list; NULL: one of them is no JSON. */
static struct json *
parse_all(const struct inputs *inputs, const uint8_t *data)
{
	struct json *list = json_new_array(), *item;
	struct err err = { 0 };

	for (size_t i = 0; i < inputs->count; i++) {
		if (json_parse((const char *)data + inputs->list[i].at,
			       inputs->list[i].len, &item, &err) < 0) {
			json_unref(&list);
			return NULL;
		}
		json_append(list, item);
	}
	return list;
}

/* Only what lies too deep in the whole may lie well in a part. */
static void
compare(const struct inputs *inputs, struct json *frame, struct json *list,
	const uint8_t *data, size_t len)
{
	struct json *whole = NULL;
	struct err err = { 0 };

	if (json_type(json_get(frame, "inputs")) != JSON_ARRAY ||
	    json_count(json_get(frame, "inputs")) > 0 || inputs->count == 0)
		return;
	json_set(frame, "inputs", json_ref(list));
	if (json_parse((const char *)data, len, &whole, &err) < 0) {
		if (strstr(err.text, "deep") == NULL)
			abort();
	} else if (!json_equal(whole, frame)) {
		abort();
	}
	json_unref(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct inputs inputs = { .most = 100, .len_max = 1000 }, again = inputs;
	enum inputs_verdict verdict = add(&inputs, data, len, 4096);
	struct json *frame = NULL, *list = NULL;
	struct err err = { 0 };

	if (add(&again, data, len, 1) != verdict || again.count != inputs.count ||
	    strcmp(buf_text(&again.frame), buf_text(&inputs.frame)) != 0)
		abort();
	if (verdict == INPUTS_GOOD &&
	    json_parse(buf_text(&inputs.frame), inputs.frame.len, &frame, &err) == 0)
		list = parse_all(&inputs, data);
	if (list != NULL && json_type(frame) == JSON_OBJECT)
		compare(&inputs, frame, list, data, len);
	json_unref(&frame);
	json_unref(&list);
	inputs_fini(&inputs);
	inputs_fini(&again);
	return 0;
}
