/*
 * Patterns of file paths. See glob.h. Both loops, over the names of a path and over the
 * characters of a name, remember only the last star: a later one can always take over
 * from an earlier one, so nothing is tried twice.
 */
#include "lang/glob.h"

#include <string.h>

#include "base/utf8.h"

/* ---- reading ---- */

/* The end of a class that begins behind "[", or NULL. A "]" in front is one of it. */
static const char *
class_end(const char *text, const char *end)
{
	const char *at = text;

	if (at < end && *at == '!')
		at++;
	if (at < end && *at == ']')
		at++;
	while (at < end && *at != ']' && *at != '/')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return at < end && *at == ']' ? at : NULL;
}

static int
check_name(const char *pattern, const char *from, const char *to, struct err *err)
{
	for (const char *at = from; at < to; at++) {
		int place = (int)(at - pattern) + 1;

		if (*at == '\\') {
			if (++at == to)
				return err_set(
				    err, ERR_INPUT,
				    "character %d: \"\\\" is in front of nothing",
				    place);
			continue;
		}
		if (*at == '[' && (at = class_end(at + 1, to)) == NULL)
			return err_set(err, ERR_INPUT,
				       "character %d: \"[\" without its \"]\"", place);
	}
	return 0;
}

static bool
is_name(const char *from, const char *to, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(to - from) == len && memcmp(from, name, len) == 0;
}

static int
check_part(const char *pattern, const char *from, const char *to, struct err *err)
{
	int place = (int)(from - pattern) + 1;

	if (from == to)
		return err_set(err, ERR_INPUT, "character %d: expected a name", place);
	if (is_name(from, to, ".") || is_name(from, to, ".."))
		return err_set(err, ERR_INPUT,
			       "character %d: \".\" and \"..\" are no names of files",
			       place);
	return check_name(pattern, from, to, err);
}

int
glob_check(const char *pattern, size_t len, struct err *err)
{
	const char *end = pattern + len, *from = pattern, *to;

	if (len > GLOB_MAX)
		return err_set(err, ERR_INPUT, "longer than %d bytes", GLOB_MAX);
	if (memchr(pattern, '\0', len) != NULL || !utf8_valid(pattern, len))
		return err_set(err, ERR_INPUT, "expected text");
	for (;; from = to + 1) {
		to = memchr(from, '/', (size_t)(end - from));
		if (to == NULL)
			to = end;
		if (check_part(pattern, from, to, err) < 0)
			return -1;
		if (to == end)
			return 0;
	}
}

/* ---- one name ---- */

struct text {
	const char *at, *end;
};

static size_t
character_len(struct text text)
{
	size_t len = 1;

	while (text.at + len < text.end && (text.at[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Characters of UTF-8 are in the order of their bytes. */
static int
compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static struct text
next_of_class(struct text *rest)
{
	struct text one;

	if (*rest->at == '\\' && rest->at + 1 < rest->end)
		rest->at++;
	one = (struct text){ rest->at, rest->at + character_len(*rest) };
	rest->at = one.end;
	return one;
}

/* class: what is between the brackets. */
static bool
class_has(struct text rest, struct text name)
{
	size_t len = character_len(name);
	bool negated = *rest.at == '!', found = false;

	rest.at += negated;
	while (rest.at < rest.end) {
		struct text low = next_of_class(&rest), high = low;

		if (rest.at + 1 < rest.end && *rest.at == '-') {
			rest.at++;
			high = next_of_class(&rest);
		}
		found =
		    found ||
		    (compare(name.at, len, low.at, (size_t)(low.end - low.at)) >= 0 &&
		     compare(name.at, len, high.at, (size_t)(high.end - high.at)) <= 0);
	}
	return found != negated;
}

/* Does the first character of the pattern, which is no star, match that of the name?
 * Then both go on behind it. */
static bool
step(struct text *pattern, struct text *name)
{
	struct text class;
	size_t len = character_len(*name);

	if (*pattern->at == '?') {
		pattern->at++;
	} else if (*pattern->at == '[') {
		class.at = pattern->at + 1;
		class.end = class_end(class.at, pattern->end);
		if (!class_has(class, *name))
			return false;
		pattern->at = class.end + 1;
	} else {
		if (*pattern->at == '\\')
			pattern->at++;
		if (*pattern->at != *name->at)
			return false;
		pattern->at++;
		len = 1;
	}
	name->at += len;
	return true;
}

static bool
name_match(struct text pattern, struct text name)
{
	struct text star = { 0 }, from = name;

	if (name.at < name.end && *name.at == '.' && *pattern.at != '.')
		return false;
	while (name.at < name.end) {
		struct text tried = pattern;

		if (pattern.at < pattern.end && *pattern.at == '*') {
			pattern.at++;
			star = pattern;
			from = name;
		} else if (pattern.at < pattern.end && step(&tried, &name)) {
			pattern = tried;
		} else if (star.at != NULL) {
			from.at += character_len(from);
			pattern = star;
			name = from;
		} else {
			return false;
		}
	}
	while (pattern.at < pattern.end && *pattern.at == '*')
		pattern.at++;
	return pattern.at == pattern.end;
}

/* ---- all names ---- */

/* The next name; rest goes on behind it, to NULL after the last. */
static struct text
next_name(const char **rest)
{
	const char *slash = strchr(*rest, '/');
	struct text name = { *rest, slash ? slash : *rest + strlen(*rest) };

	*rest = slash != NULL ? slash + 1 : NULL;
	return name;
}

static bool
is_stars(struct text name)
{
	return is_name(name.at, name.end, "**");
}

static bool
is_hidden(const char *name)
{
	return *name == '.';
}

static bool
only_stars(const char *pattern)
{
	while (pattern != NULL)
		if (!is_stars(next_name(&pattern)))
			return false;
	return true;
}

static bool
path_match(const char *pattern, const char *path)
{
	const char *star = NULL, *from = NULL, *rest;
	bool starred = false;

	while (path != NULL) {
		const char *next = path;
		struct text name = next_name(&next), wanted = { 0 };

		rest = pattern;
		if (rest != NULL)
			wanted = next_name(&rest);
		if (wanted.at != NULL && is_stars(wanted)) {
			pattern = star = rest;
			from = path;
			starred = true;
		} else if (wanted.at != NULL && name_match(wanted, name)) {
			pattern = rest;
			path = next;
		} else if (starred && !is_hidden(from)) {
			next_name(&from);
			pattern = star;
			path = from;
		} else {
			return false;
		}
	}
	return only_stars(pattern);
}

bool
glob_match(const char *pattern, const char *path)
{
	const char *slash;

	if (strchr(pattern, '/') == NULL && strcmp(pattern, "**") != 0) {
		slash = strrchr(path, '/');
		return path_match(pattern, slash != NULL ? slash + 1 : path);
	}
	return path_match(pattern, path);
}
