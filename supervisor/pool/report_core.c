/* Pure: the pool as JSON. Written by hand, since every value is a number, an id or a
 * word of ours. */
#include "pool/report_core.h"

#include <time.h>

#define TAIL_ROOM 96 /* for what follows the list */

static void
write_time(usec_t wall, struct buf *out)
{
	time_t seconds = (time_t)(wall / USEC_SECOND);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	buf_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", tm.tm_year + 1900,
		   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		   (int)(wall % USEC_SECOND / USEC_MS));
}

static void
write_worker(const struct seat *seat, struct buf *out)
{
	char id[UUID_TEXT];

	buf_printf(out, "{\"id\":\"%s\",\"pid\":%d,\"state\":\"%s\",",
		   uuid_format(&seat->id, id), (int)seat->pid,
		   seat_state_name(seat->state));
	buf_printf(out, "\"used\":%d,\"slots\":%d,\"startedAt\":", seat->used,
		   seat->slots);
	write_time(seat->born_at, out);
	buf_printf(out, ",\"restarts\":%d}", seat->starts - 1);
}

/* Returns how many found no room. */
static int
write_workers(const struct pool_core *core, size_t most, struct buf *out)
{
	struct buf worker = { 0 };
	size_t start = out->len;
	int written = 0, left_out = 0;

	list_each (link, &core->workers) {
		const struct seat *seat = container_of(link, struct seat, link);

		if (!seat_lives(seat))
			continue;
		buf_clear(&worker);
		write_worker(seat, &worker);
		if (left_out > 0 || out->len - start + 1 + worker.len > most) {
			left_out++;
			continue;
		}
		if (written++ > 0)
			buf_char(out, ',');
		buf_add(out, worker.data, worker.len);
	}
	buf_fini(&worker);
	return left_out;
}

static int
count_state(const struct pool_core *core, enum seat_state state)
{
	int count = 0;

	list_each (link, &core->workers)
		count += container_of(link, struct seat, link)->state == state ? 1 : 0;
	return count;
}

void
report_write(const struct pool_core *core, size_t most, struct buf *out)
{
	size_t head = out->len;
	int left_out;

	buf_printf(out, "{\"desired\":%d,\"workers\":[", core->desired);
	head = out->len - head;
	left_out = write_workers(core, most - head - TAIL_ROOM, out);
	buf_str(out, "]");
	if (left_out > 0)
		buf_printf(out, ",\"more\":%d", left_out);
	buf_printf(out, ",\"waiting\":%d,\"refused\":%d,\"draining\":%s}",
		   count_state(core, SEAT_DOWN), count_state(core, SEAT_REFUSED),
		   core->leaving ? "true" : "false");
}
