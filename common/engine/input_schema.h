/*
 * A workflow's `input`: the JSON Schema that what a run is given is checked with. What
 * the keywords mean is not decided here, see json/schema.h.
 */
#ifndef ENGINE_INPUT_SCHEMA_H
#define ENGINE_INPUT_SCHEMA_H

#include "engine/reader.h"
#include "json/schema.h"

/* The schema that stands at `input`; what is wrong with it is told at its place in the
 * file, and then there is none. The caller's. */
struct schema *input_schema_read(struct reader *reader, const struct place *place);

/* Any other schema of the file: `outputSchema`. */
struct schema *schema_read(struct reader *reader, const struct place *place);

#endif
