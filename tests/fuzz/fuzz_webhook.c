/*
 * Header fields and a body of a webhook's call, each behind a line of its own: whatever
 * they say is read or refused, and what is read holds to its limits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/webhook_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FIELDS 9

/* The next line; NULL for an empty one: the field is not there. */
static char *
next_line(const char **text, size_t *len)
{
	const char *end = *len > 0 ? memchr(*text, '\n', *len) : NULL;
	size_t line = end != NULL ? (size_t)(end - *text) : *len;
	char *copy = line > 0 ? xstrndup(*text, line) : NULL;

	line += end != NULL;
	*text += line;
	*len -= line;
	return copy;
}

static void
check(const struct webhook_call *call)
{
	struct webhook_claim claim;
	struct buf id = { 0 };

	if (webhook_claim(call, &claim) == WEBHOOK_GOOD) {
		if (claim.signatures_count == 0 ||
		    claim.signatures_count > WEBHOOK_SIGNATURES_MAX ||
		    claim.form == WEBHOOK_NONE || !webhook_delivery(call, &claim, &id))
			abort();
		for (size_t i = 0; i < claim.signatures_count; i++)
			if (strlen(claim.signatures[i]) > WEBHOOK_MAC_TEXT)
				abort();
	}
	buf_clear(&id);
	webhook_delivery(call, NULL, &id);
	if (id.len > WEBHOOK_ID_MAX)
		abort();
	buf_fini(&id);
	webhook_claim_fini(&claim);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	char *fields[FIELDS];
	struct webhook_call call;

	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = next_line(&text, &len);
	call =
	    (struct webhook_call){ fields[0], fields[1], fields[2], fields[3],
				   fields[4], fields[5], fields[6], fields[7],
				   fields[8], text,      len,       1614265330000000 };
	check(&call);
	for (size_t i = 0; i < FIELDS; i++)
		free(fields[i]);
	return 0;
}
