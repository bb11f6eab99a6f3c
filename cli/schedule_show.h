/* Schedules and their ledger, for people. */
#ifndef CLI_SCHEDULE_SHOW_H
#define CLI_SCHEDULE_SHOW_H

#include "json/json.h"

void schedules_print(const struct json *list); /* a line each */
void schedule_print(const struct json *one);   /* what there is to say of it */
void firings_print(const struct json *list);

#endif
