/* What the readers of formats take: an event as JSON. Only parser_core.c calls them. */
#ifndef AGENT_FORMATS_CORE_H
#define AGENT_FORMATS_CORE_H

#include "agent/told_core.h"

void stream_json_take(struct told *told, const struct json *event);
void jsonl_take(struct told *told, const struct json *event);
void json_take(struct told *told, const struct json *value); /* the whole of it */

#endif
