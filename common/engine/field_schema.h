/* Tables of fields as JSON Schema (2020-12), for clients that fill in forms. Pure. */
#ifndef ENGINE_FIELD_SCHEMA_H
#define ENGINE_FIELD_SCHEMA_H

#include "engine/field.h"

/* An object with these fields, and none but these; the caller's. A field of a later
 * version is left out. */
struct json *field_schema(const struct field *table);

#endif
