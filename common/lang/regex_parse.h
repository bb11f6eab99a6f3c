/* A pattern as a tree, and as the program that is run; between the rooms of regex. */
#ifndef LANG_REGEX_PARSE_H
#define LANG_REGEX_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "lang/regex_class.h"

enum regex_assert {
	REGEX_TEXT_BEGIN,
	REGEX_TEXT_END,
	REGEX_LINE_BEGIN,
	REGEX_LINE_END,
	REGEX_WORD_EDGE,
	REGEX_NO_WORD_EDGE,
	REGEX_ASSERTS
};

enum regex_kind {
	REGEX_EMPTY,
	REGEX_CHAR,     /* c */
	REGEX_FOLDED,   /* c in either case */
	REGEX_ANY,      /* any character */
	REGEX_NOT_LF,   /* any but a line feed */
	REGEX_CLASS,    /* class */
	REGEX_ASSERT,   /* assert */
	REGEX_SEQUENCE, /* kids one after the other */
	REGEX_CHOICE,   /* one of kids */
	REGEX_REPEAT,   /* kids[0], min to max times; max < 0: no end */
	REGEX_KINDS
};

struct regex_node {
	enum regex_kind kind;
	uint32_t c;
	struct regex_class *class;
	enum regex_assert assert;
	int min, max;
	struct regex_node **kids;
	size_t count, capacity;
};

/* The tree lives in the arena. NULL with err. */
struct regex_node *regex_parse(const char *pattern, size_t len, struct arena *arena,
			       struct err *err);

#endif
