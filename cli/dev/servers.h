/* The private PostgreSQL and Redis of `stepmill dev`: real ones, on Unix sockets. */
#ifndef DEV_SERVERS_H
#define DEV_SERVERS_H

#include "dev/process.h"

struct servers {
	struct process postgres, redis;
	char *texts[16]; /* what the argument lists point to */
	int texts_count;
	const char *data; /* PostgreSQL's */
	const char *postgres_argv[24], *redis_argv[24];
};

/* Makes the cluster the first time; starts both; waits until both answer. */
int servers_start(struct servers *servers, const struct place *place, struct err *err);
/* After one of them ended by itself. PostgreSQL then takes a while until it answers. */
int servers_start_postgres(struct servers *servers, const struct place *place,
			   struct err *err);
int servers_start_redis(struct servers *servers, const struct place *place,
			struct err *err);
void servers_stop(struct servers *servers);

#endif
