/*
 * A document as a plain tree, each node with its place in the text: what the YAML door
 * gives, and what readers with good error messages read. Knows no schema.
 */
#ifndef BASE_DOC_H
#define BASE_DOC_H

#include <stdbool.h>
#include <stddef.h>

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc {
	enum doc_kind kind;
	int line, column; /* from 1 */
	/* scalar: the text (UTF-8, NUL-terminated), and whether it was quoted or a
	 * block, so that "true" and true can be told apart */
	char *text;
	size_t len;
	bool quoted;
	/* list: items; map: keys[i] (scalars) goes with items[i], as in the file */
	struct doc **keys;
	struct doc **items;
	size_t count;
};

struct doc *doc_new(enum doc_kind kind, int line, int column);
void doc_free(struct doc **doc_p);
struct doc *doc_copy(const struct doc *doc); /* deep; NULL gives NULL */
void doc_append(struct doc *list, struct doc **item_p);
void doc_put(struct doc *map, struct doc **key_p, struct doc **item_p);
struct doc *doc_get(const struct doc *map, const char *key); /* or NULL */

/* A list of what is wrong with a document: all of it at once, each with its place. */
struct problem {
	int line, column; /* 0: the whole document */
	char *path;       /* "steps[2].retry.backoff"; "" for the document */
	char *message;    /* "\"expo\" is not one of fixed, linear, exponential" */
};

struct problems {
	char *file; /* as it is to be shown; may be NULL */
	struct problem *list;
	size_t count;
};

void problems_add(struct problems *problems, const struct doc *where, const char *path,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
void problems_add_at(struct problems *problems, int line, int column, const char *path,
		     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "release.yaml:14:7 steps[2].retry.backoff: ..." ; the text is the caller's. */
char *problem_text(const struct problems *problems, size_t index);
void problems_fini(struct problems *problems);

/* The name in the NULL-terminated list nearest to what was written (edit distance up to
 * a third of its length), or NULL. For "unknown key, did you mean". */
const char *nearest_name(const char *written, const char *const *names);

#endif
