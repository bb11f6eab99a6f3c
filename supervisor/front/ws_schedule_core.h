/*
 * The fields of schedule.create and schedule.update: judged by the same reader as those
 * over HTTP (schedule_fields_core.h), every problem at once. Pure.
 */
#ifndef FRONT_WS_SCHEDULE_CORE_H
#define FRONT_WS_SCHEDULE_CORE_H

#include "front/ws_fields_core.h"

/* A ws_judge_fn each. */
void ws_schedule_judge_new(const struct ws_route *route, const struct json *message,
			   struct json *errors);
void ws_schedule_judge_change(const struct ws_route *route, const struct json *message,
			      struct json *errors);
/* Of the message what the route's table names of a schedule's fields, as
 * schedule_edit.h takes it; null where it clears. The caller's. */
struct json *ws_schedule_sent(const struct ws_route *route, const struct json *message);

#endif
