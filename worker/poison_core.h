/* Pure: the error of a step that killed too many workers. */
#ifndef WORKER_POISON_CORE_H
#define WORKER_POISON_CORE_H

#include "json/json.h"

/* {code: "poison", message, signal or exitStatus, rusage, deaths, logTail}. last_death:
 * what is known of the last one; log_tail is taken. */
struct json *poison_error(int deaths, const struct json *last_death,
			  struct json *log_tail);

#endif
