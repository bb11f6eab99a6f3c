/* The first line is a pattern, the rest the text: compiled, and matched in linear time.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lang/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = memchr(data, '\n', len);
	size_t pattern_len = end != NULL ? (size_t)(end - data) : len;
	const char *text = end != NULL ? (const char *)end + 1 : "";
	size_t text_len = end != NULL ? len - pattern_len - 1 : 0;
	struct err err = { 0 };
	struct regex *regex = regex_compile((const char *)data, pattern_len, &err);
	int64_t plenty = (int64_t)1 << 50, budget = plenty, little = 100;
	enum regex_answer answer, early;

	if (regex == NULL) {
		if (err.kind != ERR_INPUT)
			abort();
		return 0;
	}
	answer = regex_match(regex, text, text_len, &budget);
	if (answer == REGEX_SPENT ||
	    plenty - budget > 3 * (int64_t)(text_len + 1) * (int64_t)regex_size(regex))
		abort();
	early = regex_match(regex, text, text_len, &little);
	if (early != answer && early != REGEX_SPENT)
		abort();
	regex_free(&regex);
	return 0;
}
