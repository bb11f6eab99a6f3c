/*
 * The messages that clients may send, as tables: type, role, fields; and the one judge
 * of whether a message keeps to its row. Pure.
 */
#ifndef FRONT_WS_FIELDS_CORE_H
#define FRONT_WS_FIELDS_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "front/auth_core.h"
#include "json/json.h"

#define WS_ID_MAX 200 /* bytes of a message's id */

enum ws_kind { WS_TEXT, WS_BOOL, WS_INT, WS_OBJECT, WS_KINDS };

/* What a text must look like; words: what the client is told was expected. */
struct ws_pattern {
	const char *words;
	bool (*fits)(const char *text);
};

extern const struct ws_pattern ws_uuid;       /* a UUID */
extern const struct ws_pattern ws_run_status; /* any status of a run */
extern const struct ws_pattern ws_number;     /* digits, a whole number above 0 */

struct ws_field {
	const char *name; /* NULL ends the table */
	enum ws_kind kind;
	bool required;
	int64_t min, max; /* of a text its bytes, of a number its value */
	const struct ws_pattern *pattern; /* NULL: any text */
};

struct ws_request; /* ws_client.h */
struct ws_route;

/* Appends {path, message} of all that is wrong with the fields. */
typedef void ws_judge_fn(const struct ws_route *route, const struct json *message,
			 struct json *errors);

/* One type of message. */
struct ws_route {
	const char *type; /* NULL ends the table */
	enum role role;   /* ROLE_NONE: also before the key is known */
	bool needs_id;
	const struct ws_field *fields;
	void (*on_message)(struct ws_request *request);
	ws_judge_fn *judge; /* in place of the table of fields; NULL: that judges */
};

const struct ws_route *ws_route_find(const struct ws_route *table, const char *type);
/* Whether text is one JSON object within the limits; *out is the caller's. */
int ws_message_read(const char *text, size_t len, struct json **out, struct err *err);
/* Appends {path, message} of everything that is wrong to errors, an array. Fields that
 * the table does not name are ignored; null stands for absent. */
bool ws_message_check(const struct ws_route *route, const struct json *message,
		      struct json *errors);
/* Of one field, for a route's own judge. */
void ws_field_check(const struct ws_field *field, const struct json *value,
		    struct json *errors);
void ws_complain(struct json *errors, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The id to echo, borrowed; NULL: there is none that could be. */
struct json *ws_message_id(const struct json *message);

#endif
