/* Whatever reads as a duration is written as a text that reads as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err err = { 0 };
	usec_t value = -1, back = -1;
	char text[32];

	if (duration_parse((const char *)data, len, &value, &err) < 0) {
		if (value != -1 || err.kind != ERR_INPUT)
			abort();
		return 0;
	}
	duration_format(value, text, sizeof text);
	if (value < 0 || duration_parse(text, strlen(text), &back, &err) < 0 ||
	    back != value)
		abort();
	return 0;
}
