/*
 * Schedules as people say them, made into patterns: "every 5 minutes", "daily at 9am",
 * "every monday and friday at 18:30", "weekdays at 08:00", "monthly on the last day at
 * 17:00". What does not divide its hour or day evenly becomes "@every 45m".
 */
#ifndef LANG_HUMAN_SCHEDULE_H
#define LANG_HUMAN_SCHEDULE_H

#include <stddef.h>

#include "base/err.h"

#define HUMAN_SCHEDULE_SIZE 200

/* Writes a pattern or "@every ..." that cron_parse reads. ERR_INPUT says what was
 * expected at which character, from 1. Without "at" it is midnight. */
int human_schedule(const char *text, size_t len, char out[static HUMAN_SCHEDULE_SIZE],
		   struct err *err);

#endif
