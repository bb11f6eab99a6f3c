/*
 * Options and words of a command line, by a table. "--name value", "--name=value",
 * "-n value", "-nvalue", "--" ends the options. An unknown option names the nearest
 * one.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct arg {
	const char *name;  /* "timeout"; NULL ends the table */
	char letter;       /* 't', or 0 */
	const char *value; /* "DURATION": takes a value; NULL: a flag */
	const char *help;
};

#define ARGS_OPTIONS_MAX 24
#define ARGS_WORDS_MAX   64

struct args {
	const struct arg *table;
	const char
	    *values[ARGS_OPTIONS_MAX]; /* by row: NULL: not given; "" for a flag */
	const char *words[ARGS_WORDS_MAX];
	size_t words_count;
};

/* argv[0] is skipped. ERR_INPUT with what is wrong and a way out. Borrows argv. */
int args_read(struct args *args, const struct arg *table, int argc, char **argv,
	      struct err *err);
bool args_has(const struct args *args, const char *name);
const char *args_value(const struct args *args, const char *name); /* or NULL */
/* A whole number within limits; absent: *out stays. */
int args_count(const struct args *args, const char *name, long min, long max, long *out,
	       struct err *err);
/* The same of any text; what names it in the error. */
int count_read(const char *what, const char *text, long min, long max, long *out,
	       struct err *err);
/* The options as lines of help. */
void args_help(const struct arg *table);

#endif
