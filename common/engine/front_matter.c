/* Where front matter begins and ends. See front_matter.h. */
#include "engine/front_matter.h"

#include <string.h>

#include "base/utf8.h"

#define BOM "\xef\xbb\xbf"

/* "---", and nothing behind it but blanks. */
static bool
is_rule(const char *line, size_t len, char sign)
{
	size_t at = 0;

	while (at < len && line[at] == sign)
		at++;
	if (at != 3)
		return false;
	while (at < len && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r'))
		at++;
	return at == len;
}

static size_t
line_len(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end != NULL ? (size_t)(end - text) : len;
}

static bool
is_text(const char *text, size_t len, struct problems *problems)
{
	if (len > FRONT_MATTER_BYTES_MAX)
		problems_add_at(problems, 0, 0, "", "larger than %d KiB",
				FRONT_MATTER_BYTES_MAX / 1024);
	else if (!utf8_valid(text, len))
		problems_add_at(problems, 0, 0, "", "is not UTF-8");
	else if (memchr(text, '\0', len) != NULL)
		problems_add_at(problems, 0, 0, "",
				"the character U+0000 is not allowed");
	else
		return true;
	return false;
}

bool
front_matter_split(const char *text, size_t len, struct front_matter *out,
		   struct problems *problems)
{
	size_t at, line;
	int number = 1;

	if (!is_text(text, len, problems))
		return false;
	if (len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0) {
		text += strlen(BOM);
		len -= strlen(BOM);
	}
	*out = (struct front_matter){ .body = text, .body_len = len, .body_line = 1 };
	line = line_len(text, len);
	if (!is_rule(text, line, '-'))
		return true;
	for (at = line + 1; at < len; at += line + 1) {
		line = line_len(text + at, len - at);
		number++;
		if (!is_rule(text + at, line, '-') && !is_rule(text + at, line, '.'))
			continue;
		out->front = text;
		out->front_len = at;
		out->body = text + at + line;
		out->body_len = len - at - line;
		out->body_line = number;
		return true;
	}
	problems_add_at(problems, 1, 1, "",
			"the front matter begins with \"---\" and has no end");
	return false;
}
