/*
 * Sequences with jumps, graphs with choices, blocks in blocks, fans, repetitions, gates
 * and runs that start runs. All that is drawn ends by itself, or by maxSteps.
 */
#include "generate.h"

#include <stdio.h>

#define ID_MAX     64
#define DEPTH_MOST 2

struct generator {
	struct random *random;
	struct buf *text;
	int children;
	bool graph;
};

/* One list of steps: of the file, or of a block. */
struct sequence {
	const char *prefix;
	int count, depth;
	bool in_loop;
};

static bool
is(struct generator *generator, int per_mille)
{
	return random_is(generator->random, per_mille);
}

static int
below(struct generator *generator, int count)
{
	return random_below(generator->random, count);
}

static bool
at_top_of_graph(const struct generator *generator, const struct sequence *sequence)
{
	return generator->graph && sequence->depth == 0;
}

/* In a graph every third step waits to be chosen. */
static bool
is_choice(int place)
{
	return place % 3 == 2;
}

/* Before the step itself, mostly. */
static void
condition(struct generator *generator, const struct sequence *sequence, int place,
	  struct buf *text)
{
	int other = place > 0 ? below(generator, place) : 0;

	switch (below(generator, sequence->in_loop ? 7 : 6)) {
	case 0:
		buf_str(text, "input.flag");
		break;
	case 1:
		buf_printf(text, "input.n > %d", below(generator, 10));
		break;
	case 2:
		buf_str(text, is(generator, 700) ? "true" : "false");
		break;
	case 3:
		buf_printf(text, "steps.%s%d.output.n > 4", sequence->prefix, other);
		break;
	case 4:
		buf_printf(text, "steps.%s%d.status == 'completed'", sequence->prefix,
			   other);
		break;
	case 5:
		buf_str(text, "input.n != 3");
		break;
	default:
		buf_printf(text, "index < %d", 1 + below(generator, 3));
	}
}

static void
add_condition(struct generator *generator, const struct sequence *sequence, int place,
	      const char *key)
{
	buf_printf(generator->text, "  %s: \"", key);
	condition(generator, sequence, place, generator->text);
	buf_str(generator->text, "\"\n");
}

/* ---- where it leads ---- */

static void
target(struct generator *generator, const struct sequence *sequence, int place,
       char id[static ID_MAX])
{
	int to = below(generator, sequence->count);

	if (at_top_of_graph(generator, sequence)) {
		to = place + 1 + below(generator, sequence->count);
		while (to < sequence->count && !is_choice(to))
			to++;
	}
	if (to >= sequence->count || is(generator, 80))
		snprintf(id, ID_MAX, "end");
	else
		snprintf(id, ID_MAX, "%s%d", sequence->prefix, to);
}

static void
add_target(struct generator *generator, const struct sequence *sequence, int place,
	   const char *key, int per_mille)
{
	char id[ID_MAX];

	if (!is(generator, per_mille))
		return;
	target(generator, sequence, place, id);
	buf_printf(generator->text, "  %s: %s\n", key, id);
}

static void
add_branches(struct generator *generator, const struct sequence *sequence, int place)
{
	static const char *const conditions[] = {
		"result.ok",     "error == null && result.n > 6",
		"error != null", "input.n > 5",
		"false",         "has(result.n)",
	};
	char id[ID_MAX];

	if (!is(generator, 150))
		return;
	buf_str(generator->text, "  branches:\n");
	for (int i = below(generator, 2); i >= 0; i--) {
		target(generator, sequence, place, id);
		buf_printf(generator->text, "  - { condition: \"%s\", goto: %s }\n",
			   conditions[below(generator, 6)], id);
	}
}

static void
add_needs(struct generator *generator, const struct sequence *sequence, int place)
{
	bool first = true;

	if (!at_top_of_graph(generator, sequence) || is_choice(place) || place == 0)
		return;
	buf_str(generator->text, "  needs: [");
	for (int i = 0; i < place; i++) {
		if (!is(generator, 300) && !(first && i == place - 1))
			continue;
		buf_printf(generator->text, "%s%s%d", first ? "" : ", ",
			   sequence->prefix, i);
		first = false;
	}
	buf_str(generator->text, "]\n");
}

/* ---- what it does ---- */

static void
add_repetition(struct generator *generator, const struct sequence *sequence, int place)
{
	if (is(generator, 120)) {
		if (place > 0 && is(generator, 300))
			buf_printf(generator->text,
				   "  foreach: \"steps.%s%d.output.list\"\n",
				   sequence->prefix, below(generator, place));
		else
			buf_str(generator->text, "  foreach: \"input.list\"\n");
		if (is(generator, 600))
			buf_printf(generator->text, "  maxParallel: %d\n",
				   1 + below(generator, 3));
	} else if (is(generator, 80)) {
		buf_str(generator->text, "  repeatUntil: \"result.n > 5\"\n");
		if (is(generator, 700))
			buf_printf(generator->text, "  maxIterations: %d\n",
				   1 + below(generator, 5));
	}
}

