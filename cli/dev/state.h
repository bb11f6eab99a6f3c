/*
 * dev.json: what the running `stepmill dev` says of itself, for the other commands and
 * for the next start. It is removed at the end; one left over from a dev that was
 * killed is not believed.
 */
#ifndef DEV_STATE_H
#define DEV_STATE_H

#include "base/err.h"
#include "json/json.h"

/* Takes state. Written into DATA, and into PROJECT/.stepmill where that is elsewhere.
 */
int state_write(const char *data, const char *project, struct json *state,
		struct err *err);
void state_remove(const char *data, const char *project);
/* Of the dev that runs with this data; NULL: none. The caller's. */
struct json *state_read(const char *data);
/* The same, also when its process is gone. */
struct json *state_left(const char *data);
/* Of the dev of this folder or the nearest one above: {url, databaseUrl, redisUrl, pid,
 * supervisorPid, schedulerPid, postgresPid, redisPid, project, data, logs}; NULL: none.
 */
struct json *state_find(const char *folder);
/* The old file or the new one, never half of it. */
int state_replace_file(const char *path, const char *text, struct err *err);

#endif
