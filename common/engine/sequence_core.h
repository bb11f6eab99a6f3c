/*
 * Pure: the order of sequence style. Where a step leads once it is known how it ended;
 * what follows from that for the run is advance_core.c.
 */
#ifndef ENGINE_SEQUENCE_CORE_H
#define ENGINE_SEQUENCE_CORE_H

#include "engine/workflow.h"

/* The first step that is in no block. */
int sequence_first(const struct workflow *workflow);
/* The step to go on with, or TARGET_END, or at the end of a block TARGET_BLOCK_END.
 * onSuccess, else the next one of its block or of the file. */
int sequence_after_success(const struct workflow *workflow,
			   const struct step_def *step);
/* The same of a failure, or TARGET_NONE: the run fails. onFailure, else with
 * continueOnError as after a success. */
int sequence_after_failure(const struct workflow *workflow,
			   const struct step_def *step);

/* The same of one that was skipped: the next one. */
int sequence_after_skip(const struct workflow *workflow, const struct step_def *step);

#endif
