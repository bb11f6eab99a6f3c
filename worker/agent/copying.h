/* A file copied in pieces, a few each turn, with its length and hash: what is large
 * does not hold up other steps. */
#ifndef AGENT_COPYING_H
#define AGENT_COPYING_H

#include <stdint.h>

#include "digest/digest.h"
#include "files/files.h"
#include "loop/loop.h"

struct copying;

struct copied {
	int64_t size;
	char sha256[SHA256_TEXT];
};

/* Called once on a later turn; copied is NULL when err says something. It may be freed
 * in it. */
typedef void copied_fn(void *context, const struct copied *copied,
		       const struct err *err);

/* Takes the descriptor and the file, which gets its name at the end. At most `most`
 * bytes: more is ERR_LIMIT. */
struct copying *copying_new(struct loop *loop, int from, struct new_file *to,
			    int64_t most, copied_fn *done, void *context);
void copying_free(struct copying **copying_p);

#endif
