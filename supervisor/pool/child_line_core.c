/* Pure: "ready", "slots 3/8", and from the front "scale 4", "drain". */
#include "pool/child_line_core.h"

#include <string.h>

struct form {
	const char *word;
	bool by_worker, by_front;
	int (*read)(const char *text, size_t len, struct child_line *out);
};

/* Decimal digits without a leading zero; -1 for anything else. Moves *text behind it.
 */
static int
take_number(const char **text, const char *end)
{
	const char *start = *text, *at = start;
	int number = 0;

	while (at < end && *at >= '0' && *at <= '9' && number <= CHILD_NUMBER_MAX)
		number = number * 10 + (*at++ - '0');
	if (at == start || number > CHILD_NUMBER_MAX ||
	    (*start == '0' && at - start > 1))
		return -1;
	*text = at;
	return number;
}

static int
read_nothing(const char *text, size_t len, struct child_line *out)
{
	(void)text;
	(void)out;
	return len == 0 ? 0 : -1;
}

static int
read_slots(const char *text, size_t len, struct child_line *out)
{
	const char *at = text, *end = text + len;

	out->used = take_number(&at, end);
	if (out->used < 0 || at == end || *at++ != '/')
		return -1;
	out->slots = take_number(&at, end);
	return at == end && out->slots >= out->used ? 0 : -1;
}

static int
read_workers(const char *text, size_t len, struct child_line *out)
{
	const char *at = text;

	out->workers = take_number(&at, text + len);
	return out->workers >= 0 && at == text + len ? 0 : -1;
}

static const struct form forms[CHILD_SAYS] = {
	[CHILD_SAYS_READY] = { "ready", true, true, read_nothing },
	[CHILD_SAYS_SLOTS] = { "slots ", true, false, read_slots },
	[CHILD_SAYS_SCALE] = { "scale ", false, true, read_workers },
	[CHILD_SAYS_DRAIN] = { "drain", false, true, read_nothing },
};

int
child_line_parse(const char *line, size_t len, bool from_front, struct child_line *out,
		 struct err *err)
{
	for (int i = 0; i < CHILD_SAYS; i++) {
		const struct form *form = &forms[i];
		size_t word = strlen(form->word);

		if (!(from_front ? form->by_front : form->by_worker) || len < word ||
		    memcmp(line, form->word, word) != 0)
			continue;
		*out = (struct child_line){ .says = (enum child_says)i };
		if (form->read(line + word, len - word, out) < 0)
			break;
		return 0;
	}
	return err_set(err, ERR_INPUT, "a child may not say \"%.*s\"", (int)len, line);
}
