/* What stands in the lists, and what they are called. Pure. */
#include "queue/entry.h"

#include <string.h>

#include "base/xalloc.h"
#include "queue/queue.h"

static const char *const priority_names[PRIORITIES] = {
	[PRIORITY_HIGH] = "high",
	[PRIORITY_NORMAL] = "normal",
	[PRIORITY_LOW] = "low",
};

void
entry_write(const struct step_ref *ref, unsigned char out[static ENTRY_LEN])
{
	uint32_t number = (uint32_t)ref->number;

	memcpy(out, ref->run.b, 16);
	for (int i = 0; i < 4; i++)
		out[16 + i] = (unsigned char)(number >> (24 - 8 * i));
}

bool
entry_read(const void *data, size_t len, struct step_ref *out)
{
	const unsigned char *bytes = data;
	uint32_t number = 0;

	if (len != ENTRY_LEN)
		return false;
	for (int i = 0; i < 4; i++)
		number = number << 8 | bytes[16 + i];
	/* -1 is the row that ends a graph or is a program. */
	if (number == 0 || (number > INT32_MAX && number != UINT32_MAX))
		return false;
	memcpy(out->run.b, bytes, 16);
	out->number = (int32_t)number;
	return true;
}

char *
list_key(const char *prefix, const char *name, enum priority priority)
{
	size_t len = strlen(name);

	if (len == 0 || len > QUEUE_NAME_MAX)
		return NULL;
	return xprintf("%s:q:%s:%s", prefix, name, priority_names[priority]);
}
