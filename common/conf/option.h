/*
 * One table per configuration: name, type, place, default, limits, help. The table
 * fills a struct from a doc tree and from the environment, prints itself, and is what
 * the sample configuration and the man page are compared with.
 */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/err.h"

enum option_type {
	OPT_TEXT, /* char *; "file:/path" and "env:NAME" are followed when OPT_SECRET */
	OPT_COUNT,    /* long */
	OPT_BYTES,    /* long; 4MiB, 64KiB, 1GiB */
	OPT_DURATION, /* usec_t */
	OPT_FLAG,     /* bool; true false yes no on off */
	OPT_TEXTS,    /* struct texts; a list, or comma-separated in the environment */
	OPT_NUMBER,   /* double; 0.25, 15 */
	OPT_TREE,     /* struct doc *; anything, for somebody else to read; YAML in the
			 environment */
	OPT_TYPES
};

enum { OPT_RELOAD = 1 /* SIGHUP may change it */, OPT_SECRET = 2 /* never shown */ };

struct texts {
	char **list;
	size_t count;
};

struct option {
	const char *name; /* "worker.slots"; NULL ends the table */
	enum option_type type;
	size_t offset;
	const char *preset;       /* as it would be written; NULL: none */
	const char *least, *most; /* for counts, bytes and durations; or NULL */
	unsigned flags;
	const char *help; /* one line */
};

void option_defaults(const struct option *table, void *conf);
/* Reads every key of the tree; unknown keys, wrong types and what is past a limit
 * become problems ("worker.slots: 900 is more than 256"). */
void option_read(const struct option *table, const struct doc *tree, void *conf,
		 struct problems *problems);
/* STEPMILL_WORKER_SLOTS overrides worker.slots (dots and dashes become underscores). */
void option_environment(const struct option *table, char *const *environment,
			void *conf, struct problems *problems);
/* "worker.slots" -> "STEPMILL_WORKER_SLOTS"; the text is the caller's. */
char *option_variable(const char *name);
/* YAML with every key, its value and its help as a comment; secrets as "***". */
char *option_dump(const struct option *table, const void *conf);
void option_fini(const struct option *table, void *conf);

#endif
