/*
 * Text to values: our strict check first, then json-c's parser, which only sees what is
 * good. See json_check.c for what is refused.
 */
#include <limits.h>

#include "json/door.h"
#include "json/json_check.h"

/* The tokener waits for more after a number at the end; a NUL says that was all. */
static enum json_tokener_error
tokenize(struct json_tokener *tokener, const char *text, size_t len,
	 struct json_object **out)
{
	enum json_tokener_error error;

	*out = json_tokener_parse_ex(tokener, text, (int)len);
	error = json_tokener_get_error(tokener);
	if (error == json_tokener_continue) {
		*out = json_tokener_parse_ex(tokener, "", 1);
		error = json_tokener_get_error(tokener);
	}
	return error;
}

static int
build(const char *text, size_t len, struct json **out, struct err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	enum json_tokener_error error;
	struct json_object *object;

	if (tokener == NULL)
		bug("out of memory for a JSON parser");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	error = tokenize(tokener, text, len, &object);
	json_tokener_free(tokener);
	if (error != json_tokener_success)
		return err_set(err, ERR_INPUT, "%s", json_tokener_error_desc(error));
	*out = from_c(object);
	return 0;
}

int
json_parse(const char *text, size_t len, struct json **out, struct err *err)
{
	struct buf fixed = { 0 };
	int status;

	if (len > INT_MAX / 4) /* what json-c counts in an int, with room for fixes */
		return err_set(err, ERR_INPUT, "a document of %zu bytes is too large",
			       len);
	status = json_check(text, len, &fixed, err);
	if (status == 0 && fixed.len > 0)
		status = build(fixed.data, fixed.len, out, err);
	else if (status == 0)
		status = build(text, len, out, err);
	buf_fini(&fixed);
	return status;
}
