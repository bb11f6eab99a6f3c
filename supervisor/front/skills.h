/* The skills of a project, as this supervisor finds them: read at each look, so that
 * what is shown is what a worker beside it would find. */
#ifndef FRONT_SKILLS_H
#define FRONT_SKILLS_H

#include "conf/settings.h"
#include "json/json.h"

#define SKILLS_LISTED_MAX 500
#define SKILLS_READ_MAX   (4 * 1024 * 1024) /* bytes of all files of one look */

/* An array of {name, description, runtime, inputSchema, outputSchema, path, problems},
 * those of the project first, in order of their names; broken ones too, with what is
 * wrong with them. The caller's. */
struct json *skills_list(const char *project_path, const struct texts *folders);

#endif
