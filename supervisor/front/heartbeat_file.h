/* The file of a heartbeat when it is configured: where it lies, and what it says of
 * when it is gone through. Its runs read it again, each time, on a worker. */
#ifndef FRONT_HEARTBEAT_FILE_H
#define FRONT_HEARTBEAT_FILE_H

#include "base/err.h"
#include "conf/settings.h"
#include "json/json.h"

/* Each the caller's. */
struct heartbeat_file {
	char *path;        /* relative to the project, or absolute: as it is stored */
	struct json *says; /* of its front matter (heartbeat_core.h); NULL: nothing */
	char *warning;     /* why it cannot be gone through as it is now; or NULL */
};
/* -1: a path that is not allowed, or no file. One that is missing, or that this host
 * does not reach, is a warning. */
int heartbeat_file_read(const char *project_path, const struct texts *folders,
			const char *path, struct heartbeat_file *out, struct err *err);

#endif
