/* Files that steps keep with their run, each with its event in the run's log. */
#ifndef STORE_ARTIFACTS_H
#define STORE_ARTIFACTS_H

#include "store/comments.h"

struct new_artifact {
	struct uuid id;
	bool of_step; /* rather than of the run */
	const char *name, *type, *path, *mime_type, *sha256;
	int64_t size;
	const struct json *metadata; /* or NULL */
	const struct uuid *session;  /* of an agent's session; or NULL */
};

/* One that is there already is described anew, without another event (seq 0). */
void artifacts_insert(struct pg *pg, const struct held_ref *held,
		      const struct new_artifact *artifact, added_fn *done,
		      void *context);

#endif
