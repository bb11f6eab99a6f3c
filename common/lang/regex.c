/*
 * A pattern's program and the machine that runs it (Thompson's construction): a set of
 * instructions walks over the text, each instruction at most once per character. So the
 * work is program size times text length, whatever the pattern; a budget cuts that too.
 */
#include "lang/regex.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "lang/regex_parse.h"

#define SMALL 64 /* programs up to this size run without allocating */

enum op {
	OP_CHAR,
	OP_FOLDED,
	OP_ANY,
	OP_NOT_LF,
	OP_CLASS,
	OP_ASSERT,
	OP_SPLIT,
	OP_DONE
};

struct step {
	uint16_t op;
	uint16_t next, other; /* both ways of OP_SPLIT */
	uint32_t c;           /* or the assertion */
	const struct regex_class *class;
};

struct regex {
	struct arena arena; /* the classes */
	struct step *steps;
	size_t count, capacity;
	size_t visits; /* of emit: a bound for empty repeats, which emit nothing */
	bool full;
	bool anchored; /* can only match at the begin of the text */
};

static size_t
add_step(struct regex *regex, struct step step)
{
	if (regex->count >= REGEX_PROGRAM_MAX) {
		regex->full = true;
		return 0;
	}
	if (regex->count == regex->capacity) {
		regex->capacity = regex->capacity * 2 + 16;
		regex->steps =
		    xrealloc(regex->steps, regex->capacity, sizeof *regex->steps);
	}
	step.next = (uint16_t)(regex->count + 1);
	regex->steps[regex->count] = step;
	return regex->count++;
}

static void emit(struct regex *regex, const struct regex_node *node);

/* Every choice but the last: split to it or past it, and from its end to the very end.
 * Until that is known, the jumps there form a chain, back to front. */
static void
emit_choice(struct regex *regex, const struct regex_node *node)
{
	size_t split, jump, last = 0, open = 0;

	for (size_t i = 0; i + 1 < node->count && !regex->full; i++) {
		split = add_step(regex, (struct step){ .op = OP_SPLIT });
		emit(regex, node->kids[i]);
		jump = add_step(regex, (struct step){ .op = OP_SPLIT });
		regex->steps[split].other = (uint16_t)regex->count;
		regex->steps[jump].other = (uint16_t)last;
		last = jump;
		open++;
	}
	emit(regex, node->kids[node->count - 1]);
	for (; open > 0 && !regex->full; open--) {
		jump = last;
		last = regex->steps[jump].other;
		regex->steps[jump].next = regex->steps[jump].other =
		    (uint16_t)regex->count;
	}
}

static void
emit_star(struct regex *regex, const struct regex_node *kid)
{
	size_t split = add_step(regex, (struct step){ .op = OP_SPLIT }), back;

	emit(regex, kid);
	back = add_step(regex, (struct step){ .op = OP_SPLIT });
	if (regex->full)
		return;
	regex->steps[back].next = regex->steps[back].other = (uint16_t)split;
	regex->steps[split].other = (uint16_t)regex->count;
}

/* x{2,4} is xx(x(x)?)?: each of the last ones may leave to the end. */
static void
emit_repeat(struct regex *regex, const struct regex_node *node)
{
	const struct regex_node *kid = node->kids[0];
	size_t first, split;

	for (int i = 0; i < node->min && !regex->full; i++)
		emit(regex, kid);
	if (node->max < 0) {
		emit_star(regex, kid);
		return;
	}
	first = regex->count;
	for (int i = node->min; i < node->max && !regex->full; i++) {
		split = add_step(regex, (struct step){ .op = OP_SPLIT });
		regex->steps[split].c = 1; /* open: its other way is not known yet */
		emit(regex, kid);
	}
	for (size_t i = first; i < regex->count; i++)
		if (regex->steps[i].op == OP_SPLIT && regex->steps[i].c == 1) {
			regex->steps[i].c = 0;
			regex->steps[i].other = (uint16_t)regex->count;
		}
}

static void
emit_kids(struct regex *regex, const struct regex_node *node)
{
	for (size_t i = 0; i < node->count && !regex->full; i++)
		emit(regex, node->kids[i]);
}

