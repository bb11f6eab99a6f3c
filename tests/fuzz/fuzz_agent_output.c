/* What an agent prints, in the format that the first byte says, cut where it says: told
 * the same as in one piece, and within its limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/parser_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const formats[] = { "stream-json", "jsonl", "json", "text" };

static void
feed(struct parser *parser, const char *format, const char *text, size_t len,
     size_t piece)
{
	if (!parser_init(parser, format, 4096))
		abort();
	for (size_t at = 0; at < len; at += piece)
		parser_feed(parser, text + at, len - at < piece ? len - at : piece);
	parser_end(parser);
}

static int
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(buf_text(a), buf_text(b), a->len) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct parser whole, parts;
	const struct told *a = &whole.told, *b = &parts.told;

	if (len < 2)
		return 0;
	feed(&whole, formats[data[0] % 4], (const char *)data + 1, len - 1, len);
	feed(&parts, formats[data[0] % 4], (const char *)data + 1, len - 1,
	     data[0] / 4 + 1u);
	if (parser_verdict(&whole) != parser_verdict(&parts) ||
	    !same(&a->text, &b->text) || !same(&a->words, &b->words) ||
	    !same(&a->activity, &b->activity) || strcmp(a->session, b->session) != 0 ||
	    a->usage.input != b->usage.input || a->rounds != b->rounds)
		abort();
	if (a->text.len > TOLD_TEXT_MAX || a->words.len > TOLD_WORDS_MAX ||
	    a->activity.len > TOLD_ACTIVITY_MAX + 8 || a->usage.input < 0)
		abort();
	if (parser_verdict(&whole) == PARSER_ANSWERED && a->text.len == 0)
		abort();
	parser_fini(&whole);
	parser_fini(&parts);
	return 0;
}
