/* CEL's literals: numbers, strings and bytes in all their forms, decoded. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "lang/cel_lex.h"

static int
peek(const struct cel_lex *lex, size_t ahead)
{
	if (lex->len - lex->at <= ahead)
		return -1;
	return (unsigned char)lex->source[lex->at + ahead];
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
hex_value(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
skip_digits(struct cel_lex *lex)
{
	size_t start = lex->at;

	while (is_digit(peek(lex, 0)))
		lex->at++;
	return lex->at > start;
}

/* What makes it a double: ".5" and "e-3". */
static bool
skip_fraction(struct cel_lex *lex)
{
	bool real = false;
	int c;

	if (peek(lex, 0) == '.' && is_digit(peek(lex, 1))) {
		lex->at++;
		real = skip_digits(lex);
	}
	c = peek(lex, 0);
	if (c == 'e' || c == 'E') {
		c = peek(lex, 1);
		if (is_digit(peek(lex, c == '+' || c == '-' ? 2 : 1))) {
			lex->at += c == '+' || c == '-' ? 2 : 1;
			real = skip_digits(lex);
		}
	}
	return real;
}

static int
read_double(struct cel_lex *lex, struct cel_token *token, size_t start)
{
	char *text = arena_strndup(lex->arena, lex->source + start, lex->at - start);

	token->kind = CEL_T_DOUBLE;
	token->real = strtod(text, NULL);
	if (isinf(token->real))
		return cel_lex_fail(lex, start, "this number is too large");
	return 0;
}

static int
read_whole(struct cel_lex *lex, struct cel_token *token, size_t start, unsigned base)
{
	uint64_t value = 0;
	int digit;

	for (size_t at = start + (base == 16 ? 2 : 0); at < lex->at; at++) {
		digit = hex_value((unsigned char)lex->source[at]);
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return cel_lex_fail(lex, start, "this number is too large");
	}
	token->kind = CEL_T_INT;
	token->number = value;
	if (peek(lex, 0) == 'u' || peek(lex, 0) == 'U') {
		token->kind = CEL_T_UINT;
		lex->at++;
	} else if (value > (uint64_t)INT64_MAX + 1) {
		return cel_lex_fail(
		    lex, start,
		    "this number is too large; an unsigned one ends with u");
	}
	return 0;
}

int
cel_lex_number(struct cel_lex *lex, struct cel_token *token)
{
	size_t start = lex->at;
	bool hex = peek(lex, 0) == '0' && (peek(lex, 1) | 0x20) == 'x' &&
		   hex_value(peek(lex, 2)) >= 0;
	int done, c;

	if (hex) {
		lex->at += 2;
		while (hex_value(peek(lex, 0)) >= 0)
			lex->at++;
		done = read_whole(lex, token, start, 16);
	} else {
		skip_digits(lex);
		done = skip_fraction(lex) ? read_double(lex, token, start)
					  : read_whole(lex, token, start, 10);
	}
	if (done < 0)
		return -1;
	c = peek(lex, 0);
	if (c == '_' || (c > 0 && c < 0x80 && isalnum(c)))
		return cel_lex_fail(lex, lex->at, "unexpected \"%c\" in a number", c);
	return 0;
}

struct prefix {
	bool raw, bytes;
	size_t len;
};

static struct prefix
read_prefix(const struct cel_lex *lex)
{
	struct prefix prefix = { 0 };
	int c;

	for (; prefix.len < 2; prefix.len++) {
		c = peek(lex, prefix.len);
		if ((c | 0x20) == 'r' && !prefix.raw)
			prefix.raw = true;
		else if ((c | 0x20) == 'b' && !prefix.bytes)
			prefix.bytes = true;
		else
			break;
	}
	return prefix;
}

bool
cel_lex_at_string(const struct cel_lex *lex)
{
	int c = peek(lex, read_prefix(lex).len);

	return c == '"' || c == '\'';
}

struct string {
	struct cel_lex *lex;
	struct prefix prefix;
	size_t start; /* of the literal */
	char *out;
	size_t len;
};

static void
put(struct string *string, uint32_t code_point)
{
	char bytes[4];
	size_t len = utf8_encode(code_point, bytes);

	memcpy(string->out + string->len, bytes, len);
	string->len += len;
}

