/*
 * X-Forwarded-For and http.trusted_proxies from hostile bytes. Whatever a client has
 * put into the header, what the proxies behind it have added decides: a stranger at the
 * right end is the client, a proxy there changes nothing. A line end begins another
 * header of that name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "front/forwarded_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

struct told {
	bool heard; /* the header can be sent at all */
	bool told;
	unsigned char client[NET_ADDRESS];
};

static struct told
ask(const struct trust *trust, const char *value, size_t len, const char *more)
{
	struct http_parser parser;
	struct buf text = { 0 };
	struct told told = { 0 };
	size_t used;

	buf_str(&text, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ");
	for (size_t i = 0; i < len; i++)
		if (value[i] == '\n')
			buf_str(&text, "\r\nX-Forwarded-For: ");
		else
			buf_char(&text, value[i]);
	buf_str(&text, more);
	buf_str(&text, "\r\n\r\n");
	http_parser_init(&parser, 32768);
	told.heard = http_parse(&parser, text.data, text.len, &used) == HTTP_HEAD &&
		     used == text.len;
	if (told.heard)
		told.told = forwarded_client(trust, &parser.head, told.client);
	http_parser_fini(&parser);
	buf_fini(&text);
	return told;
}

static bool
is(const struct told *told, const char *address)
{
	unsigned char bytes[NET_ADDRESS];

	require(net_address(address, bytes));
	return told->told && memcmp(told->client, bytes, NET_ADDRESS) == 0;
}

static bool
same(const struct told *a, const struct told *b)
{
	return a->told == b->told && memcmp(a->client, b->client, NET_ADDRESS) == 0;
}

static void
check_header(const char *value, size_t len)
{
	static char *entries[] = { "10.0.0.0/8", "2001:db8::/32" };
	struct trust trust = trust_new(entries, 2);
	struct told alone = ask(&trust, value, len, "");
	struct told stranger = ask(&trust, value, len, ", 203.0.113.9");
	struct told proxy = ask(&trust, value, len, ", [2001:db8::1]:80");

	if (stranger.heard)
		require(is(&stranger, "203.0.113.9"));
	if (alone.heard && proxy.heard)
		require(is(&proxy, "2001:db8::1") || same(&proxy, &alone) ||
			trust_has(&trust, proxy.client));
	trust_fini(&trust);
}

static void
check_net(const char *text)
{
	char written[NET_TEXT];
	struct net net;

	if (!net_parse(text, &net))
		return;
	require(net.bits >= 0 && net.bits <= 128);
	require(net_has(&net, net.base) || net.bits < 96);
	require(net_text(net.base, written) == written);
	require(net_parse(written, &net) && net.bits == 128);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	require(text != NULL);
	memcpy(text, data, len);
	text[len] = '\0';
	check_net(text);
	check_header(text, len);
	free(text);
	return 0;
}
