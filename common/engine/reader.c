/* Places, problems, typed values and tables of keys. */
#include "engine/reader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

#define KEYS_MAX 96 /* of both tables of a map */

/* ---- places ---- */

struct place
place_member(const struct place *map, const char *key)
{
	return (struct place){ .up = map, .key = key, .doc = doc_get(map->doc, key) };
}

struct place
place_nth(const struct place *map, size_t index)
{
	return (struct place){
		.up = map,
		.key = map->doc->keys[index]->text,
		.doc = map->doc->items[index],
		.named = map->doc->keys[index],
	};
}

struct place
place_item(const struct place *list, size_t index)
{
	return (struct place){
		.up = list,
		.index = index,
		.doc = list->doc->items[index],
	};
}

static void
add_path(const struct place *place, struct buf *path)
{
	if (place->up == NULL)
		return;
	add_path(place->up, path);
	if (place->key == NULL)
		buf_printf(path, "[%zu]", place->index);
	else
		buf_printf(path, "%s%.100s", path->len > 0 ? "." : "", place->key);
}

/* ---- problems ---- */

static bool
is_repeated(const struct problems *problems)
{
	const struct problem *last, *before;

	if (problems->count < 2)
		return false;
	last = &problems->list[problems->count - 1];
	before = last - 1;
	return last->line == before->line && last->column == before->column &&
	       strcmp(last->path, before->path) == 0 &&
	       strcmp(last->message, before->message) == 0;
}

/* Names from the file are cut at a byte, which may lie inside a character. */
static void
mend(struct buf *text)
{
	struct buf mended = { 0 };

	utf8_repair(buf_text(text), text->len, &mended);
	buf_fini(text);
	*text = mended;
}

static void __attribute__((format(printf, 5, 0)))
add_problem(struct reader *reader, const struct place *place, int line, int column,
	    const char *format, va_list args)
{
	struct problems *problems = reader->problems;
	struct buf path = { 0 }, message = { 0 };

	add_path(place, &path);
	buf_vprintf(&message, format, args);
	mend(&path);
	mend(&message);
	problems_add_at(problems, line, column, buf_text(&path), "%s",
			buf_text(&message));
	buf_fini(&path);
	buf_fini(&message);
	/* An expression may name the same unknown thing twice. */
	if (is_repeated(problems)) {
		problems->count--;
		free(problems->list[problems->count].path);
		free(problems->list[problems->count].message);
	}
}

void
reader_problem(struct reader *reader, const struct place *place, const char *format,
	       ...)
{
	const struct place *there = place;
	const struct doc *doc;
	va_list args;

	while (there->doc == NULL && there->up != NULL)
		there = there->up;
	doc = there->doc;
	va_start(args, format);
	add_problem(reader, place, doc != NULL ? doc->line : 0,
		    doc != NULL ? doc->column : 0, format, args);
	va_end(args);
}

void
reader_problem_at(struct reader *reader, const struct place *place, int line,
		  int column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_problem(reader, place, line, column, format, args);
	va_end(args);
}

/* ---- values ---- */

static const char *
kind_of(const struct doc *doc)
{
	switch (doc->kind) {
	case DOC_LIST:
		return "a list";
	case DOC_MAP:
		return "a map";
	case DOC_SCALAR:
		break;
	}
	return "a single value";
}

bool
reader_is(struct reader *reader, const struct place *place, enum doc_kind kind)
{
	const struct doc wanted = { .kind = kind };

	if (place->doc->kind == kind)
		return true;
	reader_problem(reader, place, "expected %s, got %s", kind_of(&wanted),
		       kind_of(place->doc));
	return false;
}

const char *
reader_text(struct reader *reader, const struct place *place, size_t max_len)
{
	if (!reader_is(reader, place, DOC_SCALAR))
		return NULL;
	if (place->doc->len == 0) {
		reader_problem(reader, place, "expected a text, got nothing");
		return NULL;
	}
	if (place->doc->len > max_len) {
		reader_problem(reader, place, "longer than %zu bytes", max_len);
		return NULL;
	}
	return place->doc->text;
}

/* One value against one row of a table of fields. */
static struct json *
read_field(struct reader *reader, const struct place *place, const struct field *field)
{
	struct json *value = json_from_doc(place->doc);
	struct err err = { 0 };

	if (field_accepts(field, value, FIELD_RESOLVED, &err) == 0)
		return value;
	reader_problem(reader, place, "%s", err.text);
	json_unref(&value);
	return NULL;
}

