/*
 * Pure: from a model's text to the JSON that fits a schema, and the words by which it
 * is asked for, and asked again.
 */
#ifndef MODEL_ANSWER_CORE_H
#define MODEL_ANSWER_CORE_H

#include "json/json.h"
#include "json/schema.h"

/* Part of the text that is JSON: all of it, or what stands between the first fence and
 * the next. */
struct span {
	const char *text;
	size_t len;
};
struct span answer_span(const char *text, size_t len);

/* Does it fit? Else what does not, some lines of it, is added to why. rules NULL:
 * anything does. */
bool answer_fits(const struct schema *rules, const struct json *answer,
		 struct buf *why);

/* What a system prompt says about the form of the answer. */
void answer_rule(const struct json *schema, struct buf *out);
/* What is said to a model whose answer was of no use. */
void answer_again(const char *why, bool json, struct buf *out);

#endif
