/*
 * CEL's grammar into a tree, by descent. Nesting in the text is bounded by
 * CEL_DEPTH_MAX, so is the stack; chains are built in loops and bounded by
 * CEL_TREE_MAX. Names mean nothing here yet: macros are calls.
 */
#include <string.h>

#include "lang/cel_parser.h"

/* Operators of two sides, the loosest first. */
static const struct level {
	enum cel_token_kind token;
	enum cel_op op;
	int level;
} levels[] = {
	{ CEL_T_EQ, CEL_EQUAL, 1 },       { CEL_T_NE, CEL_UNEQUAL, 1 },
	{ CEL_T_LT, CEL_LESS_THAN, 1 },   { CEL_T_LE, CEL_AT_MOST, 1 },
	{ CEL_T_GT, CEL_MORE_THAN, 1 },   { CEL_T_GE, CEL_AT_LEAST, 1 },
	{ CEL_T_IN, CEL_IN, 1 },          { CEL_T_PLUS, CEL_ADD, 2 },
	{ CEL_T_MINUS, CEL_SUBTRACT, 2 }, { CEL_T_STAR, CEL_MULTIPLY, 3 },
	{ CEL_T_SLASH, CEL_DIVIDE, 3 },   { CEL_T_PERCENT, CEL_REMAINDER, 3 },
};
#define LEVEL_LAST 3

static struct cel_node *parse_expr(struct cel_parser *parser);

/* Expressions with commas between them, up to the closing token, which is taken. A
 * comma may stand behind the last but in calls. */
static bool
parse_list(struct cel_parser *parser, enum cel_token_kind close, struct cel_kids *kids)
{
	while (parser->token.kind != close) {
		if (!cel_parser_add(parser, kids, parse_expr(parser)))
			return false;
		if (!cel_parser_take_comma(parser, close))
			break;
		if (parser->token.kind == close && close == CEL_T_CLOSE_PAREN) {
			cel_parser_expected(parser, "an expression");
			return false;
		}
	}
	return cel_parser_take_kind(parser, close);
}

static struct cel_node *
parse_map(struct cel_parser *parser)
{
	uint32_t at = parser->token.at;
	struct cel_kids kids = { 0 };

	if (!cel_parser_take(parser))
		return NULL;
	while (parser->token.kind != CEL_T_CLOSE_BRACE) {
		if (!cel_parser_add(parser, &kids, parse_expr(parser)) ||
		    !cel_parser_take_kind(parser, CEL_T_COLON) ||
		    !cel_parser_add(parser, &kids, parse_expr(parser)))
			return NULL;
		if (!cel_parser_take_comma(parser, CEL_T_CLOSE_BRACE))
			break;
	}
	if (!cel_parser_take_kind(parser, CEL_T_CLOSE_BRACE))
		return NULL;
	return cel_parser_node(parser, CEL_MAKE_MAP, at, &kids);
}

static struct cel_node *
parse_bracketed(struct cel_parser *parser)
{
	uint32_t at = parser->token.at;
	struct cel_kids kids = { 0 };

	if (!cel_parser_take(parser) || !parse_list(parser, CEL_T_CLOSE_BRACKET, &kids))
		return NULL;
	return cel_parser_node(parser, CEL_MAKE_LIST, at, &kids);
}

static struct cel_node *
parse_grouped(struct cel_parser *parser)
{
	struct cel_node *node;

	if (!cel_parser_take(parser))
		return NULL;
	node = parse_expr(parser);
	return cel_parser_take_kind(parser, CEL_T_CLOSE_PAREN) ? node : NULL;
}

