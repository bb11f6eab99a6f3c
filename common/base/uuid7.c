/*
 * UUIDv7: 48 bits of milliseconds, 12 bits of their fraction, 62 random bits. Ids made
 * in one tick add a random step to the former, so they rise and still cannot be
 * guessed. The random bits are fresh for each id: after a fork parent and child never
 * make the same.
 */
#include "base/uuid7.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/hex.h"

#define RANDOM_BITS 62
#define RANDOM_MASK ((UINT64_C(1) << RANDOM_BITS) - 1)
#define STEP_MASK   ((UINT64_C(1) << 48) - 1)

struct tick {
	uint64_t time; /* milliseconds and fraction, 60 bits */
	uint64_t low;  /* RANDOM_BITS bits */
};

static void
put_bits(unsigned char *out, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		out[i] = (unsigned char)value;
}

static struct uuid
tick_uuid(struct tick tick)
{
	struct uuid id;

	put_bits(id.b, tick.time >> 12, 6);
	put_bits(id.b + 6, 0x7000 | (tick.time & 0xfff), 2);
	put_bits(id.b + 8, UINT64_C(0x8000000000000000) | tick.low, 8);
	return id;
}

struct uuid
uuid7_new(usec_t now)
{
	static struct tick last;
	uint64_t usec = now > 0 ? (uint64_t)now : 0;
	uint64_t time = (usec / 1000) << 12 | (usec % 1000) * 4096 / 1000;
	uint64_t fresh;

	if (getrandom(&fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
		bug("the system gives no random bytes");
	if (time > last.time) {
		last.time = time;
		last.low = fresh & RANDOM_MASK;
	} else { /* the same tick, or the clock went back */
		last.low += (fresh & STEP_MASK) + 1;
		if (last.low > RANDOM_MASK) {
			last.time++;
			last.low = fresh & RANDOM_MASK;
		}
	}
	return tick_uuid(last);
}

static bool
is_dash_place(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

bool
uuid_parse(const char *text, size_t len, struct uuid *out)
{
	struct uuid id;
	size_t byte = 0;
	int high, low;

	if (len != UUID_TEXT - 1)
		return false;
	for (size_t at = 0; at < len;) {
		if (is_dash_place(at)) {
			if (text[at++] != '-')
				return false;
			continue;
		}
		high = hex_value(text[at]);
		low = hex_value(text[at + 1]);
		if (high < 0 || low < 0)
			return false;
		id.b[byte++] = (unsigned char)(high << 4 | low);
		at += 2;
	}
	*out = id;
	return true;
}

char *
uuid_format(const struct uuid *id, char out[static UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < sizeof id->b; i++) {
		if (is_dash_place(at))
			out[at++] = '-';
		out[at++] = digits[id->b[i] >> 4];
		out[at++] = digits[id->b[i] & 0xf];
	}
	out[at] = '\0';
	return out;
}

bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return uuid_compare(a, b) == 0;
}

int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

bool
uuid_is_nil(const struct uuid *id)
{
	static const struct uuid nil;

	return uuid_equal(id, &nil);
}
