/*
 * The target's grammar is RFC 3986, read strictly: no bytes outside it in the path, no
 * broken escapes, no dot segments, no escaped slash, backslash or control. A query may
 * hold a few bytes that browsers send unescaped.
 */
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "front/target_core.h"

#define PATH_EXTRA      "-._~!$&'()*+,;=:@%"
#define QUERY_EXTRA     PATH_EXTRA "/?[]{}|^"
#define AUTHORITY_EXTRA "-._~"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static bool
all_of(const char *text, size_t len, const char *extra)
{
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && (text[i] == '\0' || !strchr(extra, text[i])))
			return false;
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Appends the decoded text and a NUL. Refuses broken escapes, NUL and broken UTF-8. */
static const char *
add_decoded(struct buf *out, const char *text, size_t len, bool plus_is_space)
{
	size_t start = out->len;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return "a broken percent escape in the target";
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0')
			return "an escaped NUL in the target";
		buf_char(out, c);
	}
	if (!utf8_valid(out->data != NULL ? out->data + start : "", out->len - start))
		return "the target is not UTF-8";
	buf_char(out, '\0');
	return NULL;
}

static bool
has_slash_or_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '/' || *text == '\\' || (unsigned char)*text < 0x20 ||
		    *text == 0x7f)
			return true;
	return false;
}

static const char *
read_segment(struct target *target, const char *text, size_t len)
{
	uint32_t offset = (uint32_t)target->text.len;
	const char *why, *decoded;

	if (target->segments_count == TARGET_SEGMENTS_MAX)
		return "the path has too many segments";
	why = add_decoded(&target->text, text, len, false);
	if (why != NULL)
		return why;
	decoded = target->text.data + offset;
	if (has_slash_or_control(decoded))
		return "an escaped slash, backslash or control byte in the path";
	if (strcmp(decoded, ".") == 0 || strcmp(decoded, "..") == 0)
		return "a dot segment in the path";
	target->segments[target->segments_count++] = offset;
	return NULL;
}

static const char *
read_path(struct target *target, const char *path, size_t len)
{
	const char *end = path + len;

	target->path = (uint32_t)target->text.len;
	buf_add(&target->text, path, len);
	buf_char(&target->text, '\0');
	if (len == 1)
		return NULL;
	for (const char *slash = path; slash < end;) {
		const char *next = memchr(slash + 1, '/', (size_t)(end - slash - 1));
		const char *why;

		if (next == NULL)
			next = end;
		if (!all_of(slash + 1, (size_t)(next - slash - 1), PATH_EXTRA))
			return "a byte in the path that must be escaped";
		why = read_segment(target, slash + 1, (size_t)(next - slash - 1));
		if (why != NULL)
			return why;
		slash = next;
	}
	return NULL;
}

static const char *
read_pair(struct target *target, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	size_t skipped = equals != NULL ? name_len + 1 : len;
	uint32_t name = (uint32_t)target->text.len, value;
	const char *why;

	if (len == 0)
		return NULL;
	if (target->queries_count == TARGET_QUERIES_MAX)
		return "the query has too many parameters";
	why = add_decoded(&target->text, text, name_len, true);
	if (why != NULL)
		return why;
	value = (uint32_t)target->text.len;
	why = add_decoded(&target->text, text + skipped, len - skipped, true);
	if (why != NULL)
		return why;
	target->queries[target->queries_count].name = name;
	target->queries[target->queries_count++].value = value;
	return NULL;
}

static const char *
read_query(struct target *target, const char *query, size_t len)
{
	const char *end = query + len;

	if (!all_of(query, len, QUERY_EXTRA))
		return "a byte in the query that must be escaped";
	while (query < end) {
		const char *next = memchr(query, '&', (size_t)(end - query));
		const char *why;

		if (next == NULL)
			next = end;
		why = read_pair(target, query, (size_t)(next - query));
		if (why != NULL)
			return why;
		query = next + 1;
	}
	return NULL;
}

