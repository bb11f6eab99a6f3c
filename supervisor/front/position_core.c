/* See position_core.h. */
#include "front/position_core.h"

#include <stddef.h>

#include "base/hex.h"

static bool
read_part(const char **text, uint32_t *out)
{
	int digits = 0;

	*out = 0;
	for (int value; (value = hex_value(**text)) >= 0; (*text)++) {
		if (++digits > 8)
			return false;
		*out = *out << 4 | (uint32_t)value;
	}
	return digits > 0;
}

bool
position_parse(const char *text, uint64_t *out)
{
	uint32_t high, low;

	if (!read_part(&text, &high) || *text++ != '/' || !read_part(&text, &low) ||
	    *text != '\0')
		return false;
	*out = (uint64_t)high << 32 | low;
	return true;
}
