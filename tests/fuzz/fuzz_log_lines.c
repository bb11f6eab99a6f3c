/* A log gives the same entries however it is cut, and each of them is one line of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/log_lines_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
pick(const char *text, size_t len, int least, struct buf *rest, size_t *count,
     struct buf *out)
{
	buf_add(rest, text, len);
	buf_consume(rest,
		    log_lines_pick(buf_text(rest), rest->len, least, "\n", count, out));
}

/* The first two bytes: where it is cut, and the level. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf whole = { 0 }, parts = { 0 }, rest = { 0 }, ends = { 0 };
	size_t count = 0, parts_count = 0, cut;
	const char *text;

	if (len < 2)
		return 0;
	text = (const char *)data + 2;
	len -= 2;
	cut = len * data[0] / 255;
	pick(text, len, data[1] % 6, &ends, &count, &whole);
	pick(text, cut, data[1] % 6, &rest, &parts_count, &parts);
	pick(text + cut, len - cut, data[1] % 6, &rest, &parts_count, &parts);
	if (count != parts_count || strcmp(buf_text(&whole), buf_text(&parts)) != 0 ||
	    rest.len != ends.len)
		abort();
	if (memchr(buf_text(&rest), '\n', rest.len) != NULL)
		abort();
	buf_fini(&whole);
	buf_fini(&parts);
	buf_fini(&rest);
	buf_fini(&ends);
	return 0;
}
