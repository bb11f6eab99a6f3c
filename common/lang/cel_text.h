/* Values as text: string(), join, format, and what templates write. */
#ifndef LANG_CEL_TEXT_H
#define LANG_CEL_TEXT_H

#include "base/buf.h"
#include "lang/cel_run.h"

/* The shortest text that reads back as the same number: "0.1", "1e+30", "NaN",
 * "-Infinity". Returns out. */
#define CEL_DOUBLE_TEXT 40
const char *cel_double_text(double value, char out[CEL_DOUBLE_TEXT]);

/* Scalars but bytes, as string() writes them; NULL for what has no text. A string's
 * text may hold NULs: then *len says more than strlen. out is used when needed. */
#define CEL_SCALAR_TEXT 80
const char *cel_scalar_text(const struct cel_value *value, char out[CEL_SCALAR_TEXT],
			    size_t *len);

/* Base64 with padding, and back (padding may be left out). */
void cel_base64(const char *data, size_t len, struct buf *out);
bool cel_base64_read(const char *text, size_t len, struct buf *out);

/* A copy in the evaluation's memory. */
struct cel_value cel_new_text(struct cel_run *run, enum cel_kind kind, const char *data,
			      size_t len);
/* The same of what was built; fini is called on the buffer. */
struct cel_value cel_take_text(struct cel_run *run, struct buf *built);

#endif
