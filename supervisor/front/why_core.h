/*
 * Pure: why a run, or a step of it, does not move; the words for it stand here only.
 * The facts are what sql/runs_why.sql answers.
 */
#ifndef FRONT_WHY_CORE_H
#define FRONT_WHY_CORE_H

#include "engine/workflow.h"
#include "json/json.h"

#define WHY_REASONS_MAX 100 /* more are not told one by one: `more` is true then */

/* {executionId, runId, status, reasons: [{kind, stepId?, stepKey?, message, ...}],
 * more?}; the caller's. workflow: of the run, or NULL where it cannot be read. asked:
 * the step that was named (its number, or its id in the file), or NULL: all that are
 * open. NULL: there is no such step. */
struct json *why_answer(const struct json *facts, const struct workflow *workflow,
			const char *asked);

#endif
