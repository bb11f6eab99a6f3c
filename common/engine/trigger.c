/* Triggers: their life, and what they make of a payload. See trigger.h. */
#include "engine/trigger.h"

#include <stdlib.h>
#include <string.h>

#include "engine/workflow.h"
#include "lang/schedule_rule.h"

#define MASKED "***"

static void
texts_fini(struct trigger_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
}

void
trigger_fini(struct trigger_def *trigger)
{
	cel_free(&trigger->when);
	template_free(&trigger->input);
	free(trigger->cron.text);
	free(trigger->cron.zone);
	free(trigger->cron.start);
	free(trigger->cron.end);
	json_unref(&trigger->cron.input);
	free(trigger->webhook.path);
	texts_fini(&trigger->webhook.secrets);
	free(trigger->event.source);
	free(trigger->event.type);
	texts_fini(&trigger->watch.paths);
	texts_fini(&trigger->watch.patterns);
}

const char *
trigger_kind_name(enum trigger_kind kind)
{
	static const char *const names[TRIGGER_KINDS] = {
		[TRIGGER_CRON] = "cron",
		[TRIGGER_WEBHOOK] = "webhook",
		[TRIGGER_EVENT] = "event",
		[TRIGGER_FILE_WATCH] = "file_watch",
	};

	return names[kind];
}

/* ---- payloads ---- */

static bool
lookup(void *context, const char *name, struct json **value)
{
	*value = context;
	return strcmp(name, "trigger") == 0;
}

void
trigger_first(const struct trigger_def *trigger, const struct uuid *id, usec_t now,
	      usec_t *next, usec_t *due)
{
	const struct trigger_cron *cron = &trigger->cron;
	const struct schedule_words words = { .cron = cron->text,
					      .zone = cron->zone,
					      .start = cron->start,
					      .end = cron->end,
					      .days = cron->days,
					      .days_count = cron->days_count };
	struct schedule_rule rule;
	struct cron_firing firing;
	struct err err = { 0 };

	*next = *due = 0;
	/* a pattern whose years are over is one that never fires */
	if (schedule_rule_read(&words, now, &rule, &err) < 0 ||
	    !schedule_rule_next(&rule, now, &firing))
		return;
	*next = firing.at;
	*due = firing.at + schedule_jitter(id, firing.at, cron->jitter);
}

int
trigger_applies(const struct trigger_def *trigger, struct json *payload, bool *out,
		struct err *err)
{
	const struct cel_scope scope = { lookup, payload };

	*out = true;
	if (trigger->when == NULL)
		return 0;
	return cel_test(trigger->when, &scope, out, err);
}

/* What is taken without `input`: a member of the payload, or the whole. */
static struct json *
preset_input(const struct trigger_def *trigger, struct json *payload)
{
	static const char *const members[TRIGGER_KINDS] = {
		[TRIGGER_WEBHOOK] = "body",
		[TRIGGER_EVENT] = "data",
	};
	const char *member = members[trigger->kind];
	struct json *value = member != NULL ? json_get(payload, member) : payload;

	return json_type(value) == JSON_OBJECT ? json_ref(value) : json_new_object();
}

struct json *
trigger_input(const struct trigger_def *trigger, struct json *payload, struct err *err)
{
	const struct cel_scope scope = { lookup, payload };
	struct json *value = NULL;

	if (trigger->input == NULL)
		return preset_input(trigger, payload);
	if (template_resolve(trigger->input, &scope, &value, err) < 0) {
		err_in(err, "trigger[%d].input", trigger->place);
		return NULL;
	}
	if (json_type(value) == JSON_OBJECT)
		return value;
	err_set(err, ERR_INPUT, "trigger[%d].input: expected an object, got %s",
		trigger->place, json_type_name(json_type(value)));
	json_unref(&value);
	return NULL;
}

/* ---- secrets ---- */

static bool
only_names_one(const char *text)
{
	return strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0;
}

static struct json *
masked(const struct json *value)
{
	struct json *list;

	if (json_type(value) != JSON_ARRAY)
		return json_new_str(json_type(value) == JSON_STRING &&
					    only_names_one(json_str(value))
					? json_str(value)
					: MASKED);
	list = json_new_array();
	for (size_t i = 0; i < json_count(value); i++)
		json_append(list, masked(json_at(value, i)));
	return list;
}

static void
mask_auth(struct json *trigger)
{
	static const char *const names[] = { "hmacSha256", "bearer" };
	struct json *auth = json_get(json_get(trigger, "webhook"), "auth");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (json_has(auth, names[i]))
			json_set(auth, names[i], masked(json_get(auth, names[i])));
}

void
trigger_mask(struct json *trigger)
{
	if (json_type(trigger) != JSON_ARRAY)
		mask_auth(trigger);
	for (size_t i = 0; json_type(trigger) == JSON_ARRAY && i < json_count(trigger);
	     i++)
		mask_auth(json_at(trigger, i));
}

void
trigger_add_secrets(const struct workflow *workflow, struct buf *out)
{
	for (size_t i = 0; i < workflow->triggers_count; i++) {
		const struct trigger_texts *secrets =
		    &workflow->triggers[i].webhook.secrets;

		for (size_t j = 0; j < secrets->count; j++)
			buf_add(out, secrets->list[j], strlen(secrets->list[j]) + 1);
	}
}

void
trigger_hide_secrets(const struct workflow *workflow, struct mask *mask)
{
	for (size_t i = 0; i < workflow->triggers_count; i++) {
		const struct trigger_texts *secrets =
		    &workflow->triggers[i].webhook.secrets;

		for (size_t j = 0; j < secrets->count; j++)
			if (!only_names_one(secrets->list[j]))
				mask_add(mask, secrets->list[j],
					 strlen(secrets->list[j]));
	}
}

const struct trigger_def *
trigger_webhook(const struct workflow *workflow, const char *path)
{
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (workflow->triggers[i].webhook.path != NULL &&
		    strcmp(workflow->triggers[i].webhook.path, path) == 0)
			return &workflow->triggers[i];
	return NULL;
}
