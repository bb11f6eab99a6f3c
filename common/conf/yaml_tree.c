/*
 * The tree under construction. An alias becomes a copy of what its anchor names, so
 * that readers see a plain tree; nodes and bytes are counted before they are copied,
 * because that is where a small text explodes. What leaves the tree again (the values
 * of merge keys) is kept until the end: an anchor may name it.
 */
#include "conf/yaml_tree.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "conf/yaml.h"

#define TEXT_MAX      (1024 * 1024) /* bytes of all scalars, aliases expanded */
#define PATH_NAME_MAX 64            /* bytes shown of a key */
#define PATH_MAX_LEN  200           /* deeper is not shown */

struct anchor {
	struct anchor *next; /* all of them, to be freed */
	const struct doc *node;
	bool open; /* an alias now would be inside what it names */
};

struct frame {
	struct doc *node;
	struct doc *key;       /* waits for its value */
	struct map *seen;      /* of a map: its keys, the value is the key's doc */
	struct anchor *anchor; /* or NULL */
	bool merges;           /* has a key "<<" */
};

struct yaml_tree {
	struct problems *problems;
	struct frame frames[YAML_DEPTH_MAX];
	size_t depth;
	struct doc *root;
	struct doc *kept;  /* a list of what was taken out of the tree */
	struct map *names; /* of anchors */
	struct anchor *anchors;
	size_t nodes, bytes;
};

struct yaml_tree *
yaml_tree_new(struct problems *problems)
{
	struct yaml_tree *tree = xcalloc(1, sizeof *tree);

	tree->problems = problems;
	tree->kept = doc_new(DOC_LIST, 0, 0);
	tree->names = map_new();
	return tree;
}

static void
fini_frame(struct frame *frame)
{
	doc_free(&frame->node);
	doc_free(&frame->key);
	map_free(&frame->seen, NULL);
}

void
yaml_tree_free(struct yaml_tree **tree_p)
{
	struct yaml_tree *tree = *tree_p;
	struct anchor *anchor;

	if (tree == NULL)
		return;
	*tree_p = NULL;
	while (tree->depth > 0)
		fini_frame(&tree->frames[--tree->depth]);
	while ((anchor = tree->anchors) != NULL) {
		tree->anchors = anchor->next;
		free(anchor);
	}
	map_free(&tree->names, NULL);
	doc_free(&tree->kept);
	doc_free(&tree->root);
	free(tree);
}

struct doc *
yaml_tree_take(struct yaml_tree *tree)
{
	struct doc *root = tree->root;

	tree->root = NULL;
	return root;
}

/* Keys may hold anything; a problem is one short line. */
static void
add_name(struct buf *path, const struct doc *key)
{
	if (path->len > 0)
		buf_char(path, '.');
	for (size_t i = 0; i < key->len && i < PATH_NAME_MAX; i++)
		buf_char(path, (unsigned char)key->text[i] < ' ' ? '?' : key->text[i]);
	if (key->len > PATH_NAME_MAX)
		buf_str(path, "...");
}

static void
add_path(const struct yaml_tree *tree, struct buf *path)
{
	for (size_t i = 0; i < tree->depth && path->len < PATH_MAX_LEN; i++) {
		const struct frame *frame = &tree->frames[i];

		if (frame->node->kind == DOC_LIST)
			buf_printf(path, "[%zu]", frame->node->count);
		else if (frame->key != NULL)
			add_name(path, frame->key);
	}
}

void
yaml_tree_complain(struct yaml_tree *tree, const struct yaml_place *place,
		   const char *format, ...)
{
	struct buf path = { 0 }, message = { 0 };
	va_list args;

	add_path(tree, &path);
	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	problems_add_at(tree->problems, place->line, place->column, buf_text(&path),
			"%s", buf_text(&message));
	buf_fini(&path);
	buf_fini(&message);
}

static int
count_up(struct yaml_tree *tree, const struct yaml_place *place, size_t nodes,
	 size_t bytes)
{
	tree->nodes += nodes;
	tree->bytes += bytes;
	if (tree->nodes > YAML_NODES_MAX) {
		yaml_tree_complain(tree, place, "more than %d values, aliases counted",
				   YAML_NODES_MAX);
		return -1;
	}
	if (tree->bytes > TEXT_MAX) {
		yaml_tree_complain(tree, place, "more than %d bytes, aliases counted",
				   TEXT_MAX);
		return -1;
	}
	return 0;
}

