/* Fields of an http step as JSON: whatever they are, no header holds a line break and
 * no URL a space that was in a value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "actions/http_form_core.h"
#include "engine/action_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json *fields = NULL;
	struct http_form form;
	struct err err = { 0 };

	if (json_parse((const char *)data, len, &fields, &err) < 0)
		return 0;
	if (field_check(action_http_fields, fields, FIELD_RESOLVED, &err) == 0 &&
	    http_form_read(&form, fields, &err) == 0) {
		for (size_t i = 0; i < form.headers_count; i++)
			if (strpbrk(form.headers[i], "\r\n") != NULL)
				abort();
		if (strncasecmp(form.url, "http", 4) != 0)
			abort();
		http_form_fini(&form);
	}
	json_unref(&fields);
	return 0;
}