static void
emit(struct regex *regex, const struct regex_node *node)
{
	static const uint16_t ops[REGEX_KINDS] = {
		[REGEX_CHAR] = OP_CHAR,   [REGEX_FOLDED] = OP_FOLDED,
		[REGEX_ANY] = OP_ANY,     [REGEX_NOT_LF] = OP_NOT_LF,
		[REGEX_CLASS] = OP_CLASS, [REGEX_ASSERT] = OP_ASSERT,
	};
	struct step step = { .op = ops[node->kind],
			     .c = node->c,
			     .class = node->class };

	if (regex->full || ++regex->visits > 4 * REGEX_PROGRAM_MAX) {
		regex->full = true;
		return;
	}
	switch (node->kind) {
	case REGEX_EMPTY:
		return;
	case REGEX_SEQUENCE:
		emit_kids(regex, node);
		return;
	case REGEX_CHOICE:
		emit_choice(regex, node);
		return;
	case REGEX_REPEAT:
		emit_repeat(regex, node);
		return;
	case REGEX_ASSERT:
		step.c = node->assert;
		break;
	default:
		break;
	}
	add_step(regex, step);
}

struct regex *
regex_compile(const char *pattern, size_t len, struct err *err)
{
	struct regex *regex;
	struct regex_node *root;

	if (len > REGEX_TEXT_MAX) {
		err_set(err, ERR_INPUT, "longer than %d bytes", REGEX_TEXT_MAX);
		return NULL;
	}
	regex = xcalloc(1, sizeof *regex);
	arena_init(&regex->arena, NULL, 0);
	root = regex_parse(pattern, len, &regex->arena, err);
	if (root == NULL)
		goto out;
	emit(regex, root);
	add_step(regex, (struct step){ .op = OP_DONE });
	if (regex->full) {
		err_set(err, ERR_INPUT, "too large: more than %d instructions",
			REGEX_PROGRAM_MAX);
		goto out;
	}
	regex->anchored =
	    regex->steps[0].op == OP_ASSERT && regex->steps[0].c == REGEX_TEXT_BEGIN;
	return regex;
out:
	regex_free(&regex);
	return NULL;
}

void
regex_free(struct regex **regex_p)
{
	struct regex *regex = *regex_p;

	*regex_p = NULL;
	if (regex == NULL)
		return;
	arena_fini(&regex->arena);
	free(regex->steps);
	free(regex);
}

size_t
regex_size(const struct regex *regex)
{
	return regex->count;
}

/* Instructions, each at most once: a sparse set, cleared in no time. */
struct set {
	uint16_t *list, *place;
	size_t count;
};

struct machine {
	const struct regex *regex;
	struct set now, next;
	uint16_t *stack;
	int64_t *budget;
	const char *text;
	size_t len, at;
	uint32_t before, here; /* characters around the place; NONE at the ends */
};

#define NONE UINT32_MAX

static bool
set_add(struct set *set, uint16_t step)
{
	if (set->place[step] < set->count && set->list[set->place[step]] == step)
		return false;
	set->place[step] = (uint16_t)set->count;
	set->list[set->count++] = step;
	return true;
}

static bool
holds(const struct machine *machine, enum regex_assert assert)
{
	bool left = machine->before != NONE && regex_is_word(machine->before);
	bool right = machine->here != NONE && regex_is_word(machine->here);
	const bool answers[REGEX_ASSERTS] = {
		[REGEX_TEXT_BEGIN] = machine->before == NONE,
		[REGEX_TEXT_END] = machine->here == NONE,
		[REGEX_LINE_BEGIN] = machine->before == NONE || machine->before == '\n',
		[REGEX_LINE_END] = machine->here == NONE || machine->here == '\n',
		[REGEX_WORD_EDGE] = left != right,
		[REGEX_NO_WORD_EDGE] = left == right,
	};

	return answers[assert];
}

