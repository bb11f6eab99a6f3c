/*
 * The fields of an `agent` step that hold together: which are for a command-line agent,
 * which for a bot, and what a model is called there. Which agents there are is for the
 * configuration to say.
 */
#ifndef ENGINE_AGENT_READ_H
#define ENGINE_AGENT_READ_H

#include "engine/reader.h"

#define AGENT_MODEL_MAX 200 /* bytes of a model's name */

/* The name of a model as an agent takes it: one argument that is no option. */
bool agent_model_is_good(const char *name);
void agent_read_fields(struct reader *reader, const struct place *step_place);

#endif
