/*
 * Keys of limited runs, of which some may begin now: asked for one after the other, so
 * that many keys at once leave room for others on the connection. What is lost on the
 * way the scheduler finds.
 */
#ifndef FRONT_ADMITS_H
#define FRONT_ADMITS_H

#include "queue/queue.h"
#include "store/pg.h"

struct admits;

struct admits *admits_new(struct pg *pg, struct queue *queue);
void admits_free(struct admits **admits_p);
/* New runs of the key are committed. Copied; once, however often it waits. */
void admits_add(struct admits *admits, const char *key);

#endif
