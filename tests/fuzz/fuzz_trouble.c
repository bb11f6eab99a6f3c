/* Retry-After and dates of any text, and errors of any JSON: a wait within a day, one
 * line that is UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "model/trouble_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = xstrndup((const char *)data, len);
	struct trouble trouble = { 0 };
	struct json *json = NULL;
	struct err err = { 0 };
	usec_t wait = 0, instant;

	if (retry_after(text, 1000 * USEC_SECOND, &wait) &&
	    (wait < 0 || wait > 24 * 3600 * USEC_SECOND))
		abort();
	http_date(text, &instant);
	json_parse(text, strlen(text), &json, &err);
	trouble_of_status(&trouble, (int)len, json);
	if (trouble.kind == TROUBLE_NONE || trouble.wait < 0 ||
	    !utf8_valid(trouble.message, strlen(trouble.message)) ||
	    strchr(trouble.message, '\n') != NULL)
		abort();
	json_unref(&json);
	free(text);
	return 0;
}
