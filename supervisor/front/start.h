/*
 * What starting a run means, whether one is started or ten thousand: what of the call
 * is read, which workflow may be run, what the new run is.
 */
#ifndef FRONT_START_H
#define FRONT_START_H

#include "front/catalog.h"
#include "store/run_start.h"

/* `priority` of a body; *has false when there is none. */
int start_read_priority(const struct json *body, bool *has, enum priority *priority,
			struct err *err);
/* `projectId` of a body into *room, if it stands there. A key that is bound to a
 * project (confined, or NULL) starts runs in that one only. *project: room, confined or
 * NULL. */
int start_read_project(const struct json *body, const struct uuid *confined,
		       struct uuid *room, const struct uuid **project, struct err *err);

/* 0, or the status of a refusal and why, the caller's: this workflow cannot be run. */
int start_refuses(const struct catalog_entry *entry, const struct uuid *confined,
		  char **why);

#endif
