/* A run as it goes. See live.h. */
#include "live.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static const char *const spinner[] = {
	"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"
};

#define SPINNER_TURNS (sizeof spinner / sizeof *spinner)

void
live_wipe(struct live *live, struct buf *out)
{
	for (; live->lines > 0; live->lines--)
		buf_str(out, "\033[1A\033[2K");
}

/* One line of the screen: a longer one would wrap, and could not be wiped. */
static void
draw_step(const struct live *live, const struct live_step *step, usec_t now,
	  struct buf *out)
{
	struct buf line = { 0 };
	char time[32];
	size_t used;

	text_ms((now - step->since) / 1000, time, sizeof time);
	buf_printf(&line, "  %s %s  %s", spinner[live->turn % SPINNER_TURNS],
		   step->name, time);
	if (step->resting)
		buf_str(&line, "  (waits for its next attempt)");
	else if (step->attempt > 1)
		buf_printf(&line, "  (attempt %d)", step->attempt);
	buf_add(out, buf_text(&line),
		live->width > 1 ? text_fitting(buf_text(&line), live->width - 1, &used)
				: line.len);
	buf_char(out, '\n');
	buf_fini(&line);
}

void
live_draw(struct live *live, usec_t now, struct buf *out)
{
	if (!live->terminal)
		return;
	live_wipe(live, out);
	live->turn++;
	for (size_t i = 0; i < live->running_count; i++)
		draw_step(live, &live->running[i], now, out);
	live->lines = live->running_count;
}

static int
number_of(const struct json *payload)
{
	return (int)json_int(json_get(payload, "stepNumber"));
}

static struct live_step *
find(struct live *live, int number)
{
	for (size_t i = 0; i < live->running_count; i++)
		if (live->running[i].number == number)
			return &live->running[i];
	return NULL;
}

static void
forget(struct live *live, int number)
{
	struct live_step *step = find(live, number);

	if (step != NULL)
		*step = live->running[--live->running_count];
}

static struct live_step *
find_or_add(struct live *live, int number)
{
	struct live_step *step = find(live, number);

	if (step != NULL || live->running_count == LIVE_RUNNING_MAX)
		return step;
	step = &live->running[live->running_count++];
	*step = (struct live_step){ .number = number };
	return step;
}

static void
put_name(struct buf *out, const struct json *payload)
{
	const char *name = json_str(json_get(payload, "name"));

	text_clean(name != NULL ? name : "?", out);
}

/* Cut between two characters, so that the terminal gets whole ones. */
static void
set_name(struct live_step *step, const struct json *payload)
{
	struct buf name = { 0 };
	size_t used, len;

	put_name(&name, payload);
	len = text_fitting(buf_text(&name), LIVE_NAME_COLUMNS, &used);
	if (len >= sizeof step->name)
		len = 0;
	memcpy(step->name, buf_text(&name), len);
	step->name[len] = '\0';
	buf_fini(&name);
}

static void
on_started(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	struct live_step *step = find_or_add(live, number_of(payload));

	if (step != NULL) {
		set_name(step, payload);
		step->attempt++;
		step->since = now;
		step->resting = false;
	}
	if (live->terminal)
		return;
	buf_str(out, "  > ");
	put_name(out, payload);
	buf_char(out, '\n');
}

/* A step's line that stays; its end is the caller's. */
static void
put_line(const struct live *live, const char *mark, const char *color,
	 const struct json *payload, struct buf *out)
{
	char time[32];

	if (live->terminal)
		buf_printf(out, "  \033[%sm%s\033[0m ", color, mark);
	else
		buf_printf(out, "  %s ", mark);
	put_name(out, payload);
	if (json_type(json_get(payload, "durationMs")) == JSON_INT)
		buf_printf(out, "  %s",
			   text_ms(json_int(json_get(payload, "durationMs")), time,
				   sizeof time));
}

static void
on_completed(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	(void)now;
	forget(live, number_of(payload));
	put_line(live, "✓", "32", payload, out);
	buf_char(out, '\n');
}

static void
on_failed(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	const char *message = json_str(json_get(json_get(payload, "error"), "message"));
	struct live_step *step = find(live, number_of(payload));
	bool again = json_bool(json_get(payload, "willRetry"));

	put_line(live, "✗", "31", payload, out);
	if (message != NULL) {
		buf_str(out, "  ");
		text_clean(message, out);
	}
	buf_str(out, again ? "  (will be tried again)\n" : "\n");
	if (!again) {
		forget(live, number_of(payload));
	} else if (step != NULL) {
		step->resting = true;
		step->since = now;
	}
}

static void
on_waiting(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	(void)now;
	forget(live, number_of(payload));
	put_line(live, "…", "33", payload, out);
	buf_str(out, "  waits\n");
}

static void
on_cancelled(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	(void)now;
	forget(live, number_of(payload));
	put_line(live, "-", "33", payload, out);
	buf_str(out, "  cancelled\n");
}

static void
on_said(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	const char *message = json_str(json_get(payload, "message"));
	const char *name = json_str(json_get(payload, "artifact"));

	(void)live;
	(void)now;
	if (message == NULL && name == NULL)
		return;
	buf_str(out, "    ");
	text_clean(message != NULL ? message : name, out);
	buf_char(out, '\n');
}

static void
on_recovered(struct live *live, const struct json *payload, usec_t now, struct buf *out)
{
	const char *reason = json_str(json_get(payload, "reason"));

	for (size_t i = 0; i < live->running_count; i++) {
		live->running[i].resting = true;
		live->running[i].since = now;
	}
	buf_str(out, "  ! taken up again: ");
	text_clean(reason != NULL ? reason : "?", out);
	buf_char(out, '\n');
}

void
live_event(struct live *live, const struct json *event, usec_t now, struct buf *out)
{
	static const struct {
		const char *type;
		void (*fn)(struct live *live, const struct json *payload, usec_t now,
			   struct buf *out);
	} shown[] = {
		{ "step.started", on_started },     { "step.completed", on_completed },
		{ "step.failed", on_failed },       { "step.waiting", on_waiting },
		{ "step.cancelled", on_cancelled }, { "comment.added", on_said },
		{ "artifact.created", on_said },    { "run.recovered", on_recovered },
	};
	const char *type = json_str(json_get(event, "type"));

	live_wipe(live, out);
	for (size_t i = 0; type != NULL && i < sizeof shown / sizeof *shown; i++)
		if (strcmp(shown[i].type, type) == 0)
			shown[i].fn(live, json_get(event, "payload"), now, out);
}