bool
reader_flag(struct reader *reader, const struct place *place, bool *out)
{
	static const struct field flag = { .type = FIELD_FLAG, .required = true };
	struct json *value = read_field(reader, place, &flag);
	bool good = value != NULL;

	if (good)
		*out = json_bool(value);
	json_unref(&value);
	return good;
}

bool
reader_count(struct reader *reader, const struct place *place, long min, long max,
	     long *out)
{
	const struct field count = {
		.type = FIELD_COUNT,
		.required = true,
		.min = min,
		.max = max,
	};
	struct json *value = read_field(reader, place, &count);
	bool good = value != NULL;

	if (good)
		*out = (long)json_int(value);
	json_unref(&value);
	return good;
}

bool
reader_duration(struct reader *reader, const struct place *place, bool zero,
		usec_t *out)
{
	struct json *value = json_from_doc(place->doc);
	struct err err = { 0 };
	usec_t duration = 0;
	bool good = field_duration(value, &duration, &err) == 0;

	json_unref(&value);
	if (!good)
		reader_problem(reader, place, "%s", err.text);
	else if (duration == 0 && !zero)
		reader_problem(reader, place, "must be more than 0");
	else
		*out = duration;
	return good;
}

int
reader_choice(struct reader *reader, const struct place *place,
	      const char *const *names)
{
	const struct field choice = {
		.type = FIELD_CHOICE,
		.required = true,
		.choices = names,
	};
	struct json *value = read_field(reader, place, &choice);
	int index = -1;

	for (int i = 0; value != NULL && index < 0; i++)
		if (strcmp(names[i], json_str(value)) == 0)
			index = i;
	json_unref(&value);
	return index;
}

bool
reader_matches(const char *text, const char *first, const char *rest)
{
	return *text != '\0' && strchr(first, *text) != NULL &&
	       strspn(text + 1, rest) == strlen(text + 1);
}

/* ---- keys ---- */

const struct field reader_any_key[] = { { 0 } };

static const struct key *
find_key(const struct key *keys, const char *name)
{
	for (; keys->name != NULL; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static void
unknown_key(struct reader *reader, const struct place *map, const struct place *place,
	    const struct key *keys, const struct field *also)
{
	const char *names[KEYS_MAX], *nearest;
	size_t count = 0;

	for (; keys->name != NULL && count < KEYS_MAX - 1; keys++)
		names[count++] = keys->name;
	for (; also != NULL && also->name != NULL && count < KEYS_MAX - 1; also++)
		names[count++] = also->name;
	names[count] = NULL;
	nearest = nearest_name(place->key, names);
	if (nearest != NULL)
		reader_problem_at(reader, map, place->named->line, place->named->column,
				  "unknown key \"%.100s\"; did you mean \"%s\"?",
				  place->key, nearest);
	else
		reader_problem_at(reader, map, place->named->line, place->named->column,
				  "unknown key \"%.100s\"", place->key);
}

static bool
is_allowed(const struct field *also, const char *name)
{
	return also == reader_any_key ||
	       (also != NULL && field_find(also, name) != NULL);
}

static void
read_key(struct reader *reader, const struct place *map, const struct place *place,
	 const struct key *keys, const struct field *also, void *into)
{
	const struct key *key = find_key(keys, place->key);

	if (key == NULL) {
		if (!is_allowed(also, place->key))
			unknown_key(reader, map, place, keys, also);
	} else if (key->later) {
		reader_problem_at(reader, place, place->named->line,
				  place->named->column,
				  "\"%s\" is not available in this version", key->name);
	} else if (key->read != NULL) {
		key->read(reader, place, into);
	}
}

void
reader_map(struct reader *reader, const struct place *map, const struct key *keys,
	   const struct field *also, void *into)
{
	if (!reader_is(reader, map, DOC_MAP))
		return;
	for (size_t i = 0; i < map->doc->count; i++) {
		struct place place = place_nth(map, i);

		read_key(reader, map, &place, keys, also, into);
	}
	for (; keys->name != NULL; keys++) {
		struct place place = place_member(map, keys->name);

		if (keys->required && place.doc == NULL)
			reader_problem(reader, &place, "is required");
	}
}
