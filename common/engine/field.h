/*
 * Tables of named values: the fields of an action, the arguments of a tool. A row says
 * what a value may be; the same row serves the check of a file (where a value may still
 * be a template), the check of what the templates gave, and the page in docs/.
 */
#ifndef ENGINE_FIELD_H
#define ENGINE_FIELD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/usec.h"
#include "json/json.h"

enum field_type {
	FIELD_TEXT,     /* a string */
	FIELD_TEXTS,    /* a string or a list of strings */
	FIELD_FLAG,     /* true or false */
	FIELD_COUNT,    /* a whole number from min to max */
	FIELD_NUMBER,   /* any number from min to max */
	FIELD_DURATION, /* a number of milliseconds, or "10m" */
	FIELD_MOMENT,   /* "2026-03-01T09:00:00Z" */
	FIELD_CHOICE,   /* one of choices */
	FIELD_OBJECT,   /* any members */
	FIELD_PAIRS, /* an object of strings, numbers and flags: headers, environment */
	FIELD_OBJECTS, /* a list of objects */
	FIELD_ANY,
	FIELD_EXPRESSION, /* CEL, no template; read by who knows the steps */
	FIELD_STEPS,      /* a list of ids of steps, likewise */
	FIELD_TYPES
};

struct field {
	const char *name; /* NULL ends the table */
	enum field_type type;
	bool required; /* of a group: one of its fields is */
	bool later;    /* of the format, but not of this version */
	int group;     /* not 0: fields of the same group exclude each other */
	long min, max; /* of a count or number; max 0: none */
	const char *const *choices; /* NULL-terminated */
	const struct field
	    *members;     /* of an object: what it may hold; NULL: anything */
	const char *help; /* one line, with the value that holds without it */
};

/* The engine's own: nothing in it is a template, and no action is given it. */
bool field_is_flow(const struct field *field);

/* NULL if there is none. */
const struct field *field_find(const struct field *table, const char *name);
/* The name that was probably meant, or NULL. */
const char *field_nearest(const struct field *table, const char *name);
const char *field_type_name(enum field_type type); /* "text", "list of objects", ... */

/* WRITTEN: strings with a template in them are left alone, they may become anything. */
enum field_stage { FIELD_WRITTEN, FIELD_RESOLVED };

/* One value. -1 with what was expected: "expected a string, got number". null is what
 * an optional field without a value is. */
int field_accepts(const struct field *field, const struct json *value,
		  enum field_stage stage, struct err *err);
/* A whole object (or null: an empty one): unknown names, missing ones, wrong values,
 * two of one group. The first of them becomes err (ERR_INPUT). */
int field_check(const struct field *table, const struct json *object,
		enum field_stage stage, struct err *err);
/* "\"for\" or \"until\"": the names of a group. */
void field_group(const struct field *table, int group, struct buf *out);
/* Rows of a Markdown table: | name | type | required | help |. */
void field_document(const struct field *table, struct buf *out);

/* The value of a FIELD_DURATION, a number of milliseconds or "1h30m"; else -1. */
int field_duration(const struct json *value, usec_t *out, struct err *err);
/* The value of a FIELD_MOMENT, a timestamp as expressions read it; else -1. */
int field_moment(const struct json *value, usec_t *out, struct err *err);

#endif
