/*
 * JSON with templates in its strings, as a tree of the same shape. What holds no
 * expression is kept as it is and given out by reference.
 */
#include "lang/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/cel_json.h"
#include "lang/template_text.h"

enum kind { CONSTANT, TEXT, WHOLE, ARRAY, OBJECT };

struct template
{
	enum kind kind;
	struct json *value;        /* CONSTANT */
	struct template_text text; /* TEXT, WHOLE */
	struct template **kids;    /* ARRAY, OBJECT */
	char **keys;               /* OBJECT */
	size_t count;
};

struct path { /* where in the value, for messages */
	const struct path *up;
	const char *key; /* or NULL: index */
	size_t index;
	int depth;
};

struct compiler {
	struct cel_place place;
	struct err *err;
};

static bool
is_name(const char *key)
{
	if (!isalpha((unsigned char)*key) && *key != '_')
		return false;
	for (; *key != '\0'; key++)
		if (!isalnum((unsigned char)*key) && *key != '_')
			return false;
	return true;
}

static void
write_path(const struct path *path, struct buf *out)
{
	if (path->up == NULL)
		return;
	write_path(path->up, out);
	if (path->key == NULL)
		buf_printf(out, "[%zu]", path->index);
	else if (is_name(path->key))
		buf_printf(out, "%s%s", out->len > 0 ? "." : "", path->key);
	else
		buf_printf(out, "[\"%.60s\"]", path->key);
}

/* Puts the path in front of the error. */
static int
fail_in(const struct path *path, struct err *err)
{
	struct buf text = { 0 };

	write_path(path, &text);
	if (text.len > 0)
		err_in(err, "%.300s", buf_text(&text));
	buf_fini(&text);
	return -1;
}

static struct path
step_into(const struct path *path, const char *key, size_t index)
{
	return (struct path){
		.up = path, .key = key, .index = index, .depth = path->depth + 1
	};
}

static int resolve(const struct template *node, const struct path *path,
		   const struct cel_scope *scope, struct json **out, struct err *err);
static int compile(struct compiler *compiler, struct template *node, struct json *value,
		   const struct path *path);

static void
fini(struct template *node)
{
	json_unref(&node->value);
	template_text_fini(&node->text);
	for (size_t i = 0; i < node->count; i++) {
		template_free(&node->kids[i]);
		if (node->keys != NULL)
			free(node->keys[i]);
	}
	free(node->kids);
	free(node->keys);
	*node = (struct template){ 0 };
}

void
template_free(struct template **template_p)
{
	struct template *node = *template_p;

	*template_p = NULL;
	if (node == NULL)
		return;
	fini(node);
	free(node);
}

static void
make_constant(struct template *node, struct json *value)
{
	fini(node);
	node->kind = CONSTANT;
	node->value = value;
}

static int
compile_text(struct compiler *compiler, struct template *node, struct json *value,
	     const struct path *path)
{
	if (template_text_compile(json_str(value), json_str_len(value), &node->text,
				  &compiler->place, compiler->err) < 0)
		return fail_in(path, compiler->err);
	node->kind = template_text_is_whole(&node->text) ? WHOLE : TEXT;
	return 0;
}

static int
compile_kid(struct compiler *compiler, struct template *node, struct json *value,
	    const struct path *path)
{
	struct template *kid = xcalloc(1, sizeof *kid);

	node->kids[node->count++] = kid;
	return compile(compiler, kid, value, path);
}

static int
compile_array(struct compiler *compiler, struct template *node, struct json *value,
	      const struct path *path)
{
	size_t count = json_count(value);

	node->kind = ARRAY;
	node->kids = xcalloc(count, sizeof(struct template *));
	for (size_t i = 0; i < count; i++) {
		struct path here = step_into(path, NULL, i);

		if (compile_kid(compiler, node, json_at(value, i), &here) < 0)
			return -1;
	}
	return 0;
}

static int
compile_object(struct compiler *compiler, struct template *node, struct json *value,
	       const struct path *path)
{
	size_t count = json_count(value);
	struct json_iter it = json_iter(value);

	node->kind = OBJECT;
	node->kids = xcalloc(count, sizeof(struct template *));
	node->keys = xcalloc(count, sizeof *node->keys);
	while (json_next(&it)) {
		struct path here = step_into(path, it.key, 0);

		node->keys[node->count] = xstrndup(it.key, it.key_len);
		if (compile_kid(compiler, node, it.value, &here) < 0)
			return -1;
	}
	return 0;
}

static bool
holds_expression(const struct template *node)
{
	if (node->kind == TEXT || node->kind == WHOLE)
		return node->text.dynamic;
	for (size_t i = 0; i < node->count; i++)
		if (node->kids[i]->kind != CONSTANT)
			return true;
	return false;
}

