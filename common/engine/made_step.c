/* What a program asks -> a definition of one step. See made_step.h. */
#include "engine/made_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/field.h"
#include "lang/schema_regex.h"

#define NAME_MAX_LEN   200
#define DELAY_PRESET   (1 * USEC_SECOND)
#define DELAY_MOST     (60 * USEC_SECOND)
#define TIMEOUT_PRESET (300 * USEC_SECOND)
#define TIMEOUT_AGENT  (3600 * USEC_SECOND)

static const char *const backoffs[BACKOFFS + 1] = {
	[BACKOFF_FIXED] = "fixed",
	[BACKOFF_LINEAR] = "linear",
	[BACKOFF_EXPONENTIAL] = "exponential",
};

static const struct field retry_fields[] = {
	{ .name = "maxAttempts", .type = FIELD_COUNT, .min = 1, .max = 1000 },
	{ .name = "backoff", .type = FIELD_CHOICE, .choices = backoffs },
	{ .name = "delay", .type = FIELD_DURATION },
	{ .name = "maxDelay", .type = FIELD_DURATION },
	{ .name = "jitter", .type = FIELD_FLAG },
	{ 0 },
};

static const struct field timeout_field = { .name = "timeout", .type = FIELD_DURATION };

/* ---- what may be asked ---- */

static bool
is_wait(enum action_kind action)
{
	return action == ACTION_WAIT || action == ACTION_APPROVAL ||
	       action == ACTION_WORKFLOW;
}

static bool
is_call(enum action_kind action)
{
	return action == ACTION_TOOL || action == ACTION_HTTP ||
	       action == ACTION_MODEL || action == ACTION_AGENT ||
	       action == ACTION_SKILL || action == ACTION_CODE ||
	       action == ACTION_MESSAGE || action == ACTION_NOOP;
}

static int
read_action(struct made_step *made, const struct json *params, struct err *err)
{
	const char *name = json_str(json_get(params, "action"));

	if (made->kind == MADE_FUNCTION) {
		made->def.action = ACTION_CODE;
		return 0;
	}
	made->def.action = name != NULL ? action_fields_find(name) : ACTION_KINDS;
	if (made->def.action != ACTION_KINDS &&
	    (made->kind == MADE_WAIT ? is_wait(made->def.action)
				     : is_call(made->def.action)))
		return 0;
	return err_set(err, ERR_INPUT, "action: \"%.60s\" is none that can be asked %s",
		       name != NULL ? name : "",
		       made->kind == MADE_WAIT ? "with wait" : "with call");
}

/* ---- retry and timeout ---- */

static void
read_delay(const struct json *value, const char *key, usec_t *delay)
{
	struct err unused = { 0 };

	if (json_get(value, key) != NULL)
		field_duration(json_get(value, key), delay, &unused);
}

static int
read_retry(struct made_step *made, const struct json *params, struct err *err)
{
	struct json *value = json_get(params, "retry");
	struct retry *retry = &made->def.retry;
	const char *backoff = json_str(json_get(value, "backoff"));

	retry->max_attempts = 1;
	if (value == NULL)
		return 0;
	if (field_check(retry_fields, value, FIELD_RESOLVED, err) < 0)
		return err_in(err, "retry");
	*retry = (struct retry){ .max_attempts = 3,
				 .backoff = BACKOFF_EXPONENTIAL,
				 .delay = DELAY_PRESET,
				 .max_delay = DELAY_MOST,
				 .jitter = true };
	if (json_get(value, "maxAttempts") != NULL)
		retry->max_attempts = (int)json_int(json_get(value, "maxAttempts"));
	for (int i = 0; backoff != NULL && i < BACKOFFS; i++)
		if (strcmp(backoffs[i], backoff) == 0)
			retry->backoff = (enum backoff)i;
	read_delay(value, "delay", &retry->delay);
	read_delay(value, "maxDelay", &retry->max_delay);
	if (retry->max_delay < retry->delay)
		retry->max_delay = retry->delay;
	if (json_get(value, "jitter") != NULL)
		retry->jitter = json_bool(json_get(value, "jitter"));
	return 0;
}

static int
read_timeout(struct made_step *made, const struct json *params, struct err *err)
{
	const struct json *value = json_get(params, "timeout");

	if (made->kind == MADE_CALL)
		made->def.timeout =
		    made->def.action == ACTION_AGENT ? TIMEOUT_AGENT : TIMEOUT_PRESET;
	if (value == NULL)
		return 0;
	if (field_accepts(&timeout_field, value, FIELD_RESOLVED, err) < 0)
		return err_in(err, "timeout");
	return field_duration(value, &made->def.timeout, err);
}

