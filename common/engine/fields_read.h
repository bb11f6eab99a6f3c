/* Reading what belongs to a step's action: its fields, and the arguments of its tool.
 */
#ifndef ENGINE_FIELDS_READ_H
#define ENGINE_FIELDS_READ_H

#include "engine/reader.h"
#include "engine/refs.h"
#include "engine/workflow.h"

/* Fills step->fields and adds to refs. step->action is known. scope: REFS_ITEM and the
 * like. */
void fields_read(struct reader *reader, const struct place *step_place,
		 struct step_def *step, struct refs *refs, unsigned scope);

#endif