static struct anchor *
name_node(struct yaml_tree *tree, const char *name, const struct doc *node)
{
	struct anchor *anchor;

	if (name == NULL)
		return NULL;
	anchor = xcalloc(1, sizeof *anchor);
	anchor->next = tree->anchors;
	anchor->node = node;
	tree->anchors = anchor;
	map_put(tree->names, name, strlen(name), anchor);
	return anchor;
}

static bool
is_merge(const struct doc *key)
{
	return !key->quoted && strcmp(key->text, "<<") == 0;
}

static int
check_key(struct yaml_tree *tree, const struct yaml_place *place, const struct doc *key)
{
	if (key->kind != DOC_SCALAR) {
		yaml_tree_complain(tree, place, "a key has to be plain text%s",
				   key->kind == DOC_MAP
				       ? ": a value that begins with {{ needs quotes"
				       : "");
		return -1;
	}
	if (key->len == 0 && !key->quoted) {
		yaml_tree_complain(tree, place, "a key is missing before the \":\"");
		return -1;
	}
	if (strlen(key->text) != key->len) {
		yaml_tree_complain(tree, place, "a key may not contain \\0");
		return -1;
	}
	return 0;
}

static int
set_key(struct yaml_tree *tree, struct frame *frame, const struct yaml_place *place,
	struct doc **key_p)
{
	struct doc *key = *key_p;
	const struct doc *before;

	if (check_key(tree, place, key) < 0)
		return -1;
	frame->key = key;
	*key_p = NULL;
	before = map_put(frame->seen, key->text, key->len, key);
	if (before != NULL)
		yaml_tree_complain(tree, place, "this key stands already at %d:%d",
				   before->line, before->column);
	if (is_merge(key))
		frame->merges = true;
	return 0;
}

/* Takes a finished node to its place. */
static int
attach(struct yaml_tree *tree, const struct yaml_place *place, struct doc **node_p)
{
	struct frame *frame;
	int status = 0;

	if (tree->depth == 0) {
		tree->root = *node_p;
		*node_p = NULL;
		return 0;
	}
	frame = &tree->frames[tree->depth - 1];
	if (frame->node->kind == DOC_LIST)
		doc_append(frame->node, node_p);
	else if (frame->key == NULL)
		status = set_key(tree, frame, place, node_p);
	else
		doc_put(frame->node, &frame->key, node_p);
	doc_free(node_p);
	return status;
}

int
yaml_tree_scalar(struct yaml_tree *tree, const struct yaml_place *place,
		 const char *text, size_t len, bool quoted)
{
	struct doc *node;

	if (count_up(tree, place, 1, len) < 0)
		return -1;
	node = doc_new(DOC_SCALAR, place->line, place->column);
	free(node->text);
	node->text = xstrndup(text, len);
	node->len = len;
	node->quoted = quoted;
	name_node(tree, place->anchor, node);
	return attach(tree, place, &node);
}

int
yaml_tree_open(struct yaml_tree *tree, const struct yaml_place *place,
	       enum doc_kind kind)
{
	struct frame *frame;

	if (count_up(tree, place, 1, 0) < 0)
		return -1;
	if (tree->depth == YAML_DEPTH_MAX) {
		yaml_tree_complain(tree, place, "nested deeper than %d",
				   YAML_DEPTH_MAX);
		return -1;
	}
	frame = &tree->frames[tree->depth++];
	*frame = (struct frame){ .node = doc_new(kind, place->line, place->column) };
	if (kind == DOC_MAP)
		frame->seen = map_new();
	frame->anchor = name_node(tree, place->anchor, frame->node);
	if (frame->anchor != NULL)
		frame->anchor->open = true;
	return 0;
}

static struct doc *
copy_node(const struct doc *node)
{
	struct doc *copy = doc_new(node->kind, node->line, node->column);
	struct doc *key, *item;

	copy->text = node->text != NULL ? xstrndup(node->text, node->len) : NULL;
	copy->len = node->len;
	copy->quoted = node->quoted;
	for (size_t i = 0; i < node->count; i++) {
		item = copy_node(node->items[i]);
		if (node->kind == DOC_MAP) {
			key = copy_node(node->keys[i]);
			doc_put(copy, &key, &item);
		} else {
			doc_append(copy, &item);
		}
	}
	return copy;
}

