/*
 * A document as a plain tree with places, and the list of what is wrong with it. Knows
 * no schema and no syntax: the YAML door makes the tree, the readers give it meaning.
 */
#include "base/doc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/xalloc.h"

#define PROBLEMS_MAX 100 /* nobody reads more; the last one then says so */
#define NAME_MAX_LEN 64  /* longer names are not compared */

struct doc *
doc_new(enum doc_kind kind, int line, int column)
{
	struct doc *doc = xcalloc(1, sizeof *doc);

	doc->kind = kind;
	doc->line = line;
	doc->column = column;
	return doc;
}

void
doc_free(struct doc **doc_p)
{
	struct doc *doc = *doc_p;

	*doc_p = NULL;
	if (doc == NULL)
		return;
	for (size_t i = 0; i < doc->count; i++) {
		if (doc->keys != NULL)
			doc_free(&doc->keys[i]);
		doc_free(&doc->items[i]);
	}
	free(doc->keys);
	free(doc->items);
	free(doc->text);
	free(doc);
}

static struct doc **
copy_all(struct doc *const *list, size_t count)
{
	struct doc **copies = xcalloc(count, sizeof *copies);

	for (size_t i = 0; i < count; i++)
		copies[i] = doc_copy(list[i]);
	return copies;
}

struct doc *
doc_copy(const struct doc *doc)
{
	struct doc *copy;

	if (doc == NULL)
		return NULL;
	copy = doc_new(doc->kind, doc->line, doc->column);
	copy->quoted = doc->quoted;
	copy->len = doc->len;
	if (doc->text != NULL)
		copy->text = xstrndup(doc->text, doc->len);
	if (doc->count > 0)
		copy->items = copy_all(doc->items, doc->count);
	if (doc->count > 0 && doc->keys != NULL)
		copy->keys = copy_all(doc->keys, doc->count);
	copy->count = doc->count;
	return copy;
}

/* Arrays grow at each power of two from 4 on: no capacity has to be kept. */
static void
make_room(struct doc ***list, size_t count)
{
	if (count == 0)
		*list = xrealloc(*list, 4, sizeof **list);
	else if (count >= 4 && (count & (count - 1)) == 0)
		*list = xrealloc(*list, 2 * count, sizeof **list);
}

void
doc_append(struct doc *list, struct doc **item_p)
{
	if (list->kind != DOC_LIST)
		bug("an item is appended to what is no list");
	make_room(&list->items, list->count);
	list->items[list->count++] = *item_p;
	*item_p = NULL;
}

void
doc_put(struct doc *map, struct doc **key_p, struct doc **item_p)
{
	if (map->kind != DOC_MAP || (*key_p)->kind != DOC_SCALAR)
		bug("a member is put into what is no map");
	make_room(&map->keys, map->count);
	make_room(&map->items, map->count);
	map->keys[map->count] = *key_p;
	map->items[map->count++] = *item_p;
	*key_p = *item_p = NULL;
}

struct doc *
doc_get(const struct doc *map, const char *key)
{
	size_t len = strlen(key);

	if (map == NULL || map->kind != DOC_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (map->keys[i]->len == len &&
		    memcmp(map->keys[i]->text, key, len) == 0)
			return map->items[i];
	return NULL;
}

static void __attribute__((format(printf, 5, 0)))
add(struct problems *problems, int line, int column, const char *path,
    const char *format, va_list args)
{
	struct buf message = { 0 };

	if (problems->count == PROBLEMS_MAX)
		return;
	if (problems->count == PROBLEMS_MAX - 1)
		buf_str(&message, "there are more problems than are shown");
	else
		buf_vprintf(&message, format, args);
	problems->list =
	    xrealloc(problems->list, problems->count + 1, sizeof problems->list[0]);
	problems->list[problems->count++] = (struct problem){
		.line = line,
		.column = column,
		.path = xstrdup(path != NULL ? path : ""),
		.message = buf_take(&message),
	};
}

void
problems_add(struct problems *problems, const struct doc *where, const char *path,
	     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, where != NULL ? where->line : 0,
	    where != NULL ? where->column : 0, path, format, args);
	va_end(args);
}

void
problems_add_at(struct problems *problems, int line, int column, const char *path,
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, line, column, path, format, args);
	va_end(args);
}

char *
problem_text(const struct problems *problems, size_t index)
{
	const struct problem *problem = &problems->list[index];
	struct buf text = { 0 };

	if (problems->file != NULL)
		buf_str(&text, problems->file);
	if (problem->line > 0)
		buf_printf(&text, "%s%d:%d", text.len > 0 ? ":" : "", problem->line,
			   problem->column);
	if (problem->path[0] != '\0')
		buf_printf(&text, "%s%s", text.len > 0 ? " " : "", problem->path);
	buf_printf(&text, "%s%s", text.len > 0 ? ": " : "", problem->message);
	return buf_take(&text);
}

void
problems_fini(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].path);
		free(problems->list[i].message);
	}
	free(problems->list);
	free(problems->file);
	*problems = (struct problems){ 0 };
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Insertions, deletions, replacements and swaps of neighbours, each counting one. */
static size_t
edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NAME_MAX_LEN + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
				      last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
}

const char *
nearest_name(const char *written, const char *const *names)
{
	size_t len = strlen(written), name_len, distance, least = SIZE_MAX;
	const char *nearest = NULL;

	if (len > NAME_MAX_LEN)
		return NULL;
	for (; *names != NULL; names++) {
		name_len = strlen(*names);
		if (name_len > NAME_MAX_LEN)
			continue;
		distance = edit_distance(written, len, *names, name_len);
		if (distance <= name_len / 3 && distance < least) {
			least = distance;
			nearest = *names;
		}
	}
	return nearest;
}
