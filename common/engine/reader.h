/*
 * Reading a tree with a schema in mind: typed values, tables of keys, and problems that
 * tell the place in the file and the path in the document. Knows no workflow. What is
 * wrong is reported and skipped, so that everything is found at once.
 */
#ifndef ENGINE_READER_H
#define ENGINE_READER_H

#include <stdbool.h>

#include "base/doc.h"
#include "base/usec.h"
#include "engine/field.h"

struct reader {
	struct problems *problems;
	struct workflow *workflow;      /* that is being made */
	struct map *aliases;            /* "load_spec" -> step_def: ids with - as _ */
	const char *const *mcp_servers; /* that there are; NULL: any may be */
};

/* A node on the way from the top, linked upwards: "steps[2].retry.backoff". */
struct place {
	const struct place *up;  /* NULL: the top */
	const char *key;         /* NULL: an item of a list */
	size_t index;            /* of an item */
	const struct doc *doc;   /* NULL: it is not there */
	const struct doc *named; /* the key's own node, where it has one */
};

struct place place_member(const struct place *map, const char *key);
struct place place_nth(const struct place *map,
		       size_t index); /* in order of the file */
struct place place_item(const struct place *list, size_t index);

void reader_problem(struct reader *reader, const struct place *place,
		    const char *format, ...) __attribute__((format(printf, 3, 4)));
void reader_problem_at(struct reader *reader, const struct place *place, int line,
		       int column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The value, or a problem: then NULL or false, and *out stays as it was. */
const char *reader_text(struct reader *reader, const struct place *place,
			size_t max_len);
bool reader_flag(struct reader *reader, const struct place *place, bool *out);
bool reader_count(struct reader *reader, const struct place *place, long min, long max,
		  long *out);
/* Above zero unless zero is allowed: milliseconds, or "10m". */
bool reader_duration(struct reader *reader, const struct place *place, bool zero,
		     usec_t *out);
/* The index in the NULL-terminated list of names, or -1. */
int reader_choice(struct reader *reader, const struct place *place,
		  const char *const *names);
bool reader_is(struct reader *reader, const struct place *place, enum doc_kind kind);
/* One character of first, then any number of those of rest. */
bool reader_matches(const char *text, const char *first, const char *rest);

/* A table of the keys of a map. read NULL: known, read by somebody else. */
typedef void read_key_fn(struct reader *reader, const struct place *place, void *into);

struct key {
	const char *name; /* NULL ends the table */
	read_key_fn *read;
	bool required;
	bool later; /* a key of the format that this version cannot follow */
};

/* As `also` below: no key is unknown. For a map of which something else is wrong. */
extern const struct field reader_any_key[];

/* Reads every key of the map. also: a second table of names that are allowed, or NULL.
 */
void reader_map(struct reader *reader, const struct place *map, const struct key *keys,
		const struct field *also, void *into);

#endif
