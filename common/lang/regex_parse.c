/*
 * RE2's syntax into a tree. Descends once per open group, so REGEX_NEST_MAX bounds the
 * stack. What RE2 leaves out (backreferences, lookaround) is refused by name.
 */
#include "lang/regex_parse.h"

#include <string.h>

#include "base/utf8.h"
#include "lang/regex.h"
#include "lang/regex_escape.h"

struct flags {
	bool fold, dot_all, lines;
};

struct parser {
	struct regex_source source;
	struct flags flags;
	int depth;
};

static struct regex_node *parse_choice(struct parser *parser);

static struct regex_node *
new_node(struct parser *parser, enum regex_kind kind)
{
	struct regex_node *node = arena_zalloc(parser->source.arena, sizeof *node);

	node->kind = kind;
	return node;
}

static void
add_kid(struct parser *parser, struct regex_node *node, struct regex_node *kid)
{
	struct regex_node **bigger;

	if (node->count == node->capacity) {
		node->capacity = node->capacity * 2 + 4;
		bigger =
		    arena_alloc(parser->source.arena, node->capacity * sizeof *bigger);
		if (node->count > 0)
			memcpy(bigger, node->kids, node->count * sizeof *bigger);
		node->kids = bigger;
	}
	node->kids[node->count++] = kid;
}

static struct regex_node *
assert_node(struct parser *parser, enum regex_assert assert)
{
	struct regex_node *node = new_node(parser, REGEX_ASSERT);

	node->assert = assert;
	return node;
}

static struct regex_node *
char_node(struct parser *parser, uint32_t c)
{
	bool fold = parser->flags.fold;
	struct regex_node *node = new_node(parser, fold ? REGEX_FOLDED : REGEX_CHAR);

	node->c = c;
	return node;
}

static struct regex_node *
class_node(struct parser *parser, const struct regex_item *item)
{
	struct regex_node *node = new_node(parser, REGEX_CLASS);

	node->class = arena_zalloc(parser->source.arena, sizeof *node->class);
	node->class->fold = parser->flags.fold;
	if (item != NULL) {
		regex_class_add(node->class, parser->source.arena, *item);
		regex_class_end(node->class);
	}
	return node;
}

static bool
parse_posix(struct parser *parser, struct regex_class *class)
{
	struct regex_source *source = &parser->source;
	const char *start = source->pattern + source->at + 2, *end;
	struct regex_item item;
	bool negated;

	end = memmem(start, source->len - source->at - 2, ":]", 2);
	if (end == NULL)
		return false;
	negated = *start == '^';
	if (!regex_set_posix(start + negated, (size_t)(end - start) - negated, &item)) {
		regex_fail(source, source->at, "unknown class %.*s",
			   (int)(end - start > 20 ? 20 : end - start) + 4, start - 2);
		return false;
	}
	item.negated = negated;
	regex_class_add(class, source->arena, item);
	source->at = (size_t)(end - source->pattern) + 2;
	return true;
}

/* One bound of a range, or a set, which cannot be one. */
static int
parse_class_char(struct parser *parser, struct regex_item *item)
{
	struct regex_source *source = &parser->source;

	if (regex_peek(source) == '\\')
		return regex_escape_set(source, item) || source->failed
			   ? 0
			   : regex_escape_char(source, &item->range.first);
	return regex_next(source, &item->range.first);
}

static int
parse_class_item(struct parser *parser, struct regex_class *class)
{
	struct regex_source *source = &parser->source;
	size_t start = source->at;
	struct regex_item item = { 0 }, last = { 0 };

	if (regex_looks_at(source, "[:") && parse_posix(parser, class))
		return 0;
	if (source->failed || parse_class_char(parser, &item) < 0 || source->failed)
		return -1;
	item.range.last = item.range.first;
	if (item.set == NULL && item.categories == 0 && regex_peek(source) == '-' &&
	    source->at + 1 < source->len && source->pattern[source->at + 1] != ']') {
		source->at++;
		if (parse_class_char(parser, &last) < 0 || source->failed)
			return -1;
		item.range.last = last.range.first;
		if (last.set != NULL || last.categories != 0 ||
		    item.range.last < item.range.first)
			return regex_fail(source, start, "this range has no end");
	}
	regex_class_add(class, source->arena, item);
	return 0;
}

