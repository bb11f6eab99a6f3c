/* Reading one step of a file: the keys of every step, and those of its action. */
#ifndef ENGINE_STEP_READ_H
#define ENGINE_STEP_READ_H

#include "engine/reader.h"
#include "engine/workflow.h"

/* The id alone, before anything can refer to it; with its problems. */
void step_read_id(struct reader *reader, const struct place *place,
		  struct step_def *step);
/* All the rest; every step has its id by now. */
void step_read(struct reader *reader, const struct place *place, struct step_def *step);
/* The caller's; NULL when it was a problem. */
char *step_read_queue(struct reader *reader, const struct place *place);

#endif
