/* The `trigger` of a file. */
#ifndef ENGINE_TRIGGER_READ_H
#define ENGINE_TRIGGER_READ_H

#include "engine/reader.h"

/* top: the whole file. After `input`, with which the input of a cron trigger must fit.
 */
void trigger_read(struct reader *reader, const struct place *top);

#endif
