/* Reading a pattern character by character, and its escapes. */
#include "lang/regex_escape.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int
regex_fail(struct regex_source *source, size_t at, const char *format, ...)
{
	size_t place = 1;
	char text[200];
	va_list args;

	for (size_t i = 0; i < at && i < source->len; i++)
		place += (source->pattern[i] & 0xc0) != 0x80;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	source->failed = true;
	return err_set(source->err, ERR_INPUT, "character %zu: %s", place, text);
}

int
regex_peek(const struct regex_source *source)
{
	if (source->at >= source->len)
		return -1;
	return (unsigned char)source->pattern[source->at];
}

bool
regex_looks_at(const struct regex_source *source, const char *text)
{
	size_t len = strlen(text);

	return source->len - source->at >= len &&
	       memcmp(source->pattern + source->at, text, len) == 0;
}

int
regex_next(struct regex_source *source, uint32_t *c)
{
	size_t step =
	    utf8_decode(source->pattern + source->at, source->len - source->at, c);

	if (step == 0)
		return regex_fail(source, source->at, "not UTF-8");
	source->at += step;
	return 0;
}

bool
regex_number(const struct regex_source *source, size_t *at, int *out)
{
	size_t start = *at;

	*out = 0;
	while (*at < source->len && isdigit((unsigned char)source->pattern[*at])) {
		*out = *out * 10 + (source->pattern[*at] - '0');
		if (*out > 9999)
			*out = 9999;
		(*at)++;
	}
	return *at > start;
}

/* At "\p" or "\P". */
static bool
unicode_set(struct regex_source *source, struct regex_item *out)
{
	const char *name = source->pattern + source->at + 2, *end;
	bool negated = name[-1] == 'P';
	size_t len = 1, skip = 3;

	if (source->len - source->at < 3) {
		regex_fail(source, source->at, "a category is missing, as in \\pL");
		return false;
	}
	if (*name == '{') {
		end = memchr(name, '}', source->len - source->at - 2);
		len = end == NULL ? 0 : (size_t)(end - name) - 1;
		skip = 4 + len;
		name++;
	}
	if (len > 0 && *name == '^') {
		negated = !negated;
		name++;
		len--;
	}
	if (!regex_set_unicode(name, len, out)) {
		regex_fail(source, source->at,
			   "only general categories are known, as in \\pL or \\p{Lu}");
		return false;
	}
	out->negated = negated;
	source->at += skip;
	return true;
}

bool
regex_escape_set(struct regex_source *source, struct regex_item *out)
{
	char letter;

	if (source->at + 1 >= source->len)
		return false;
	letter = source->pattern[source->at + 1];
	if (letter == 'p' || letter == 'P')
		return unicode_set(source, out);
	if (!isalpha((unsigned char)letter) || !regex_set_perl(letter, out))
		return false;
	source->at += 2;
	return true;
}

static int
hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind "\x": two digits, or any number of them in braces. */
static int
hex_char(struct regex_source *source, uint32_t *c)
{
	size_t start = source->at - 2;
	bool braces = regex_peek(source) == '{';
	int digits = 0, value;

	*c = 0;
	source->at += braces;
	while (digits < (braces ? 8 : 2) &&
	       (value = hex_value(regex_peek(source))) >= 0) {
		*c = *c << 4 | (uint32_t)value;
		digits++;
		source->at++;
	}
	if (braces ? digits == 0 || regex_peek(source) != '}' : digits != 2)
		return regex_fail(source, start, "write \\x41 or \\x{1F600}");
	source->at += braces;
	if (*c > 0x10ffff)
		return regex_fail(source, start, "there is no such character");
	return 0;
}

static void
octal_char(struct regex_source *source, uint32_t *c)
{
	int next;

	for (int i = 0; i < 2; i++) {
		next = regex_peek(source);
		if (next < '0' || next > '7')
			return;
		*c = *c * 8 + (uint32_t)(next - '0');
		source->at++;
	}
}

int
regex_escape_char(struct regex_source *source, uint32_t *c)
{
	static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	size_t start = source->at++;
	int letter = regex_peek(source);
	const char *found;

	if (letter < 0)
		return regex_fail(source, start, "nothing stands behind this \\");
	source->at++;
	found = letter != 0 ? strchr(letters, letter) : NULL;
	*c = (uint32_t)letter;
	if (found != NULL) {
		*c = (unsigned char)values[found - letters];
		return 0;
	}
	if (letter == 'x')
		return hex_char(source, c);
	if (letter >= '1' && letter <= '7' &&
	    (regex_peek(source) < '0' || regex_peek(source) > '7'))
		return regex_fail(source, start, "backreferences are not available");
	if (letter >= '0' && letter <= '7') {
		*c = (uint32_t)(letter - '0');
		octal_char(source, c);
		return 0;
	}
	if (letter < 0x80 && ispunct(letter))
		return 0;
	return regex_fail(source, start, "unknown escape");
}
