/* Bots as the steps of runs use them. */
#ifndef STORE_BOTS_H
#define STORE_BOTS_H

#include "store/pg.h"
#include "json/json.h"

/* All is borrowed until the callback returns. */
struct bot_row {
	struct uuid id;
	const char *system;       /* the system prompt; never NULL, may be empty */
	const char *model;        /* NULL: that of the configuration */
	const struct json *tools; /* a list of names */
	const char *handler; /* the skill that answers in a model's place, or NULL */
};

/* bot NULL without an error: there is none that the run may use. */
typedef void bot_fn(void *context, const struct bot_row *bot, const struct err *err);
void bots_find(struct pg *pg, const struct uuid *run, const char *slug, bot_fn *done,
	       void *context);

/* Columns from this one on: id, prompt, model, tools, skill. The tools are the caller's
 * to unref. */
#define BOT_ROW_COLUMNS 5
struct bot_row bot_row_read(const struct pg_rows *rows, int column,
			    struct json **tools);

#endif
