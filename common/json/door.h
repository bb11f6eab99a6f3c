/*
 * How the rooms of this folder see a struct json: as json-c's object. Not to be
 * included from elsewhere.
 */
#ifndef JSON_DOOR_H
#define JSON_DOOR_H

#include <stdint.h>

/* json-c has types of these names; ours are functions and another enum. */
#define json_bool json_c_bool
#define json_type json_c_type
#include <json-c/json.h>
#undef json_bool
#undef json_type

#include "json/json.h"

static inline struct json_object *
to_c(const struct json *json)
{
	return (struct json_object *)(uintptr_t)json; /* json-c has few consts */
}

static inline struct json *
from_c(struct json_object *object)
{
	return (struct json *)object;
}

#endif
