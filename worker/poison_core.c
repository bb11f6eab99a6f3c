/* Pure: what is told of a poison step. See poison_core.h. */
#include "poison_core.h"

#include <inttypes.h>

#include "base/buf.h"
#include "engine/advance_core.h"

static void
say(int deaths, const struct json *last_death, struct buf *out)
{
	const char *signal = json_str(json_get(last_death, "signal"));

	buf_printf(out, "the step killed its worker %d time%s, last ", deaths,
		   deaths == 1 ? "" : "s");
	if (signal != NULL)
		buf_printf(out, "by %s", signal);
	else
		buf_printf(out, "with exit status %" PRId64,
			   json_int(json_get(last_death, "exitStatus")));
}

struct json *
poison_error(int deaths, const struct json *last_death, struct json *log_tail)
{
	struct buf text = { 0 };
	struct json *error;

	say(deaths, last_death, &text);
	error = step_error("poison", buf_text(&text));
	for (struct json_iter it = json_iter(last_death); json_next(&it);)
		json_set(error, it.key, json_ref(it.value));
	json_set(error, "deaths", json_new_int(deaths));
	json_set(error, "logTail", log_tail);
	buf_fini(&text);
	return error;
}
