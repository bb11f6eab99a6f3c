/* See trace_core.h. A version that we do not know may have more behind its flags. */
#include "front/trace_core.h"

#include <string.h>

#define HEX    "0123456789abcdef"
#define PARENT 16 /* digits */

/* So many digits, then the end of the field. */
static bool
is_field(const char *text, size_t len)
{
	return strspn(text, HEX) == len && (text[len] == '-' || text[len] == '\0');
}

static bool
is_zero(const char *text, size_t len)
{
	return strspn(text, "0") >= len;
}

bool
trace_parse(const char *text, char out[static TRACE_ID])
{
	const char *trace = text + 3, *parent = trace + TRACE_ID;
	const char *flags = parent + PARENT + 1;

	if (strlen(text) < 2 + 1 + TRACE_ID + PARENT + 1 + 2 || !is_field(text, 2) ||
	    !is_field(trace, TRACE_ID - 1) || !is_field(parent, PARENT) ||
	    !is_field(flags, 2))
		return false;
	if (memcmp(text, "ff", 2) == 0 || is_zero(trace, TRACE_ID - 1) ||
	    is_zero(parent, PARENT))
		return false;
	if (memcmp(text, "00", 2) == 0 && flags[2] != '\0')
		return false;
	memcpy(out, trace, TRACE_ID - 1);
	out[TRACE_ID - 1] = '\0';
	return true;
}
