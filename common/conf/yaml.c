/*
 * libyaml's events -> the tree. Here stands what is YAML's: its syntax errors in plain
 * words, tags, one document. Reading stops at the first thing that libyaml cannot read,
 * and at the depth limit, long before its quadratic time is felt.
 */
#include "conf/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/yaml_text.h"
#include "conf/yaml_tree.h"
#include "json/json.h"

#define CORE "tag:yaml.org,2002:"

struct reader {
	yaml_parser_t parser;
	struct yaml_tree *tree;
	struct problems *problems;
	struct buf text;
	bool had_document;
};

struct hint {
	const char *problem; /* libyaml's words */
	const char *words;   /* ours */
};

static const struct hint hints[] = {
	{ "mapping values are not allowed in this context",
	  "\": \" inside a value: put the value in quotes, or check the indentation" },
	{ "did not find expected key", "the indentation fits nothing above" },
	{ "did not find expected '-' indicator",
	  "a list goes on with something that is no \"- \" item" },
	{ "block sequence entries are not allowed in this context",
	  "a list item has to begin on a line of its own" },
	{ "could not find expected ':'", "a key without \":\"" },
	{ "found unexpected end of stream", "the text ends inside quotes" },
	{ "did not find expected node content",
	  "a value is missing, or begins with a character that needs quotes" },
	{ "did not find expected <document start>",
	  "the document ended before this: the indentation fits nothing above" },
	{ "did not find expected ',' or ']'",
	  "a list begun with \"[\" lacks its \"]\"" },
	{ "did not find expected ',' or '}'",
	  "a map begun with \"{\" lacks its \"}\"" },
	{ "found character that cannot start any token",
	  "a value cannot begin with this character: put it in quotes" },
};

static struct yaml_place
place_of(const yaml_event_t *event, const yaml_char_t *anchor)
{
	return (struct yaml_place){
		.line = (int)event->start_mark.line + 1,
		.column = (int)event->start_mark.column + 1,
		.anchor = (const char *)anchor,
	};
}

/* Whether the place stands in the blanks that a line begins with, one of them a tab. */
static bool
is_at_tab(const struct buf *text, const yaml_mark_t *mark)
{
	const char *at = buf_text(text), *next;
	size_t blanks;

	for (size_t line = mark->line; line > 0; line--) {
		next = strchr(at, '\n');
		if (next == NULL)
			return false;
		at = next + 1;
	}
	blanks = strspn(at, " \t-?:");
	return mark->column <= blanks && memchr(at, '\t', blanks) != NULL;
}

static const char *
in_our_words(const struct reader *reader)
{
	const char *problem = reader->parser.problem;

	if (problem == NULL)
		return "not YAML";
	if (is_at_tab(&reader->text, &reader->parser.problem_mark))
		return "a tab cannot indent: use spaces";
	for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
		if (strcmp(problem, hints[i].problem) == 0)
			return hints[i].words;
	return problem;
}

static void
complain_of_syntax(struct reader *reader)
{
	const yaml_mark_t *mark = &reader->parser.problem_mark;

	problems_add_at(reader->problems, (int)mark->line + 1, (int)mark->column + 1,
			"", "%s", in_our_words(reader));
}

/* What a plain scalar of this text would be. */
static enum json_type
plain_type(const char *text, size_t len)
{
	struct doc scalar = { .kind = DOC_SCALAR, .text = (char *)text, .len = len };
	struct json *json = json_from_doc(&scalar);
	enum json_type type = json_type(json);

	json_unref(&json);
	return type;
}

static bool
scalar_fits(const char *tag, const char *text, size_t len)
{
	enum json_type type = plain_type(text, len);

	if (strcmp(tag, CORE "int") == 0)
		return type == JSON_INT;
	if (strcmp(tag, CORE "float") == 0)
		return type == JSON_INT || type == JSON_DOUBLE;
	if (strcmp(tag, CORE "bool") == 0)
		return type == JSON_BOOL;
	return strcmp(tag, CORE "null") == 0 && type == JSON_NULL;
}

