/* Cuts a batch's body into its inputs. See inputs_core.h. */
#include "front/inputs_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define NAME "inputs"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
begin_input(struct inputs *inputs)
{
	inputs->began = inputs->at + 1;
	inputs->blank = true;
}

/* One that is blank is kept, so that the parser refuses it: [1,]. */
static enum inputs_verdict
end_input(struct inputs *inputs)
{
	size_t len = inputs->at - inputs->began;

	if (inputs->count == inputs->most)
		return INPUTS_TOO_MANY;
	if (inputs->count == inputs->room) {
		inputs->room = inputs->room > 0 ? 2 * inputs->room : 64;
		inputs->list =
		    xrealloc(inputs->list, inputs->room, sizeof *inputs->list);
	}
	inputs->list[inputs->count++] = (struct input_place){ inputs->began, len };
	return len <= inputs->len_max ? INPUTS_GOOD : INPUTS_TOO_LONG;
}

static void
open_one(struct inputs *inputs, char c)
{
	inputs->depth++;
	if (c != '[' || inputs->depth != 2 || !inputs->named)
		return;
	inputs->named = false;
	inputs->inside = inputs->first = true;
	buf_char(&inputs->frame, c);
	begin_input(inputs);
}

/* Whether the brackets fit is found by who parses what they enclose. */
static enum inputs_verdict
close_one(struct inputs *inputs)
{
	bool ends = inputs->inside && inputs->depth == 2;
	bool none = inputs->blank && inputs->first;

	if (inputs->depth > 0)
		inputs->depth--;
	if (!ends)
		return INPUTS_GOOD;
	inputs->inside = false;
	return none ? INPUTS_GOOD : end_input(inputs);
}

static enum inputs_verdict
separate(struct inputs *inputs)
{
	enum inputs_verdict verdict = INPUTS_GOOD;

	if (inputs->inside && inputs->depth == 2) {
		verdict = end_input(inputs);
		inputs->first = false;
		begin_input(inputs);
	} else if (inputs->depth == 1) {
		inputs->named = false;
	}
	return verdict;
}

static void
take_quoted(struct inputs *inputs, char c)
{
	if (inputs->escaped)
		inputs->escaped = false;
	else if (c == '\\')
		inputs->escaped = true;
	else if (c == '"')
		inputs->quoted = false;
	if (inputs->depth != 1 || !inputs->quoted)
		return;
	if (inputs->word_len < sizeof inputs->word)
		inputs->word[inputs->word_len] = c;
	inputs->word_len++;
}

static enum inputs_verdict
take_plain(struct inputs *inputs, char c)
{
	if (c == '"') {
		inputs->quoted = true;
		inputs->word_len = inputs->depth == 1 ? 0 : inputs->word_len;
	} else if (c == ':' && inputs->depth == 1) {
		inputs->named = inputs->word_len == strlen(NAME) &&
				memcmp(inputs->word, NAME, strlen(NAME)) == 0;
	} else if (c == '[' || c == '{') {
		open_one(inputs, c);
	} else if (c == ']' || c == '}') {
		return close_one(inputs);
	} else if (c == ',') {
		return separate(inputs);
	}
	return INPUTS_GOOD;
}

static enum inputs_verdict
take(struct inputs *inputs, char c)
{
	enum inputs_verdict verdict = INPUTS_GOOD;

	if (inputs->inside && !is_space(c) &&
	    !(inputs->depth == 2 && !inputs->quoted &&
	      (c == ',' || c == ']' || c == '}')))
		inputs->blank = false;
	if (inputs->quoted)
		take_quoted(inputs, c);
	else
		verdict = take_plain(inputs, c);
	if (!inputs->inside)
		buf_char(&inputs->frame, c);
	return verdict;
}

enum inputs_verdict
inputs_add(struct inputs *inputs, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++, inputs->at++) {
		enum inputs_verdict verdict = take(inputs, data[i]);

		if (verdict != INPUTS_GOOD)
			return verdict;
		if (inputs->frame.len > INPUTS_FRAME_MAX)
			return INPUTS_FRAME_TOO_LONG;
	}
	return INPUTS_GOOD;
}

void
inputs_fini(struct inputs *inputs)
{
	free(inputs->list);
	buf_fini(&inputs->frame);
	*inputs = (struct inputs){ 0 };
}
