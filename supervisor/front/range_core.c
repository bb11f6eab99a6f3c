/* See range_core.h. What does not follow the grammar is as if it were not there. */
#include "front/range_core.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Digits at *text; saturates. False: there are none. */
static bool
read_number(const char **text, uint64_t *out)
{
	const char *start = *text;

	*out = 0;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		unsigned digit = (unsigned)(**text - '0');

		*out =
		    *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
	}
	return *text > start;
}

/* "-500": the last 500 bytes. */
static enum range_verdict
read_suffix(const char *text, uint64_t size, struct range *out)
{
	uint64_t len;

	if (!read_number(&text, &len) || *text != '\0')
		return RANGE_WHOLE;
	if (len == 0 || size == 0)
		return RANGE_NONE;
	out->len = len < size ? len : size;
	out->first = size - out->len;
	return RANGE_PART;
}

enum range_verdict
range_read(const char *text, uint64_t size, struct range *out)
{
	uint64_t first, last = UINT64_MAX;

	*out = (struct range){ 0, size };
	if (text == NULL || strncasecmp(text, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	text += 6;
	if (*text == '-')
		return read_suffix(text + 1, size, out);
	if (!read_number(&text, &first) || *text++ != '-')
		return RANGE_WHOLE;
	if (*text != '\0' &&
	    (!read_number(&text, &last) || *text != '\0' || last < first))
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_NONE;
	if (last >= size)
		last = size - 1;
	*out = (struct range){ first, last - first + 1 };
	return RANGE_PART;
}
