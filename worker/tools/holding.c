/* See holding.h. */
#include "tools/holding.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "digest/digest.h"

struct held_ref
holding(const struct attempt *attempt)
{
	return (struct held_ref){ attempt->run, attempt->number, attempt->fence };
}

struct uuid
holding_id(const struct attempt *attempt, const char *what)
{
	char text[UUID_TEXT];
	char *key = xprintf("%s:%d:%s%s%s", uuid_format(&attempt->run, text),
			    attempt->number, attempt->part != NULL ? attempt->part : "",
			    attempt->part != NULL ? ":" : "", what);
	unsigned char hash[SHA256_BYTES];
	struct uuid id = attempt->run;

	sha256(key, strlen(key), hash);
	memcpy(id.b + 6, hash, sizeof id.b - 6); /* behind the time */
	id.b[6] = (unsigned char)(0x70 | (id.b[6] & 0x0f));
	id.b[8] = (unsigned char)(0x80 | (id.b[8] & 0x3f));
	free(key);
	return id;
}

void
holding_ring(const struct attempt *attempt, int64_t seq)
{
	uint64_t number = htobe64((uint64_t)seq);
	unsigned char entry[sizeof attempt->run.b + sizeof number];

	if (seq == 0 || attempt->services->queue == NULL)
		return;
	memcpy(entry, attempt->run.b, sizeof attempt->run.b);
	memcpy(entry + sizeof attempt->run.b, &number, sizeof number);
	queue_publish(attempt->services->queue, CHANNEL_EVENTS, entry, sizeof entry);
}
