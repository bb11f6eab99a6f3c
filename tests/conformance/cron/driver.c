/*
 * Answers like the reference implementation, line by line: "PATTERN <tab> ZONE <tab>
 * SECOND <tab> COUNT" on standard input gives one line: "refused WHY", or the next
 * firings in seconds, "|", and the previous ones; a "g" behind one means that it stands
 * for a time in a gap. An unknown zone ends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/cron_next.h"

static void
print_firing(const struct cron_firing *firing)
{
	printf("%lld%s ", (long long)(firing->at / USEC_SECOND),
	       firing->after_gap ? "g" : "");
}

static void
print_firings(const struct cron *cron, const struct zone *zone, usec_t from, int count)
{
	struct cron_firing firing = { .at = from };

	for (int i = 0; i < count && cron_next(cron, zone, from, firing.at, &firing);
	     i++)
		print_firing(&firing);
	printf("| ");
	firing.at = from;
	for (int i = 0;
	     i < count && cron_previous(cron, zone, from, firing.at, &firing); i++)
		print_firing(&firing);
	printf("\n");
}

static void
answer(char *line)
{
	char *save = NULL, *pattern = strtok_r(line, "\t", &save);
	char *name = strtok_r(NULL, "\t", &save), *second = strtok_r(NULL, "\t", &save);
	char *count = strtok_r(NULL, "\t", &save);
	struct err err = { 0 };
	const struct zone *zone;
	struct cron cron;

	if (count == NULL) {
		fprintf(stderr, "driver: a line lacks fields\n");
		exit(2);
	}
	zone = zone_get(name, &err);
	if (zone == NULL) {
		fprintf(stderr, "driver: %s\n", err.text);
		exit(2);
	}
	if (cron_parse(pattern, strlen(pattern), &cron, &err) < 0)
		printf("refused %s\n", err.text);
	else
		print_firings(&cron, zone, atoll(second) * USEC_SECOND, atoi(count));
}

int
main(void)
{
	char line[1000];

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	return 0;
}