static void
complain_of_tag(struct reader *reader, const yaml_event_t *event, const char *tag)
{
	struct yaml_place place = place_of(event, NULL);
	size_t core = strlen(CORE);
	bool is_core = strncmp(tag, CORE, core) == 0;

	yaml_tree_complain(reader->tree, &place,
			   "the tag %s%.60s is not for this value", is_core ? "!!" : "",
			   is_core ? tag + core : tag);
}

static int
on_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = (const char *)event->data.scalar.tag;
	size_t len = event->data.scalar.length;
	struct yaml_place place = place_of(event, event->data.scalar.anchor);
	bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;

	if (tag != NULL && (strcmp(tag, CORE "str") == 0 || strcmp(tag, "!") == 0))
		quoted = true;
	else if (tag != NULL && scalar_fits(tag, text, len))
		quoted = false;
	else if (tag != NULL)
		complain_of_tag(reader, event, tag);
	return yaml_tree_scalar(reader->tree, &place, text, len, quoted);
}

static int
on_open(struct reader *reader, const yaml_event_t *event, enum doc_kind kind,
	const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct yaml_place place = place_of(event, anchor);
	const char *right = kind == DOC_LIST ? CORE "seq" : CORE "map";

	if (tag != NULL && strcmp((const char *)tag, "!") != 0 &&
	    strcmp((const char *)tag, right) != 0)
		complain_of_tag(reader, event, (const char *)tag);
	return yaml_tree_open(reader->tree, &place, kind);
}

static int
on_alias(struct reader *reader, const yaml_event_t *event)
{
	struct yaml_place place = place_of(event, NULL);

	return yaml_tree_alias(reader->tree, &place,
			       (const char *)event->data.alias.anchor);
}

static int
on_document(struct reader *reader, const yaml_event_t *event)
{
	struct yaml_place place = place_of(event, NULL);

	if (reader->had_document) {
		yaml_tree_complain(reader->tree, &place,
				   "a second document begins: only one is read");
		return -1;
	}
	reader->had_document = true;
	return 0;
}

static int
on_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(reader, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(reader, event);
	case YAML_ALIAS_EVENT:
		return on_alias(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(reader, event, DOC_LIST,
			       event->data.sequence_start.anchor,
			       event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_open(reader, event, DOC_MAP, event->data.mapping_start.anchor,
			       event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return yaml_tree_close(reader->tree);
	default:
		return 0;
	}
}

static void
read_events(struct reader *reader)
{
	yaml_event_t event;
	bool more = true;

	while (more) {
		if (!yaml_parser_parse(&reader->parser, &event)) {
			complain_of_syntax(reader);
			return;
		}
		more = event.type != YAML_STREAM_END_EVENT &&
		       on_event(reader, &event) == 0;
		yaml_event_delete(&event);
	}
}

static void
read_text(struct reader *reader)
{
	if (!yaml_parser_initialize(&reader->parser))
		bug("out of memory for a YAML parser");
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser,
				     (const unsigned char *)buf_text(&reader->text),
				     reader->text.len);
	read_events(reader);
	yaml_parser_delete(&reader->parser);
}

/* Nothing, comments only, or "---" and nothing: an empty map. */
static struct doc *
or_empty_map(struct doc *root)
{
	if (root != NULL && (root->kind != DOC_SCALAR || root->len > 0 || root->quoted))
		return root;
	doc_free(&root);
	return doc_new(DOC_MAP, 1, 1);
}

struct doc *
yaml_parse(const char *text, size_t len, struct problems *problems)
{
	struct reader reader = { .problems = problems };
	size_t before = problems->count;
	struct doc *root = NULL;

	if (yaml_text_check(text, len, &reader.text, problems) < 0)
		goto out;
	reader.tree = yaml_tree_new(problems);
	read_text(&reader);
	if (problems->count == before)
		root = or_empty_map(yaml_tree_take(reader.tree));
out:
	yaml_tree_free(&reader.tree);
	buf_fini(&reader.text);
	return root;
}
