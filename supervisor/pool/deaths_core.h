/*
 * Pure: workers that died and must be declared dead by somebody who can reach the
 * database. A death waits until there is such a child; it waits again when that child
 * ends soon after it was told, for then nobody knows what came of it (telling it twice
 * is harmless). What is forgotten here is found by the leases.
 */
#ifndef POOL_DEATHS_CORE_H
#define POOL_DEATHS_CORE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/ending.h"
#include "base/list.h"
#include "base/usec.h"
#include "base/uuid7.h"

#define DEATH_DOUBT (10 * USEC_SECOND) /* how long a listener may take */
#define DEATHS_MOST 1024               /* the oldest go first */

struct death {
	struct list link;
	struct uuid worker;
	struct ending ending;
	pid_t told_to; /* 0: nobody yet */
	usec_t told_at;
};

struct deaths {
	struct list list; /* in order of dying */
	size_t count;
};

void deaths_init(struct deaths *deaths);
void deaths_fini(struct deaths *deaths);
void deaths_add(struct deaths *deaths, const struct uuid *worker,
		const struct ending *ending);
struct death *deaths_untold(struct deaths *deaths); /* the oldest, or NULL */
void deaths_told(struct deaths *deaths, struct death *death, pid_t to, usec_t now);
/* That child ended: what it was told within DEATH_DOUBT is untold again. */
void deaths_listener_ended(struct deaths *deaths, pid_t listener, usec_t now);

#endif
