/*
 * The one door to json-c. A struct json is a reference-counted JSON value; a NULL
 * pointer is JSON null, so an absent member and a null one look alike unless json_has
 * is asked. "Borrowed" results live as long as what holds them.
 *
 * Numbers are int64 or double. Parsing is strict RFC 8259: json-c's leniencies (NaN,
 * single quotes, -01, raw control characters, ...) are refused, so are duplicate keys,
 * invalid UTF-8 and whatever is past the limits. See notes in json.c.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/err.h"
#include "base/mask.h"

struct json;

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_DOUBLE,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_TYPES
};

#define JSON_DEPTH_MAX 64

/* Parsing. A JSON null gives NULL with return 0. The error names line and column. */
int json_parse(const char *text, size_t len, struct json **out, struct err *err);
/* YAML's core schema: unquoted true, 12, 1.5, null, ~ become values, else strings. */
struct json *json_from_doc(const struct doc *doc);

/* Writing: compact, UTF-8, members in their order. */
void json_write(const struct json *json, struct buf *out);
char *json_text(const struct json *json); /* the caller's */
void json_write_string(const char *text, size_t len, struct buf *out); /* with quotes */

/* Life. json_ref returns its argument. All accept NULL. */
struct json *json_ref(struct json *json);
void json_unref(struct json **json_p);
struct json *json_copy(const struct json *json); /* deep */

/* Reading; the wrong type gives false, 0, 0.0 or NULL. */
enum json_type json_type(const struct json *json);
const char *json_type_name(enum json_type type); /* "null", "boolean", "number", ... */
bool json_bool(const struct json *json);
int64_t json_int(const struct json *json); /* of a double: cut, saturated */
double json_double(const struct json *json);
const char *json_str(const struct json *json); /* NUL-terminated; NULL if no string */
size_t json_str_len(const struct json *json);
size_t json_count(const struct json *json);                   /* items or members */
struct json *json_at(const struct json *array, size_t index); /* borrowed */
struct json *json_get(const struct json *object, const char *key); /* borrowed */
struct json *json_get_len(const struct json *object, const char *key, size_t len);
bool json_has(const struct json *object, const char *key);
bool json_has_len(const struct json *object, const char *key, size_t len);
bool json_equal(const struct json *a, const struct json *b); /* 1 and 1.0 are equal */

/* for (struct json_iter it = json_iter(object); json_next(&it);) it.key, it.value */
struct json_iter {
	const char *key;
	size_t key_len;
	struct json *value; /* borrowed */
	void *state;
};
struct json_iter json_iter(const struct json *object);
bool json_next(struct json_iter *it);

/* Building. What is set or appended is taken (the reference moves into the holder). */
struct json *json_new_bool(bool value);
struct json *json_new_int(int64_t value);
struct json *json_new_double(double value);  /* NaN and infinities become null */
struct json *json_new_str(const char *text); /* NULL becomes null */
struct json *json_new_str_len(const char *text, size_t len);
struct json *json_new_array(void);
struct json *json_new_object(void);
void json_append(struct json *array, struct json *item);
void json_set(struct json *object, const char *key, struct json *value);
/* For keys from outside: NUL and what is no UTF-8 become U+FFFD. */
void json_set_len(struct json *object, const char *key, size_t len, struct json *value);
void json_remove(struct json *object, const char *key);

/* Typed getters for what clients send: absent leaves *out alone, a wrong type sets err
 * (ERR_INPUT, "KEY: expected a string, got a number") and returns -1. Borrowed. */
int json_want_str(const struct json *object, const char *key, const char **out,
		  struct err *err);
int json_want_int(const struct json *object, const char *key, int64_t min, int64_t max,
		  int64_t *out, struct err *err);
int json_want_bool(const struct json *object, const char *key, bool *out,
		   struct err *err);

/* What PostgreSQL's jsonb can hold: \u0000 and lone surrogates in strings and keys
 * become U+FFFD. Returns its argument when nothing had to change, else a repaired copy
 * and drops the reference to the original. *changed may be NULL. */
struct json *json_storable(struct json *json, bool *changed);
/* With every secret in strings, keys and numbers replaced. Returns its argument when
 * there was none, else a copy and drops the reference to the original. */
struct json *json_masked(struct json *json, const struct mask *mask);

#endif
