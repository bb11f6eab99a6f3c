/* The PROXY protocol: what is read, what is refused, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/proxy_core.h"

struct bytes {
	const char *data;
	size_t len;
};

#define BYTES(text)                                                                    \
	{                                                                              \
		text, sizeof text - 1                                                  \
	}
#define SIGN    "\r\n\r\n\0\r\nQUIT\n"
#define V4_PAIR "\xc0\0\2\7\xc6\x33\x64\1\x12\x34\0\x50"
#define V6_PAIR                                                                        \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2" \
	"\x12\x34\0\x50"

static const struct {
	struct bytes header;
	const char *source; /* NULL: not spoken for anybody */
} good[] = {
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 80\r\n"), "192.0.2.7" },
	{ BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	  "255.255.255.255" },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 0 0\r\n"), "192.0.2.7" },
	{ BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 4660 80\r\n"), "2001:db8::1" },
	{ BYTES("PROXY TCP6 ::ffff:192.0.2.7 ::1 4660 80\r\n"), "192.0.2.7" },
	{ BYTES("PROXY UNKNOWN\r\n"), NULL },
	{ BYTES("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"),
	  NULL },
	{ BYTES(SIGN "\x21\x11\0\x0c" V4_PAIR), "192.0.2.7" },
	{ BYTES(SIGN "\x21\x21\0\x24" V6_PAIR), "2001:db8::1" },
	{ BYTES(SIGN "\x21\x11\0\x13" V4_PAIR "\4\0\4\1\2\3\4"), "192.0.2.7" },
	{ BYTES(SIGN "\x21\x12\0\x0c" V4_PAIR), NULL }, /* UDP */
	{ BYTES(SIGN "\x21\0\0\0"), NULL },
	{ BYTES(SIGN "\x21\0\0\3abc"), NULL },
	{ BYTES(SIGN "\x20\0\0\0"), NULL },
	{ BYTES(SIGN "\x20\x11\0\x0c" V4_PAIR), NULL }, /* LOCAL */
	{ BYTES(SIGN "\x20\xff\0\1x"), NULL },
};

static const struct bytes refused[] = {
	BYTES("GET / HTTP/1.1\r\n"),
	BYTES("proxy TCP4 192.0.2.7 198.51.100.1 4660 80\r\n"),
	BYTES("PROXY  TCP4 192.0.2.7 198.51.100.1 4660 80\r\n"),
	BYTES("PROXY \r\n"),
	BYTES("PROXY TCP4\r\n"),
	BYTES("PROXY TCP5 192.0.2.7 198.51.100.1 4660 80\r\n"),
	BYTES("PROXY UNKNOWNX\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 80\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 80 \r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 80 1\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660\r\n"),
	BYTES("PROXY TCP4 192.0.2.7  198.51.100.1 4660 80\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 65536\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 080\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 -1\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 4660 8x\r\n"),
	BYTES("PROXY TCP4 192.0.2.7 198.51.100 4660 80\r\n"),
	BYTES("PROXY TCP4 192.0.2.777 198.51.100.1 4660 80\r\n"),
	BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 4660 80\r\n"),
	BYTES("PROXY TCP6 192.0.2.7 198.51.100.1 4660 80\r\n"),
	BYTES("PROXY TCP4 192.0.2.7\0 198.51.100.1 4660 80\r\n"),
	BYTES("PROXY UNKNOWN \0\r\n"),
	BYTES("PROXY UNKNOWN 4567890123456789012345678901234567890123456789012345678"
	      "9012345678901234567890123456789012345678901\r\n"),
	BYTES("\r\n\r\nGET"),
	BYTES(SIGN "\x11\x11\0\x0c" V4_PAIR),
	BYTES(SIGN "\x22\x11\0\x0c" V4_PAIR),
	BYTES(SIGN "\x21\x11\0\x0b" V4_PAIR),
	BYTES(SIGN "\x21\x21\0\x23" V6_PAIR),
	BYTES(SIGN "\x21\x31\0\x0c" V4_PAIR),
	BYTES(SIGN "\x21\x13\0\x0c" V4_PAIR),
	BYTES(SIGN "\x21\x41\0\x0c" V4_PAIR),
	BYTES(SIGN "\x21\x01\0\x0c" V4_PAIR),
	BYTES(SIGN "\x21\x11\xff\xff" V4_PAIR),
	BYTES(SIGN "\x20\0\x0f\xf1"),
};

#define COUNT(array) (sizeof array / sizeof *array)

/* Each beginning asks for more; the whole, and whatever follows it, is understood. */
static void
test_good(void **state)
{
	char with_more[200], text[NET_TEXT];
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct bytes *bytes = &good[i].header;

		for (size_t len = 0; len < bytes->len; len++)
			if (proxy_parse(bytes->data, len, &header) != PROXY_MORE)
				fail_msg("%zu: %zu bytes of it", i, len);
		memcpy(with_more, bytes->data, bytes->len);
		memcpy(with_more + bytes->len, "GET \r\n", 6);
		for (size_t more = 0; more <= 6; more++) {
			if (proxy_parse(with_more, bytes->len + more, &header) !=
			    PROXY_DONE)
				fail_msg("%zu: %s", i, header.why);
			assert_int_equal(header.len, bytes->len);
			assert_int_equal(header.spoken, good[i].source != NULL);
		}
		if (header.spoken)
			assert_string_equal(net_text(header.source, text),
					    good[i].source);
	}
}

/* Not before it is known to be wrong, and then for good. */
static void
test_refused(void **state)
{
	struct proxy_header header;
	enum proxy_verdict verdict, before;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		before = PROXY_MORE;
		for (size_t len = 0; len <= refused[i].len; len++) {
			verdict = proxy_parse(refused[i].data, len, &header);
			if (verdict == PROXY_DONE ||
			    (before == PROXY_BAD && verdict != PROXY_BAD))
				fail_msg("%zu: %zu bytes of it", i, len);
			before = verdict;
		}
		if (before != PROXY_BAD)
			fail_msg("%zu was taken", i);
		assert_non_null(header.why);
	}
}

static void
test_lengths(void **state)
{
	static char data[PROXY_HEADER_MAX + 1] = SIGN "\x21\x11\x0f\xf0" V4_PAIR;
	struct proxy_header header;

	(void)state;
	assert_int_equal(proxy_parse(data, PROXY_HEADER_MAX - 1, &header), PROXY_MORE);
	assert_int_equal(proxy_parse(data, PROXY_HEADER_MAX, &header), PROXY_DONE);
	assert_int_equal(header.len, PROXY_HEADER_MAX);
	data[15] = '\xf1';
	assert_int_equal(proxy_parse(data, 16, &header), PROXY_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
