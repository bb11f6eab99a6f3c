/*
 * The scheduler: leads or stands by; while it leads, fires timers and sweeps. Serves no
 * client, executes no step.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "conf/settings.h"
#include "loop/loop.h"

struct scheduler;

/* Settings are borrowed. */
struct scheduler *scheduler_new(struct loop *loop, const struct settings *settings,
				struct err *err);
/* After loop_run, which ends by SIGTERM, SIGINT, or with the parent. */
void scheduler_free(struct scheduler **scheduler_p);

#endif
