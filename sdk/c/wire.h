/* The descriptor of a program: JSON values, one a line. Blocking; knows no meanings. */
#ifndef SDK_WIRE_H
#define SDK_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#define WIRE_LINE_MAX ((size_t)4 * 1024 * 1024)

struct json_object;

struct wire {
	int fd;
	char *data; /* what was read, and not yet taken */
	size_t len, capacity;
	size_t looked; /* so far there is no end of a line */
};

/* The value on one line. -1 and errno: it could not be written; EMSGSIZE: too long. */
int smw_wire_write(struct wire *wire, struct json_object *value);

enum wire_got { WIRE_GOT, WIRE_NOTHING, WIRE_END };
/* Waits for a line, unless wait is false. WIRE_END: the other side is gone, or what it
 * says is no JSON. *value is the caller's. */
enum wire_got smw_wire_read(struct wire *wire, bool wait, struct json_object **value);
void smw_wire_fini(struct wire *wire);

#endif
