/* The line of a worker's end: what is read is written again as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ending.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), again[ENDING_TEXT];
	struct ending ending;
	struct uuid id;

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	if (ending_parse(text, &id, &ending)) {
		ending_format(&id, &ending, again);
		/* ids may be written in capitals */
		if (strcmp(text + UUID_TEXT - 1, again + UUID_TEXT - 1) != 0)
			abort();
	}
	free(text);
	return 0;
}
