/*
 * The keys that any step may have, as a table; then what its action adds. A key of the
 * format that this version cannot follow is refused by name: a step that silently ran
 * without its approval would be worse than none.
 */
#include "engine/step_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/fields_read.h"
#include "engine/flow_read.h"
#include "engine/model_read.h"
#include "engine/refs.h"

#define LETTERS        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define ID_FIRST       LETTERS "_"
#define ID_REST        ID_FIRST "0123456789-"
#define QUEUE_CHARS    LETTERS "0123456789._-"
#define ID_MAX         STEP_ID_MAX
#define STEP_NAME_MAX  200
#define QUEUE_MAX      64
#define BRANCHES_MAX   100
#define DELAY_PRESET   (1 * USEC_SECOND)
#define DELAY_MOST     (60 * USEC_SECOND)
#define TIMEOUT_PRESET (300 * USEC_SECOND)
#define TIMEOUT_AGENT  (3600 * USEC_SECOND)

static const char *const backoff_names[BACKOFFS + 1] = {
	[BACKOFF_FIXED] = "fixed",
	[BACKOFF_LINEAR] = "linear",
	[BACKOFF_EXPONENTIAL] = "exponential",
};

static const char *const strategy_names[] = { "llm_self_correct", NULL };

/* A step while it is read. */
struct step_reading {
	struct step_def *step;
	struct refs refs;    /* of all its expressions */
	struct refs outputs; /* of those that cannot do without */
	bool action_known, timeout_given, max_delay_given;
};

/* ---- ids ---- */

static void
check_alias(struct reader *reader, const struct place *place, struct step_def *step)
{
	char *alias = xstrdup(step->id);
	const struct step_def *other;

	for (char *c = alias; *c != '\0'; c++)
		if (*c == '-')
			*c = '_';
	other = map_get(reader->aliases, alias, strlen(alias));
	if (other == NULL)
		map_put(reader->aliases, alias, strlen(alias), step);
	else
		reader_problem(reader, place,
			       "\"%s\" and \"%s\" of steps[%d] differ only in - and _",
			       step->id, other->id, other->index);
	free(alias);
}

void
step_read_id(struct reader *reader, const struct place *place, struct step_def *step)
{
	struct place id = place_member(place, "id");
	const struct step_def *other;
	const char *text;

	if (id.doc == NULL || (text = reader_text(reader, &id, ID_MAX)) == NULL)
		return; /* that it is missing is said with the other keys */
	if (!reader_matches(text, ID_FIRST, ID_REST)) {
		reader_problem(reader, &id,
			       "\"%s\" must be letters, digits, _ and -, and begin "
			       "with a letter or _",
			       text);
		return;
	}
	step->id = xstrdup(text);
	other = map_get(reader->workflow->ids, text, strlen(text));
	if (other != NULL) {
		reader_problem(reader, &id, "\"%s\" is already the id of steps[%d]",
			       text, other->index);
		return;
	}
	map_put(reader->workflow->ids, text, strlen(text), step);
	check_alias(reader, &id, step);
}

/* ---- targets and branches ---- */

static int
read_target(struct reader *reader, const struct place *place)
{
	const char *id = reader_text(reader, place, ID_MAX);
	const struct step_def *step;

	if (id == NULL)
		return TARGET_NONE;
	step = map_get(reader->workflow->ids, id, strlen(id));
	if (step != NULL)
		return step->index;
	if (strcmp(id, "end") == 0)
		return TARGET_END;
	refs_unknown_step(reader, place, id, true);
	return TARGET_NONE;
}

struct branch_reading {
	struct branch branch;
	struct refs *refs;
	unsigned scope;
};

static void
read_condition(struct reader *reader, const struct place *place, void *into)
{
	struct branch_reading *reading = into;

	reading->branch.condition =
	    refs_condition(reader, place, reading->refs, REFS_RESULT | reading->scope);
}

static void
read_goto(struct reader *reader, const struct place *place, void *into)
{
	struct branch_reading *reading = into;

	reading->branch.target = read_target(reader, place);
}

static const struct key branch_keys[] = {
	{ .name = "condition", .read = read_condition, .required = true },
	{ .name = "goto", .read = read_goto, .required = true },
	{ 0 },
};

static void
read_branches(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;
	struct step_def *step = reading->step;

	if (!reader_is(reader, place, DOC_LIST))
		return;
	if (place->doc->count > BRANCHES_MAX) {
		reader_problem(reader, place, "more than %d branches", BRANCHES_MAX);
		return;
	}
	step->branches = xcalloc(place->doc->count + 1, sizeof *step->branches);
	step->branches_count = place->doc->count;
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place_item(place, i);
		struct branch_reading branch = {
			.branch = { .target = TARGET_NONE },
			.refs = &reading->refs,
			.scope = step->in_loop ? REFS_INDEX : 0,
		};

		reader_map(reader, &item, branch_keys, NULL, &branch);
		step->branches[i] = branch.branch;
	}
}

