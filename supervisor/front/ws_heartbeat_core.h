/*
 * The fields of heartbeat.configure: judged by the same reader as those over HTTP
 * (heartbeat_fields_core.h), every problem at once. Pure.
 */
#ifndef FRONT_WS_HEARTBEAT_CORE_H
#define FRONT_WS_HEARTBEAT_CORE_H

#include "front/ws_fields_core.h"

/* A ws_judge_fn. */
void ws_heartbeat_judge(const struct ws_route *route, const struct json *message,
			struct json *errors);
/* Of the message what the route's table names of a heartbeat's fields, as
 * heartbeat_edit.h takes it; null stands for absent. The caller's. */
struct json *ws_heartbeat_sent(const struct ws_route *route,
			       const struct json *message);

#endif
