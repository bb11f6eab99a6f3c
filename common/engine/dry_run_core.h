/*
 * Pure: a workflow is walked as a run of it would go, with no side effects. Every step
 * is taken to succeed, with the output that was given for it, and what is asked to be
 * approved; all else is decided by the engine's own functions. What depends on outputs
 * that nobody gave is left as it was written.
 */
#ifndef ENGINE_DRY_RUN_CORE_H
#define ENGINE_DRY_RUN_CORE_H

#include "engine/workflow.h"

#define DRY_STEPS_MAX 1000              /* visits; after that `truncated` is true */
#define DRY_BYTES_MAX (8 * 1024 * 1024) /* of resolved fields; likewise */

struct dry_run;

/* outputs: {id: output}, or NULL. The workflow is borrowed until dry_run_free. */
struct dry_run *dry_run_new(const struct workflow *workflow, struct json *input,
			    struct json *outputs);
void dry_run_free(struct dry_run **run_p);
/* One more visit: its expressions may take CEL_COST_MAX each. False: there is none. */
bool dry_run_walk(struct dry_run *run);
/* When there is none: the answer, as docs/http-api.md describes it; the caller's. */
struct json *dry_run_answer(struct dry_run *run);

#endif
