/* A line at a time: which kind it is, and what that means for the item in hand. See
 * heartbeat_items_core.h. */
#include "engine/heartbeat_items_core.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "engine/heartbeat_core.h"

#define TAB_STOP  4
#define FENCE_MIN 3

struct line {
	const char *text; /* without what it is set in by, and blanks at its end */
	size_t len;
	size_t indent; /* columns */
};

struct list {
	struct json *items;
	struct problems *problems;
	int number; /* of the line in hand */
	/* the item in hand */
	bool open;     /* lines further in than indent belong to it */
	bool ticked;   /* it is left out, and they with it */
	size_t indent; /* of its sign */
	int at;        /* its first line */
	struct buf text;
	/* what hides items */
	char fence; /* the character of the code fence that is open, or 0 */
	size_t fence_len;
	bool comment;
};

/* ---- the item in hand ---- */

static void
end_item(struct list *list)
{
	if (list->open && !list->ticked && list->text.len > 0) {
		if (list->text.len > HEARTBEAT_ITEM_MAX)
			problems_add_at(list->problems, list->at, 1, "",
					"the item is longer than %d bytes",
					HEARTBEAT_ITEM_MAX);
		else if (json_count(list->items) == HEARTBEAT_ITEMS_MAX)
			problems_add_at(list->problems, list->at, 1, "",
					"more than %d items", HEARTBEAT_ITEMS_MAX);
		else
			json_append(list->items,
				    json_new_str_len(list->text.data, list->text.len));
	}
	list->open = false;
	buf_clear(&list->text);
}

static void
begin_item(struct list *list, const struct line *line, const char *text, bool ticked)
{
	size_t len = line->len - (size_t)(text - line->text);

	end_item(list);
	list->open = true;
	list->ticked = ticked;
	list->indent = line->indent;
	list->at = list->number;
	buf_add(&list->text, text, len);
}

static void
go_on(struct list *list, const struct line *line, char between)
{
	if (list->text.len > 0)
		buf_char(&list->text, between);
	buf_add(&list->text, line->text, line->len);
}

/* ---- kinds of lines ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct line
read_line(const char *text, size_t len)
{
	struct line line = { text, len, 0 };

	while (line.len > 0 && is_blank(line.text[0])) {
		line.indent +=
		    line.text[0] == '\t' ? TAB_STOP - line.indent % TAB_STOP : 1;
		line.text++;
		line.len--;
	}
	while (line.len > 0 && is_blank(line.text[line.len - 1]))
		line.len--;
	return line;
}

static bool
is_bullet(const struct line *line)
{
	return line->len >= 2 && strchr("-*+", line->text[0]) != NULL &&
	       is_blank(line->text[1]);
}

/* Of "- [ ] text": where the text begins, and the character between the brackets. */
static const char *
find_box(const struct line *line, char *mark)
{
	const char *at, *end = line->text + line->len;

	if (!is_bullet(line))
		return NULL;
	for (at = line->text + 1; at < end && is_blank(*at); at++)
		;
	if (end - at < 3 || at[0] != '[' || at[2] != ']' ||
	    strchr(" xX", at[1]) == NULL || (end - at > 3 && !is_blank(at[3])))
		return NULL;
	*mark = at[1];
	for (at += 3; at < end && is_blank(*at); at++)
		;
	return at;
}

static bool
has(const struct line *line, const char *part)
{
	return memmem(line->text, line->len, part, strlen(part)) != NULL;
}

/* The length of the fence that the line begins with, or 0. */
static size_t
fence_of(const struct line *line)
{
	char sign = line->len > 0 ? line->text[0] : '\0';
	size_t len = 0;

	if (sign != '`' && sign != '~')
		return 0;
	while (len < line->len && line->text[len] == sign)
		len++;
	if (len < FENCE_MIN ||
	    (sign == '`' && memchr(line->text + len, '`', line->len - len) != NULL))
		return 0;
	return len;
}

/* ---- lines ---- */

/* Whether the line is of what hides items. */
static bool
is_hidden(struct list *list, const struct line *line)
{
	size_t fence = fence_of(line);

	if (list->fence != 0) {
		if (fence >= list->fence_len && fence == line->len &&
		    line->text[0] == list->fence)
			list->fence = 0;
		return true;
	}
	if (list->comment) {
		list->comment = !has(line, "-->");
		return true;
	}
	if (fence > 0) {
		list->fence = line->text[0];
		list->fence_len = fence;
		return true;
	}
	if (line->len >= 4 && memcmp(line->text, "<!--", 4) == 0) {
		list->comment = !has(line, "-->");
		return true;
	}
	return false;
}

static void
take_line(struct list *list, const struct line *line)
{
	const char *text;
	char mark = ' ';

	if (is_hidden(list, line)) {
		end_item(list);
		return;
	}
	text = find_box(line, &mark);
	if (text != NULL)
		begin_item(list, line, text, mark != ' ');
	else if (line->len == 0 || line->indent <= list->indent)
		end_item(list);
	else if (list->open)
		go_on(list, line, is_bullet(line) ? '\n' : ' ');
}

void
heartbeat_items(const char *text, size_t len, int first_line, struct json *items,
		struct problems *problems)
{
	struct list list = { .items = items,
			     .problems = problems,
			     .number = first_line };

	for (size_t at = 0; at < len; list.number++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = end != NULL ? (size_t)(end - text) - at : len - at;
		struct line line = read_line(text + at, line_len);

		take_line(&list, &line);
		at += line_len + 1;
	}
	end_item(&list);
	buf_fini(&list.text);
}
