/*
 * Any text as a schedule; what is read fires in order, the same forwards and backwards,
 * around the edges of several zones. The first byte chooses zone and instant.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lang/cron_next.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FIRINGS 4

static const struct {
	const char *zone;
	usec_t second;
} places[] = {
	{ "UTC", 1709164799 },           /* before a 29 February */
	{ "Europe/Berlin", 1711800000 }, /* a gap ahead */
	{ "Europe/Berlin", 1729950000 }, /* a repeat ahead */
	{ "Australia/Lord_Howe", 1728100000 },
	{ "Pacific/Apia", 1325080000 }, /* a day is missing */
	{ "America/Havana", 1730600000 },
	{ "Asia/Pyongyang", 1439470000 },
	{ "America/New_York", 253402300000 },
};

/* Backwards from behind the last one. */
static void
walk_back(const struct cron *cron, const struct zone *zone, usec_t start,
	  const struct cron_firing *firings, int count)
{
	usec_t before = firings[count - 1].at + 1;
	struct cron_firing firing;

	for (int i = count - 1; i >= 0; i--) {
		if (!cron_previous(cron, zone, start, before, &firing) ||
		    firing.at != firings[i].at ||
		    firing.after_gap != firings[i].after_gap)
			abort();
		before = firing.at;
	}
	if (cron_previous(cron, zone, start, before, &firing) && firing.at > start)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cron_firing firings[FIRINGS];
	struct err err = { 0 };
	const struct zone *zone;
	struct cron cron;
	usec_t start, from;
	size_t place;
	int count = 0;

	if (len < 1)
		return 0;
	place = data[0] % (sizeof places / sizeof places[0]);
	if (cron_parse((const char *)data + 1, len - 1, &cron, &err) < 0) {
		if (err.kind != ERR_INPUT || err.text[0] == '\0')
			abort();
		return 0;
	}
	zone = zone_get(places[place].zone, &err);
	if (zone == NULL)
		abort();
	start = from = places[place].second * USEC_SECOND;
	for (; count < FIRINGS; count++) {
		if (!cron_next(&cron, zone, start, from, &firings[count]))
			break;
		if (firings[count].at <= from)
			abort();
		from = firings[count].at;
	}
	if (count > 0)
		walk_back(&cron, zone, start, firings, count);
	return 0;
}
