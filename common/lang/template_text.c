/*
 * Splitting a string at {{ and }}, and writing it out again with values. Where an
 * expression ends is found with CEL's own words, so that }} in a string or in a map
 * inside of it ends nothing.
 */
#include "lang/template_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/arena.h"
#include "lang/cel_eval.h"
#include "lang/cel_lex.h"
#include "lang/template.h"

struct splitter {
	const char *text;
	size_t len, at;
	struct template_text *out;
	struct buf plain; /* text since the last expression */
	struct cel_place *place;
	struct err *err;
};

static struct template_part *
add_part(struct splitter *splitter)
{
	struct template_text *out = splitter->out;

	out->parts = xrealloc(out->parts, out->count + 1, sizeof *out->parts);
	out->parts[out->count] = (struct template_part){ 0 };
	return &out->parts[out->count++];
}

static void
end_plain(struct splitter *splitter)
{
	struct template_part *part;

	if (splitter->plain.len == 0)
		return;
	part = add_part(splitter);
	part->len = splitter->plain.len;
	part->text = buf_take(&splitter->plain);
}

static int
fail(struct splitter *splitter, size_t at, const char *why)
{
	struct cel_place place = cel_place_at(splitter->text, at);

	*splitter->place = place;
	return err_set(splitter->err, ERR_INPUT, "%d:%d: %s", place.line, place.column,
		       why);
}

/* Behind "{{": the length of what stands before the "}}" that belongs to it. */
static int
find_end(struct splitter *splitter, struct arena *arena, size_t *len)
{
	const char *start = splitter->text + splitter->at;
	struct cel_token token;
	struct cel_lex lex;
	int depth = 0;

	cel_lex_init(&lex, start, splitter->len - splitter->at, arena);
	do {
		if (cel_lex_next(&lex, &token) < 0)
			return fail(splitter, splitter->at + lex.error_at, lex.error);
		if (token.kind == CEL_T_OPEN_BRACE)
			depth++;
		if (token.kind != CEL_T_CLOSE_BRACE || depth-- > 0)
			continue;
		if (lex.at == lex.len || start[lex.at] != '}')
			return fail(splitter, splitter->at + token.at,
				    "this } belongs to nothing; an expression ends "
				    "with }}");
		*len = token.at;
		return 0;
	} while (token.kind != CEL_T_END);
	return fail(splitter, splitter->at - 2,
		    "this {{ has no }}; for the characters themselves write {{{{");
}

static int
split_expression(struct splitter *splitter)
{
	struct cel_place start = cel_place_at(splitter->text, splitter->at + 2);
	struct arena arena;
	struct cel *cel = NULL;
	size_t len = 0;

	splitter->at += 2;
	arena_init(&arena, NULL, 0);
	if (find_end(splitter, &arena, &len) == 0)
		cel = cel_compile_at(splitter->text + splitter->at, len, start,
				     splitter->place, splitter->err);
	arena_fini(&arena);
	if (cel == NULL)
		return -1;
	end_plain(splitter);
	add_part(splitter)->cel = cel;
	splitter->out->dynamic = true;
	splitter->at += len + 2;
	return 0;
}

static int
split(struct splitter *splitter)
{
	const char *start, *found;
	size_t rest;

	while (splitter->at < splitter->len) {
		start = splitter->text + splitter->at;
		rest = splitter->len - splitter->at;
		found = memmem(start, rest, "{{", 2);
		buf_add(&splitter->plain, start,
			found != NULL ? (size_t)(found - start) : rest);
		if (found == NULL)
			break;
		splitter->at = (size_t)(found - splitter->text);
		rest = splitter->len - splitter->at;
		if (rest >= 4 && memcmp(found, "{{{{", 4) == 0) {
			buf_add(&splitter->plain, "{{", 2);
			splitter->at += 4;
		} else if (split_expression(splitter) < 0) {
			return -1;
		}
	}
	end_plain(splitter);
	return 0;
}

int
template_text_compile(const char *text, size_t len, struct template_text *out,
		      struct cel_place *place, struct err *err)
{
	struct splitter splitter = {
		.text = text, .len = len, .out = out, .place = place, .err = err
	};
	int done;

	*out = (struct template_text){ 0 };
	done = split(&splitter);
	buf_fini(&splitter.plain);
	if (done < 0)
		template_text_fini(out);
	return done;
}

void
template_text_fini(struct template_text *text)
{
	for (size_t i = 0; i < text->count; i++) {
		cel_free(&text->parts[i].cel);
		free(text->parts[i].text);
	}
	free(text->parts);
	*text = (struct template_text){ 0 };
}

bool
template_text_is_whole(const struct template_text *text)
{
	return text->count == 1 && text->dynamic;
}

static int
add_value(const struct cel *cel, const struct cel_scope *scope, struct buf *out,
	  struct err *err)
{
	struct json *value;

	if (cel_eval(cel, scope, &value, err) < 0)
		return -1;
	if (json_type(value) == JSON_STRING)
		buf_add(out, json_str(value), json_str_len(value));
	else if (value != NULL)
		json_write(value, out);
	json_unref(&value);
	return 0;
}

int
template_text_resolve(const struct template_text *text, const struct cel_scope *scope,
		      struct json **out, struct err *err)
{
	struct buf built = { 0 };
	int done = 0;

	for (size_t i = 0; i < text->count && done == 0; i++) {
		if (text->parts[i].cel != NULL)
			done = add_value(text->parts[i].cel, scope, &built, err);
		else
			buf_add(&built, text->parts[i].text, text->parts[i].len);
		if (done == 0 && built.len > TEMPLATE_TEXT_MAX)
			done =
			    err_set(err, ERR_INPUT, "the text is longer than %d bytes",
				    TEMPLATE_TEXT_MAX);
	}
	if (done == 0)
		*out = json_new_str_len(buf_text(&built), built.len);
	buf_fini(&built);
	return done;
}