static bool
is_reserved(const char *name)
{
	static const char *const words[] = {
		"as",        "break",  "const",  "continue", "else",  "for",
		"function",  "if",     "import", "let",      "loop",  "package",
		"namespace", "return", "var",    "void",     "while",
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

/* A variable or a call; a dot in front means: none of a macro's variables. */
static struct cel_node *
parse_name(struct cel_parser *parser)
{
	bool absolute = parser->token.kind == CEL_T_DOT;
	struct cel_token name;
	struct cel_kids kids = { 0 };
	struct cel_node *node;

	if (absolute && !cel_parser_take(parser))
		return NULL;
	name = parser->token;
	if (name.kind != CEL_T_NAME)
		return cel_parser_expected(parser, "a name");
	if (is_reserved(name.text))
		return cel_parser_fail(parser, name.at, "\"%s\" is a reserved word",
				       name.text);
	if (!cel_parser_take(parser))
		return NULL;
	if (parser->token.kind == CEL_T_OPEN_PAREN) {
		if (!cel_parser_take(parser) ||
		    !parse_list(parser, CEL_T_CLOSE_PAREN, &kids))
			return NULL;
		return cel_parser_named(parser, CEL_CALL, &name, &kids);
	}
	node = cel_parser_named(parser, CEL_NAME, &name, &kids);
	if (node != NULL) {
		node->absolute = absolute;
		node->path = node->name;
	}
	return node;
}

static struct cel_node *
parse_number(struct cel_parser *parser)
{
	struct cel_token token = parser->token;
	struct cel_kids none = { 0 };
	struct cel_node *node = cel_parser_node(parser, CEL_CONST, token.at, &none);

	if (node == NULL)
		return NULL;
	node->value = token.kind == CEL_T_UINT     ? cel_uint(token.number)
		      : token.kind == CEL_T_DOUBLE ? cel_double(token.real)
						   : cel_int((int64_t)token.number);
	if (token.kind == CEL_T_INT && token.number > INT64_MAX)
		return cel_parser_fail(
		    parser, token.at,
		    "this number is too large; an unsigned one ends with u");
	return cel_parser_take(parser) ? node : NULL;
}

static struct cel_node *
parse_word(struct cel_parser *parser)
{
	struct cel_token token = parser->token;
	struct cel_kids none = { 0 };
	struct cel_node *node = cel_parser_node(parser, CEL_CONST, token.at, &none);

	if (node == NULL || !cel_parser_take(parser))
		return NULL;
	if (token.kind == CEL_T_NULL)
		node->value = cel_null();
	else if (token.kind == CEL_T_STRING)
		node->value = cel_text(CEL_STRING, token.text, token.text_len);
	else if (token.kind == CEL_T_BYTES)
		node->value = cel_text(CEL_BYTES, token.text, token.text_len);
	else
		node->value = cel_bool(token.kind == CEL_T_TRUE);
	return node;
}

static struct cel_node *
parse_primary(struct cel_parser *parser)
{
	switch (parser->token.kind) {
	case CEL_T_INT:
	case CEL_T_UINT:
	case CEL_T_DOUBLE:
		return parse_number(parser);
	case CEL_T_STRING:
	case CEL_T_BYTES:
	case CEL_T_TRUE:
	case CEL_T_FALSE:
	case CEL_T_NULL:
		return parse_word(parser);
	case CEL_T_NAME:
	case CEL_T_DOT:
		return parse_name(parser);
	case CEL_T_OPEN_PAREN:
		return parse_grouped(parser);
	case CEL_T_OPEN_BRACKET:
		return parse_bracketed(parser);
	case CEL_T_OPEN_BRACE:
		return parse_map(parser);
	default:
		return cel_parser_expected(parser, "an expression");
	}
}

static const char *
join_path(struct cel_parser *parser, const struct cel_node *left,
	  const struct cel_token *name)
{
	size_t len;
	char *path;

	if (left->path == NULL || name->kind == CEL_T_QUOTED)
		return NULL;
	len = strlen(left->path);
	if (len + name->text_len > 100)
		return NULL; /* no variable has such a name */
	path = arena_alloc(parser->arena, len + name->text_len + 2);
	memcpy(path, left->path, len);
	path[len] = '.';
	memcpy(path + len + 1, name->text, name->text_len + 1);
	return path;
}

/* ".name" or ".name(...)" */
static struct cel_node *
parse_member(struct cel_parser *parser, struct cel_node *left)
{
	struct cel_kids kids = { 0 };
	struct cel_token name;
	struct cel_node *node;

	if (!cel_parser_take(parser))
		return NULL;
	name = parser->token;
	if (name.kind == CEL_T_QUESTION)
		return cel_parser_fail(parser, name.at,
				       "optional members (.?) are not available: "
				       "write has(a.b) ? a.b : null");
	if (name.kind != CEL_T_NAME && name.kind != CEL_T_QUOTED)
		return cel_parser_expected(parser, "a member's name");
	if (!cel_parser_take(parser) || !cel_parser_add(parser, &kids, left))
		return NULL;
	if (parser->token.kind != CEL_T_OPEN_PAREN || name.kind == CEL_T_QUOTED) {
		node = cel_parser_named(parser, CEL_SELECT, &name, &kids);
		if (node != NULL)
			node->path = join_path(parser, left, &name);
		return node;
	}
	if (!cel_parser_take(parser) || !parse_list(parser, CEL_T_CLOSE_PAREN, &kids))
		return NULL;
	node = cel_parser_named(parser, CEL_CALL, &name, &kids);
	if (node != NULL)
		node->member = true;
	return node;
}

static struct cel_node *
parse_index(struct cel_parser *parser, struct cel_node *left)
{
	uint32_t at = parser->token.at;
	struct cel_node *index;

	if (!cel_parser_take(parser))
		return NULL;
	index = parse_expr(parser);
	if (!cel_parser_take_kind(parser, CEL_T_CLOSE_BRACKET))
		return NULL;
	return cel_parser_binary(parser, CEL_INDEX, at, left, index);
}

static struct cel_node *
parse_postfix(struct cel_parser *parser, struct cel_node *node)
{
	while (node != NULL) {
		if (parser->token.kind == CEL_T_DOT)
			node = parse_member(parser, node);
		else if (parser->token.kind == CEL_T_OPEN_BRACKET)
			node = parse_index(parser, node);
		else if (parser->token.kind == CEL_T_OPEN_BRACE && node->path != NULL)
			return cel_parser_fail(
			    parser, parser->token.at,
			    "messages (%.40s{...}) are not available: write a map",
			    node->path);
		else
			break;
	}
	return node;
}

/* A minus right before a whole number belongs to it: -9223372036854775808. */
static struct cel_node *
parse_negative(struct cel_parser *parser, uint32_t at)
{
	struct cel_kids none = { 0 };
	struct cel_node *node = cel_parser_node(parser, CEL_CONST, at, &none);

	if (node == NULL)
		return NULL;
	node->value = cel_int((int64_t)-parser->token.number);
	return cel_parser_take(parser) ? parse_postfix(parser, node) : NULL;
}

/* Signs in a row are one or two of them. */
static struct cel_node *
parse_unary(struct cel_parser *parser)
{
	enum cel_token_kind sign = parser->token.kind;
	enum cel_op op = sign == CEL_T_NOT ? CEL_NOT : CEL_NEGATE;
	uint32_t at = parser->token.at, last = at;
	struct cel_node *node;
	size_t count = 0;

	if (sign != CEL_T_NOT && sign != CEL_T_MINUS)
		return parse_postfix(parser, parse_primary(parser));
	while (parser->token.kind == sign) {
		last = parser->token.at;
		count++;
		if (!cel_parser_take(parser))
			return NULL;
	}
	if (sign == CEL_T_MINUS && parser->token.kind == CEL_T_INT) {
		node = parse_negative(parser, last);
		count--;
	} else {
		node = parse_postfix(parser, parse_primary(parser));
	}
	for (count = count > 1 ? 2 - count % 2 : count; count > 0; count--)
		node = cel_parser_unary(parser, op, at, node);
	return node;
}

static const struct level *
find_level(enum cel_token_kind token, int level)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (levels[i].token == token && levels[i].level == level)
			return &levels[i];
	return NULL;
}

static struct cel_node *
parse_binary(struct cel_parser *parser, int level)
{
	const struct level *operator;
	struct cel_node *left, *right;
	uint32_t at;

	if (level > LEVEL_LAST)
		return parse_unary(parser);
	left = parse_binary(parser, level + 1);
	while (left != NULL &&
	       (operator= find_level(parser->token.kind, level)) != NULL) {
		at = parser->token.at;
		if (!cel_parser_take(parser))
			return NULL;
		right = parse_binary(parser, level + 1);
		left = cel_parser_binary(parser, operator->op, at, left, right);
	}
	return left;
}

static struct cel_node *
parse_logic(struct cel_parser *parser, enum cel_op op)
{
	enum cel_token_kind token = op == CEL_OR ? CEL_T_OR : CEL_T_AND;
	struct cel_kids kids = { 0 };
	struct cel_node *node;
	uint32_t at = 0;

	do {
		if (kids.count > 0 && !cel_parser_take(parser))
			return NULL;
		node = op == CEL_OR ? parse_logic(parser, CEL_AND)
				    : parse_binary(parser, 1);
		if (!cel_parser_add(parser, &kids, node))
			return NULL;
		if (kids.count == 1)
			at = parser->token.at;
	} while (parser->token.kind == token);
	return kids.count == 1 ? node : cel_parser_node(parser, op, at, &kids);
}

/* a ? b : c ? d : e nests to the right without end, so it is gathered first. */
static struct cel_node *
parse_choices(struct cel_parser *parser)
{
	struct cel_kids kids = { 0 }, three;
	struct cel_node *node = parse_logic(parser, CEL_OR);
	size_t i;

	while (parser->token.kind == CEL_T_QUESTION) {
		if (!cel_parser_add(parser, &kids, node) || !cel_parser_take(parser) ||
		    !cel_parser_add(parser, &kids, parse_logic(parser, CEL_OR)) ||
		    !cel_parser_take_kind(parser, CEL_T_COLON))
			return NULL;
		node = parse_logic(parser, CEL_OR);
	}
	for (i = kids.count; i > 0 && node != NULL; i -= 2) {
		three = (struct cel_kids){ 0 };
		if (!cel_parser_add(parser, &three, kids.list[i - 2]) ||
		    !cel_parser_add(parser, &three, kids.list[i - 1]) ||
		    !cel_parser_add(parser, &three, node))
			return NULL;
		node = cel_parser_node(parser, CEL_IF, kids.list[i - 2]->at, &three);
	}
	return node;
}

static struct cel_node *
parse_expr(struct cel_parser *parser)
{
	struct cel_node *node;

	if (parser->failed)
		return NULL;
	if (++parser->depth > CEL_DEPTH_MAX)
		return cel_parser_fail(parser, parser->token.at,
				       "nested deeper than %d", CEL_DEPTH_MAX);
	node = parse_choices(parser);
	parser->depth--;
	return parser->failed ? NULL : node;
}

struct cel_node *
cel_parse(struct arena *arena, const char *source, size_t len,
	  struct cel_mistake *mistake)
{
	struct cel_parser parser = { .arena = arena, .mistake = mistake };
	struct cel_node *node;

	cel_lex_init(&parser.lex, source, len, arena);
	if (!cel_parser_take(&parser))
		return NULL;
	node = parse_expr(&parser);
	if (node != NULL && parser.token.kind != CEL_T_END)
		return cel_parser_expected(&parser, "the end of the expression");
	return node;
}
