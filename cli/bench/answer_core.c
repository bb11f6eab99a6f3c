/* See answer_core.h. */
#include "bench/answer_core.h"

#include <string.h>
#include <strings.h>

#define START     "HTTP/1.1 "
#define START_LEN (sizeof START - 1)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
read_number(const char *text, const char *end, size_t *out)
{
	*out = 0;
	if (text == end)
		return false;
	for (; text < end; text++) {
		if (!is_digit(*text))
			return false;
		*out = *out * 10 + (size_t)(*text - '0');
		if (*out > ANSWER_BODY_MAX)
			return false;
	}
	return true;
}

static bool
is_field(const char *line, const char *colon, const char *name)
{
	return (size_t)(colon - line) == strlen(name) &&
	       strncasecmp(line, name, strlen(name)) == 0;
}

/* One line "Name: value"; false: not to be understood. */
static bool
read_field(const char *line, const char *end, struct answer_head *answer, bool *sized)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	const char *value = colon != NULL ? colon + 1 : NULL;

	if (colon == NULL)
		return false;
	while (value < end && *value == ' ')
		value++;
	if (is_field(line, colon, "Content-Length")) {
		*sized = true;
		return read_number(value, end, &answer->body_len);
	}
	if (is_field(line, colon, "Connection"))
		answer->close = end - value == 5 && strncasecmp(value, "close", 5) == 0;
	return !is_field(line, colon, "Transfer-Encoding");
}

enum answer_state
answer_read(const char *text, size_t len, struct answer_head *answer)
{
	const char *end = len > 0 ? memmem(text, len, "\r\n\r\n", 4) : NULL;
	const char *line, *next;
	bool sized = false;

	*answer = (struct answer_head){ 0 };
	if (end == NULL)
		return len > ANSWER_HEAD_MAX ? ANSWER_BROKEN : ANSWER_PARTIAL;
	answer->head_len = (size_t)(end - text) + 4;
	if (end - text < (ptrdiff_t)START_LEN + 3 ||
	    memcmp(text, START, START_LEN) != 0 || !is_digit(text[START_LEN]) ||
	    !is_digit(text[START_LEN + 1]) || !is_digit(text[START_LEN + 2]))
		return ANSWER_BROKEN;
	answer->status = (text[START_LEN] - '0') * 100 +
			 (text[START_LEN + 1] - '0') * 10 + text[START_LEN + 2] - '0';
	line = memmem(text, answer->head_len, "\r\n", 2);
	for (line += 2; line < end; line = next + 2) {
		next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		if (!read_field(line, next, answer, &sized))
			return ANSWER_BROKEN;
	}
	if (!sized)
		return ANSWER_BROKEN;
	return len - answer->head_len >= answer->body_len ? ANSWER_WHOLE
							  : ANSWER_PARTIAL;
}
