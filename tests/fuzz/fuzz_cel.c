/* Any text as an expression, over variables of every kind: compile, evaluate, refs. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lang/cel.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char variables[] =
    "{\"input\": {\"name\": \"ada\", \"tags\": [\"a\", \"b\"], \"n\": 3, \"f\": 2.5,"
    " \"none\": null, \"yes\": true}, \"steps\": {\"build\": {\"output\": {\"files\":"
    " [\"x\", \"y\"]}}, \"load-spec\": {\"output\": [1, 2, [3]]}}, \"a\": 1, \"b\":"
    " [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], \"c\": {\"d\": {\"e\": \"\\u00fc\"}}, \"s\":"
    " \"h\\u00e9llo w\\u00f6rld\", \"t\": \"2030-01-02T03:04:05.5Z\"}";

static bool
lookup(void *context, const char *name, struct json **value)
{
	*value = json_get(context, name);
	return json_has(context, name);
}

static void
count(void *context, const char *variable, const char *member, const char *field)
{
	*(size_t *)context += strlen(variable) + (member != NULL ? strlen(member) : 0) +
			      (field != NULL ? strlen(field) : 0);
}

/* The value as text, or the error; the caller's. */
static char *
evaluate(const struct cel *cel, struct json *context)
{
	struct cel_scope scope = { lookup, context };
	struct err err = { 0 };
	struct json *value, *again = NULL;
	char *text;

	if (cel_eval(cel, &scope, &value, &err) < 0)
		return strdup(err.text);
	text = json_text(value);
	if (json_parse(text, strlen(text), &again, &err) < 0)
		abort(); /* what comes out must be readable */
	json_unref(&again);
	json_unref(&value);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err err = { 0 };
	struct json *context;
	struct cel *cel = cel_compile((const char *)data, len, NULL, &err);
	char *first, *second;
	size_t size = 0;

	if (cel == NULL)
		return 0;
	if (json_parse(variables, sizeof variables - 1, &context, &err) < 0)
		abort();
	cel_refs(cel, count, &size);
	first = evaluate(cel, context);
	second = evaluate(cel, context);
	if (strcmp(first, second) != 0)
		abort(); /* the same question, another answer */
	free(first);
	free(second);
	json_unref(&context);
	cel_free(&cel);
	return 0;
}
