/* Checking a value: what the rooms of schema_check_* share. */
#ifndef JSON_SCHEMA_CHECK_H
#define JSON_SCHEMA_CHECK_H

#include "json/schema_node.h"
#include "json/schema_seen.h"

/* A place in the value, linked upwards to its name. */
struct where {
	const struct where *up; /* NULL: the whole value, called key */
	const char *key;        /* NULL: an item */
	size_t index;
};

struct check {
	const struct schema_regex *regex;
	struct problems *problems; /* NULL: only yes or no is wanted */
	size_t most;               /* problems there may be */
	int64_t work;              /* that may still be done */
	unsigned depth;
	const char *broken; /* why there will be no answer; or NULL */
};

/* One subschema at one place. */
struct frame {
	struct check *check;
	const struct frame *up;
	const struct node *node; /* NULL in the outermost */
	const struct json *value;
	const struct where *where;
	struct seen *seen; /* NULL: nobody asks */
};

/* Does the value fit the node? If so, and seen is given, what was looked at is added.
 */
bool schema_check_node(const struct frame *up, const struct node *node,
		       const struct json *value, const struct where *where,
		       struct seen *seen);
/* The same without telling why not. */
bool schema_check_quietly(const struct frame *up, const struct node *node,
			  const struct json *value, const struct where *where,
			  struct seen *seen);
/* Why it does not fit, in one line; the caller's. */
char *schema_check_reason(const struct frame *up, const struct node *node,
			  const struct json *value, const struct where *where);

/* Will a problem be kept? Else only yes or no is wanted, or there are enough. */
bool schema_check_tells(const struct frame *frame);
/* Tells that the place is wrong; always false. */
bool schema_check_fail(const struct frame *frame, const struct where *where,
		       const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Spends work; false when there is none left, then nothing is known. */
bool schema_check_spend(const struct frame *frame, int64_t work);
bool schema_check_regex(const struct frame *frame, const void *regex, const char *text,
			size_t len);
/* The value in a few characters, for messages; the caller's. */
char *schema_check_shown(const struct json *value);

bool schema_check_type(const struct frame *frame);
bool schema_check_value(const struct frame *frame); /* enum, const */
bool schema_check_number(const struct frame *frame);
bool schema_check_string(const struct frame *frame);
bool schema_check_array(const struct frame *frame);
bool schema_check_object(const struct frame *frame);
bool schema_check_logic(const struct frame *frame);
bool schema_check_refs(const struct frame *frame);
/* Only when all else fits. */
bool schema_check_others(const struct frame *frame);

#endif
