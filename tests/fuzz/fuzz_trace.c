/* What is taken of a traceparent is 32 digits of it that are not all zero. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/trace_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = xstrndup((const char *)data, len), trace[TRACE_ID];

	if (trace_parse(text, trace) &&
	    (strspn(trace, "0123456789abcdef") != TRACE_ID - 1 ||
	     strspn(trace, "0") == TRACE_ID - 1 ||
	     strncmp(text + 3, trace, TRACE_ID - 1) != 0))
		abort();
	free(text);
	return 0;
}