static void
add_work(struct generator *generator, const struct sequence *sequence, int place)
{
	buf_str(generator->text, "  action: code\n  language: shell\n");
	if (place > 0 && is(generator, 150))
		buf_printf(generator->text, "  source: \"{{steps.%s%d.output.n}}\"\n",
			   sequence->prefix, below(generator, place));
	else
		buf_str(generator->text, "  source: \"true\"\n");
	add_repetition(generator, sequence, place);
	if (is(generator, 150))
		buf_str(generator->text, "  timeout: 150ms\n");
}

static void
add_names(struct generator *generator, const char *key, const char *prefix, int count)
{
	buf_printf(generator->text, "  %s: [", key);
	for (int i = 0; i < count; i++)
		buf_printf(generator->text, "%s%s%d", i > 0 ? ", " : "", prefix, i);
	buf_str(generator->text, "]\n");
}

static void
add_approval(struct generator *generator)
{
	static const char *const ends[] = { "fail", "approve", "deny" };

	buf_str(generator->text, "  action: approval\n  prompt: \"Well?\"\n");
	if (is(generator, 500))
		buf_printf(generator->text, "  timeout: 2s\n  onTimeout: %s\n",
			   ends[below(generator, 3)]);
}

static void
add_start(struct generator *generator)
{
	buf_printf(generator->text,
		   "  action: workflow\n  workflow: child%d\n"
		   "  input: { flag: true, n: %d, list: [1, 2] }\n",
		   below(generator, generator->children), below(generator, 10));
	if (is(generator, 200))
		buf_str(generator->text, "  wait: false\n");
	if (is(generator, 200))
		buf_str(generator->text, "  timeout: 500ms\n");
}

static void
add_around(struct generator *generator, const struct sequence *sequence, int place)
{
	add_needs(generator, sequence, place);
	add_branches(generator, sequence, place);
	add_target(generator, sequence, place, "onSuccess", 120);
	add_target(generator, sequence, place, "onFailure", 200);
	if (is(generator, 200))
		buf_str(generator->text, "  continueOnError: true\n");
	if (is(generator, 100))
		buf_str(generator->text, "  approvalRequired: true\n");
	if (is(generator, 150))
		add_condition(generator, sequence, place, "if");
	if (is(generator, 250))
		buf_printf(generator->text,
			   "  retry: { maxAttempts: %d, delay: 200ms }\n",
			   2 + below(generator, 3));
}

static void add_steps(struct generator *generator, const struct sequence *sequence);

static void
add_block_step(struct generator *generator, const struct sequence *sequence, int place,
	       bool loop)
{
	char then[ID_MAX], other[ID_MAX];
	int first = 1 + below(generator, 3), second = below(generator, 3);
	struct sequence inner = { .depth = sequence->depth + 1,
				  .in_loop = sequence->in_loop || loop };

	snprintf(then, sizeof then, "%s%dt", sequence->prefix, place);
	snprintf(other, sizeof other, "%s%de", sequence->prefix, place);
	buf_printf(generator->text, "  action: %s\n", loop ? "loop" : "conditional");
	if (!loop || is(generator, 600))
		add_condition(generator, sequence, place, "condition");
	if (loop)
		buf_printf(generator->text, "  maxIterations: %d\n",
			   1 + below(generator, 4));
	add_names(generator, loop ? "body" : "then", then, first);
	if (!loop && second > 0)
		add_names(generator, "else", other, second);
	add_around(generator, sequence, place);
	inner.prefix = then;
	inner.count = first;
	add_steps(generator, &inner);
	inner.prefix = other;
	inner.count = loop ? 0 : second;
	add_steps(generator, &inner);
}

static void
add_step(struct generator *generator, const struct sequence *sequence, int place)
{
	int kind = below(generator, 100);

	buf_printf(generator->text, "- id: %s%d\n", sequence->prefix, place);
	if (kind < 16 && sequence->depth < DEPTH_MOST) {
		add_block_step(generator, sequence, place, kind < 8);
		return;
	}
	if (kind < 22)
		add_approval(generator);
	else if (kind < 28 && generator->children > 0)
		add_start(generator);
	else if (kind < 36)
		buf_printf(generator->text, "  action: wait\n  for: %dms\n",
			   1 + below(generator, 800));
	else if (kind < 42)
		buf_str(generator->text, "  action: noop\n");
	else
		add_work(generator, sequence, place);
	add_around(generator, sequence, place);
}

static void
add_steps(struct generator *generator, const struct sequence *sequence)
{
	for (int i = 0; i < sequence->count; i++)
		add_step(generator, sequence, i);
}

void
generate_workflow(struct random *random, const char *name, int children,
		  struct buf *text)
{
	struct generator generator = { random, text, children, false };
	struct sequence top = { .prefix = "s" };

	generator.graph = is(&generator, 500);
	top.count = 2 + below(&generator, 7);
	buf_printf(text, "name: %s\nmaxSteps: %d\n", name, 50 + below(&generator, 30));
	if (is(&generator, 300))
		buf_str(text, "timeout: 20s\n");
	if (is(&generator, 150))
		buf_str(text, "onInterrupt: crash\n");
	else if (is(&generator, 150))
		buf_printf(text, "concurrency: { limit: %d }\n",
			   1 + below(&generator, 2));
	buf_str(text, "steps:\n");
	add_steps(&generator, &top);
}