/* Without an expression: the value itself, unless a "{{{{" in it changed. */
static int
settle(struct template *node, struct json *value, struct err *err)
{
	struct path nowhere = { 0 };
	struct json *settled;

	if (holds_expression(node))
		return 0;
	if (node->kind != CONSTANT && resolve(node, &nowhere, NULL, &settled, err) < 0)
		return -1;
	if (node->kind != CONSTANT && !json_equal(settled, value)) {
		make_constant(node, settled);
		return 0;
	}
	if (node->kind != CONSTANT)
		json_unref(&settled);
	make_constant(node, json_ref(value));
	return 0;
}

static int
compile(struct compiler *compiler, struct template *node, struct json *value,
	const struct path *path)
{
	int done = 0;

	if (path->depth > JSON_DEPTH_MAX) {
		err_set(compiler->err, ERR_INPUT, "nested deeper than %d",
			JSON_DEPTH_MAX);
		return fail_in(path, compiler->err);
	}
	if (json_type(value) == JSON_STRING)
		done = compile_text(compiler, node, value, path);
	else if (json_type(value) == JSON_ARRAY)
		done = compile_array(compiler, node, value, path);
	else if (json_type(value) == JSON_OBJECT)
		done = compile_object(compiler, node, value, path);
	return done < 0 ? -1 : settle(node, value, compiler->err);
}

struct template *
template_compile(const struct json *value, struct cel_place *place, struct err *err)
{
	struct compiler compiler = { .place = { 1, 1 }, .err = err };
	struct template *root = xcalloc(1, sizeof *root);
	struct path path = { 0 };

	if (compile(&compiler, root, (struct json *)value, &path) == 0)
		return root;
	if (place != NULL)
		*place = compiler.place;
	template_free(&root);
	return NULL;
}

static int
resolve_whole(const struct template *node, const struct path *path,
	      const struct cel_scope *scope, struct json **out, struct err *err)
{
	int room = JSON_DEPTH_MAX - path->depth;

	if (cel_eval(node->text.parts[0].cel, scope, out, err) < 0)
		return fail_in(path, err);
	if (cel_json_depth(*out, room + 1) <= room)
		return 0;
	json_unref(out);
	err_set(err, ERR_INPUT, "with this value it nests deeper than %d",
		JSON_DEPTH_MAX);
	return fail_in(path, err);
}

static int
resolve_array(const struct template *node, const struct path *path,
	      const struct cel_scope *scope, struct json **out, struct err *err)
{
	struct json *item;

	*out = json_new_array();
	for (size_t i = 0; i < node->count; i++) {
		struct path here = step_into(path, NULL, i);

		if (resolve(node->kids[i], &here, scope, &item, err) < 0) {
			json_unref(out);
			return -1;
		}
		json_append(*out, item);
	}
	return 0;
}

static int
resolve_object(const struct template *node, const struct path *path,
	       const struct cel_scope *scope, struct json **out, struct err *err)
{
	struct json *item;

	*out = json_new_object();
	for (size_t i = 0; i < node->count; i++) {
		struct path here = step_into(path, node->keys[i], 0);

		if (resolve(node->kids[i], &here, scope, &item, err) < 0) {
			json_unref(out);
			return -1;
		}
		json_set(*out, node->keys[i], item);
	}
	return 0;
}

static int
resolve(const struct template *node, const struct path *path,
	const struct cel_scope *scope, struct json **out, struct err *err)
{
	*out = NULL;
	switch (node->kind) {
	case WHOLE:
		return resolve_whole(node, path, scope, out, err);
	case TEXT:
		return template_text_resolve(&node->text, scope, out, err) < 0
			   ? fail_in(path, err)
			   : 0;
	case ARRAY:
		return resolve_array(node, path, scope, out, err);
	case OBJECT:
		return resolve_object(node, path, scope, out, err);
	default:
		*out = json_ref(node->value);
		return 0;
	}
}

int
template_resolve(const struct template *tmpl, const struct cel_scope *scope,
		 struct json **out, struct err *err)
{
	struct path path = { 0 };

	return resolve(tmpl, &path, scope, out, err);
}

bool
template_is_constant(const struct template *tmpl)
{
	return tmpl->kind == CONSTANT;
}

void
template_refs(const struct template *tmpl, cel_ref_fn *fn, void *context)
{
	for (size_t i = 0; i < tmpl->text.count; i++)
		if (tmpl->text.parts[i].cel != NULL)
			cel_refs(tmpl->text.parts[i].cel, fn, context);
	for (size_t i = 0; i < tmpl->count; i++)
		template_refs(tmpl->kids[i], fn, context);
}
