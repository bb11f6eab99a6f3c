/*
 * The one door to libevent: a turn, the cached time, timers, descriptors, signals,
 * children, and what is deferred to the end of the turn. Nothing here blocks but
 * loop_run. All callbacks come from loop_run, on a later turn than the call that asked.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/usec.h"

struct loop;
struct timer;
struct watch;
struct signal_watch;

typedef void loop_fn(void *context);

struct loop *loop_new(struct err *err);
void loop_free(struct loop **loop_p);
void loop_run(struct loop *loop);          /* until loop_stop */
void loop_stop(struct loop *loop);         /* at the end of this turn */
usec_t loop_now(const struct loop *loop);  /* wall time, read once a turn */
usec_t loop_mono(const struct loop *loop); /* monotonic time, read once a turn */
usec_t loop_lag(const struct loop *loop);  /* longest turn of the last 10 s */

/* Runs fn at the end of this turn, before the loop waits again. What dies inside its
 * own callback is freed this way. */
void loop_defer(struct loop *loop, loop_fn *fn, void *context);

/* A timer that is off until set. Setting it again moves it. */
struct timer *timer_new(struct loop *loop, loop_fn *fn, void *context);
void timer_set(struct timer *timer, usec_t delay);
void timer_stop(struct timer *timer);
bool timer_is_set(const struct timer *timer);
void timer_free(struct timer **timer_p);

enum { WATCH_READ = 1, WATCH_WRITE = 2 };
typedef void watch_fn(void *context, unsigned ready /* WATCH_* */);

/* Watches a descriptor (level-triggered); the descriptor stays the caller's. */
struct watch *watch_new(struct loop *loop, int fd, unsigned want, watch_fn *fn,
			void *context);
void watch_want(struct watch *watch, unsigned want); /* 0: rests */
void watch_free(struct watch **watch_p);

struct signal_watch *signal_watch_new(struct loop *loop, int signal, loop_fn *fn,
				      void *context);
void signal_watch_free(struct signal_watch **watch_p);

#endif
