/* A message of a WebSocket: read, its row found, judged; and the lists of its head:
 * bytes -> what it may be. What is wrong is told with a path and a text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/ws_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct ws_route *route, const struct json *message)
{
	struct json *errors = json_new_array();
	bool good = ws_message_check(route, message, errors);

	if (good != (json_count(errors) == 0))
		abort();
	for (size_t i = 0; i < json_count(errors); i++)
		if (json_str(json_get(json_at(errors, i), "path")) == NULL ||
		    json_str(json_get(json_at(errors, i), "message")) == NULL)
			abort();
	json_unref(&errors);
}

static void
read_message(const char *text, size_t len)
{
	struct json *message = NULL;
	struct err err = { 0 };
	const char *type;

	if (ws_message_read(text, len, &message, &err) < 0) {
		if (message != NULL || err.kind == ERR_NONE)
			abort();
		return;
	}
	type = json_str(json_get(message, "type"));
	if (type != NULL && ws_route_find(ws_routes, type) != NULL)
		check(ws_route_find(ws_routes, type), message);
	else /* every row, so that the type need not be guessed */
		for (const struct ws_route *route = ws_routes; route->type; route++)
			check(route, message);
	(void)ws_message_id(message);
	json_unref(&message);
}

/* The same bytes as the lists of a handshake. */
static void
read_handshake(const char *text, size_t len)
{
	struct buf request = { 0 };
	struct http_parser parser;
	size_t used;

	if (len > 2000)
		return;
	buf_str(&request, "GET /ws HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Extensions: ");
	buf_add(&request, text, len);
	buf_str(&request, "\r\n\r\n");
	http_parser_init(&parser, 8192);
	if (http_parse(&parser, request.data, request.len, &used) == HTTP_HEAD) {
		(void)ws_handshake_deflates(&parser.head);
		(void)ws_handshake_judge(&parser.head);
	}
	http_parser_fini(&parser);
	buf_fini(&request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	read_message(text, len);
	read_handshake(text, len);
	free(text);
	return 0;
}