/* Adds an instruction and all that is reached from it without a character. */
static bool
follow(struct machine *machine, uint16_t start)
{
	const struct step *steps = machine->regex->steps, *step;
	size_t depth = 0;
	uint16_t i;

	machine->stack[depth++] = start;
	while (depth > 0) {
		i = machine->stack[--depth];
		if (!set_add(&machine->now, i))
			continue;
		step = &steps[i];
		--*machine->budget;
		if (step->op == OP_DONE)
			return true;
		if (step->op == OP_SPLIT) {
			machine->stack[depth++] = step->other;
			machine->stack[depth++] = step->next;
		} else if (step->op == OP_ASSERT &&
			   holds(machine, (enum regex_assert)step->c)) {
			machine->stack[depth++] = step->next;
		}
	}
	return false;
}

static bool
takes(const struct step *step, uint32_t c)
{
	switch (step->op) {
	case OP_CHAR:
		return step->c == c;
	case OP_FOLDED:
		return regex_same_fold(step->c, c);
	case OP_ANY:
		return true;
	case OP_NOT_LF:
		return c != '\n';
	case OP_CLASS:
		return regex_class_has(step->class, c);
	}
	return false;
}

static void
advance(struct machine *machine)
{
	const struct step *steps = machine->regex->steps;

	machine->next.count = 0;
	for (size_t i = 0; i < machine->now.count; i++) {
		const struct step *step = &steps[machine->now.list[i]];

		if (takes(step, machine->here))
			set_add(&machine->next, step->next);
	}
	*machine->budget -= (int64_t)machine->now.count;
}

/* Reads the character at the place; the step to the next one. */
static size_t
look(struct machine *machine)
{
	size_t step;

	machine->here = NONE;
	if (machine->at == machine->len)
		return 0;
	step = utf8_decode(machine->text + machine->at, machine->len - machine->at,
			   &machine->here);
	if (step > 0)
		return step;
	machine->here = 0xfffd;
	return 1;
}

/* Where the pattern begins with a character of its own, nothing else can start it. */
static void
skip_ahead(struct machine *machine)
{
	const struct step *first = &machine->regex->steps[0];
	const char *found;

	if (first->op != OP_CHAR || first->c >= 0x80 || machine->at == machine->len)
		return;
	found = memchr(machine->text + machine->at, (int)first->c,
		       machine->len - machine->at);
	*machine->budget -=
	    (int64_t)(found == NULL ? machine->len - machine->at
				    : (size_t)(found - machine->text) - machine->at) /
	    16;
	if (found == NULL)
		machine->at = machine->len;
	else if (found != machine->text + machine->at) {
		machine->at = (size_t)(found - machine->text);
		machine->before = (unsigned char)found[-1];
	}
}

static enum regex_answer
run(struct machine *machine)
{
	size_t step;

	machine->before = NONE;
	for (;;) {
		if (machine->next.count == 0)
			skip_ahead(machine);
		step = look(machine);
		machine->now.count = 0;
		for (size_t i = 0; i < machine->next.count; i++)
			if (follow(machine, machine->next.list[i]))
				return REGEX_YES;
		if ((machine->at == 0 || !machine->regex->anchored) &&
		    follow(machine, 0))
			return REGEX_YES;
		if (step == 0 || machine->now.count == 0)
			return REGEX_NO;
		if (*machine->budget <= 0)
			return REGEX_SPENT;
		advance(machine);
		machine->before = machine->here;
		machine->at += step;
	}
}

enum regex_answer
regex_match(const struct regex *regex, const char *text, size_t len, int64_t *budget)
{
	struct machine machine = {
		.regex = regex, .budget = budget, .text = text, .len = len
	};
	size_t size = regex->count;
	uint16_t small[SMALL * 6], *memory = small;
	enum regex_answer answer;

	if (size > SMALL)
		memory = xcalloc(size * 6, sizeof *memory);
	else
		memset(small, 0, sizeof small);
	machine.now = (struct set){ memory, memory + size, 0 };
	machine.next = (struct set){ memory + 2 * size, memory + 3 * size, 0 };
	machine.stack = memory + 4 * size;
	answer = run(&machine);
	if (memory != small)
		free(memory);
	return answer;
}