/* ---- retry ---- */

static void
read_max_attempts(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;
	long count = reading->step->retry.max_attempts;

	reader_count(reader, place, 1, RETRY_ATTEMPTS_MAX, &count);
	reading->step->retry.max_attempts = (int)count;
}

static void
read_backoff(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;
	int backoff = reader_choice(reader, place, backoff_names);

	if (backoff >= 0)
		reading->step->retry.backoff = (enum backoff)backoff;
}

static void
read_delay(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reader_duration(reader, place, true, &reading->step->retry.delay);
}

static void
read_max_delay(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reading->max_delay_given =
	    reader_duration(reader, place, true, &reading->step->retry.max_delay);
}

static void
read_jitter(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reader_flag(reader, place, &reading->step->retry.jitter);
}

/* What the strategy is for is told apart from the attempts: both may be wrong. */
static void
read_strategy(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	if (reader_choice(reader, place, strategy_names) < 0)
		return;
	if (reading->action_known && reading->step->action != ACTION_MODEL &&
	    reading->step->action != ACTION_AGENT)
		reader_problem(reader, place,
			       "only a model or an agent can correct itself");
	reading->step->self_correct = true;
}

static const struct key retry_keys[] = {
	{ .name = "maxAttempts", .read = read_max_attempts },
	{ .name = "backoff", .read = read_backoff },
	{ .name = "delay", .read = read_delay },
	{ .name = "maxDelay", .read = read_max_delay },
	{ .name = "jitter", .read = read_jitter },
	{ .name = "strategy", .read = read_strategy },
	{ 0 },
};

static void
read_retry(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;
	struct retry *retry = &reading->step->retry;

	*retry = (struct retry){
		.max_attempts = 3,
		.backoff = BACKOFF_EXPONENTIAL,
		.delay = DELAY_PRESET,
		.max_delay = DELAY_MOST,
		.jitter = true,
	};
	reader_map(reader, place, retry_keys, NULL, reading);
	if (reading->step->self_correct && retry->max_attempts > MODEL_CORRECTIONS + 1)
		reader_problem(reader, place,
			       "llm_self_correct tries again %d times at most: "
			       "\"maxAttempts\" is at most %d",
			       MODEL_CORRECTIONS, MODEL_CORRECTIONS + 1);
	if (retry->max_delay >= retry->delay)
		return;
	if (reading->max_delay_given)
		reader_problem(reader, place, "\"maxDelay\" is less than \"delay\"");
	else
		retry->max_delay = retry->delay;
}

/* ---- the other keys ---- */

static void
read_name(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reading->step->name = xstrdup(reader_text(reader, place, STEP_NAME_MAX));
}

static void
unknown_action(struct reader *reader, const struct place *place, const char *name)
{
	const char *names[ACTION_KINDS + 1], *nearest;

	for (int i = 0; i < ACTION_KINDS; i++)
		names[i] = action_fields[i].name;
	names[ACTION_KINDS] = NULL;
	nearest = nearest_name(name, names);
	if (nearest != NULL)
		reader_problem(reader, place,
			       "unknown action \"%.100s\"; did you mean \"%s\"?", name,
			       nearest);
	else
		reader_problem(reader, place, "unknown action \"%.100s\"", name);
}

/* Before all other keys: it says which keys there may be. */
static void
read_action(struct reader *reader, const struct place *step_place,
	    struct step_reading *reading)
{
	struct place place = place_member(step_place, "action");
	const char *name;

	if (place.doc == NULL || (name = reader_text(reader, &place, ID_MAX)) == NULL)
		return;
	reading->step->action = action_fields_find(name);
	reading->action_known = reading->step->action != ACTION_KINDS;
	if (!reading->action_known)
		unknown_action(reader, &place, name);
}

static void
read_timeout(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reading->timeout_given = true;
	reader_duration(reader, place, false, &reading->step->timeout);
}

static void
read_step_queue(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reading->step->queue = step_read_queue(reader, place);
}

static void
read_on_success(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reading->step->on_success = read_target(reader, place);
}

static void
read_on_failure(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reading->step->on_failure = read_target(reader, place);
}

static void
read_continue(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reader_flag(reader, place, &reading->step->continue_on_error);
}

