/*
 * Which connection speaks for a worker. A connection that broke may leave a claim or a
 * finish in the old backend's hands, to be carried out late; once a newer connection
 * has taken the worker's session, such a one is refused. So what a newer connection
 * finds in the tables is final.
 */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "store/pg.h"

/* Adds the taking to a transaction of this worker, if this connection has not done it.
 */
void session_speak(struct pg *pg, struct pg_batch *batch, const struct uuid *worker);
void pg_arg_session(struct pg *pg, struct pg_args *args);
/* The database says that another speaks: the next transaction takes it again. */
int session_is_not_ours(struct pg *pg, struct err *err);

#endif
