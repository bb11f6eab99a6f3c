/*
 * HEARTBEAT.md with anything in it, and a model's answer that is the same: both end
 * soon, keep their limits, and either give something or say what is wrong.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "engine/heartbeat_answer_core.h"
#include "engine/heartbeat_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_items(const struct json *items)
{
	if (json_count(items) > HEARTBEAT_ITEMS_MAX)
		abort();
	for (size_t i = 0; i < json_count(items); i++) {
		size_t len = json_str_len(json_at(items, i));

		if (len == 0 || len > HEARTBEAT_ITEM_MAX)
			abort();
	}
}

/* What it says fits what is stored: the interval has a pattern and the way back. */
static void
check_says(const struct json *says)
{
	long minutes = (long)json_int(json_get(says, "interval"));
	struct buf cron = { 0 };

	if (!json_has(says, "interval"))
		return;
	if (minutes < 1 || minutes > HEARTBEAT_INTERVAL_MAX)
		abort();
	heartbeat_cron(minutes, &cron);
	if (heartbeat_minutes(buf_text(&cron)) != minutes)
		abort();
	buf_fini(&cron);
}

static void
read_file(const char *text, size_t len)
{
	struct problems problems = { 0 };
	struct heartbeat heartbeat;
	bool good = heartbeat_read(text, len, yaml_parse, &heartbeat, &problems);

	if (good == (problems.count > 0))
		abort();
	if (good) {
		check_items(heartbeat.items);
		check_says(heartbeat.says);
		heartbeat_fini(&heartbeat);
	}
	problems_fini(&problems);
}

static void
read_answer(const char *text, size_t len)
{
	struct heartbeat_answer answer = heartbeat_answer_read(text, len);
	size_t most = HEARTBEAT_DETAILS_MAX * 3; /* bytes that are no UTF-8 grow */

	if (answer.details == NULL || strlen(answer.details) > most)
		abort();
	if (!answer.readable &&
	    (answer.action_needed || strcmp(answer.details, HEARTBEAT_UNREADABLE) != 0))
		abort();
	free(answer.details);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	read_file(text, len);
	read_answer(text, len);
	free(text);
	return 0;
}
