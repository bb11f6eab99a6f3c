/* What clients send about a bot, read into a value: one table of fields, every problem
 * at once, each with its path. Pure. */
#ifndef FRONT_BOT_FIELDS_CORE_H
#define FRONT_BOT_FIELDS_CORE_H

#include "base/doc.h"
#include "base/uuid7.h"
#include "engine/field.h"
#include "json/json.h"

#define BOT_NAME_MAX 200

extern const struct field bot_fields[];     /* of a new one */
extern const struct field bot_put_fields[]; /* without what never changes */

struct bot_fields {
	const char *slug;    /* NULL when it is not told */
	const char *name;    /* NULL: not told */
	const char *system;  /* never NULL */
	const char *model;   /* NULL: that of the configuration */
	const char *handler; /* the skill that answers in the model's place, or NULL */
	struct json *tools;  /* a list of names; owned */
	bool has_project;
	struct uuid project;
};

/* Texts are borrowed from object. table: one of those above. False: something is wrong,
 * and was added to problems. bot_fields_fini in any case. */
bool bot_fields_read(const struct field *table, const struct json *object,
		     struct bot_fields *out, struct problems *problems);
void bot_fields_fini(struct bot_fields *fields);
/* A bot as it would be: what is stored, and over it what is sent; null stands there for
 * what is cleared. The caller's. */
struct json *bot_fields_merge(const struct json *stored, const struct json *sent);

#endif
