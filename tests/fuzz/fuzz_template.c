/* Any text as a string with templates, or, when it is JSON, as a value with some. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "lang/template.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char variables[] =
    "{\"a\": 1, \"s\": \"h\\u00e9\", \"l\": [1, {\"k\": []}], "
    "\"m\": {\"x-y\": null, \"f\": 1.5}}";

static bool
lookup(void *context, const char *name, struct json **value)
{
	*value = json_get(context, name);
	return json_has(context, name);
}

static void
resolve(const struct template *template, struct json *context)
{
	struct cel_scope scope = { lookup, context };
	struct json *value, *again = NULL;
	struct err err = { 0 };
	char *text;

	if (template_resolve(template, &scope, &value, &err) < 0)
		return;
	text = json_text(value);
	if (json_parse(text, strlen(text), &again, &err) < 0)
		abort(); /* what comes out must be readable */
	free(text);
	json_unref(&again);
	json_unref(&value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json *value, *context;
	struct template *template;
	struct err err = { 0 };

	if (!utf8_valid((const char *)data, len))
		return 0;
	if (json_parse((const char *)data, len, &value, &err) < 0)
		value = json_new_str_len((const char *)data, len);
	if (json_parse(variables, sizeof variables - 1, &context, &err) < 0)
		abort();
	template = template_compile(value, NULL, &err);
	if (template != NULL)
		resolve(template, context);
	template_free(&template);
	json_unref(&value);
	json_unref(&context);
	return 0;
}
