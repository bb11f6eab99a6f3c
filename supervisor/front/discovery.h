/*
 * Workflow files: found in <project>/.agent/workflows/templates and in every folder of
 * workflow_paths at start-up and whenever something changes there, and registered. A
 * file with errors leaves its last good version in place; one that goes away makes its
 * workflow inactive.
 */
#ifndef FRONT_DISCOVERY_H
#define FRONT_DISCOVERY_H

#include "front/front.h"

#define DISCOVERY_FILES_MAX 10000

struct discovery;

struct discovery *discovery_new(struct front *front);
void discovery_free(struct discovery **discovery_p);
/* Has the first look been finished: are the workflows there that were there before? */
bool discovery_is_done(const struct discovery *discovery);
void discovery_scan(struct discovery *discovery); /* soon; also on SIGHUP */

#endif
