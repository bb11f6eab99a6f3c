/* Whatever reads as an instant is written as a text that reads as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	usec_t instant, back;
	char text[40];

	if (!rfc3339_parse((const char *)data, len, &instant))
		return 0;
	rfc3339_format(instant, text);
	if (!rfc3339_parse(text, strlen(text), &back) || back != instant)
		abort();
	return 0;
}
