/* What the rooms of this door share: the connection (pg_conn.c) and what travels on it
 * (pg_pipe.c). Only files of this folder include it. */
#ifndef STORE_PG_PRIV_H
#define STORE_PG_PRIV_H

#include <libpq-fe.h>

#include "base/list.h"
#include "store/pg.h"
#include "store/pg_address.h"

enum pg_phase {
	PG_AWAY, /* waits for the next try */
	PG_RESOLVING,
	PG_CONNECTING,
	PG_UP,
	PG_PHASES
};

enum prepared { NOT_PREPARED, PREPARE_SENT, PREPARED };

struct pg {
	struct loop *loop;
	struct pg_conf conf; /* its strings are not ours: see url, application */
	struct pg_option options[8];
	char *settings; /* -c name=value ... */
	char *application;
	struct pg_address *address;

	enum pg_phase phase;
	PGconn *conn; /* NULL when away */
	struct watch *watch;
	struct timer *retry;    /* next try, or next look at the resolver */
	struct timer *patience; /* connecting takes too long; or nothing comes back */
	usec_t try_since;
	int failures; /* tries in a row */
	bool was_up, said_lost;

	struct list queued;       /* of this turn, not sent yet */
	struct list sent;         /* in order of the answers to come */
	struct list refused;      /* failed: told on the next turn */
	struct timer *refuse;     /* set while refused is not empty */
	struct pg_batch *telling; /* the one whose callbacks run */
	size_t pending;
	bool flush_deferred, dead;
	bool held;                  /* between pg_begin and its end */
	bool broken;                /* and the connection was lost since */
	unsigned char *prepared;    /* enum prepared, per query */
	int64_t session;            /* new with each connection; see session.h */
	struct uuid session_worker; /* for whom it speaks; nil: for nobody yet */
	struct pg_stats stats;
};

/* pg_conn.c */
void pg_conn_start(struct pg *pg);
void pg_conn_end(struct pg *pg); /* quietly */
/* The connection is over: tells, fails what was under way, and tries again later. */
void pg_conn_lost(struct pg *pg, const char *why);

/* pg_pipe.c */
void pg_pipe_ready(struct pg *pg, unsigned ready);
void pg_pipe_fail_all(struct pg *pg, const char *why);
void pg_pipe_drop_all(struct pg *pg);
void pg_pipe_on_refuse(void *context);
void pg_pipe_watch(struct pg *pg); /* sets the watchdog, or stops it */

#endif
