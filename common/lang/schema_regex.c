/*
 * ECMAScript's patterns (with the flag u) in RE2's words. Most of both is the same;
 * this room knows the differences: what "." and \s mean, how characters and categories
 * are written, that "[" inside a class is itself, and which escapes one has and the
 * other has not. Not for finding out whether a pattern is well formed: the engine does
 * that.
 */
#include "lang/schema_regex.h"

#include <ctype.h>
#include <string.h>

#include "base/hex.h"
#include "lang/regex.h"

#define SPACES                                                                         \
	"\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"       \
	"\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                                      \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"     \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}" \
	"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

struct text {
	const char *pattern;
	size_t len, at;
	bool in_class;
	struct buf *out;
	struct err *err;
};

static int
refuse(const struct text *text, const char *what)
{
	size_t place = 1;

	for (size_t i = 0; i < text->at; i++)
		place += (text->pattern[i] & 0xc0) != 0x80;
	return err_set(text->err, ERR_INPUT, "character %zu: %s", place, what);
}

static char
peek(const struct text *text, size_t ahead)
{
	return ahead < text->len - text->at ? text->pattern[text->at + ahead] : '\0';
}

static bool
looks_at(const struct text *text, const char *what)
{
	size_t len = strlen(what);

	return text->len - text->at >= len &&
	       memcmp(text->pattern + text->at, what, len) == 0;
}

/* ---- characters by number ---- */

static void
add_character(struct text *text, uint32_t c)
{
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd; /* what a lone surrogate is in any text here */
	buf_printf(text->out, "\\x{%x}", (unsigned)c);
}

/* count digits at ahead, or -1. */
static int32_t
read_hex(const struct text *text, size_t ahead, size_t count)
{
	int32_t value = 0;

	for (size_t i = 0; i < count; i++) {
		int digit = hex_value(peek(text, ahead + i));

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* \u{1f600} */
static int
translate_braced(struct text *text)
{
	uint32_t value = 0;
	size_t at = 3;

	for (; hex_value(peek(text, at)) >= 0 && value <= 0x10ffff; at++)
		value = value << 4 | (uint32_t)hex_value(peek(text, at));
	if (at == 3 || peek(text, at) != '}' || value > 0x10ffff)
		return refuse(text, "expected a character's number, as in \\u{1f600}");
	add_character(text, value);
	text->at += at + 1;
	return 0;
}

/* \u0041, or a pair \ud83d\ude00 */
static int
translate_unicode(struct text *text)
{
	int32_t high = read_hex(text, 2, 4), low = -1;

	if (peek(text, 2) == '{')
		return translate_braced(text);
	if (high < 0)
		return refuse(text, "expected four hex digits behind \\u");
	if (high >= 0xd800 && high < 0xdc00 && peek(text, 6) == '\\' &&
	    peek(text, 7) == 'u')
		low = read_hex(text, 8, 4);
	text->at += 6;
	if (low >= 0xdc00 && low < 0xe000) {
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
		text->at += 6;
	}
	add_character(text, (uint32_t)high);
	return 0;
}

static int
translate_hex(struct text *text)
{
	int32_t value = read_hex(text, 2, 2);

	if (value < 0)
		return refuse(text, "expected two hex digits behind \\x");
	add_character(text, (uint32_t)value);
	text->at += 4;
	return 0;
}

static int
translate_control(struct text *text)
{
	char letter = peek(text, 2);

	if (!isalpha((unsigned char)letter))
		return refuse(text, "expected a letter behind \\c");
	add_character(text, (uint32_t)letter & 0x1f);
	text->at += 3;
	return 0;
}

static int
translate_nul(struct text *text)
{
	if (isdigit((unsigned char)peek(text, 2)))
		return refuse(text, "characters are not written in octal digits");
	add_character(text, 0);
	text->at += 2;
	return 0;
}

/* ---- sets ---- */

static const char *
short_category(const char *name, size_t len)
{
	static const struct {
		const char *name, *brief;
	} names[] = {
		{ "Any", "Any" },
		{ "Letter", "L" },
		{ "Cased_Letter", "LC" },
		{ "Uppercase_Letter", "Lu" },
		{ "Lowercase_Letter", "Ll" },
		{ "Titlecase_Letter", "Lt" },
		{ "Modifier_Letter", "Lm" },
		{ "Other_Letter", "Lo" },
		{ "Mark", "M" },
		{ "Combining_Mark", "M" },
		{ "Nonspacing_Mark", "Mn" },
		{ "Spacing_Mark", "Mc" },
		{ "Enclosing_Mark", "Me" },
		{ "Number", "N" },
		{ "Decimal_Number", "Nd" },
		{ "digit", "Nd" },
		{ "Letter_Number", "Nl" },
		{ "Other_Number", "No" },
		{ "Punctuation", "P" },
		{ "punct", "P" },
		{ "Connector_Punctuation", "Pc" },
		{ "Dash_Punctuation", "Pd" },
		{ "Open_Punctuation", "Ps" },
		{ "Close_Punctuation", "Pe" },
		{ "Initial_Punctuation", "Pi" },
		{ "Final_Punctuation", "Pf" },
		{ "Other_Punctuation", "Po" },
		{ "Symbol", "S" },
		{ "Math_Symbol", "Sm" },
		{ "Currency_Symbol", "Sc" },
		{ "Modifier_Symbol", "Sk" },
		{ "Other_Symbol", "So" },
		{ "Separator", "Z" },
		{ "Space_Separator", "Zs" },
		{ "Line_Separator", "Zl" },
		{ "Paragraph_Separator", "Zp" },
		{ "Other", "C" },
		{ "Control", "Cc" },
		{ "cntrl", "Cc" },
		{ "Format", "Cf" },
		{ "Private_Use", "Co" },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i].name) == len &&
		    memcmp(names[i].name, name, len) == 0)
			return names[i].brief;
	return NULL;
}