static struct regex_node *
parse_class(struct parser *parser)
{
	struct regex_source *source = &parser->source;
	size_t start = source->at++;
	struct regex_node *node = class_node(parser, NULL);
	bool first = true;

	if (regex_peek(source) == '^') {
		node->class->negated = true;
		source->at++;
	}
	while (first || regex_peek(source) != ']') {
		if (source->at == source->len) {
			regex_fail(source, start, "missing ] for the [ here");
			return NULL;
		}
		if (parse_class_item(parser, node->class) < 0)
			return NULL;
		first = false;
	}
	source->at++;
	regex_class_end(node->class);
	return node;
}

static void
set_flag(struct flags *flags, char letter, bool on)
{
	if (letter == 'i')
		flags->fold = on;
	else if (letter == 's')
		flags->dot_all = on;
	else if (letter == 'm')
		flags->lines = on;
}

/* "(?ims-U:" or "(?i)". true when a group follows, false when it was only flags. */
static bool
parse_flags(struct parser *parser, size_t start)
{
	struct regex_source *source = &parser->source;
	bool on = true;
	int c;

	while ((c = regex_peek(source)) >= 0) {
		source->at++;
		if (c == ':' || c == ')')
			return c == ':';
		if (c == '-' && on)
			on = false;
		else if (c != 0 && strchr("imsU", c) != NULL)
			set_flag(&parser->flags, (char)c, on);
		else
			break;
	}
	if (c == '=' || c == '!' || c == '<')
		regex_fail(source, start, "lookaround is not available");
	else
		regex_fail(source, start, "unknown group: flags are i, m, s and U");
	return false;
}

static void
skip_name(struct parser *parser, size_t start)
{
	struct regex_source *source = &parser->source;
	size_t begin = source->at;

	while (source->at < source->len && source->pattern[source->at] != '>' &&
	       regex_is_word((unsigned char)source->pattern[source->at]))
		source->at++;
	if (source->at == begin || regex_peek(source) != '>')
		regex_fail(source, start,
			   "the group's name must be letters and end with >");
	source->at++;
}

/* What stands behind "(?". false: no group follows. */
static bool
parse_group_head(struct parser *parser, size_t start)
{
	struct regex_source *source = &parser->source;

	if (regex_looks_at(source, "P<"))
		source->at += 2;
	else if (regex_looks_at(source, "<") && !regex_looks_at(source, "<=") &&
		 !regex_looks_at(source, "<!"))
		source->at += 1;
	else
		return parse_flags(parser, start);
	skip_name(parser, start);
	return true;
}

static struct regex_node *
parse_group(struct parser *parser)
{
	struct regex_source *source = &parser->source;
	struct flags outside = parser->flags;
	size_t start = source->at++;
	struct regex_node *node;

	if (regex_peek(source) == '?') {
		source->at++;
		if (!parse_group_head(parser, start))
			return source->failed ? NULL : new_node(parser, REGEX_EMPTY);
	}
	if (source->failed)
		return NULL;
	if (++parser->depth > REGEX_NEST_MAX) {
		regex_fail(source, start, "more than %d groups deep", REGEX_NEST_MAX);
		return NULL;
	}
	node = parse_choice(parser);
	parser->depth--;
	parser->flags = outside;
	if (node != NULL && regex_peek(source) != ')') {
		regex_fail(source, start, "missing ) for the ( here");
		return NULL;
	}
	source->at++;
	return node;
}

/* \Qliteral text\E */
static struct regex_node *
parse_quoted(struct parser *parser)
{
	struct regex_source *source = &parser->source;
	struct regex_node *node = new_node(parser, REGEX_SEQUENCE);
	uint32_t c;

	source->at += 2;
	while (source->at < source->len && !regex_looks_at(source, "\\E")) {
		if (regex_next(source, &c) < 0)
			return NULL;
		add_kid(parser, node, char_node(parser, c));
	}
	source->at += source->at < source->len ? 2 : 0;
	return node;
}

static struct regex_node *
parse_escape(struct parser *parser)
{
	static const struct {
		char letter;
		enum regex_assert assert;
	} asserts[] = { { 'A', REGEX_TEXT_BEGIN },
			{ 'z', REGEX_TEXT_END },
			{ 'b', REGEX_WORD_EDGE },
			{ 'B', REGEX_NO_WORD_EDGE } };
	struct regex_source *source = &parser->source;
	struct regex_item item;
	uint32_t c;

	if (regex_looks_at(source, "\\Q"))
		return parse_quoted(parser);
	for (size_t i = 0; i < sizeof asserts / sizeof asserts[0]; i++)
		if (source->at + 1 < source->len &&
		    source->pattern[source->at + 1] == asserts[i].letter) {
			source->at += 2;
			return assert_node(parser, asserts[i].assert);
		}
	if (regex_escape_set(source, &item))
		return class_node(parser, &item);
	if (source->failed || regex_escape_char(source, &c) < 0)
		return NULL;
	return char_node(parser, c);
}

