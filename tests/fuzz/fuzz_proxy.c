/*
 * PROXY headers from hostile bytes: however many of them have come, what was understood
 * stays so, and what was refused, too; a header ends within what was given and within
 * the limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/proxy_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static enum proxy_verdict
parse(const uint8_t *data, size_t len, struct proxy_header *header)
{
	char *copy = malloc(len > 0 ? len : 1); /* of just that size: nothing behind */
	enum proxy_verdict verdict;

	require(copy != NULL);
	memcpy(copy, data, len);
	verdict = proxy_parse(copy, len, header);
	free(copy);
	require((verdict == PROXY_BAD) == (header->why != NULL));
	return verdict;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct proxy_header whole, part;
	enum proxy_verdict verdict = parse(data, len, &whole), before;

	if (verdict == PROXY_DONE) {
		require(whole.len > 0 && whole.len <= len);
		require(whole.len <= PROXY_HEADER_MAX);
	}
	if (verdict == PROXY_MORE)
		require(len < PROXY_HEADER_MAX);
	for (size_t cut = 0; cut < len && cut < 300; cut++) {
		before = parse(data, cut, &part);
		require(before == PROXY_MORE || before == verdict);
		require(before != PROXY_DONE || part.len == whole.len);
		require(before != PROXY_DONE || part.spoken == whole.spoken);
	}
	return 0;
}
