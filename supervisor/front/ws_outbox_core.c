/* See ws_outbox_core.h. Dropping begins with the oldest, so between a gap and the first
 * event of its run behind it nothing of that run is missing. */
#include "front/ws_outbox_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define GAP_LEN 160 /* its text at most */

struct item {
	struct list link, droppable; /* droppable stands alone when it may not go */
	struct ws_text *text;        /* NULL: a gap */
	struct ws_origin origin;
};

/* ---- texts ---- */

struct ws_text *
ws_text_new(const char *data, size_t len)
{
	struct ws_text *text = xmalloc(sizeof *text + len);

	*text = (struct ws_text){ .refs = 1, .len = len };
	memcpy(text->data, data, len);
	return text;
}

struct ws_text *
ws_text_ref(struct ws_text *text)
{
	text->refs++;
	return text;
}

void
ws_text_unref(struct ws_text **text_p)
{
	struct ws_text *text = *text_p;

	*text_p = NULL;
	if (text == NULL || --text->refs > 0)
		return;
	free(text->packed);
	free(text);
}

static struct ws_text *
gap_text(const struct ws_origin *origin)
{
	char text[GAP_LEN], run[UUID_TEXT];
	int len = snprintf(text, sizeof text,
			   "{\"type\":\"events.gap\",\"executionId\":\"%s\","
			   "\"lastSeq\":%lld}",
			   uuid_format(&origin->run, run), (long long)origin->seq);

	return ws_text_new(text, (size_t)len);
}

/* ---- the outbox ---- */

void
ws_outbox_init(struct ws_outbox *outbox)
{
	*outbox = (struct ws_outbox){ .gaps = NULL };
	list_init(&outbox->items);
	list_init(&outbox->droppable);
}

static size_t
weight(const struct item *item)
{
	return sizeof *item + (item->text != NULL ? item->text->len : GAP_LEN);
}

static void
push(struct ws_outbox *outbox, struct item *item)
{
	list_push(&outbox->items, &item->link);
	outbox->bytes += weight(item);
}

/* Out of all lists; the item is the caller's. */
static void
pull(struct ws_outbox *outbox, struct item *item)
{
	list_remove(&item->link);
	list_remove(&item->droppable);
	outbox->bytes -= weight(item);
	if (item->text == NULL)
		map_remove(outbox->gaps, &item->origin.run, sizeof item->origin.run);
}

static void
free_item(struct item *item)
{
	ws_text_unref(&item->text);
	free(item);
}

void
ws_outbox_clear(struct ws_outbox *outbox)
{
	list_each_safe (link, &outbox->items) {
		struct item *item = container_of(link, struct item, link);

		pull(outbox, item);
		free_item(item);
	}
}

void
ws_outbox_fini(struct ws_outbox *outbox)
{
	ws_outbox_clear(outbox);
	map_free(&outbox->gaps, NULL);
}

bool
ws_outbox_empty(const struct ws_outbox *outbox)
{
	return list_empty(&outbox->items);
}

static struct item *
find_gap(const struct ws_outbox *outbox, const struct uuid *run)
{
	return outbox->gaps == NULL ? NULL : map_get(outbox->gaps, run, sizeof *run);
}

static void
note_gap(struct ws_outbox *outbox, struct item *gap)
{
	if (outbox->gaps == NULL)
		outbox->gaps = map_new();
	map_put(outbox->gaps, &gap->origin.run, sizeof gap->origin.run, gap);
}

/* It becomes the gap of its run where there is none yet. */
static void
drop(struct ws_outbox *outbox, struct item *item)
{
	struct item *gap = find_gap(outbox, &item->origin.run);

	if (gap != NULL) {
		if (gap->origin.seq < item->origin.seq)
			gap->origin.seq = item->origin.seq;
		pull(outbox, item);
		free_item(item);
		return;
	}
	outbox->bytes -= weight(item);
	list_remove(&item->droppable);
	ws_text_unref(&item->text);
	outbox->bytes += weight(item);
	note_gap(outbox, item);
}

static bool
make_room(struct ws_outbox *outbox, size_t sending)
{
	while (outbox->bytes + sending > WS_UNSENT_MAX) {
		if (list_empty(&outbox->droppable))
			return outbox->items.next == outbox->items.prev;
		drop(outbox,
		     container_of(outbox->droppable.next, struct item, droppable));
	}
	return true;
}

bool
ws_outbox_add(struct ws_outbox *outbox, struct ws_text **text_p,
	      const struct ws_origin *origin, size_t sending)
{
	struct item *item = xcalloc(1, sizeof *item);

	list_init(&item->droppable);
	item->text = *text_p;
	*text_p = NULL;
	push(outbox, item);
	if (origin != NULL) {
		item->origin = *origin;
		list_push(&outbox->droppable, &item->droppable);
	}
	return make_room(outbox, sending);
}

bool
ws_outbox_add_gap(struct ws_outbox *outbox, const struct ws_origin *origin,
		  size_t sending)
{
	struct item *gap = find_gap(outbox, &origin->run);

	if (gap != NULL) {
		if (gap->origin.seq < origin->seq)
			gap->origin.seq = origin->seq;
		return true;
	}
	gap = xcalloc(1, sizeof *gap);
	list_init(&gap->droppable);
	gap->origin = *origin;
	push(outbox, gap);
	note_gap(outbox, gap);
	return make_room(outbox, sending);
}

struct ws_text *
ws_outbox_take(struct ws_outbox *outbox)
{
	struct list *first = outbox->items.next;
	struct item *item;
	struct ws_text *text;

	if (list_empty(&outbox->items))
		return NULL;
	item = container_of(first, struct item, link);
	pull(outbox, item);
	text = item->text != NULL ? ws_text_ref(item->text) : gap_text(&item->origin);
	free_item(item);
	return text;
}
