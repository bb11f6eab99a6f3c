/*
 * Where `stepmill dev` keeps its things, and as whom the private servers run.
 * PostgreSQL refuses to run as root: then an unprivileged user does, and what that user
 * cannot reach (a project below /root) moves to /var/lib/stepmill with a link from the
 * data folder.
 */
#ifndef DEV_PLACE_H
#define DEV_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct place {
	char *project;  /* absolute */
	char *data;     /* PROJECT/.stepmill */
	char *servers;  /* folder of PostgreSQL's and Redis' data */
	char *sockets;  /* folder of their sockets: short enough for a socket's name */
	char *logs;     /* DATA/log */
	char *programs; /* folder of stepmill's own programs */
	char *postgres_bin; /* folder of initdb and postgres */
	char *redis_server; /* path */
	bool as_other;      /* the servers run as uid, gid */
	uid_t uid;
	gid_t gid;
	int lock; /* descriptor of DATA/dev.lock, held; -1 */
};

/* Where the data of a project is (both may be NULL), as one absolute path; the
 * caller's.
 */
char *place_data(const char *project, const char *data);
/* data and project may be NULL. Makes the folders. */
int place_find(struct place *place, const char *project, const char *data,
	       struct err *err);
/* One `stepmill dev` a data folder. ERR_CONFLICT: another one holds it. */
int place_lock(struct place *place, struct err *err);
char *place_database_url(const struct place *place);
char *place_redis_url(const struct place *place);
/* The servers have ended: what was made outside the data goes. */
void place_leave(const struct place *place);
void place_fini(struct place *place);

#endif
