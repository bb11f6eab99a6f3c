/* Splitting CEL into words. White space and "//" comments are skipped. */
#include "lang/cel_lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Longer ones first. "===" and "!==" are what people from JavaScript write. */
static const struct word {
	const char *text;
	enum cel_token_kind kind;
} operators[] = {
	{ "===", CEL_T_EQ },         { "!==", CEL_T_NE },
	{ "==", CEL_T_EQ },          { "!=", CEL_T_NE },
	{ "<=", CEL_T_LE },          { ">=", CEL_T_GE },
	{ "&&", CEL_T_AND },         { "||", CEL_T_OR },
	{ "<", CEL_T_LT },           { ">", CEL_T_GT },
	{ "!", CEL_T_NOT },          { "+", CEL_T_PLUS },
	{ "-", CEL_T_MINUS },        { "*", CEL_T_STAR },
	{ "/", CEL_T_SLASH },        { "%", CEL_T_PERCENT },
	{ "?", CEL_T_QUESTION },     { ":", CEL_T_COLON },
	{ ",", CEL_T_COMMA },        { ".", CEL_T_DOT },
	{ "(", CEL_T_OPEN_PAREN },   { ")", CEL_T_CLOSE_PAREN },
	{ "[", CEL_T_OPEN_BRACKET }, { "]", CEL_T_CLOSE_BRACKET },
	{ "{", CEL_T_OPEN_BRACE },   { "}", CEL_T_CLOSE_BRACE },
};

static const struct word keywords[] = {
	{ "true", CEL_T_TRUE },
	{ "false", CEL_T_FALSE },
	{ "null", CEL_T_NULL },
	{ "in", CEL_T_IN },
};

const char *
cel_token_name(enum cel_token_kind kind)
{
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (keywords[i].kind == kind)
			return keywords[i].text;
	for (size_t i = COUNT(operators); i-- > 0;)
		if (operators[i].kind == kind)
			return operators[i].text;
	switch (kind) {
	case CEL_T_END:
		return "the end";
	case CEL_T_STRING:
		return "a string";
	case CEL_T_BYTES:
		return "bytes";
	case CEL_T_NAME:
	case CEL_T_QUOTED:
		return "a name";
	default:
		return "a number";
	}
}

void
cel_lex_init(struct cel_lex *lex, const char *source, size_t len, struct arena *arena)
{
	*lex = (struct cel_lex){ .source = source, .len = len, .arena = arena };
}

int
cel_lex_fail(struct cel_lex *lex, size_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(lex->error, sizeof lex->error, format, args);
	va_end(args);
	lex->error_at = (uint32_t)at;
	return -1;
}

static int
peek(const struct cel_lex *lex, size_t ahead)
{
	if (lex->len - lex->at <= ahead)
		return -1;
	return (unsigned char)lex->source[lex->at + ahead];
}

static bool
is_name_start(int c)
{
	return c == '_' || (c < 0x80 && isalpha(c));
}

static bool
is_name(int c)
{
	return is_name_start(c) || (c >= '0' && c <= '9');
}

static void
skip_space(struct cel_lex *lex)
{
	int c;

	for (;;) {
		c = peek(lex, 0);
		if (c == ' ' || (c >= '\t' && c <= '\r' && c != '\v')) {
			lex->at++;
		} else if (c == '/' && peek(lex, 1) == '/') {
			while (lex->at < lex->len && lex->source[lex->at] != '\n')
				lex->at++;
		} else {
			return;
		}
	}
}

static void
set_text(struct cel_lex *lex, struct cel_token *token, size_t start, size_t end)
{
	token->text = arena_strndup(lex->arena, lex->source + start, end - start);
	token->text_len = end - start;
}

static void
lex_name(struct cel_lex *lex, struct cel_token *token)
{
	size_t start = lex->at;

	while (is_name(peek(lex, 0)))
		lex->at++;
	token->kind = CEL_T_NAME;
	set_text(lex, token, start, lex->at);
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (strcmp(keywords[i].text, token->text) == 0)
			token->kind = keywords[i].kind;
}

/* `content-type`: names, where a dot is in front, that are no identifiers. */
static int
lex_quoted(struct cel_lex *lex, struct cel_token *token)
{
	size_t start = lex->at++;
	int c;

	while (is_name(c = peek(lex, 0)) || c == '.' || c == '-' || c == '/' ||
	       c == ' ')
		lex->at++;
	if (c != '`')
		return cel_lex_fail(lex, start,
				    "this ` has no end; only letters, digits, _ . - / "
				    "and spaces may stand inside");
	token->kind = CEL_T_QUOTED;
	set_text(lex, token, start + 1, lex->at);
	lex->at++;
	return 0;
}

static int
lex_unknown(struct cel_lex *lex)
{
	const char *rest = lex->source + lex->at;
	uint32_t code_point;
	size_t len = utf8_decode(rest, lex->len - lex->at, &code_point);

	if (*rest == '=')
		return cel_lex_fail(lex, lex->at, "\"=\" compares nothing: write ==");
	if (*rest == '&' || *rest == '|')
		return cel_lex_fail(lex, lex->at, "write %c%c", *rest, *rest);
	if (len == 0 || code_point < ' ')
		return cel_lex_fail(lex, lex->at, "unexpected byte 0x%02x",
				    (unsigned char)*rest);
	return cel_lex_fail(lex, lex->at, "unexpected character \"%.*s\"", (int)len,
			    rest);
}

static int
lex_operator(struct cel_lex *lex, struct cel_token *token)
{
	size_t len;

	for (size_t i = 0; i < COUNT(operators); i++) {
		len = strlen(operators[i].text);
		if (lex->len - lex->at < len ||
		    memcmp(operators[i].text, lex->source + lex->at, len) != 0)
			continue;
		token->kind = operators[i].kind;
		lex->at += len;
		return 0;
	}
	return lex_unknown(lex);
}

static int
lex_token(struct cel_lex *lex, struct cel_token *token)
{
	int c = peek(lex, 0), next = peek(lex, 1);

	if (c < 0)
		return 0;
	if ((c >= '0' && c <= '9') || (c == '.' && next >= '0' && next <= '9'))
		return cel_lex_number(lex, token);
	if (cel_lex_at_string(lex))
		return cel_lex_string(lex, token);
	if (c == '`')
		return lex_quoted(lex, token);
	if (!is_name_start(c))
		return lex_operator(lex, token);
	lex_name(lex, token);
	return 0;
}

int
cel_lex_next(struct cel_lex *lex, struct cel_token *token)
{
	skip_space(lex);
	*token = (struct cel_token){ .kind = CEL_T_END, .at = (uint32_t)lex->at };
	if (lex_token(lex, token) < 0)
		return -1;
	token->len = (uint32_t)lex->at - token->at;
	return 0;
}
