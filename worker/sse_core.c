/* Lines, then fields, then events. See sse_core.h. */
#include "sse_core.h"

#include <string.h>

#define BOM      "\xef\xbb\xbf"
#define BOM_DONE 3

struct feeding {
	struct sse *sse;
	sse_event_fn *on_event;
	void *context;
};

static int
too_long(struct err *err)
{
	return err_set(err, ERR_LIMIT, "an event of more than %d bytes", SSE_EVENT_MAX);
}

/* An empty line: what was gathered is an event, unless it had no data at all. */
static void
dispatch(const struct feeding *feeding)
{
	struct sse *sse = feeding->sse;

	if (sse->has_data)
		feeding->on_event(feeding->context, buf_text(&sse->event),
				  buf_text(&sse->data), sse->data.len);
	buf_clear(&sse->data);
	buf_clear(&sse->event);
	sse->has_data = false;
}

static int
add_data(struct sse *sse, const char *value, size_t len, struct err *err)
{
	if (len + 1 > SSE_EVENT_MAX - sse->data.len)
		return too_long(err);
	if (sse->has_data)
		buf_char(&sse->data, '\n');
	buf_add(&sse->data, value, len);
	sse->has_data = true;
	return 0;
}

static bool
is_name(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(line, name, len) == 0;
}

/* What cannot be sent back in a header is not kept. */
static void
take_id(struct sse *sse, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return;
	buf_clear(&sse->id);
	if (len <= SSE_ID_MAX)
		buf_add(&sse->id, value, len);
}

static void
take_retry(struct sse *sse, const char *value, size_t len)
{
	long ms = 0;

	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return;
		if (ms < SSE_RETRY_MAX)
			ms = ms * 10 + (value[i] - '0');
	}
	sse->retry_ms = ms < SSE_RETRY_MAX ? ms : SSE_RETRY_MAX;
}

/* "name: value", "name:value", "name" or ": a comment". */
static int
take_line(const struct feeding *feeding, const char *line, size_t len, struct err *err)
{
	struct sse *sse = feeding->sse;
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon != NULL ? (size_t)(colon - line) : len;
	const char *value = line + name_len + (colon != NULL);
	size_t value_len = (size_t)(line + len - value);

	if (len == 0) {
		dispatch(feeding);
		return 0;
	}
	if (value_len > 0 && *value == ' ') {
		value++;
		value_len--;
	}
	if (is_name(line, name_len, "data"))
		return add_data(sse, value, value_len, err);
	if (is_name(line, name_len, "event")) {
		buf_clear(&sse->event);
		buf_add(&sse->event, value, value_len);
	} else if (is_name(line, name_len, "id")) {
		take_id(sse, value, value_len);
	} else if (is_name(line, name_len, "retry")) {
		take_retry(sse, value, value_len);
	}
	return 0;
}

static int
end_line(const struct feeding *feeding, struct err *err)
{
	struct sse *sse = feeding->sse;
	int result = take_line(feeding, buf_text(&sse->line), sse->line.len, err);

	buf_clear(&sse->line);
	return result;
}

/* The mark may come in pieces; whatever only began like it belongs to the line. */
static size_t
pass_over_mark(struct sse *sse, const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && sse->started < BOM_DONE &&
	       bytes[used] == BOM[sse->started]) {
		used++;
		sse->started++;
	}
	if (sse->started < BOM_DONE && used < len) {
		buf_add(&sse->line, BOM, sse->started);
		sse->started = BOM_DONE;
	}
	return used;
}

static bool
is_end(char c)
{
	return c == '\n' || c == '\r';
}

int
sse_feed(struct sse *sse, const char *bytes, size_t len, sse_event_fn *on_event,
	 void *context, struct err *err)
{
	const struct feeding feeding = { sse, on_event, context };
	size_t at = pass_over_mark(sse, bytes, len), end;

	while (at < len) {
		if (sse->after_cr && bytes[at] == '\n') {
			sse->after_cr = false;
			at++;
			continue;
		}
		sse->after_cr = false;
		for (end = at; end < len && !is_end(bytes[end]); end++)
			;
		if (end - at > SSE_EVENT_MAX - sse->line.len)
			return too_long(err);
		buf_add(&sse->line, bytes + at, end - at);
		if (end == len)
			return 0;
		sse->after_cr = bytes[end] == '\r';
		if (end_line(&feeding, err) < 0)
			return -1;
		at = end + 1;
	}
	return 0;
}

void
sse_fini(struct sse *sse)
{
	buf_fini(&sse->line);
	buf_fini(&sse->data);
	buf_fini(&sse->event);
	buf_fini(&sse->id);
	*sse = (struct sse){ 0 };
}