static struct regex_node *
parse_atom(struct parser *parser)
{
	struct regex_source *source = &parser->source;
	bool lines = parser->flags.lines;
	uint32_t c;

	switch (regex_peek(source)) {
	case '(':
		return parse_group(parser);
	case '[':
		return parse_class(parser);
	case '\\':
		return parse_escape(parser);
	case '.':
		source->at++;
		return new_node(parser,
				parser->flags.dot_all ? REGEX_ANY : REGEX_NOT_LF);
	case '^':
		source->at++;
		return assert_node(parser, lines ? REGEX_LINE_BEGIN : REGEX_TEXT_BEGIN);
	case '$':
		source->at++;
		return assert_node(parser, lines ? REGEX_LINE_END : REGEX_TEXT_END);
	}
	return regex_next(source, &c) < 0 ? NULL : char_node(parser, c);
}

/* "{2}", "{2,}", "{2,5}"; anything else that begins with a brace is text. */
static bool
parse_counts(struct regex_source *source, int *min, int *max)
{
	size_t at = source->at + 1;

	if (!regex_number(source, &at, min))
		return false;
	*max = *min;
	if (at < source->len && source->pattern[at] == ',') {
		at++;
		if (!regex_number(source, &at, max))
			*max = -1;
	}
	if (at == source->len || source->pattern[at] != '}')
		return false;
	source->at = at + 1;
	return true;
}

static bool
parse_quantifier(struct regex_source *source, int *min, int *max)
{
	int c = regex_peek(source);

	if (c == '{')
		return parse_counts(source, min, max);
	if (c != '*' && c != '+' && c != '?')
		return false;
	source->at++;
	*min = c == '+';
	*max = c == '?' ? 1 : -1;
	return true;
}

static struct regex_node *
parse_repeat(struct parser *parser)
{
	struct regex_source *source = &parser->source;
	size_t start = source->at;
	struct regex_node *node, *repeat;
	int min, max;

	if (parse_quantifier(source, &min, &max)) {
		regex_fail(source, start, "nothing to repeat before this");
		return NULL;
	}
	node = parse_atom(parser);
	start = source->at;
	if (node == NULL || !parse_quantifier(source, &min, &max))
		return node;
	if (min > REGEX_REPEAT_MAX || max > REGEX_REPEAT_MAX ||
	    (max >= 0 && max < min)) {
		regex_fail(source, start,
			   "repeat counts go up to %d, the smaller first",
			   REGEX_REPEAT_MAX);
		return NULL;
	}
	if (regex_peek(source) == '?')
		source->at++; /* lazy: the same to us */
	repeat = new_node(parser, REGEX_REPEAT);
	repeat->min = min;
	repeat->max = max;
	add_kid(parser, repeat, node);
	start = source->at;
	if (parse_quantifier(source, &min, &max)) {
		regex_fail(source, start, "a repeat of a repeat: use a group");
		return NULL;
	}
	return repeat;
}

static struct regex_node *
parse_sequence(struct parser *parser)
{
	struct regex_source *source = &parser->source;
	struct regex_node *node = new_node(parser, REGEX_SEQUENCE), *kid;
	int c;

	while ((c = regex_peek(source)) >= 0 && c != '|' && c != ')') {
		kid = parse_repeat(parser);
		if (kid == NULL)
			return NULL;
		add_kid(parser, node, kid);
	}
	return node->count == 1 ? node->kids[0] : node;
}

static struct regex_node *
parse_choice(struct parser *parser)
{
	struct regex_node *first = parse_sequence(parser), *node, *kid;

	if (first == NULL || regex_peek(&parser->source) != '|')
		return first;
	node = new_node(parser, REGEX_CHOICE);
	add_kid(parser, node, first);
	while (regex_peek(&parser->source) == '|') {
		parser->source.at++;
		kid = parse_sequence(parser);
		if (kid == NULL)
			return NULL;
		add_kid(parser, node, kid);
	}
	return node;
}

struct regex_node *
regex_parse(const char *pattern, size_t len, struct arena *arena, struct err *err)
{
	struct parser parser = { .source = { pattern, len, .arena = arena,
					     .err = err } };
	struct regex_node *node;

	node = parse_choice(&parser);
	if (parser.source.failed)
		return NULL;
	if (parser.source.at < len) {
		regex_fail(&parser.source, parser.source.at, "this ) closes nothing");
		return NULL;
	}
	return node;
}