/* count digits of the base, all needed. */
static int
read_code(struct string *string, size_t slash, int base, int count, uint32_t *out)
{
	struct cel_lex *lex = string->lex;
	int digit;

	*out = 0;
	for (int i = 0; i < count; i++) {
		digit = hex_value(peek(lex, 0));
		if (digit < 0 || digit >= base)
			return cel_lex_fail(lex, slash,
					    "this escape needs %d %s digits", count,
					    base == 8 ? "octal" : "hexadecimal");
		*out = *out * (uint32_t)base + (uint32_t)digit;
		lex->at++;
	}
	return 0;
}

static int
put_code(struct string *string, size_t slash, char letter, uint32_t code)
{
	bool unicode = letter == 'u' || letter == 'U';

	if (string->prefix.bytes) {
		if (unicode)
			return cel_lex_fail(string->lex, slash,
					    "\\%c is for strings, not for bytes",
					    letter);
		if (code > 255)
			return cel_lex_fail(string->lex, slash,
					    "octal escapes end with \\377");
		string->out[string->len++] = (char)code;
		return 0;
	}
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
	    (!unicode && code > 255))
		return cel_lex_fail(string->lex, slash, "there is no such character");
	put(string, code);
	return 0;
}

static int
read_escape(struct string *string)
{
	static const char letters[] = "abfnrtv\\?\"'`";
	static const char values[] = "\a\b\f\n\r\t\v\\?\"'`";
	struct cel_lex *lex = string->lex;
	size_t slash = lex->at++;
	int letter = peek(lex, 0);
	const char *found = letter > 0 ? strchr(letters, letter) : NULL;
	int digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 2;
	uint32_t code;
	int done;

	if (found != NULL) {
		lex->at++;
		string->out[string->len++] = values[found - letters];
		return 0;
	}
	if (letter >= '0' && letter <= '3') {
		done = read_code(string, slash, 8, 3, &code);
	} else if (letter > 0 && strchr("xXuU", letter) != NULL) {
		lex->at++;
		done = read_code(string, slash, 16, digits, &code);
	} else {
		return cel_lex_fail(lex, slash,
				    "unknown escape; a backslash itself is \\\\");
	}
	return done < 0 ? -1 : put_code(string, slash, (char)letter, code);
}

static bool
at_quotes(const struct cel_lex *lex, int quote, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (peek(lex, i) != quote)
			return false;
	return true;
}

static int
read_body(struct string *string, int quote, size_t quotes)
{
	struct cel_lex *lex = string->lex;
	int c;

	while (!at_quotes(lex, quote, quotes)) {
		c = peek(lex, 0);
		if (c < 0 || (quotes == 1 && (c == '\n' || c == '\r')))
			return cel_lex_fail(lex, string->start,
					    "this string has no end");
		if (c == '\\' && !string->prefix.raw) {
			if (read_escape(string) < 0)
				return -1;
			continue;
		}
		string->out[string->len++] = (char)c;
		lex->at++;
	}
	lex->at += quotes;
	return 0;
}

/* How long the body is as written: no escape is shorter than what it means. */
static size_t
body_room(const struct cel_lex *lex, const struct prefix *prefix, int quote,
	  size_t quotes)
{
	struct cel_lex ahead = *lex;

	while (ahead.at < ahead.len && !at_quotes(&ahead, quote, quotes))
		ahead.at += peek(&ahead, 0) == '\\' && !prefix->raw ? 2 : 1;
	return ahead.at - lex->at;
}

int
cel_lex_string(struct cel_lex *lex, struct cel_token *token)
{
	struct string string = { .lex = lex, .start = lex->at };
	size_t quotes;
	int quote;

	string.prefix = read_prefix(lex);
	lex->at += string.prefix.len;
	quote = peek(lex, 0);
	quotes = at_quotes(lex, quote, 3) ? 3 : 1;
	lex->at += quotes;
	string.out =
	    arena_alloc(lex->arena, body_room(lex, &string.prefix, quote, quotes) + 1);
	if (read_body(&string, quote, quotes) < 0)
		return -1;
	string.out[string.len] = '\0';
	token->kind = string.prefix.bytes ? CEL_T_BYTES : CEL_T_STRING;
	token->text = string.out;
	token->text_len = string.len;
	return 0;
}
