/* See ws_handshake_core.h. A permessage-deflate offer with anything that is not known,
 * or twice, is declined as RFC 7692 wants it; the next one may do. */
#include "front/ws_handshake_core.h"

#include <string.h>
#include <strings.h>

#define KEY_LEN 24 /* base64 of 16 bytes */

/* ---- the request ---- */

/* 22 characters, of which the last carries two bits only, and "==". */
static bool
key_valid(const char *key)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return key != NULL && strlen(key) == KEY_LEN &&
	       strspn(key, alphabet) == KEY_LEN - 2 &&
	       strchr("AQgw", key[KEY_LEN - 3]) != NULL &&
	       strcmp(key + KEY_LEN - 2, "==") == 0;
}

enum ws_verdict
ws_handshake_judge(const struct http_head *head)
{
	const char *version = http_field(head, "Sec-WebSocket-Version");

	if (strcmp(http_method(head), "GET") != 0 || /* HEAD comes here, too */
	    !http_lists(head, "Upgrade", "websocket") ||
	    !http_lists(head, "Connection", "Upgrade"))
		return WS_NOT_ASKED;
	if (head->minor < 1 || http_has_body(head))
		return WS_BAD_REQUEST;
	if (version == NULL || strcmp(version, "13") != 0)
		return WS_BAD_VERSION;
	if (!key_valid(http_field(head, "Sec-WebSocket-Key")))
		return WS_BAD_KEY;
	return WS_WELCOME;
}

bool
ws_handshake_wants_protocol(const struct http_head *head)
{
	return http_lists(head, "Sec-WebSocket-Protocol", WS_PROTOCOL);
}

bool
ws_client_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._-");

	return len > 0 && len <= WS_CLIENT_NAME_MAX && name[len] == '\0';
}

static bool
is_origin_of(const char *origin, const char *scheme, const char *host)
{
	size_t len = strlen(scheme);

	return strncasecmp(origin, scheme, len) == 0 &&
	       strncmp(origin + len, "://", 3) == 0 &&
	       strcasecmp(origin + len + 3, host) == 0;
}

static bool
is_own_origin(const char *origin, const char *scheme, const char *host)
{
	if (*host == '\0')
		return false;
	if (scheme != NULL)
		return is_origin_of(origin, scheme, host);
	return is_origin_of(origin, "http", host) ||
	       is_origin_of(origin, "https", host);
}

bool
ws_origin_allowed(const char *origin, const char *scheme, const char *host,
		  char *const *allowed, size_t count)
{
	if (is_own_origin(origin, scheme, host))
		return true;
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(origin, allowed[i]) == 0)
			return true;
	return false;
}

/* ---- permessage-deflate ---- */

struct word {
	const char *text;
	size_t len;
};

static const char *
skip_space(const char *text)
{
	return text + strspn(text, " \t");
}

static struct word
take_token(const char **text)
{
	struct word word = { *text, strcspn(*text, " \t,;=\"") };

	*text = skip_space(*text + word.len);
	return word;
}

static bool
is(struct word word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.text, text, word.len) == 0;
}

/* A value may be quoted; within quotes stands nothing but a token. */
static struct word
take_value(const char **text)
{
	struct word word = { NULL, 0 };

	if (**text != '=')
		return word;
	*text = skip_space(*text + 1);
	if (**text != '"')
		return take_token(text);
	word = (struct word){ *text + 1, strcspn(*text + 1, "\"") };
	*text = word.text + word.len;
	if (**text == '"')
		*text = skip_space(*text + 1);
	else
		word.len = 0; /* it does not end: no value is empty */
	return word;
}

/* 8 to 15; 0: it is none. */
static int
window_bits(struct word value)
{
	if (value.len == 1 && (value.text[0] == '8' || value.text[0] == '9'))
		return value.text[0] - '0';
	if (value.len == 2 && value.text[0] == '1' && value.text[1] >= '0' &&
	    value.text[1] <= '5')
		return 10 + value.text[1] - '0';
	return 0;
}

enum { SERVER_CONTEXT = 1, CLIENT_CONTEXT = 2, SERVER_BITS = 4, CLIENT_BITS = 8 };

/* Which parameter this is; 0: none that could be kept. */
static unsigned
judge_param(struct word name, struct word value)
{
	if (is(name, "server_no_context_takeover"))
		return value.text == NULL ? SERVER_CONTEXT : 0;
	if (is(name, "client_no_context_takeover"))
		return value.text == NULL ? CLIENT_CONTEXT : 0;
	if (is(name, "client_max_window_bits"))
		return value.text == NULL || window_bits(value) > 0 ? CLIENT_BITS : 0;
	if (is(name, "server_max_window_bits"))
		return value.text != NULL && window_bits(value) == 15 ? SERVER_BITS : 0;
	return 0;
}

/* One offer, up to the comma or the end. */
static bool
offer_fits(const char **text)
{
	bool fits = is(take_token(text), "permessage-deflate");
	unsigned seen = 0;

	while (**text == ';') {
		struct word name, value;
		unsigned param;

		*text = skip_space(*text + 1);
		name = take_token(text);
		value = take_value(text);
		param = judge_param(name, value);
		if (param == 0 || (seen & param) != 0)
			fits = false;
		seen |= param;
	}
	return fits && (**text == ',' || **text == '\0');
}

static bool
list_fits(const char *text)
{
	text = skip_space(text);
	while (*text != '\0') {
		if (offer_fits(&text))
			return true;
		text += strcspn(text, ",");
		text += strspn(text, ", \t");
	}
	return false;
}

bool
ws_handshake_deflates(const struct http_head *head)
{
	const char *text = head->text.data;

	for (size_t i = 0; i < head->fields_count; i++)
		if (strcasecmp(text + head->fields[i].name,
			       "Sec-WebSocket-Extensions") == 0 &&
		    list_fits(text + head->fields[i].value))
			return true;
	return false;
}
