/* A run: hello, questions and their answers, what answers that are errors mean, the
 * end. */
#include "run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_FAILED  (-32010)
#define DIVERGENCE   (-32011)
#define CANCELLED    (-32012)
#define LIMIT        (-32013)
#define NOT_NOW      (-32014)
#define WRONG_PARAMS (-32602)

/* ---- values ---- */

const char *
smw_run_member_text(struct json_object *object, const char *key)
{
	struct json_object *member = NULL;

	json_object_object_get_ex(object, key, &member);
	return json_object_is_type(member, json_type_string)
		   ? json_object_get_string(member)
		   : "";
}

void
smw_run_add_text(struct json_object *object, const char *key, const char *text)
{
	if (text != NULL)
		json_object_object_add(object, key, json_object_new_string(text));
}

char *
smw_run_text(struct json_object *value)
{
	char *text = strdup(json_object_to_json_string_ext(
	    value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(value);
	return text;
}

int
smw_run_parse(struct stepmill *run, const char *what, const char *text, bool object,
	      struct json_object **out)
{
	struct json_tokener *tokener;
	enum json_tokener_error error;

	*out = NULL;
	if (text == NULL)
		return 0;
	tokener = json_tokener_new_ex(64);
	json_tokener_set_flags(tokener,
			       JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*out = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (error == json_tokener_success &&
	    (!object || json_object_is_type(*out, json_type_object)))
		return 0;
	json_object_put(*out);
	*out = NULL;
	return smw_run_refuse(run, "input", "%s: expected %s: %.200s", what,
			      object ? "a JSON object" : "JSON", text);
}

/* ---- errors ---- */

static void
set_error(struct stepmill *run, enum stepmill_trouble trouble, const char *code,
	  const char *message)
{
	struct stepmill_error *error = &run->error;

	error->trouble = trouble;
	error->step = 0;
	snprintf(error->code, sizeof error->code, "%s", code);
	snprintf(error->message, sizeof error->message, "%s", message);
}

int
smw_run_refuse(struct stepmill *run, const char *code, const char *format, ...)
{
	char message[sizeof run->error.message];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	set_error(run, STEPMILL_REFUSED, code, message);
	return -1;
}

char *
stepmill_fail(struct stepmill *run, const char *code, const char *format, ...)
{
	char message[sizeof run->error.message];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	set_error(run, STEPMILL_FAILED, code, message);
	return NULL;
}

const struct stepmill_error *
stepmill_error(const struct stepmill *run)
{
	return &run->error;
}

static void
set_failed(struct stepmill *run, struct json_object *data, const char *message)
{
	struct json_object *error = NULL, *step = NULL;
	const char *own;

	json_object_object_get_ex(data, "error", &error);
	json_object_object_get_ex(data, "step", &step);
	own = smw_run_member_text(error, "message");
	set_error(run, STEPMILL_FAILED,
		  *smw_run_member_text(error, "code")
		      ? smw_run_member_text(error, "code")
		      : "failed",
		  *own ? own : message);
	run->error.step = json_object_get_int(step);
}

/* ---- questions ---- */

static void
wait_for_the_end(struct stepmill *run)
{
	struct json_object *value;

	while (smw_wire_read(&run->wire, true, &value) == WIRE_GOT) {
		if (strcmp(smw_run_member_text(value, "method"), "suspend") == 0)
			_exit(0);
		json_object_put(value);
	}
	_exit(1);
}

static const char *
refusal(int code)
{
	return code == LIMIT ? "limit" : code == WRONG_PARAMS ? "input" : "engine";
}

static void
set_error_of(struct stepmill *run, struct json_object *error)
{
	struct json_object *code = NULL, *data = NULL;
	const char *message = smw_run_member_text(error, "message");

	json_object_object_get_ex(error, "code", &code);
	json_object_object_get_ex(error, "data", &data);
	switch (json_object_get_int(code)) {
	case NOT_NOW:
		wait_for_the_end(run); /* the program is about to be stopped */
		break;
	case STEP_FAILED:
		set_failed(run, data, message);
		break;
	case DIVERGENCE:
		set_error(run, STEPMILL_DIVERGENCE, "divergence", message);
		break;
	case CANCELLED:
		set_error(run, STEPMILL_CANCELLED, "cancelled", message);
		break;
	default:
		set_error(run, STEPMILL_REFUSED, refusal(json_object_get_int(code)),
			  message);
	}
}

static void
on_notice(struct stepmill *run, const char *method)
{
	if (strcmp(method, "suspend") == 0)
		_exit(0); /* nothing of the program runs any more */
	if (strcmp(method, "cancel") == 0)
		run->cancelled = true;
}

/* The answer to the newest question; notices before it are acted on. */
static struct json_object *
await(struct stepmill *run)
{
	struct json_object *value, *id;

	for (;;) {
		if (smw_wire_read(&run->wire, true, &value) != WIRE_GOT)
			_exit(1); /* the worker is gone */
		id = NULL;
		json_object_object_get_ex(value, "id", &id);
		if (json_object_object_get_ex(value, "method", NULL))
			on_notice(run, smw_run_member_text(value, "method"));
		else if (json_object_get_int64(id) == run->last_id)
			return value;
		json_object_put(value);
	}
}

static struct json_object *
message_new(const char *method, struct json_object *params)
{
	struct json_object *message = json_object_new_object();

	smw_run_add_text(message, "jsonrpc", "2.0");
	smw_run_add_text(message, "method", method);
	json_object_object_add(message, "params", params);
	return message;
}

static int
send_message(struct stepmill *run, const char *method, struct json_object *message)
{
	int sent = smw_wire_write(&run->wire, message);

	json_object_put(message);
	if (sent < 0 && errno != EMSGSIZE)
		_exit(1); /* the worker is gone */
	if (sent < 0)
		smw_run_refuse(run, "too_large", "%s: more than %zu bytes of JSON",
			       method, WIRE_LINE_MAX);
	return sent;
}

struct json_object *
smw_run_ask(struct stepmill *run, const char *method, struct json_object *params)
{
	struct json_object *message = message_new(method, params), *answer, *part;

	set_error(run, STEPMILL_FINE, "", "");
	json_object_object_add(message, "id", json_object_new_int64(++run->last_id));
	if (send_message(run, method, message) < 0)
		return NULL;
	answer = await(run);
	if (json_object_object_get_ex(answer, "error", &part)) {
		set_error_of(run, part);
		part = NULL;
	} else if (json_object_object_get_ex(answer, "result", &part)) {
		json_object_get(part);
	}
	json_object_put(answer);
	return part;
}

void
smw_run_tell(struct stepmill *run, const char *method, struct json_object *params)
{
	(void)send_message(run, method, message_new(method, params));
}

struct json_object *
smw_run_params(const struct stepmill *run)
{
	struct json_object *params = json_object_new_object();

	if (run->step != 0)
		json_object_object_add(params, "parent",
				       json_object_new_int(run->step));
	return params;
}

bool
stepmill_cancelled(struct stepmill *run)
{
	struct json_object *value;

	while (smw_wire_read(&run->wire, false, &value) == WIRE_GOT) {
		on_notice(run, smw_run_member_text(value, "method"));
		json_object_put(value);
	}
	return run->cancelled;
}
