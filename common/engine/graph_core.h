/*
 * Pure: graph style. Every step of the file is a row from the beginning; each waits for
 * a number of things, its needs or who might choose it, and is ready when none is left.
 * The row END_NUMBER waits for all of them.
 */
#ifndef ENGINE_GRAPH_CORE_H
#define ENGINE_GRAPH_CORE_H

#include "engine/advance_priv.h"

struct first_step *graph_start(const struct workflow *workflow, size_t *count);
/* A step ended. target: where a branch leads, or TARGET_NONE. */
void graph_leave(struct advance *advance, int target);
void graph_skip(struct advance *advance);

/* Before a step of the graph starts: NULL, or why it is skipped ({code, message}, the
 * caller's). chosen: a branch led to it. */
struct json *graph_hindrance(const struct run *run, const struct step_def *step,
			     bool chosen);
/* Does it lead nowhere when it goes well? Then its output may be that of the run. */
bool graph_is_end(const struct workflow *workflow, const struct step_def *step);
/* What the run answers without an `output` of its own: that of the one end, or a map of
 * those that completed. The caller's. */
struct json *graph_output(const struct run *run);

#endif
