/*
 * Resolving references as RFC 3986 5.2 does. No checking: what is odd resolves to
 * something odd, which then is not found.
 */
#include "json/schema_uri.h"

#include <ctype.h>
#include <string.h>

#include "base/hex.h"

struct part {
	const char *text; /* NULL: not there */
	size_t len;
};

struct parts {
	struct part scheme, authority, path, query;
};

static size_t
scheme_len(const char *text, size_t len)
{
	size_t at = 0;

	if (len == 0 || !isalpha((unsigned char)text[0]))
		return 0;
	while (at < len && (isalnum((unsigned char)text[at]) || text[at] == '+' ||
			    text[at] == '-' || text[at] == '.'))
		at++;
	return at < len && text[at] == ':' ? at : 0;
}

bool
schema_uri_is_absolute(const char *uri)
{
	return scheme_len(uri, strlen(uri)) > 0;
}

static size_t
span_until(const char *text, size_t len, const char *ends)
{
	size_t at = 0;

	while (at < len && (text[at] == '\0' || strchr(ends, text[at]) == NULL))
		at++;
	return at;
}

static struct parts
split(const char *text, size_t len)
{
	struct parts parts = { 0 };
	size_t scheme = scheme_len(text, len), part;

	if (scheme > 0) {
		parts.scheme = (struct part){ text, scheme };
		text += scheme + 1;
		len -= scheme + 1;
	}
	if (len >= 2 && text[0] == '/' && text[1] == '/') {
		part = span_until(text + 2, len - 2, "/?");
		parts.authority = (struct part){ text + 2, part };
		text += 2 + part;
		len -= 2 + part;
	}
	part = span_until(text, len, "?");
	parts.path = (struct part){ text, part };
	if (part < len)
		parts.query = (struct part){ text + part + 1, len - part - 1 };
	return parts;
}

static void
drop_segment(struct buf *out, size_t floor)
{
	while (out->len > floor && out->data[--out->len] != '/')
		;
	if (out->data != NULL)
		out->data[out->len] = '\0';
}

/* The path without its "." and ".." segments, behind what out has. */
static void
add_path(struct buf *out, const char *path, size_t len)
{
	size_t floor = out->len, at = 0, end;

	while (at < len) {
		size_t slash = path[at] == '/' ? 1 : 0;

		end = at + slash + span_until(path + at + slash, len - at - slash, "/");
		if (end - at - slash == 2 && memcmp(path + at + slash, "..", 2) == 0) {
			drop_segment(out, floor);
			if (end == len)
				buf_char(out, '/');
		} else if (end - at - slash == 1 && path[at + slash] == '.') {
			if (end == len)
				buf_char(out, '/');
		} else {
			buf_add(out, path + at, end - at);
		}
		at = end;
	}
}

/* A relative path stands beside the last segment of the base. */
static void
add_merged(struct buf *out, const struct parts *base, struct part path)
{
	struct buf merged = { 0 };
	size_t keep = base->path.len;

	while (keep > 0 && base->path.text[keep - 1] != '/')
		keep--;
	if (base->authority.text != NULL && base->path.len == 0)
		buf_char(&merged, '/');
	buf_add(&merged, base->path.text, keep);
	buf_add(&merged, path.text, path.len);
	add_path(out, buf_text(&merged), merged.len);
	buf_fini(&merged);
}

static void
add_front(struct buf *out, struct part scheme, struct part authority)
{
	if (scheme.text != NULL) {
		buf_add(out, scheme.text, scheme.len);
		buf_char(out, ':');
	}
	if (authority.text != NULL) {
		buf_str(out, "//");
		buf_add(out, authority.text, authority.len);
	}
}

char *
schema_uri_resolve(const char *base, const char *reference, size_t len)
{
	struct parts from = split(base, strlen(base)), to = split(reference, len);
	bool own = to.scheme.text != NULL || to.authority.text != NULL;
	struct buf out = { 0 };

	if (len == 0) {
		buf_str(&out, base);
		return buf_take(&out);
	}
	add_front(&out, to.scheme.text != NULL ? to.scheme : from.scheme,
		  own ? to.authority : from.authority);
	if (own || (to.path.len > 0 && to.path.text[0] == '/')) {
		add_path(&out, to.path.text, to.path.len);
	} else if (to.path.len > 0) {
		add_merged(&out, &from, to.path);
	} else {
		buf_add(&out, from.path.text, from.path.len);
	}
	if (to.query.text != NULL) {
		buf_char(&out, '?');
		buf_add(&out, to.query.text, to.query.len);
	}
	return buf_take(&out);
}

const char *
schema_uri_fragment(const char *uri, size_t *len)
{
	const char *hash = strchr(uri, '#');

	*len = hash != NULL ? (size_t)(hash - uri) : strlen(uri);
	return hash != NULL ? hash + 1 : NULL;
}

bool
schema_uri_decode(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		if (*text != '%') {
			buf_char(out, *text);
			continue;
		}
		if (hex_value(text[1]) < 0 || hex_value(text[2]) < 0)
			return false;
		buf_char(out, (char)(hex_value(text[1]) << 4 | hex_value(text[2])));
		text += 2;
	}
	return true;
}
