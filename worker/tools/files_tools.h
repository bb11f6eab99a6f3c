/* What the rooms of files.* share. */
#ifndef TOOLS_FILES_TOOLS_H
#define TOOLS_FILES_TOOLS_H

#include <sys/types.h>

#include "actions/action.h"
#include "base/buf.h"

/* The clean path of a field; preset when the step does not say. -1 with err. */
int files_path(const struct attempt *attempt, const char *field, const char *preset,
	       struct buf *out, struct err *err);
const char *files_type(mode_t mode); /* "file", "folder", "link", "other" */

#endif