static void
read_approval(struct reader *reader, const struct place *place, void *into)
{
	struct step_reading *reading = into;

	reader_flag(reader, place, &reading->step->approval_required);
}

typedef void flow_fn(struct reader *reader, const struct place *place,
		     struct flow_reading *reading);

static void
read_flow(struct reader *reader, const struct place *place, void *into, flow_fn *fn)
{
	struct step_reading *reading = into;
	struct flow_reading flow = { reading->step, &reading->refs, &reading->outputs };

	fn(reader, place, &flow);
}

#define FLOW_KEY(name)                                                                 \
	static void read_##name(struct reader *reader, const struct place *place,      \
				void *into)                                            \
	{                                                                              \
		read_flow(reader, place, into, flow_read_##name);                      \
	}
FLOW_KEY(needs)
FLOW_KEY(if)
FLOW_KEY(foreach)
FLOW_KEY(max_parallel)
FLOW_KEY(repeat)
FLOW_KEY(max_iterations)
FLOW_KEY(schema)

static const struct key step_keys[] = {
	{ .name = "id", .required = true },
	{ .name = "name", .read = read_name },
	{ .name = "action", .required = true },
	{ .name = "timeout", .read = read_timeout },
	{ .name = "retry", .read = read_retry },
	{ .name = "queue", .read = read_step_queue },
	{ .name = "branches", .read = read_branches },
	{ .name = "onSuccess", .read = read_on_success },
	{ .name = "onFailure", .read = read_on_failure },
	{ .name = "continueOnError", .read = read_continue },
	{ .name = "ui" },
	{ .name = "needs", .read = read_needs },
	{ .name = "if", .read = read_if },
	{ .name = "approvalRequired", .read = read_approval },
	{ .name = "foreach", .read = read_foreach },
	{ .name = "maxParallel", .read = read_max_parallel },
	{ .name = "repeatUntil", .read = read_repeat },
	{ .name = "maxIterations", .read = read_max_iterations },
	{ .name = "outputSchema", .read = read_schema },
	{ 0 },
};

char *
step_read_queue(struct reader *reader, const struct place *place)
{
	const char *text = reader_text(reader, place, QUEUE_MAX);

	if (text == NULL)
		return NULL;
	if (reader_matches(text, QUEUE_CHARS, QUEUE_CHARS))
		return xstrdup(text);
	reader_problem(reader, place, "\"%s\" must be letters, digits, \".\", _ and -",
		       text);
	return NULL;
}

/* It may take days: without a timeout of its own it has none. */
static bool
waits_for_others(enum action_kind action)
{
	return action == ACTION_WAIT || action == ACTION_APPROVAL ||
	       action == ACTION_WORKFLOW || action == ACTION_CONDITIONAL ||
	       action == ACTION_LOOP;
}

static void
set_presets(struct step_reading *reading)
{
	struct step_def *step = reading->step;

	if (step->name == NULL && step->id != NULL)
		step->name = xstrdup(step->id);
	if (!reading->timeout_given && !waits_for_others(step->action))
		step->timeout =
		    step->action == ACTION_AGENT ? TIMEOUT_AGENT : TIMEOUT_PRESET;
}

/* What its fields read is what it cannot do without. */
static void
give_refs(struct reader *reader, struct step_reading *reading)
{
	struct step_def *step = reading->step;
	struct refs *refs = &reading->refs;

	step->output_of = reading->outputs.outputs;
	step->output_of_count = reading->outputs.outputs_count;
	reading->outputs.outputs = NULL;
	reading->outputs.outputs_count = 0;
	refs_merge(refs, &reading->outputs);
	free(refs->outputs);
	step->refs = refs->list;
	step->refs_count = refs->count;
	step->refs_all_steps = refs->all_steps;
	step->refs_state = refs->state;
	if (refs->whole)
		reader->workflow->reads_steps_whole = true;
}

void
step_read(struct reader *reader, const struct place *place, struct step_def *step)
{
	struct step_reading reading = { .step = step };
	struct flow_reading flow = { step, &reading.refs, &reading.outputs };

	step->retry.max_attempts = 1;
	step->on_success = step->on_failure = TARGET_NONE;
	read_action(reader, place, &reading);
	reader_map(reader, place, step_keys,
		   reading.action_known ? action_fields[step->action].fields
					: reader_any_key,
		   &reading);
	if (reading.action_known) {
		fields_read(reader, place, step, &reading.outputs,
			    flow_scope(place, step));
		flow_read_condition(reader, place, &flow);
		flow_read_when(reader, place, &flow);
	}
	set_presets(&reading);
	give_refs(reader, &reading);
}
