/*
 * An expression as a tree. The parser makes it as it is written; cel_check resolves
 * names, functions and macros in place. Nodes live in the arena of their struct cel.
 */
#ifndef LANG_CEL_NODE_H
#define LANG_CEL_NODE_H

#include "lang/arena.h"
#include "lang/cel.h"
#include "lang/cel_value.h"

/* Chains such as a + b + c nest in the tree without nesting in the text. */
#define CEL_TREE_MAX 512

enum cel_op {
	CEL_CONST,  /* value */
	CEL_NAME,   /* name: a variable in scope */
	CEL_LOCAL,  /* slot: of a macro */
	CEL_SELECT, /* kids[0].name */
	CEL_HAS,    /* has(kids[0].name) */
	CEL_INDEX,  /* kids[0][kids[1]] */
	CEL_CALL,   /* name(kids) ; member: kids[0].name(kids[1]...) */
	CEL_MAKE_LIST,
	CEL_MAKE_MAP, /* kids in pairs */
	CEL_AND,      /* of two and more */
	CEL_OR,
	CEL_IF, /* kids[0] ? kids[1] : kids[2] */
	CEL_NOT,
	CEL_NEGATE,
	CEL_EQUAL,
	CEL_UNEQUAL,
	CEL_LESS_THAN,
	CEL_AT_MOST,
	CEL_MORE_THAN,
	CEL_AT_LEAST,
	CEL_IN,
	CEL_ADD,
	CEL_SUBTRACT,
	CEL_MULTIPLY,
	CEL_DIVIDE,
	CEL_REMAINDER,
	CEL_FOLD, /* macro: kids[0] is walked, kids[1] filters or is NULL, kids[2] */
	CEL_BIND, /* cel.bind: kids[0] is slot's value in kids[1] */
	CEL_OPS
};

enum cel_fold {
	CEL_ALL,
	CEL_EXISTS,
	CEL_EXISTS_ONE,
	CEL_TO_LIST, /* map, filter, transformList */
	CEL_TO_MAP,  /* transformMap */
	CEL_FOLDS
};

struct cel_function;
struct regex;

struct cel_node {
	enum cel_op op;
	uint32_t at;    /* byte in the source: where errors are shown */
	uint32_t depth; /* of the tree below and with it */
	bool member;    /* CEL_CALL */
	bool absolute;  /* CEL_NAME: written with a dot in front */
	int slot;       /* CEL_LOCAL; CEL_FOLD: of the key, or -1; CEL_BIND */
	int value_slot; /* CEL_FOLD: of the value, or -1 */
	enum cel_fold fold;
	struct cel_node **kids;
	size_t count;
	const char *name; /* NUL-terminated */
	size_t name_len;
	const char *path; /* "a.b.c" of names and their members only, else NULL */
	struct cel_value value;
	const struct cel_function *function;
	struct regex *regex; /* of matches() with a literal pattern */
};

struct cel {
	struct arena arena;
	char *source;
	size_t len;
	struct cel_node *root;
	struct regex **regexes; /* to be freed */
	size_t regexes_count;
};

struct cel_mistake { /* why an expression is none */
	uint32_t at;
	char text[300];
};

/* cel_parse.c: NULL with *mistake filled. */
struct cel_node *cel_parse(struct arena *arena, const char *source, size_t len,
			   struct cel_mistake *mistake);
/* cel_check.c: -1 with *mistake filled. lenient: an unknown function fails only when it
 * is called, as the language allows. */
int cel_check(struct cel *cel, bool lenient, struct cel_mistake *mistake);

#endif
