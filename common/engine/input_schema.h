/*
 * The part of JSON Schema that a run's input is checked with: type, required, and the
 * types of properties. Other keywords are kept and shown.
 */
#ifndef ENGINE_INPUT_SCHEMA_H
#define ENGINE_INPUT_SCHEMA_H

#include "engine/reader.h"

/* Is what stands at `input` a schema that can be followed? */
void input_schema_read(struct reader *reader, const struct place *place);

#endif