struct measure {
	size_t nodes, bytes, depth;
};

static void
measure(const struct doc *node, size_t depth, struct measure *sum)
{
	sum->nodes++;
	sum->bytes += node->len;
	if (node->kind != DOC_SCALAR && depth > sum->depth)
		sum->depth = depth;
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == DOC_MAP)
			measure(node->keys[i], depth + 1, sum);
		measure(node->items[i], depth + 1, sum);
	}
}

/* A copy, counted before it is made. NULL with a problem past a limit. */
static struct doc *
copy_counted(struct yaml_tree *tree, const struct yaml_place *place,
	     const struct doc *node)
{
	struct measure sum = { 0 };

	measure(node, 1, &sum);
	if (count_up(tree, place, sum.nodes, sum.bytes) < 0)
		return NULL;
	if (tree->depth + sum.depth > YAML_DEPTH_MAX) {
		yaml_tree_complain(tree, place, "nested deeper than %d",
				   YAML_DEPTH_MAX);
		return NULL;
	}
	return copy_node(node);
}

int
yaml_tree_alias(struct yaml_tree *tree, const struct yaml_place *place,
		const char *name)
{
	const struct anchor *anchor = map_get(tree->names, name, strlen(name));
	struct doc *copy;

	if (anchor == NULL || anchor->open) {
		yaml_tree_complain(tree, place,
				   anchor == NULL ? "nothing has the anchor &%s"
						  : "*%s stands inside what it names",
				   name);
		return -1;
	}
	copy = copy_counted(tree, place, anchor->node);
	if (copy == NULL)
		return -1;
	return attach(tree, place, &copy);
}

/* Copies the members of one map that the frame's map lacks. */
static int
merge_map(struct yaml_tree *tree, struct frame *frame, struct doc *into,
	  const struct doc *from)
{
	struct yaml_place place = { .line = from->line, .column = from->column };
	struct doc *key, *item;

	if (from->kind != DOC_MAP) {
		yaml_tree_complain(tree, &place, "<< takes a map or a list of maps");
		return 0;
	}
	for (size_t i = 0; i < from->count; i++) {
		key = from->keys[i];
		if (map_get(frame->seen, key->text, key->len) != NULL)
			continue;
		item = copy_counted(tree, &place, from->items[i]);
		if (item == NULL)
			return -1;
		map_put(frame->seen, key->text, key->len, key);
		key = copy_node(key);
		doc_put(into, &key, &item);
	}
	return 0;
}

static int
merge(struct yaml_tree *tree, struct frame *frame, struct doc *into,
      struct doc **from_p)
{
	const struct doc *from = *from_p;
	int status = 0;

	doc_append(tree->kept, from_p);
	if (from->kind != DOC_LIST)
		return merge_map(tree, frame, into, from);
	for (size_t i = 0; i < from->count && status == 0; i++)
		status = merge_map(tree, frame, into, from->items[i]);
	return status;
}

/* Rebuilds a map with what its "<<" keys name; its own keys win, then the first named.
 */
static int
merge_members(struct yaml_tree *tree, struct frame *frame)
{
	struct doc *old = frame->node, all = *old;
	int status = 0;

	old->keys = old->items = NULL;
	old->count = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (status == 0 && is_merge(all.keys[i]))
			status = merge(tree, frame, old, &all.items[i]);
		else
			doc_put(old, &all.keys[i], &all.items[i]);
		if (all.keys[i] != NULL)
			doc_append(tree->kept, &all.keys[i]);
	}
	free(all.keys);
	free(all.items);
	return status;
}

int
yaml_tree_close(struct yaml_tree *tree)
{
	struct frame *frame = &tree->frames[tree->depth - 1];
	struct yaml_place place = { .line = frame->node->line,
				    .column = frame->node->column };
	struct doc *node;

	if (frame->merges && merge_members(tree, frame) < 0)
		return -1;
	if (frame->anchor != NULL)
		frame->anchor->open = false;
	node = frame->node;
	frame->node = NULL;
	fini_frame(frame);
	tree->depth--;
	return attach(tree, &place, &node);
}
