/* See ws_fields_core.h. */
#include "front/ws_fields_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid7.h"
#include "engine/status.h"

/* ---- patterns ---- */

static bool
is_uuid(const char *text)
{
	struct uuid id;

	return uuid_parse(text, strlen(text), &id);
}

static bool
is_run_status(const char *text)
{
	enum run_status status;

	return run_status_parse(text, &status);
}

/* Within int64, so of at most 18 digits. */
static bool
is_number(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && len <= 18 && text[len] == '\0' && text[0] != '0';
}

const struct ws_pattern ws_uuid = { "a UUID", is_uuid };
const struct ws_pattern ws_run_status = { "a status of a run", is_run_status };
const struct ws_pattern ws_number = { "the nextCursor of an answer", is_number };

/* ---- one field ---- */

void
ws_complain(struct json *errors, const char *path, const char *format, ...)
{
	struct json *error = json_new_object();
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_set(error, "path", json_new_str(path));
	json_set(error, "message", json_new_str(text));
	json_append(errors, error);
}

static void
check_text(const struct ws_field *field, const struct json *value, struct json *errors)
{
	const char *text = json_str(value);
	int64_t len = (int64_t)json_str_len(value);

	if (len < field->min || len > field->max)
		ws_complain(errors, field->name,
			    "expected %" PRId64 " to %" PRId64 " bytes", field->min,
			    field->max);
	else if (strlen(text) != (size_t)len)
		ws_complain(errors, field->name, "expected a text without NUL");
	else if (field->pattern != NULL && !field->pattern->fits(text))
		ws_complain(errors, field->name, "expected %s", field->pattern->words);
}

static void
check_int(const struct ws_field *field, const struct json *value, struct json *errors)
{
	int64_t number = json_int(value);

	if (number < field->min || number > field->max)
		ws_complain(errors, field->name,
			    "expected a whole number from %" PRId64 " to %" PRId64,
			    field->min, field->max);
}

void
ws_field_check(const struct ws_field *field, const struct json *value,
	       struct json *errors)
{
	static const struct {
		enum json_type type;
		const char *name;
		void (*check)(const struct ws_field *field, const struct json *value,
			      struct json *errors);
	} kinds[WS_KINDS] = {
		[WS_TEXT] = { JSON_STRING, "a text", check_text },
		[WS_BOOL] = { JSON_BOOL, "true or false", NULL },
		[WS_INT] = { JSON_INT, "a whole number", check_int },
		[WS_OBJECT] = { JSON_OBJECT, "an object", NULL },
	};

	if (value == NULL && field->required)
		ws_complain(errors, field->name, "is missing");
	else if (value == NULL)
		return;
	else if (json_type(value) != kinds[field->kind].type)
		ws_complain(errors, field->name, "expected %s, got %s",
			    kinds[field->kind].name, json_type_name(json_type(value)));
	else if (kinds[field->kind].check != NULL)
		kinds[field->kind].check(field, value, errors);
}

static void
check_fields(const struct ws_route *route, const struct json *message,
	     struct json *errors)
{
	for (const struct ws_field *field = route->fields; field->name != NULL; field++)
		ws_field_check(field, json_get(message, field->name), errors);
}

/* ---- the message ---- */

const struct ws_route *
ws_route_find(const struct ws_route *table, const char *type)
{
	for (; table->type != NULL; table++)
		if (strcmp(table->type, type) == 0)
			return table;
	return NULL;
}

int
ws_message_read(const char *text, size_t len, struct json **out, struct err *err)
{
	*out = NULL;
	if (json_parse(text, len, out, err) < 0)
		return -1;
	if (json_type(*out) == JSON_OBJECT)
		return 0;
	json_unref(out);
	return err_set(err, ERR_INPUT, "expected an object with a type");
}

/* A text or a whole number, as clients count their calls. */
static bool
id_fits(const struct json *id)
{
	return json_type(id) == JSON_INT ||
	       (json_type(id) == JSON_STRING && json_str_len(id) > 0 &&
		json_str_len(id) <= WS_ID_MAX);
}

struct json *
ws_message_id(const struct json *message)
{
	struct json *id = json_get(message, "id");

	return id_fits(id) ? id : NULL;
}

bool
ws_message_check(const struct ws_route *route, const struct json *message,
		 struct json *errors)
{
	const struct json *id = json_get(message, "id");

	if (id == NULL && route->needs_id)
		ws_complain(errors, "id", "is missing");
	else if (id != NULL && !id_fits(id))
		ws_complain(errors, "id",
			    "expected a text of 1 to %d bytes or a whole number",
			    WS_ID_MAX);
	if (route->judge != NULL)
		route->judge(route, message, errors);
	else
		check_fields(route, message, errors);
	return json_count(errors) == 0;
}
