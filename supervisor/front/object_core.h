/*
 * Objects that clients send, judged by a table of fields: every problem at once, each
 * with its path. Pure.
 */
#ifndef FRONT_OBJECT_CORE_H
#define FRONT_OBJECT_CORE_H

#include "base/doc.h"
#include "engine/field.h"

#define OBJECT_PATH_MAX 200

/* Adds what is wrong with object to problems; members of a FIELD_OBJECT are judged by
 * theirs. min and max of a FIELD_TEXT are its bytes (max 0: any), and NUL is in none.
 * null stands for absent where a field is not required. under: the path of the object,
 * "" for the whole. strict: unknown keys are wrong, too. False: something is wrong. */
bool object_check(const struct field *table, const struct json *object,
		  const char *under, bool strict, struct problems *problems);
/* "activeHours.start" */
void object_path(const char *under, const char *name, char out[static OBJECT_PATH_MAX]);

#endif
