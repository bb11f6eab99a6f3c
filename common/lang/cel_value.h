/*
 * CEL's values. JSON is wrapped, not copied: lists and maps that came from JSON are
 * read where they are, and strings point into them, so they live as long as the JSON
 * does. Everything else lives in the arena of one evaluation. Values never change.
 */
#ifndef LANG_CEL_VALUE_H
#define LANG_CEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

enum cel_kind {
	CEL_ERROR,
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING, /* UTF-8 */
	CEL_BYTES,
	CEL_LIST,
	CEL_MAP,
	CEL_TIMESTAMP,
	CEL_DURATION,
	CEL_TYPE,
	CEL_KINDS
};

struct cel_fault; /* what went wrong, see cel_run.h */

struct cel_text {
	const char *data;
	size_t len;
};

struct cel_time { /* UTC; nanos 0..999999999 */
	int64_t seconds;
	int32_t nanos;
};

struct cel_items { /* a list's; a map's in pairs: key, value */
	struct cel_value *at;
	size_t count; /* pairs count once */
};

struct cel_value {
	enum cel_kind kind;
	struct json
	    *json; /* where it came from, or NULL; of lists and maps the content */
	union {
		bool truth;
		int64_t integer; /* CEL_INT; CEL_DURATION: nanoseconds */
		uint64_t natural;
		double real;
		struct cel_text text; /* CEL_STRING, CEL_BYTES */
		struct cel_time time;
		struct cel_items items; /* when json is NULL */
		enum cel_kind type;
		const struct cel_fault *fault;
	};
};

struct cel_value cel_from_json(struct json *json); /* borrowed */
static inline struct cel_value
cel_null(void)
{
	return (struct cel_value){ .kind = CEL_NULL };
}
static inline struct cel_value
cel_bool(bool truth)
{
	return (struct cel_value){ .kind = CEL_BOOL, .truth = truth };
}
static inline struct cel_value
cel_int(int64_t integer)
{
	return (struct cel_value){ .kind = CEL_INT, .integer = integer };
}
static inline struct cel_value
cel_uint(uint64_t natural)
{
	return (struct cel_value){ .kind = CEL_UINT, .natural = natural };
}
static inline struct cel_value
cel_double(double real)
{
	return (struct cel_value){ .kind = CEL_DOUBLE, .real = real };
}
static inline struct cel_value
cel_text(enum cel_kind kind, const char *data, size_t len)
{
	return (struct cel_value){ .kind = kind, .text = { data, len } };
}
static inline struct cel_value
cel_duration(int64_t nanos)
{
	return (struct cel_value){ .kind = CEL_DURATION, .integer = nanos };
}
static inline struct cel_value
cel_items(enum cel_kind kind, struct cel_value *items, size_t count)
{
	return (struct cel_value){ .kind = kind, .items = { items, count } };
}

/* As type() shows it: "int", "null_type", "google.protobuf.Timestamp". */
const char *cel_type_name(enum cel_kind kind);
/* The kind of that name. */
bool cel_type_named(const char *name, enum cel_kind *kind);
/* As messages show it: "null", "timestamp". */
const char *cel_kind_name(enum cel_kind kind);

size_t cel_count(const struct cel_value *holder); /* of a list or a map */
struct cel_value cel_list_at(const struct cel_value *list, size_t index);
/* The value of a key; numbers are one key whatever their type. Of maps that did not
 * come from JSON it walks the pairs. */
bool cel_map_get(const struct cel_value *map, const struct cel_value *key,
		 struct cel_value *out);
/* By a name, with a NUL behind its end. */
bool cel_map_member(const struct cel_value *map, const char *name, size_t len,
		    struct cel_value *out);

/* for (struct cel_iter it = cel_iter(&holder); cel_next(&it);) it.key, it.value
 * The key is the index in a list. */
struct cel_iter {
	const struct cel_value *holder;
	size_t at;
	struct json_iter members;
	struct cel_value key, value;
};
struct cel_iter cel_iter(const struct cel_value *holder);
bool cel_next(struct cel_iter *it);

#endif
