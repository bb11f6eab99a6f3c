/*
 * The private HOME of an agent: a folder that only its attempt has, with copies of the
 * files that the configuration names. It outlives the program, so that what the agent
 * left there can be kept, or another program go on in it.
 */
#ifndef AGENT_HOME_H
#define AGENT_HOME_H

#include "actions/action.h"
#include "conf/agents.h"
#include "files/files.h"

#define HOME_FILES_MAX 16                 /* of a session */
#define HOME_FILE_MAX  (16 * 1024 * 1024) /* bytes of a file that is copied in */

struct home {
	struct programs *programs;
	char *path;
};

/* With the agent's files in it. -1 with err. A file that is not there is left out, and
 * the step's log tells. home_fini in any case. */
int home_init(struct home *home, const struct attempt *attempt,
	      const struct agent *agent, struct err *err);
void home_fini(struct home *home);
/* A new file in it, with the folders above, the agent's own. path is clean. */
int home_open_new(const struct home *home, const char *path, struct new_file *file,
		  struct err *err);
/* Paths of files that fit one of the patterns, {session} replaced; at most
 * HOME_FILES_MAX. Nothing outside can be reached by a link. The caller frees the texts
 * (home_files_free). */
void home_find(const struct home *home, const struct texts *patterns,
	       const char *session, struct texts *found);
void home_files_free(struct texts *found);

#endif
