/*
 * The functions of CEL: a table per room, found by name when an expression is compiled.
 * Arguments are values, never errors. Macros are no functions: see cel_check.c.
 */
#ifndef LANG_CEL_FUNCTION_H
#define LANG_CEL_FUNCTION_H

#include "lang/cel_run.h"

typedef struct cel_value cel_fn(struct cel_run *run, const struct cel_value *args,
				size_t count);

struct cel_function {
	const char *name;          /* "size"; of a namespace "math.least" */
	bool global;               /* size(x) */
	bool member;               /* x.size() */
	unsigned char least, most; /* arguments, with the one in front of the dot */
	cel_fn *fn;
	const char *usage; /* for messages: "string.startsWith(string)" */
	int detail;        /* what distinguishes those that share fn */
};

/* Each ends with a name of NULL. */
extern const struct cel_function cel_basic_functions[];
extern const struct cel_function cel_convert_functions[];
extern const struct cel_function cel_string_functions[];
extern const struct cel_function cel_cut_functions[];
extern const struct cel_function cel_time_functions[];
extern const struct cel_function cel_math_functions[];

#define CEL_ARGS_MAX 255

const struct cel_function *cel_function_find(const char *name, bool member);
/* The nearest name of a function or a macro, or NULL. */
const char *cel_function_nearest(const char *name);
/* Whether some function is called NAME.something. */
bool cel_function_namespace(const char *name);

/* "size() does not take (int); it is size(string|bytes|list|map)": of run->node. */
struct cel_value cel_no_overload(struct cel_run *run, const struct cel_value *args,
				 size_t count);

#endif
