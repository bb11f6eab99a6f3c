/* See wire.h. Lines are cut here; a line's end is looked for once in each byte. */
#include "wire.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEPTH_MAX 70 /* a value of 64, inside of a message */
#define PIECE     65536

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t written = send(fd, data, len, MSG_NOSIGNAL);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

int
smw_wire_write(struct wire *wire, struct json_object *value)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
	    value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (len >= WIRE_LINE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return write_all(wire->fd, text, len) < 0 ? -1 : write_all(wire->fd, "\n", 1);
}

static struct json_object *
parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *value;

	if (tokener == NULL)
		return NULL;
	json_tokener_set_flags(tokener,
			       JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	value = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(value);
		value = NULL;
	}
	json_tokener_free(tokener);
	return value;
}

static void
drop(struct wire *wire, size_t len)
{
	wire->len -= len;
	memmove(wire->data, wire->data + len, wire->len);
	wire->looked = 0;
}

/* A whole line that was read already. */
static bool
take_line(struct wire *wire, struct json_object **value)
{
	char *end = wire->len > wire->looked ? memchr(wire->data + wire->looked, '\n',
						      wire->len - wire->looked)
					     : NULL;
	size_t len;

	wire->looked = wire->len;
	if (end == NULL)
		return false;
	len = (size_t)(end - wire->data);
	*value = parse(wire->data, len + 1);
	drop(wire, len + 1);
	return true;
}

static bool
make_room(struct wire *wire)
{
	size_t capacity = wire->capacity == 0 ? PIECE : 2 * wire->capacity;
	char *data;

	if (wire->capacity - wire->len >= PIECE / 2)
		return true;
	if (wire->len > WIRE_LINE_MAX)
		return false;
	data = realloc(wire->data, capacity);
	if (data == NULL)
		return false;
	wire->data = data;
	wire->capacity = capacity;
	return true;
}

static enum wire_got
fill(struct wire *wire, bool wait)
{
	struct pollfd ready = { .fd = wire->fd, .events = POLLIN };
	ssize_t got;
	int polled;

	if (!make_room(wire))
		return WIRE_END;
	do
		polled = poll(&ready, 1, wait ? -1 : 0);
	while (polled < 0 && errno == EINTR);
	if (polled == 0)
		return WIRE_NOTHING;
	do
		got =
		    read(wire->fd, wire->data + wire->len, wire->capacity - wire->len);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return WIRE_END;
	wire->len += (size_t)got;
	return WIRE_GOT;
}

enum wire_got
smw_wire_read(struct wire *wire, bool wait, struct json_object **value)
{
	*value = NULL;
	while (!take_line(wire, value)) {
		enum wire_got got = fill(wire, wait);

		if (got != WIRE_GOT)
			return got;
	}
	return *value != NULL ? WIRE_GOT : WIRE_END;
}

void
smw_wire_fini(struct wire *wire)
{
	free(wire->data);
	wire->data = NULL;
}
