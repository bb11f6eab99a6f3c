/*
 * The words of CEL: operators, names, and literals, which are decoded here. Knows
 * nothing about how they are put together.
 */
#ifndef LANG_CEL_LEX_H
#define LANG_CEL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/arena.h"

enum cel_token_kind {
	CEL_T_END,
	CEL_T_INT,  /* number: the magnitude, up to 2^63 */
	CEL_T_UINT, /* number */
	CEL_T_DOUBLE,
	CEL_T_STRING, /* text: decoded */
	CEL_T_BYTES,
	CEL_T_NAME,   /* text: an identifier, also a reserved word */
	CEL_T_QUOTED, /* text: `content-type` */
	CEL_T_TRUE,
	CEL_T_FALSE,
	CEL_T_NULL,
	CEL_T_IN,
	CEL_T_EQ,
	CEL_T_NE,
	CEL_T_LE,
	CEL_T_LT,
	CEL_T_GE,
	CEL_T_GT,
	CEL_T_AND,
	CEL_T_OR,
	CEL_T_NOT,
	CEL_T_PLUS,
	CEL_T_MINUS,
	CEL_T_STAR,
	CEL_T_SLASH,
	CEL_T_PERCENT,
	CEL_T_QUESTION,
	CEL_T_COLON,
	CEL_T_COMMA,
	CEL_T_DOT,
	CEL_T_OPEN_PAREN,
	CEL_T_CLOSE_PAREN,
	CEL_T_OPEN_BRACKET,
	CEL_T_CLOSE_BRACKET,
	CEL_T_OPEN_BRACE,
	CEL_T_CLOSE_BRACE,
	CEL_TOKEN_KINDS
};

struct cel_token {
	enum cel_token_kind kind;
	uint32_t at, len; /* where it stands in the source, in bytes */
	uint64_t number;
	double real;
	const char *text; /* in the arena, with a NUL behind its end */
	size_t text_len;
};

struct cel_lex {
	const char *source;
	size_t len, at;
	struct arena *arena;
	uint32_t error_at;
	char error[200]; /* what is wrong, when a call returned -1 */
};

/* The source is UTF-8 and less than 4 GiB. */
void cel_lex_init(struct cel_lex *lex, const char *source, size_t len,
		  struct arena *arena);
/* The next token; at the end CEL_T_END, again and again. -1 with error filled. */
int cel_lex_next(struct cel_lex *lex, struct cel_token *token);
int cel_lex_fail(struct cel_lex *lex, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For messages: "\")\"", "a string". */
const char *cel_token_name(enum cel_token_kind kind);

/* Literals, in cel_literal.c: at their first character. */
int cel_lex_number(struct cel_lex *lex, struct cel_token *token);
int cel_lex_string(struct cel_lex *lex, struct cel_token *token);
bool cel_lex_at_string(const struct cel_lex *lex); /* a quote, or r b rb and a quote */

#endif
