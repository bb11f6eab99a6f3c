/* Durations as people write them: "250ms", "10s", "1h30m", "2d", "1w"; and back. */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stddef.h>

#include "base/err.h"
#include "base/usec.h"

/* One or more of NUMBER UNIT (us ms s m h d w), numbers may have a fraction. A plain
 * number is refused: say the unit. At most 100 years. */
int duration_parse(const char *text, size_t len, usec_t *out, struct err *err);
/* The shortest exact form: "1h30m", "1.5s", "0s". size 32 is enough. Returns out. */
char *duration_format(usec_t duration, char *out, size_t size);

#endif
