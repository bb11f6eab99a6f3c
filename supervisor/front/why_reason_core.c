/* A reason: its kind, its step, its words, and what comes with them. See
 * why_reason_core.h. */
#include "front/why_reason_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

/* ---- the facts ---- */

const char *
why_text(const struct json *from, const char *key)
{
	return json_str(json_get(from, key));
}

int
why_number(const struct json *from, const char *key)
{
	return (int)json_int(json_get(from, key));
}

/* Times are written so that they are in order as texts. */
bool
why_is_ahead(const struct why *why, const char *time)
{
	return time != NULL && strcmp(time, why_text(why->facts, "now")) > 0;
}

static bool
has_scheduler(const struct why *why)
{
	return json_bool(json_get(why->facts, "schedulerSeen"));
}

struct json *
why_upper(const char *name)
{
	char *text = xstrdup(name);
	struct json *value;

	for (char *c = text; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	value = json_new_str(text);
	free(text);
	return value;
}

/* ---- a reason ---- */

void
why_copy(struct json *to, const char *name, const struct json *from, const char *key)
{
	struct json *value = json_get(from, key);

	if (value != NULL)
		json_set(to, name, json_ref(value));
}

struct json *
why_add(struct why *why, const char *kind, const struct json *step, const char *format,
	...)
{
	struct json *reason = json_new_object();
	struct buf text = { 0 }, message = { 0 };
	va_list args;

	json_set(reason, "kind", json_new_str(kind));
	if (step != NULL) {
		buf_printf(&text, "%s:%d", why_text(why->facts, "id"),
			   why_number(step, "number"));
		json_set(reason, "stepId", json_new_str(buf_text(&text)));
		why_copy(reason, "stepKey", step, "key");
		why_copy(reason, "itemIndex", step, "itemIndex");
		buf_clear(&text);
	}
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	/* A text that was cut may end in half a character. */
	utf8_repair(buf_text(&text), text.len, &message);
	json_set(reason, "message", json_new_str(buf_text(&message)));
	json_append(why->reasons, reason);
	buf_fini(&text);
	buf_fini(&message);
	return reason;
}

/* `step "build"`, `item 3 of step "build"`. */
const char *
why_name(const struct json *step, char out[static WHY_NAME])
{
	const struct json *item = json_get(step, "itemIndex");

	if (item != NULL)
		snprintf(out, WHY_NAME, "item %d of step \"%.150s\"",
			 (int)json_int(item), why_text(step, "key"));
	else
		snprintf(out, WHY_NAME, "step \"%.150s\"", why_text(step, "key"));
	return out;
}

/* Of what the clock is to wake: nothing does while no scheduler runs. */
void
why_add_clock(const struct why *why, struct json *reason, const char *time)
{
	const char *said = why_text(reason, "message");
	char *message;

	json_set(reason, "until", json_new_str(time));
	if (why_is_ahead(why, time) && has_scheduler(why)) {
		json_set(reason, "expectedStart", json_new_str(time));
		return;
	}
	if (has_scheduler(why))
		return;
	json_set(reason, "noScheduler", json_new_bool(true));
	message =
	    xprintf("%s; no scheduler runs that would notice when it is due", said);
	json_set(reason, "message", json_new_str(message));
	free(message);
}

void
why_add_position(struct json *reason, int before)
{
	bool is_exact = before < WHY_COUNT;

	json_set(reason, is_exact ? "position" : "positionAtLeast",
		 json_new_int(is_exact ? before + 1 : WHY_COUNT));
}
