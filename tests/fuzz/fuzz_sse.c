/* A stream of events cut where the first byte says: the same events as in one piece,
 * and none longer than what came. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sse_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
on_event(void *context, const char *event, const char *data, size_t len)
{
	struct buf *said = context;

	if (data[len] != '\0')
		abort();
	buf_str(said, event);
	buf_char(said, '\0');
	buf_add(said, data, len);
	buf_char(said, '\1');
}

static void
feed(const char *text, size_t len, size_t piece, struct buf *said)
{
	struct sse sse = { 0 };
	struct err err = { 0 };

	for (size_t at = 0; at < len; at += piece) {
		size_t part = len - at < piece ? len - at : piece;

		if (sse_feed(&sse, text + at, part, on_event, said, &err) < 0)
			break;
	}
	sse_fini(&sse);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf whole = { 0 }, parts = { 0 };

	if (len < 2)
		return 0;
	feed((const char *)data + 1, len - 1, len, &whole);
	feed((const char *)data + 1, len - 1, data[0] % 16 + 1, &parts);
	if (whole.len != parts.len ||
	    (whole.len > 0 && memcmp(whole.data, parts.data, whole.len) != 0) ||
	    whole.len > 2 * len + 16)
		abort();
	buf_fini(&whole);
	buf_fini(&parts);
	return 0;
}
