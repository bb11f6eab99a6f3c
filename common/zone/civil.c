/*
 * The proleptic Gregorian calendar as arithmetic: days from 1970-01-01 and back, for
 * any year an int64 of microseconds can name and beyond. No zones, no clock.
 */
#include "zone/zone.h"

/* Years are counted from March, so that the leap day is the last of a year, and in eras
 * of 400 years, which are all alike. */
#define ERA_YEARS 400
#define ERA_DAYS  146097
#define EPOCH_DAY 719468 /* 1970-01-01, from 0000-03-01 */

int64_t
civil_days(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - (ERA_YEARS - 1)) / ERA_YEARS;
	int64_t year_of_era = y - era * ERA_YEARS;
	int64_t month_from_march = month > 2 ? month - 3 : month + 9;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - EPOCH_DAY;
}

void
civil_date(int64_t days, int *year, int *month, int *day)
{
	int64_t shifted = days + EPOCH_DAY;
	int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = shifted - era * ERA_DAYS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			       day_of_era / (ERA_DAYS - 1)) /
			      365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	*month =
	    (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	*year = (int)(year_of_era + era * ERA_YEARS + (*month <= 2));
}