static const char *
read_path_and_query(struct target *target, const char *text, size_t len)
{
	const char *mark = memchr(text, '?', len);
	size_t path_len = mark != NULL ? (size_t)(mark - text) : len;
	const char *why;

	if (path_len == 0)
		why = read_path(target, "/", 1);
	else
		why = read_path(target, text, path_len);
	if (why == NULL && mark != NULL)
		why = read_query(target, mark + 1, len - path_len - 1);
	return why;
}

static size_t
scheme_len(const char *text, size_t len)
{
	if (len >= 7 && strncasecmp(text, "http://", 7) == 0)
		return 7;
	if (len >= 8 && strncasecmp(text, "https://", 8) == 0)
		return 8;
	return 0;
}

static const char *
read_absolute(struct target *target, const char *text, size_t len)
{
	size_t authority_len = 0;

	while (authority_len < len && text[authority_len] != '/' &&
	       text[authority_len] != '?')
		authority_len++;
	if (!target_authority_valid(text, authority_len))
		return "the target names no valid host";
	target->form = TARGET_ABSOLUTE;
	target->authority = (uint32_t)target->text.len;
	buf_add(&target->text, text, authority_len);
	buf_char(&target->text, '\0');
	return read_path_and_query(target, text + authority_len, len - authority_len);
}

const char *
target_read(struct target *target, const char *text, size_t len)
{
	size_t skipped = scheme_len(text, len);

	buf_clear(&target->text);
	target->segments_count = 0;
	target->queries_count = 0;
	target->form = TARGET_ORIGIN;
	if (skipped > 0)
		return read_absolute(target, text + skipped, len - skipped);
	if (len == 1 && text[0] == '*') {
		target->form = TARGET_ASTERISK;
		target->path = 0;
		buf_add(&target->text, "*", 2);
		return NULL;
	}
	if (len == 0 || text[0] != '/')
		return "the target is neither a path nor an http URL";
	return read_path_and_query(target, text, len);
}

void
target_fini(struct target *target)
{
	buf_fini(&target->text);
}

const char *
target_path(const struct target *target)
{
	return target->text.data + target->path;
}

const char *
target_authority(const struct target *target)
{
	if (target->form != TARGET_ABSOLUTE)
		return NULL;
	return target->text.data + target->authority;
}

const char *
target_segment(const struct target *target, size_t index)
{
	return target->text.data + target->segments[index];
}

const char *
target_query(const struct target *target, const char *name)
{
	for (size_t i = 0; i < target->queries_count; i++)
		if (strcmp(target->text.data + target->queries[i].name, name) == 0)
			return target->text.data + target->queries[i].value;
	return NULL;
}

/* It stands last in the text. */
const char *
target_query_words(const struct target *target, size_t *len)
{
	size_t start =
	    target->queries_count > 0 ? target->queries[0].name : target->text.len;

	*len = target->text.len - start;
	return target->text.data + start;
}

/* Only the shape: digits, colons and dots inside the brackets. */
static size_t
bracketed_len(const char *text, size_t len)
{
	const char *end = memchr(text, ']', len);

	if (end == NULL || end - text < 3)
		return 0;
	for (const char *p = text + 1; p < end; p++)
		if (hex_value(*p) < 0 && *p != ':' && *p != '.')
			return 0;
	return (size_t)(end - text) + 1;
}

static bool
port_valid(const char *text, size_t len)
{
	if (len < 2 || len > 6 || text[0] != ':')
		return false;
	for (size_t i = 1; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

bool
target_authority_valid(const char *text, size_t len)
{
	const char *colon;
	size_t host_len;

	if (len == 0 || len > 255 + 6)
		return false;
	if (text[0] == '[') {
		host_len = bracketed_len(text, len);
	} else {
		colon = memchr(text, ':', len);
		host_len = colon != NULL ? (size_t)(colon - text) : len;
		if (!all_of(text, host_len, AUTHORITY_EXTRA))
			return false;
	}
	if (host_len == 0)
		return false;
	return host_len == len || port_valid(text + host_len, len - host_len);
}