/* \p{Letter}, \p{gc=Lu} */
static int
translate_category(struct text *text)
{
	static const char *const prefixes[] = { "General_Category=", "gc=" };
	const char *name = text->pattern + text->at + 3, *end, *brief;
	size_t len;

	if (peek(text, 2) != '{')
		return refuse(text, "expected a category in braces, as in \\p{L}");
	end = memchr(name, '}', text->len - text->at - 3);
	if (end == NULL)
		return refuse(text, "the } of the category is missing");
	buf_printf(text->out, "\\%c{", peek(text, 1));
	text->at = (size_t)(end + 1 - text->pattern);
	for (size_t i = 0; i < 2; i++)
		if ((size_t)(end - name) > strlen(prefixes[i]) &&
		    memcmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			name += strlen(prefixes[i]);
	len = (size_t)(end - name);
	brief = short_category(name, len);
	buf_add(text->out, brief != NULL ? brief : name,
		brief != NULL ? strlen(brief) : len);
	buf_char(text->out, '}');
	return 0;
}

static int
translate_space(struct text *text)
{
	bool space = peek(text, 1) == 's';

	if (text->in_class)
		buf_str(text->out, space ? SPACES : NO_SPACES);
	else
		buf_printf(text->out, "[%s%s]", space ? "" : "^", SPACES);
	text->at += 2;
	return 0;
}

static int
translate_edge(struct text *text)
{
	char c = peek(text, 1);

	if (text->in_class && c == 'B')
		return refuse(text, "\\B has no meaning in a class");
	if (text->in_class)
		buf_str(text->out, "\\x{8}");
	else
		buf_printf(text->out, "\\%c", c);
	text->at += 2;
	return 0;
}

static int
translate_same(struct text *text)
{
	buf_add(text->out, text->pattern + text->at, 2);
	text->at += 2;
	return 0;
}

static int
refuse_back(struct text *text)
{
	return refuse(text, "references back (\\1, \\k) are not available");
}

static int
translate_escape(struct text *text)
{
	static const struct {
		const char *letters;
		int (*translate)(struct text *text);
	} escapes[] = {
		{ "dDwWtnvfr", translate_same }, { "sS", translate_space },
		{ "bB", translate_edge },        { "pP", translate_category },
		{ "u", translate_unicode },      { "x", translate_hex },
		{ "c", translate_control },      { "0", translate_nul },
		{ "123456789k", refuse_back },
	};
	char c = peek(text, 1);

	if (text->at + 1 == text->len)
		return refuse(text, "nothing stands behind the \\");
	for (size_t i = 0; c != '\0' && i < sizeof escapes / sizeof escapes[0]; i++)
		if (strchr(escapes[i].letters, c) != NULL)
			return escapes[i].translate(text);
	if (isalnum((unsigned char)c))
		return refuse(text, "there is no such escape");
	if (ispunct((unsigned char)c) && c != '_')
		buf_char(text->out, '\\');
	buf_char(text->out, c); /* the rest of a longer character follows by itself */
	text->at += 2;
	return 0;
}

/* ---- the rest ---- */

static int
translate_class_begin(struct text *text)
{
	if (looks_at(text, "[]") || looks_at(text, "[^]")) {
		bool none = peek(text, 1) == ']';

		buf_str(text->out,
			none ? "[^\\x{0}-\\x{10ffff}]" : "[\\x{0}-\\x{10ffff}]");
		text->at += none ? 2 : 3;
		return 0;
	}
	text->in_class = true;
	buf_str(text->out, peek(text, 1) == '^' ? "[^" : "[");
	text->at += peek(text, 1) == '^' ? 2 : 1;
	return 0;
}

static int
translate_group(struct text *text)
{
	static const char *const around[] = { "(?=", "(?!", "(?<=", "(?<!" };

	for (size_t i = 0; i < sizeof around / sizeof around[0]; i++)
		if (looks_at(text, around[i]))
			return refuse(text,
				      "looking ahead and behind is not available");
	if (looks_at(text, "(?<")) {
		buf_str(text->out, "(?P<");
		text->at += 3;
		return 0;
	}
	buf_char(text->out, '(');
	text->at++;
	return 0;
}

static int
translate_next(struct text *text)
{
	char c = peek(text, 0);

	if (c == '\\')
		return translate_escape(text);
	if (!text->in_class && c == '[')
		return translate_class_begin(text);
	if (!text->in_class && c == '(')
		return translate_group(text);
	if (!text->in_class && c == '.')
		buf_str(text->out, "[^\\n\\r\\x{2028}\\x{2029}]");
	else if (text->in_class && c == '[')
		buf_str(text->out, "\\[");
	else
		buf_char(text->out, c);
	if (c == ']')
		text->in_class = false;
	text->at++;
	return 0;
}

int
schema_regex_translate(const char *pattern, size_t len, struct buf *out,
		       struct err *err)
{
	struct text text = { .pattern = pattern, .len = len, .out = out, .err = err };

	if (len > REGEX_TEXT_MAX)
		return err_set(err, ERR_INPUT, "longer than %d bytes", REGEX_TEXT_MAX);
	while (text.at < len)
		if (translate_next(&text) < 0)
			return -1;
	return 0;
}

/* "character 12: ..." of the translated text tells nobody anything. */
static void
drop_place(struct err *err)
{
	const char *behind = strstr(err->text, ": ");

	if (strncmp(err->text, "character ", 10) == 0 && behind != NULL)
		memmove(err->text, behind + 2, strlen(behind + 2) + 1);
}

static void *
compile(const char *pattern, size_t len, struct err *err)
{
	struct regex *regex = NULL;
	struct buf text = { 0 };

	if (schema_regex_translate(pattern, len, &text, err) == 0) {
		regex = regex_compile(buf_text(&text), text.len, err);
		if (regex == NULL && text.len != len)
			drop_place(err);
	}
	buf_fini(&text);
	return regex;
}

static size_t
size(const void *regex)
{
	return regex_size(regex);
}

static int
match(const void *regex, const char *text, size_t len, int64_t *budget)
{
	enum regex_answer answer = regex_match(regex, text, len, budget);

	return answer == REGEX_SPENT ? -1 : answer == REGEX_YES;
}

static void
release(void *regex)
{
	struct regex *own = regex;

	regex_free(&own);
}

const struct schema_regex schema_regex = { compile, size, match, release };
