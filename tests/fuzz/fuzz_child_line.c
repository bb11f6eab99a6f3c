/* A child's line: accepted ones say nothing but what their words are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pool/child_line_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct child_line line = { 0 };
	struct err err = { 0 };
	char *text = malloc(len + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	for (int front = 0; front < 2; front++) {
		if (child_line_parse(text, len, front == 1, &line, &err) < 0)
			continue;
		if (line.used < 0 || line.used > line.slots || line.workers < 0 ||
		    line.slots > CHILD_NUMBER_MAX || line.workers > CHILD_NUMBER_MAX ||
		    len > CHILD_LINE_MAX)
			abort();
	}
	free(text);
	return 0;
}
