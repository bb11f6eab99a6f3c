/* Secrets never leave: known values are replaced in any text, also when they are
 * base64-, URL- or JSON-escaped. */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include <stddef.h>

#include "base/buf.h"

struct mask;

struct mask *mask_new(void);
void mask_free(struct mask **mask_p);
/* Values under 4 bytes are not masked: they would blank out ordinary text. */
void mask_add(struct mask *mask, const char *secret, size_t len);
/* Appends text to out with every secret replaced by "***". */
void mask_text(const struct mask *mask, const char *text, size_t len, struct buf *out);

#endif
