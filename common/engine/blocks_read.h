/*
 * Blocks: `then` and `else` of a conditional, `body` of a loop. Each names steps of the
 * file that run inside it, one after the other, and nowhere else.
 */
#ifndef ENGINE_BLOCKS_READ_H
#define ENGINE_BLOCKS_READ_H

#include "engine/reader.h"

/* Before the steps themselves are read: only their ids are known. */
void blocks_read(struct reader *reader, const struct place *list);

#endif
