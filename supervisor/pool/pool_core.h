/*
 * Pure: which processes there ought to be. A seat is a place for one worker (or for the
 * front) that outlives its process: it remembers how often and how early processes died
 * in it. The shell reports what happened and asks what to do next, until it is told to
 * wait. Not here: how long a drain may take (drain_core), who is told of a death.
 */
#ifndef POOL_POOL_CORE_H
#define POOL_POOL_CORE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/usec.h"
#include "base/uuid7.h"

#define EARLY_DEATH (1 * USEC_SECOND) /* a process that lives less was never well */
#define DELAY_LEAST (100 * USEC_MS)
#define DELAY_MOST  (30 * USEC_SECOND)
#define LATER_LEAST (1 * USEC_SECOND) /* before another try after exit code 75 */

enum seat_state {
	SEAT_NOWHERE,  /* no state: where the table has no place to go */
	SEAT_DOWN,     /* no process; one is started when its time has come */
	SEAT_STARTING, /* a process that has not said "ready" */
	SEAT_READY,
	SEAT_LEAVING, /* a process that was told to go */
	SEAT_REFUSED, /* its process said that the configuration is wrong */
	SEAT_GONE,    /* it left as asked: the seat ends with it */
	SEAT_STATES
};

enum seat_event {
	SEAT_FORKED,
	SEAT_SAID_READY,
	SEAT_DISMISSED,     /* told to drain */
	SEAT_LEFT,          /* exit code 0 */
	SEAT_TRY_AGAIN,     /* exit code 75, or it could not even be forked */
	SEAT_MISCONFIGURED, /* exit code 78 */
	SEAT_CRASHED,       /* any other end */
	SEAT_RECONSIDERED,  /* the configuration was read again */
	SEAT_EVENTS
};

struct child; /* the shell's */

struct seat {
	struct list link; /* in pool_core.workers, in order of age */
	enum seat_state state;
	bool front;
	struct uuid id;     /* of the process; new with each start; nil for the front */
	pid_t pid;          /* 0: no process */
	usec_t started_at;  /* of the process, monotonic */
	usec_t born_at;     /* the same in wall time, for people */
	usec_t start_at;    /* of SEAT_DOWN: not before, monotonic */
	int used, slots;    /* as its process said last */
	int starts;         /* processes so far */
	int early, later;   /* early deaths, and exits 75, in a row */
	bool reload_missed; /* SIGHUP came before it could bear one */
	struct child *child;
};

struct pool_core {
	struct list workers; /* of struct seat */
	struct seat front;
	int desired; /* workers */
	int most;
	bool leaving; /* everybody is to go, nobody is started */
};

enum pool_deed { POOL_WAIT, POOL_START, POOL_DISMISS, POOL_DEEDS };

struct pool_verdict {
	enum pool_deed deed;
	struct seat *seat; /* whom to start or to dismiss */
	usec_t at; /* of POOL_WAIT: ask again then, USEC_NEVER when nothing waits */
};

/* What the end of a process means. */
struct seat_end {
	enum seat_state next;
	bool
	    lost; /* a worker that may have held steps: somebody must declare it dead */
	bool ordered; /* it was on its way out, or went by itself (exit codes 0, 75,
			 78): none of its steps is to blame */
	usec_t lived;
	usec_t delay; /* before the next start, of SEAT_DOWN */
};

void pool_core_init(struct pool_core *core, int desired, int most);
void pool_core_fini(struct pool_core *core); /* seats may not have children any more */

/* A wish for so many workers, within 0 and most. Refused seats get another chance.
 * Returns what is desired now. */
int pool_core_want(struct pool_core *core, long desired, usec_t now);
void pool_core_reconsider(struct pool_core *core, usec_t now);

/* What to do next. Seats that nobody needs and that have no process disappear here. */
struct pool_verdict pool_core_next(struct pool_core *core, usec_t now);

void pool_core_forked(struct seat *seat, const struct uuid *id, pid_t pid, usec_t now,
		      usec_t wall);
void pool_core_not_forked(struct seat *seat, usec_t now);
void pool_core_said_ready(struct seat *seat);
void pool_core_dismissed(struct seat *seat);
/* Its process ended: SEAT_LEFT, SEAT_TRY_AGAIN, SEAT_MISCONFIGURED or SEAT_CRASHED.
 * After SEAT_GONE the seat of a worker is freed. */
struct seat_end pool_core_ended(struct seat *seat, enum seat_event event, usec_t now);

bool seat_lives(const struct seat *seat);           /* has a process */
int pool_core_living(const struct pool_core *core); /* processes, with the front */
struct seat *pool_core_find(struct pool_core *core, pid_t pid); /* or NULL */
/* Who is to declare workers dead: the front when ready, else a ready worker, else a
 * worker on its way out; or NULL. */
struct seat *pool_core_undertaker(struct pool_core *core);

/* The rule table, for the test that walks over it: SEAT_NOWHERE where illegal. */
enum seat_state seat_next(enum seat_state state, enum seat_event event);
const char *seat_state_name(enum seat_state state); /* "starting", "ready", ... */

#endif
