/*
 * HEARTBEAT.md: a checklist in Markdown, with YAML front matter that says how often it
 * is gone through. Text in, what it says out; whoever reads the file lends the door to
 * YAML.
 */
#ifndef ENGINE_HEARTBEAT_CORE_H
#define ENGINE_HEARTBEAT_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/doc.h"
#include "engine/front_matter.h"
#include "json/json.h"

#define HEARTBEAT_BYTES_MAX    FRONT_MATTER_BYTES_MAX
#define HEARTBEAT_ITEMS_MAX    100
#define HEARTBEAT_ITEM_MAX     4000 /* bytes of one item */
#define HEARTBEAT_INTERVAL     30   /* minutes, where nobody says */
#define HEARTBEAT_INTERVAL_MAX 525600
#define HEARTBEAT_PATH_MAX     4000
#define HEARTBEAT_MODEL_MAX    200
#define HEARTBEAT_WEBHOOK_MAX  2000

struct heartbeat {
	/* Of the front matter, each only where it says so: interval (minutes),
	 * timezone, activeHours {start, end, daysOfWeek?}, model, webhook. */
	struct json *says;
	struct json *items; /* texts, in order, without those that are ticked */
};

/* False with at least one problem; then nothing is to be freed. */
bool heartbeat_read(const char *text, size_t len, front_matter_yaml_fn *yaml,
		    struct heartbeat *out, struct problems *problems);
void heartbeat_fini(struct heartbeat *heartbeat);

/* The pattern by which it fires every so many minutes: that of the clock on the wall
 * where the hour can be divided by it, else elapsed time. */
void heartbeat_cron(long minutes, struct buf *out);
/* The way back; 0: it is no pattern of heartbeat_cron. */
long heartbeat_minutes(const char *cron);

#endif
