/* JSON Schemas and what they are to check, from files of JSON or YAML. */
#ifndef CLI_SCHEMA_FILE_H
#define CLI_SCHEMA_FILE_H

#include <stdbool.h>

#include "base/doc.h"
#include "json/schema.h"

#define SCHEMA_FILE_BYTES_MAX (16 * 1024 * 1024)

/* "-" is standard input. False: why not stands in problems, whose file is path. */
bool schema_file_value(const char *path, struct json **out, struct problems *problems);
/* NULL: it cannot be read, or is no schema. formats: `format` is asserted. */
struct schema *schema_file_read(const char *path, bool formats,
				struct problems *problems);

#endif
