/* JSON out of a model's text. See answer_core.h. */
#include "model/answer_core.h"

#include <string.h>

#define WHY_LINES 10
#define WHY_BYTES 4000

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span
trimmed(struct span span)
{
	while (span.len > 0 && is_space(*span.text)) {
		span.text++;
		span.len--;
	}
	while (span.len > 0 && is_space(span.text[span.len - 1]))
		span.len--;
	return span;
}

/* Behind the line of the first ``` and before the next one. */
static bool
find_fenced(struct span span, struct span *fenced)
{
	const char *end = span.text + span.len;
	const char *open = memmem(span.text, span.len, "```", 3), *line, *close;

	if (open == NULL)
		return false;
	line = memchr(open, '\n', (size_t)(end - open));
	if (line == NULL)
		return false;
	close = memmem(line, (size_t)(end - line), "```", 3);
	if (close == NULL)
		close = end;
	*fenced = trimmed((struct span){ line, (size_t)(close - line) });
	return true;
}

struct span
answer_span(const char *text, size_t len)
{
	struct span whole = trimmed((struct span){ text, len }), fenced;

	if (whole.len > 0 && *whole.text != '{' && *whole.text != '[' &&
	    find_fenced(whole, &fenced))
		return fenced;
	return whole;
}

bool
answer_fits(const struct schema *rules, const struct json *answer, struct buf *why)
{
	struct problems problems = { 0 };
	bool fits = rules == NULL || schema_check(rules, answer, "output", &problems);

	for (size_t i = 0; i < problems.count && i < WHY_LINES && why->len < WHY_BYTES;
	     i++)
		buf_printf(why, "%s%s: %s", i > 0 ? "\n" : "", problems.list[i].path,
			   problems.list[i].message);
	problems_fini(&problems);
	return fits;
}

void
answer_rule(const struct json *schema, struct buf *out)
{
	if (out->len > 0)
		buf_str(out, "\n\n");
	buf_str(out, "Answer with JSON and nothing else: no words around it, no code "
		     "fence. The JSON has to be valid by this JSON Schema:\n");
	json_write(schema, out);
}

void
answer_again(const char *why, bool json, struct buf *out)
{
	buf_printf(out,
		   "Your answer could not be used:\n%s\n\nAnswer again, as a whole%s.",
		   why, json ? ": the corrected JSON and nothing else" : "");
}
