/*
 * Keeps the head and the tail of an output whose length nobody knows. Not for deciding
 * what an output means.
 */
#include "output_core.h"

#include <string.h>

#include "base/utf8.h"

#define MARK_ROOM 64 /* for the line that says what was left out */

void
output_init(struct output *output, size_t keep)
{
	*output = (struct output){ .keep = keep };
	if (keep < OUTPUT_KEEP_MIN)
		output->keep = OUTPUT_KEEP_MIN;
}

void
output_fini(struct output *output)
{
	buf_fini(&output->head);
	buf_fini(&output->tail);
	*output = (struct output){ 0 };
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The ring: the oldest bytes give way. */
static void
add_tail(struct output *output, const char *data, size_t len)
{
	size_t room = output->keep - output->keep / 2, part;

	if (len > room) {
		data += len - room;
		len = room;
	}
	part = least(len, room - output->tail.len);
	buf_add(&output->tail, data, part);
	for (data += part, len -= part; len > 0; data += part, len -= part) {
		part = least(len, room - output->tail_start);
		memcpy(output->tail.data + output->tail_start, data, part);
		output->tail_start = (output->tail_start + part) % room;
	}
}

void
output_add(struct output *output, const char *data, size_t len)
{
	size_t part = least(len, output->keep / 2 - output->head.len);

	output->total += len;
	buf_add(&output->head, data, part);
	if (len > part)
		add_tail(output, data + part, len - part);
}

/* The ring in order of time, as one piece. */
static void
unroll_tail(const struct output *output, struct buf *out)
{
	const struct buf *tail = &output->tail;

	if (tail->len == 0)
		return;
	buf_add(out, tail->data + output->tail_start, tail->len - output->tail_start);
	buf_add(out, tail->data, output->tail_start);
}

/* How long the character at the start is here, and how long once it is repaired. */
static size_t
character(const char *text, size_t len, size_t *repaired)
{
	uint32_t code_point;
	size_t step = utf8_decode(text, len, &code_point);

	*repaired = step == 0 || code_point == 0 ? 3 : step;
	return step == 0 ? 1 : step;
}

static size_t
repaired_len(const char *text, size_t len)
{
	size_t sum = 0, repaired;

	for (size_t at = 0; at < len; sum += repaired)
		at += character(text + at, len - at, &repaired);
	return sum;
}

/* A character that the cut itself broke is left out rather than shown as broken. */
static size_t
drop_broken_end(const char *text, size_t len)
{
	uint32_t code_point;

	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)text[len - back];

		if ((c & 0xc0) == 0xc0)
			return utf8_decode(text + len - back, back, &code_point) == 0
				   ? len - back
				   : len;
		if ((c & 0xc0) != 0x80)
			break;
	}
	return len;
}

/* Only up to three bytes: more of them are no broken character, they are not text. */
static size_t
skip_broken_start(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && at < 3 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/* How much of the text, from its start, is at most `room` bytes when repaired. */
static size_t
head_that_fits(const char *text, size_t len, size_t room)
{
	size_t at = 0, sum = 0, repaired, step;

	while (at < len) {
		step = character(text + at, len - at, &repaired);
		if (sum + repaired > room)
			break;
		sum += repaired;
		at += step;
	}
	return at;
}

/* Where the text must start so that the rest is at most `room` bytes when repaired. */
static size_t
tail_that_fits(const char *text, size_t len, size_t room)
{
	size_t at = 0, sum = repaired_len(text, len), repaired;

	while (sum > room) {
		at += character(text + at, len - at, &repaired);
		sum -= repaired;
	}
	return at;
}

/* Everything as one text, unless it is too long, perhaps only once it is repaired. */
static bool
whole_text(const struct output *output, const struct buf *tail, struct buf *out)
{
	struct buf all = { 0 };
	bool fits;

	if (output->total > output->keep)
		return false;
	/* The two halves may meet inside a character. */
	buf_add(&all, buf_text(&output->head), output->head.len);
	buf_add(&all, buf_text(tail), tail->len);
	fits = repaired_len(buf_text(&all), all.len) <= output->keep;
	if (fits)
		utf8_repair(buf_text(&all), all.len, out);
	buf_fini(&all);
	return fits;
}

static void
cut_parts(const struct output *output, const struct buf *tail,
	  struct output_parts *parts)
{
	size_t room = (output->keep - MARK_ROOM) / 2, head, start;

	head = drop_broken_end(buf_text(&output->head), output->head.len);
	head = head_that_fits(buf_text(&output->head), head, room);
	start = skip_broken_start(buf_text(tail), tail->len);
	start += tail_that_fits(buf_text(tail) + start, tail->len - start, room);
	utf8_repair(buf_text(&output->head), head, &parts->head);
	utf8_repair(buf_text(tail) + start, tail->len - start, &parts->tail);
	parts->left_out = output->total - head - (tail->len - start);
}

bool
output_cut(const struct output *output, struct output_parts *parts)
{
	struct buf tail = { 0 }, whole = { 0 };
	bool cut;

	unroll_tail(output, &tail);
	cut = !whole_text(output, &tail, &whole);
	if (cut)
		cut_parts(output, &tail, parts);
	buf_fini(&whole);
	buf_fini(&tail);
	return cut;
}

void
output_mark(const struct output_parts *parts, struct buf *out)
{
	buf_printf(out, "\n... %llu bytes left out ...\n",
		   (unsigned long long)parts->left_out);
}

void
output_parts_fini(struct output_parts *parts)
{
	buf_fini(&parts->head);
	buf_fini(&parts->tail);
}

bool
output_text(const struct output *output, struct buf *out)
{
	struct output_parts parts = { 0 };
	struct buf tail = { 0 };
	bool whole;

	unroll_tail(output, &tail);
	whole = whole_text(output, &tail, out);
	if (!whole) {
		cut_parts(output, &tail, &parts);
		buf_add(out, buf_text(&parts.head), parts.head.len);
		output_mark(&parts, out);
		buf_add(out, buf_text(&parts.tail), parts.tail.len);
	}
	output_parts_fini(&parts);
	buf_fini(&tail);
	return !whole;
}

bool
output_bytes(const struct output *output, struct buf *out)
{
	if (output->total > output->keep)
		return false;
	buf_add(out, buf_text(&output->head), output->head.len);
	unroll_tail(output, out);
	return true;
}

static bool
tells(const char *line, size_t len)
{
	return len > 0 && line[0] != ' ' && line[0] != '\t' && line[0] != '\r';
}

void
output_last_line(const struct output *output, size_t max, struct buf *out)
{
	struct buf text = { 0 };
	size_t end, start;

	output_text(output, &text);
	for (end = text.len; end > 0; end = start > 0 ? start - 1 : 0) {
		for (start = end; start > 0 && text.data[start - 1] != '\n'; start--)
			;
		if (tells(text.data + start, end - start))
			break;
	}
	if (end > 0) {
		size_t len = head_that_fits(text.data + start, end - start, max);

		buf_add(out, text.data + start, len);
	}
	buf_fini(&text);
}