/* ---- fields ---- */

/* `outputSchema`, which stands beside the fields in a file, and among them here. */
static int
take_schema(struct made_step *made, struct err *err)
{
	const struct schema_options options = { .regex = &schema_regex };
	struct problems problems = { 0 };
	struct json *schema = json_get(made->fields, "outputSchema");
	char *text;

	if (schema == NULL)
		return 0;
	made->def.output_rules = schema_compile(schema, &options, &problems);
	if (made->def.output_rules == NULL) {
		text = problem_text(&problems, 0);
		err_set(err, ERR_INPUT, "fields.outputSchema: %s", text);
		free(text);
	} else {
		made->def.output_schema = json_ref(schema);
	}
	problems_fini(&problems);
	json_remove(made->fields, "outputSchema");
	return made->def.output_rules != NULL ? 0 : -1;
}

static int
read_when(struct made_step *made, struct err *err)
{
	const struct json *when = json_get(made->fields, "when");

	if (made->def.action != ACTION_WAIT || json_str(when) == NULL)
		return 0;
	made->def.when = cel_compile(json_str(when), json_str_len(when), NULL, err);
	return made->def.when != NULL ? 0 : err_in(err, "fields.when");
}

static int
read_fields(struct made_step *made, const struct json *params, struct err *err)
{
	const struct json *fields = json_get(params, "fields");

	if (made->kind == MADE_FUNCTION)
		return 0;
	if (fields != NULL && json_type(fields) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "fields: expected an object");
	made->fields = fields != NULL ? json_copy(fields) : json_new_object();
	if (take_schema(made, err) < 0 || read_when(made, err) < 0)
		return -1;
	if (made->def.action == ACTION_TOOL)
		made->tool = json_str(json_get(made->fields, "tool"));
	if (field_check(action_fields[made->def.action].fields, made->fields,
			FIELD_RESOLVED, err) < 0)
		return err_in(err, "fields");
	return 0;
}

/* ---- all of it ---- */

static int
set_name(struct made_step *made, const char *name, struct err *err)
{
	if (name == NULL && made->kind != MADE_FUNCTION)
		name = made->tool != NULL ? made->tool : action_name(made->def.action);
	if (name == NULL || name[0] == '\0' || strlen(name) > NAME_MAX_LEN ||
	    !utf8_valid(name, strlen(name)))
		return err_set(err, ERR_INPUT, "name: 1 to %d bytes", NAME_MAX_LEN);
	made->def.id = xstrdup(name);
	made->def.name = xstrdup(name);
	return 0;
}

struct made_step *
made_step_new(enum made_kind kind, const char *name, const struct json *params,
	      const char *queue, struct err *err)
{
	struct made_step *made = xcalloc(1, sizeof *made);

	made->kind = kind;
	made->def = (struct step_def){ .index = NO_STEP,
				       .owner = NO_STEP,
				       .block = NO_STEP,
				       .other_block = NO_STEP,
				       .block_next = NO_STEP,
				       .on_success = TARGET_NONE,
				       .on_failure = TARGET_NONE,
				       .queue = xstrdup(queue) };
	if (read_action(made, params, err) < 0 || read_retry(made, params, err) < 0 ||
	    read_timeout(made, params, err) < 0 || read_fields(made, params, err) < 0 ||
	    set_name(made, name, err) < 0)
		made_step_free(&made);
	return made;
}

void
made_step_free(struct made_step **made_p)
{
	struct made_step *made = *made_p;

	*made_p = NULL;
	if (made == NULL)
		return;
	free(made->def.id);
	free(made->def.name);
	free(made->def.queue);
	cel_free(&made->def.when);
	schema_free(&made->def.output_rules);
	json_unref(&made->def.output_schema);
	json_unref(&made->fields);
	free(made);
}

static void
keep(struct json *value, const struct json *params, const char *key)
{
	if (json_get(params, key) != NULL)
		json_set(value, key, json_copy(json_get(params, key)));
}

struct json *
made_step_value(const struct made_step *made, const struct json *params)
{
	struct json *value = json_new_object();

	json_set(value, "action", json_new_str(action_name(made->def.action)));
	if (made->kind == MADE_FUNCTION)
		json_set(value, "function", json_new_bool(true));
	if (made->tool != NULL)
		json_set(value, "tool", json_new_str(made->tool));
	keep(value, params, "timeout");
	keep(value, params, "retry");
	if (made->kind == MADE_WAIT)
		keep(value, params, "fields");
	return value;
}

struct made_step *
made_step_read(const char *name, const struct json *value, const char *queue,
	       struct err *err)
{
	return made_step_new(MADE_WAIT, name, value, queue, err);
}
