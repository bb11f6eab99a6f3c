/*
 * Dead workers that the parent told of: each is declared dead in PostgreSQL, again and
 * again until PostgreSQL has heard it, so that its steps do not wait for its lease to
 * end only because the connection was lost at the wrong moment.
 */
#ifndef FRONT_GRAVES_H
#define FRONT_GRAVES_H

#include "base/ending.h"
#include "base/step_ref.h"
#include "queue/queue.h"
#include "store/pg.h"

struct graves;

struct graves *graves_new(struct pg *write, struct queue *queue);
/* After pg_free: what is under way then never answers. */
void graves_free(struct graves **graves_p);

void graves_bury(struct graves *graves, const struct uuid *worker,
		 const struct ending *ending);
/* The connection is there (again): those that could not be buried are. */
void graves_again(struct graves *graves);

#endif
