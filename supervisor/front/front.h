/*
 * The front: the child of the supervisor's parent that serves clients. One struct with
 * what all handlers share; built and taken down in front.c.
 */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "conf/settings.h"
#include "loop/loop.h"
#include "loop/parent.h"
#include "queue/queue.h"
#include "store/pg.h"

struct changes; /* front/change.h: calls that change something, one transaction each */
struct admits;  /* front/admits.h: keys of which pending runs may begin */
struct inserts; /* front/inserts.h: runs that wait to be stored together */
struct feed;    /* front/feed.h: events to whoever waits for them */
struct discovery; /* front/discovery.h: workflow files found, registered, watched */
struct listener;  /* front/listen.h */
struct auth;      /* front/auth.h */
struct records;   /* record/records.h: metadata.json of runs that ended */
struct run_files; /* front/run_files.h: of runs that were deleted */
struct catalog;   /* front/catalog.h: workflows by name */
struct ws;        /* front/ws.h: WebSockets */
struct rates;     /* front/rates.h: who asks how often */
struct own_workflows;

struct front {
	struct loop *loop;
	const struct settings *settings;
	struct parent *parent; /* NULL when started without one */
	struct pg *write;      /* new runs, and what nobody asked for */
	struct pg *read;       /* what clients look at */
	struct pg *figures;    /* what takes long to find or add up, apart from that */
	struct queue *queue;
	struct changes *changes;
	struct changes *long_changes; /* those that take long, apart */
	struct admits *admits;
	struct inserts *inserts;
	struct catalog *catalog;
	struct run_files *run_files;
	struct records *records;
	struct feed *feed;
	struct discovery *discovery;
	struct own_workflows *own_workflows; /* registers the engine's own */
	struct listener *listener;
	struct auth *auth;
	struct ws *ws;
	struct rates *rates; /* NULL: no limit */
	struct uuid node;
	struct json
	    *nodes; /* all that were seen of late, as of our last beat; or NULL */
	struct json *pool;  /* the parent's last "pool {json}" line; or NULL */
	size_t batch_bytes; /* held, of bodies of batches (front/batch.h) */
	bool draining;
};

/* All connections that a client's call may need are there. */
bool front_reaches_postgresql(const struct front *front);

#endif
