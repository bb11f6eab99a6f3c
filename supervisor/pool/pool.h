/*
 * The parent: keeps a front and so many workers alive, listens to their lines and to
 * signals, and ends all of them in order. Parses nothing from outside, serves nobody.
 */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "base/err.h"
#include "loop/loop.h"
#include "pool/sockets.h"

struct pool;

/* What the configuration says, now or after SIGHUP. */
struct pool_wish {
	int workers, workers_most;
	usec_t drain_timeout;
};

struct pool_conf {
	const char *const *front_argv; /* NULL-terminated; argv[0] is the path */
	const char *worker_path;
	struct sockets *sockets; /* borrowed; closed when a drain begins */
	struct pool_wish wish;
	/* Reads the configuration again; -1: it is wrong, and that was said. */
	int (*reload)(void *context, struct pool_wish *wish);
	void *context;
};

struct pool *pool_new(struct loop *loop, const struct pool_conf *conf, struct err *err);
void
pool_free(struct pool **pool_p); /* after loop_run; what still lives is left alone */
int pool_exit_code(const struct pool *pool); /* valid when loop_run returned */

#endif
