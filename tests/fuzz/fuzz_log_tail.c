/* The end of a log's file, as anybody may have written it: texts, not too many. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log_tail_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1); /* exactly as long: no NUL to rely on */

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	for (int cut = 0; cut < 2; cut++) {
		struct json *tail = log_tail(text, len, cut == 1);

		if (json_count(tail) > LOG_TAIL_LINES)
			abort();
		for (size_t i = 0; i < json_count(tail); i++)
			if (json_str(json_at(tail, i)) == NULL)
				abort();
		json_unref(&tail);
	}
	free(text);
	return 0;
}
