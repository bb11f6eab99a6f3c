/* The tools of the parser: taking tokens, making nodes, saying what was expected. */
#include "lang/cel_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *
cel_parser_fail(struct cel_parser *parser, uint32_t at, const char *format, ...)
{
	va_list args;

	if (parser->failed)
		return NULL;
	parser->failed = true;
	parser->mistake->at = at;
	va_start(args, format);
	vsnprintf(parser->mistake->text, sizeof parser->mistake->text, format, args);
	va_end(args);
	return NULL;
}

bool
cel_parser_take(struct cel_parser *parser)
{
	if (cel_lex_next(&parser->lex, &parser->token) == 0)
		return true;
	cel_parser_fail(parser, parser->lex.error_at, "%s", parser->lex.error);
	return false;
}

/* The next token as it is written, for messages. */
static const char *
found(const struct cel_parser *parser, char *out, size_t size)
{
	const struct cel_token *token = &parser->token;

	if (token->kind == CEL_T_END || token->kind == CEL_T_STRING ||
	    token->kind == CEL_T_BYTES || token->len > 40)
		return cel_token_name(token->kind);
	snprintf(out, size, "\"%.*s\"", (int)token->len,
		 parser->lex.source + token->at);
	return out;
}

void *
cel_parser_expected(struct cel_parser *parser, const char *what)
{
	static const char *const words[][2] = {
		{ "and", "&&" }, { "or", "||" }, { "not", "!" }, { "is", "==" }
	};
	const struct cel_token *token = &parser->token;
	const char *meant = NULL;
	char shown[48];

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (token->kind == CEL_T_NAME && strcmp(token->text, words[i][0]) == 0)
			meant = words[i][1];
	if (meant != NULL)
		return cel_parser_fail(parser, token->at,
				       "expected %s, found %s: write %s", what,
				       found(parser, shown, sizeof shown), meant);
	return cel_parser_fail(parser, token->at, "expected %s, found %s", what,
			       found(parser, shown, sizeof shown));
}

bool
cel_parser_take_kind(struct cel_parser *parser, enum cel_token_kind kind)
{
	char what[8];

	if (parser->failed)
		return false;
	if (parser->token.kind == kind)
		return cel_parser_take(parser);
	snprintf(what, sizeof what, "\"%s\"", cel_token_name(kind));
	cel_parser_expected(parser, what);
	return false;
}

bool
cel_parser_add(struct cel_parser *parser, struct cel_kids *kids, struct cel_node *kid)
{
	struct cel_node **bigger;

	if (kid == NULL)
		return false;
	if (kids->count == kids->capacity) {
		kids->capacity = kids->capacity * 2 + 2;
		bigger = arena_alloc(parser->arena, kids->capacity * sizeof *bigger);
		if (kids->count > 0)
			memcpy(bigger, kids->list, kids->count * sizeof *bigger);
		kids->list = bigger;
	}
	kids->list[kids->count++] = kid;
	return true;
}

struct cel_node *
cel_parser_node(struct cel_parser *parser, enum cel_op op, uint32_t at,
		const struct cel_kids *kids)
{
	struct cel_node *node = arena_zalloc(parser->arena, sizeof *node);

	node->op = op;
	node->at = at;
	node->kids = kids->list;
	node->count = kids->count;
	for (size_t i = 0; i < kids->count; i++)
		if (node->depth < kids->list[i]->depth)
			node->depth = kids->list[i]->depth;
	if (++node->depth > CEL_TREE_MAX)
		return cel_parser_fail(
		    parser, at, "nested or chained more than %d times", CEL_TREE_MAX);
	return node;
}

struct cel_node *
cel_parser_unary(struct cel_parser *parser, enum cel_op op, uint32_t at,
		 struct cel_node *kid)
{
	struct cel_kids kids = { 0 };

	return cel_parser_add(parser, &kids, kid)
		   ? cel_parser_node(parser, op, at, &kids)
		   : NULL;
}

struct cel_node *
cel_parser_binary(struct cel_parser *parser, enum cel_op op, uint32_t at,
		  struct cel_node *left, struct cel_node *right)
{
	struct cel_kids kids = { 0 };

	if (!cel_parser_add(parser, &kids, left) ||
	    !cel_parser_add(parser, &kids, right))
		return NULL;
	return cel_parser_node(parser, op, at, &kids);
}

struct cel_node *
cel_parser_named(struct cel_parser *parser, enum cel_op op,
		 const struct cel_token *name, const struct cel_kids *kids)
{
	struct cel_node *node = cel_parser_node(parser, op, name->at, kids);

	if (node != NULL) {
		node->name = name->text;
		node->name_len = name->text_len;
	}
	return node;
}

/* Whether the list goes on behind a comma; else its end comes, or an error is set. */
bool
cel_parser_take_comma(struct cel_parser *parser, enum cel_token_kind close)
{
	char what[16];

	if (parser->failed || parser->token.kind == close)
		return false;
	if (parser->token.kind == CEL_T_COMMA)
		return cel_parser_take(parser);
	snprintf(what, sizeof what, "\",\" or \"%s\"", cel_token_name(close));
	cel_parser_expected(parser, what);
	return false;
}
