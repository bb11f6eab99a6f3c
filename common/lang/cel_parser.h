/* What the grammar in cel_parse.c is written with. */
#ifndef LANG_CEL_PARSER_H
#define LANG_CEL_PARSER_H

#include "lang/cel_lex.h"
#include "lang/cel_node.h"

struct cel_parser {
	struct cel_lex lex;
	struct cel_token token; /* the next one, not taken yet */
	struct arena *arena;
	struct cel_mistake *mistake;
	int depth;
	bool failed;
};

struct cel_kids { /* of a node, while it is not known how many */
	struct cel_node **list;
	size_t count, capacity;
};

/* The first mistake counts, later ones are its echo. All of these give NULL or false
 * when something is wrong, and do nothing good afterwards. */
void *cel_parser_fail(struct cel_parser *parser, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void *cel_parser_expected(struct cel_parser *parser, const char *what);

bool
cel_parser_take(struct cel_parser *parser); /* the next token becomes the present */
bool cel_parser_take_kind(struct cel_parser *parser, enum cel_token_kind kind);
/* Whether the list goes on behind a comma; else its end comes, or an error is set. */
bool cel_parser_take_comma(struct cel_parser *parser, enum cel_token_kind close);

bool cel_parser_add(struct cel_parser *parser, struct cel_kids *kids,
		    struct cel_node *kid); /* NULL is not added: false */
struct cel_node *cel_parser_node(struct cel_parser *parser, enum cel_op op, uint32_t at,
				 const struct cel_kids *kids);
struct cel_node *cel_parser_unary(struct cel_parser *parser, enum cel_op op,
				  uint32_t at, struct cel_node *kid);
struct cel_node *cel_parser_binary(struct cel_parser *parser, enum cel_op op,
				   uint32_t at, struct cel_node *left,
				   struct cel_node *right);
struct cel_node *cel_parser_named(struct cel_parser *parser, enum cel_op op,
				  const struct cel_token *name,
				  const struct cel_kids *kids);

#endif
