/*
 * The pool alone, with the programs that a test names: the supervisor's parent without
 * its configuration, so that its children can be of our making.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pool/pool.h"

/* After SIGHUP the file says how many workers; nothing in it is a wrong configuration.
 */
static int
reload(void *context, struct pool_wish *wish)
{
	FILE *file = fopen(context, "r");
	int workers, most, count = 0;

	if (file != NULL)
		count = fscanf(file, "%d %d", &workers, &most);
	if (file != NULL)
		fclose(file);
	if (count != 2)
		return -1;
	wish->workers = workers;
	wish->workers_most = most;
	return 0;
}

int
main(int argc, char **argv)
{
	struct err err = { 0 };
	const char *front_argv[] = { NULL, "--front", NULL };
	struct pool_conf conf = { .front_argv = front_argv, .reload = reload };
	struct loop *loop = NULL;
	struct pool *pool = NULL;
	int status = 2;

	if (argc != 7) {
		fputs("usage: pool_driver CHILD LISTEN WORKERS MOST DRAIN_MS "
		      "RELOAD_FILE\n",
		      stderr);
		return status;
	}
	log_open("pool", LOG_DEBUG, LOG_JSON);
	front_argv[0] = conf.worker_path = argv[1];
	conf.wish = (struct pool_wish){ atoi(argv[3]), atoi(argv[4]),
					atoll(argv[5]) * USEC_MS };
	conf.context = argv[6];
	loop = loop_new(&err);
	conf.sockets = sockets_open(argv[2], &err);
	if (loop == NULL || conf.sockets == NULL)
		goto out;
	pool = pool_new(loop, &conf, &err);
	if (pool == NULL)
		goto out;
	loop_run(loop);
	status = pool_exit_code(pool);
out:
	if (err.kind != ERR_NONE)
		log_error("pool.stopped", F_STR("why", err.text));
	pool_free(&pool);
	loop_free(&loop);
	sockets_free(&conf.sockets);
	return status;
}
