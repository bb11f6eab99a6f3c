/*
 * Schedules as text, read into a value: cron patterns of the Open Cron Pattern
 * Specification 1.0 to 1.4 (5 fields; 6 with seconds first; 7 with years last; names,
 * ranges, steps, lists, L, W, #, +, and ? for the days), nicknames (@daily),
 * "@every 90s", and what human_schedule.h reads. When they fire is cron_next.h.
 */
#ifndef LANG_CRON_PARSE_H
#define LANG_CRON_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/usec.h"

#define CRON_TEXT_MAX 400 /* bytes */
#define CRON_YEAR_MAX 9999
#define CRON_NTH_LAST 5 /* in weekdays[]: the last of the month */
#define CRON_NTH_ALL  0x3f

/* In every set bit n stands for the value n. */
struct cron {
	uint64_t seconds, minutes, hours, months;
	uint32_t days;        /* of the month */
	uint32_t near_days;   /* 15W: the weekday nearest to the 15th */
	bool last_day;        /* L */
	bool last_weekday;    /* LW */
	uint8_t weekdays[7];  /* from Sunday; bit n: the n+1st, CRON_NTH_LAST: last */
	bool days_given;      /* more than * */
	bool weekdays_given;  /* more than * */
	bool both_days;       /* +: day of month and weekday, not either */
	bool every_year;      /* else years */
	bool follows_elapsed; /* a wildcard or a step in hour or minute */
	usec_t every;         /* @every: then nothing else counts; else 0 */
	uint64_t years[CRON_YEAR_MAX / 64 + 1];
};

/* ERR_INPUT says what is wrong at which character, from 1. A pattern that can never
 * fire (30 February) is read: cron_next answers that. */
int cron_parse(const char *text, size_t len, struct cron *out, struct err *err);

#endif
