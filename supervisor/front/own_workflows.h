/*
 * The engine's own workflows, supervisor/own/NAME.yaml, embedded when this is built
 * (cmake/embed_texts.py): what engine features run as ordinary runs. Their names begin
 * with OWN_WORKFLOW, and no other workflow's may.
 */
#ifndef FRONT_OWN_WORKFLOWS_H
#define FRONT_OWN_WORKFLOWS_H

#include <stdbool.h>
#include <stddef.h>

#include "front/front.h"

#define OWN_WORKFLOW  "stepmill."
#define OWN_HEARTBEAT "stepmill.heartbeat"

struct own_text {
	const char *name; /* NULL ends the table */
	const char *text; /* YAML, NUL-terminated */
	size_t len;
};
extern const struct own_text own_texts[];

bool own_workflow_is(const char *name);

/* Registers them as soon as PostgreSQL is there, and again when that failed; what is
 * there already stays as it is. */
struct own_workflows;
struct own_workflows *own_workflows_new(struct front *front);
bool own_workflows_are_there(const struct own_workflows *own);
void own_workflows_free(struct own_workflows **own_p);

#endif
