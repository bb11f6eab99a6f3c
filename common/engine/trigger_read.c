/*
 * Reading `trigger`: manual, a schedule as text, or a list of entries. A webhook, an
 * event and a file watch are maps of their own; a schedule's keys stand in the entry
 * itself. What a trigger's expressions may read is its payload alone: there is no run
 * yet.
 */
#include "engine/trigger_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/refs.h"
#include "engine/workflow.h"
#include "lang/glob.h"
#include "lang/schedule_rule.h"

#define ZONE_MAX        100
#define RUNS_MAX        1000000000
#define DEBOUNCE_PRESET (500 * USEC_MS)
#define PATH_FIRST      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define PATH_REST       PATH_FIRST "._~-"
#define ANY_PATTERN     "@daily" /* stands for the pattern while the rest is read */

static const char *const catch_up_names[] = { "none", "last", "all", NULL };
static const char *const overlap_names[] = { "skip", "allow", NULL };

/* ---- what several kinds have ---- */

static void
read_when(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	struct refs refs = { 0 };

	trigger->when = refs_condition(reader, place, &refs, REFS_TRIGGER);
	refs_fini(&refs);
}

static void
read_payload_input(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	struct refs refs = { 0 };
	struct err err = { 0 };
	struct json *value;
	bool whole =
	    place->doc->kind == DOC_SCALAR && strstr(place->doc->text, "{{") == NULL;

	if (place->doc->kind == DOC_LIST || whole)
		reader_problem(reader, place,
			       "expected an object, or a template that gives one");
	else if (refs_templates(reader, place, &refs, REFS_TRIGGER)) {
		value = json_from_doc(place->doc);
		trigger->input = template_compile(value, NULL, &err);
		if (trigger->input == NULL)
			reader_problem(reader, place, "%s", err.text);
		json_unref(&value);
	}
	refs_fini(&refs);
}

/* A text, or a list of them: those that check accepts. */
static void
read_texts(struct reader *reader, const struct place *place, size_t max_count,
	   size_t max_len,
	   bool (*check)(struct reader *reader, const struct place *item),
	   struct trigger_texts *texts)
{
	bool list = place->doc->kind == DOC_LIST;
	size_t count = list ? place->doc->count : 1;

	if (count == 0 || count > max_count) {
		reader_problem(reader, place, "expected 1 to %zu, got %zu", max_count,
			       count);
		return;
	}
	texts->list = xcalloc(count, sizeof *texts->list);
	for (size_t i = 0; i < count; i++) {
		const struct place item = list ? place_item(place, i) : *place;

		if (reader_text(reader, &item, max_len) != NULL && check(reader, &item))
			texts->list[texts->count++] = xstrdup(item.doc->text);
	}
}

/* ---- cron ---- */

/* A problem of the schedule, told at the place of what it is about. */
static bool
check_rule(struct reader *reader, const struct place *place,
	   const struct schedule_words *words)
{
	struct schedule_rule rule;
	struct err err = { 0 };
	const char *text;

	/* Counted from no moment: what a file says must not depend on the day. */
	if (schedule_rule_read(words, 0, &rule, &err) == 0)
		return true;
	text = strstr(err.text, ": ");
	reader_problem(reader, place, "%s", text != NULL ? text + 2 : err.text);
	return false;
}

static void
read_cron(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	const struct schedule_words words = {
		.cron = reader_text(reader, place, CRON_TEXT_MAX),
	};

	if (words.cron != NULL && check_rule(reader, place, &words))
		trigger->cron.text = xstrdup(words.cron);
}

static void
read_zone(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	const struct schedule_words words = {
		.cron = ANY_PATTERN,
		.zone = reader_text(reader, place, ZONE_MAX),
	};

	if (words.zone != NULL && check_rule(reader, place, &words))
		trigger->cron.zone = xstrdup(words.zone);
}

static void
read_start(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	const struct schedule_words words = {
		.cron = ANY_PATTERN,
		.start = reader_text(reader, place, CRON_TEXT_MAX),
		.end = "24:00",
	};

	if (words.start != NULL && check_rule(reader, place, &words))
		trigger->cron.start = xstrdup(words.start);
}

static void
read_end(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	const struct schedule_words words = {
		.cron = ANY_PATTERN,
		.start = "00:00",
		.end = reader_text(reader, place, CRON_TEXT_MAX),
	};

	if (words.end != NULL && check_rule(reader, place, &words))
		trigger->cron.end = xstrdup(words.end);
}

static void
read_days(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_cron *cron = &((struct trigger_def *)into)->cron;
	bool days[8] = { false };
	long day = 0;

	if (!reader_is(reader, place, DOC_LIST))
		return;
	for (size_t i = 0; i < place->doc->count; i++) {
		const struct place item = place_item(place, i);

		if (reader_count(reader, &item, 0, 7, &day))
			days[day == 0 ? 7 : day] = true;
	}
	cron->days_count = 0;
	for (int i = 1; i <= 7; i++)
		if (days[i])
			cron->days[cron->days_count++] = i;
	if (place->doc->count == 0)
		reader_problem(reader, place, "expected at least one day");
}

static const struct key hours_keys[] = {
	{ .name = "start", .read = read_start, .required = true },
	{ .name = "end", .read = read_end, .required = true },
	{ .name = "daysOfWeek", .read = read_days },
	{ 0 },
};

static void
read_hours(struct reader *reader, const struct place *place, void *into)
{
	reader_map(reader, place, hours_keys, NULL, into);
}

static void
read_max_runs(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	reader_count(reader, place, 1, RUNS_MAX, &trigger->cron.max_runs);
}

static void
read_catch_up(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	int choice = reader_choice(reader, place, catch_up_names);

	if (choice >= 0)
		trigger->cron.catch_up = catch_up_names[choice];
}

static void
read_overlap(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	int choice = reader_choice(reader, place, overlap_names);

	if (choice >= 0)
		trigger->cron.overlap = overlap_names[choice];
}

static void
read_jitter(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	long ms = 0;

	if (reader_count(reader, place, 0, SCHEDULE_JITTER_MAX / USEC_MS, &ms))
		trigger->cron.jitter = ms * USEC_MS;
}

/* It is known now, so that no firing has to find that it does not fit. */
static void
check_input(struct reader *reader, const struct place *place, const struct json *input)
{
	struct problems problems = { 0 };

	if (!workflow_check_input(reader->workflow, input, &problems))
		for (size_t i = 0; i < problems.count; i++)
			reader_problem(reader, place,
				       "does not fit the workflow's input: %s: %s",
				       problems.list[i].path, problems.list[i].message);
	problems_fini(&problems);
}

static void
read_input(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	if (reader_is(reader, place, DOC_MAP))
		trigger->cron.input = json_from_doc(place->doc);
}

static const struct key cron_keys[] = {
	{ .name = "cron", .read = read_cron, .required = true },
	{ .name = "timezone", .read = read_zone },
	{ .name = "activeHours", .read = read_hours },
	{ .name = "maxRuns", .read = read_max_runs },
	{ .name = "catchUp", .read = read_catch_up },
	{ .name = "overlap", .read = read_overlap },
	{ .name = "jitterMs", .read = read_jitter },
	{ .name = "input", .read = read_input },
	{ 0 },
};

static void
cron_preset(struct trigger_def *trigger)
{
	trigger->cron.catch_up = catch_up_names[1];
	trigger->cron.overlap = overlap_names[0];
}

static void
read_cron_entry(struct reader *reader, const struct place *entry,
		struct trigger_def *trigger)
{
	const struct place input = place_member(entry, "input");

	reader_map(reader, entry, cron_keys, NULL, trigger);
	check_input(reader, input.doc != NULL ? &input : entry, trigger->cron.input);
}

/* ---- webhook ---- */

static bool
is_path(const char *path)
{
	char part[TRIGGER_PATH_MAX + 1];
	size_t len;

	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (len >= sizeof part)
			return false;
		memcpy(part, path, len);
		part[len] = '\0';
		if (!reader_matches(part, PATH_FIRST, PATH_REST))
			return false;
		if (path[len] == '\0')
			return true;
	}
}

static void
read_path(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	const char *path = reader_text(reader, place, TRIGGER_PATH_MAX);

	if (path == NULL)
		return;
	if (!is_path(path))
		reader_problem(reader, place,
			       "\"%s\" must be names of letters, digits, \".\", _, ~ "
			       "and -, that begin with a letter or digit, with \"/\" "
			       "between them",
			       path);
	else if (trigger_webhook(reader->workflow, path) != NULL)
		reader_problem(reader, place,
			       "\"%s\" is the path of another trigger of this workflow",
			       path);
	else
		trigger->webhook.path = xstrdup(path);
}

static bool
check_secret(struct reader *reader, const struct place *place)
{
	const char *text = place->doc->text;

	if (strcmp(text, "env:") == 0 || strcmp(text, "file:") == 0)
		reader_problem(reader, place, "expected env:NAME or file:/path");
	else if (strcmp(text, "***") == 0)
		reader_problem(reader, place,
			       "*** stands where a secret was: write it again");
	else
		return true;
	return false;
}

static void
read_secrets(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	read_texts(reader, place, TRIGGER_SECRETS_MAX, TRIGGER_SECRET_MAX, check_secret,
		   &trigger->webhook.secrets);
}

static const struct key auth_keys[] = {
	{ .name = "hmacSha256", .read = read_secrets },
	{ .name = "bearer", .read = read_secrets },
	{ 0 },
};

static void
read_auth(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;
	const struct doc *doc = place->doc;
	bool hmac = doc_get(doc, "hmacSha256") != NULL;

	if (doc->kind == DOC_SCALAR && strcmp(doc->text, "none") == 0)
		return;
	if (doc->kind != DOC_MAP || hmac == (doc_get(doc, "bearer") != NULL)) {
		reader_problem(
		    reader, place,
		    "expected {hmacSha256: SECRET}, {bearer: SECRET} or none");
		return;
	}
	trigger->webhook.auth = hmac ? TRIGGER_AUTH_HMAC : TRIGGER_AUTH_BEARER;
	reader_map(reader, place, auth_keys, NULL, trigger);
}

static const struct key webhook_keys[] = {
	{ .name = "path", .read = read_path, .required = true },
	{ .name = "auth", .read = read_auth, .required = true },
	{ .name = "when", .read = read_when },
	{ .name = "input", .read = read_payload_input },
	{ 0 },
};

/* ---- event ---- */

static void
read_source(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	trigger->event.source = xstrdup(reader_text(reader, place, TRIGGER_EVENT_MAX));
}

static void
read_type(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	trigger->event.type = xstrdup(reader_text(reader, place, TRIGGER_EVENT_MAX));
}

static const struct key event_keys[] = {
	{ .name = "source", .read = read_source },
	{ .name = "type", .read = read_type, .required = true },
	{ .name = "when", .read = read_when },
	{ .name = "input", .read = read_payload_input },
	{ 0 },
};

/* ---- file watch ---- */

static bool
check_folder(struct reader *reader, const struct place *place)
{
	const char *text = place->doc->text, *part = text;
	size_t len = 0;

	for (;; part += len + 1) {
		len = strcspn(part, "/");
		if (len == 0 || (len == 2 && memcmp(part, "..", 2) == 0) ||
		    (len == 1 && *part == '.' && strcmp(text, ".") != 0)) {
			reader_problem(reader, place,
				       "expected a path below the project's, such as "
				       "inbox or data/in");
			return false;
		}
		if (part[len] == '\0')
			return true;
	}
}

static void
read_paths(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	read_texts(reader, place, TRIGGER_PLACES_MAX, GLOB_MAX, check_folder,
		   &trigger->watch.paths);
}

static bool
check_pattern(struct reader *reader, const struct place *place)
{
	const char *text = place->doc->text;
	struct err err = { 0 };

	text += *text == '!';
	if (glob_check(text, strlen(text), &err) == 0)
		return true;
	reader_problem(reader, place, "%s", err.text);
	return false;
}

static void
read_patterns(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	read_texts(reader, place, TRIGGER_PLACES_MAX, GLOB_MAX + 1, check_pattern,
		   &trigger->watch.patterns);
}

static void
read_debounce(struct reader *reader, const struct place *place, void *into)
{
	struct trigger_def *trigger = into;

	if (reader_duration(reader, place, true, &trigger->watch.debounce) &&
	    trigger->watch.debounce > TRIGGER_DEBOUNCE_MAX)
		reader_problem(reader, place, "more than 1h");
}

static const struct key watch_keys[] = {
	{ .name = "paths", .read = read_paths, .required = true },
	{ .name = "patterns", .read = read_patterns },
	{ .name = "when", .read = read_when },
	{ .name = "debounce", .read = read_debounce },
	{ .name = "input", .read = read_payload_input },
	{ 0 },
};

/* ---- the list ---- */

static const struct kind {
	const char *name;
	enum trigger_kind kind;
	const struct key *keys; /* of the map behind the name; NULL: of the entry */
} kinds[] = {
	{ "cron", TRIGGER_CRON, NULL },
	{ "webhook", TRIGGER_WEBHOOK, webhook_keys },
	{ "event", TRIGGER_EVENT, event_keys },
	{ "fileWatch", TRIGGER_FILE_WATCH, watch_keys },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* The one kind that the entry has, or NULL and a problem. */
static const struct kind *
kind_of(struct reader *reader, const struct place *entry)
{
	const struct kind *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < KINDS; i++) {
		if (doc_get(entry->doc, kinds[i].name) == NULL)
			continue;
		found = &kinds[i];
		count++;
	}
	if (count == 1)
		return found;
	reader_problem(reader, entry,
		       "expected one of cron, webhook, event, fileWatch, got %s",
		       count == 0 ? "none of them" : "more than one");
	return NULL;
}

static void
read_entry(struct reader *reader, const struct place *entry,
	   struct trigger_def *trigger)
{
	const struct kind *kind = kind_of(reader, entry);
	struct key only[] = { { 0 }, { 0 } };
	struct place inner;

	if (kind == NULL)
		return;
	trigger->kind = kind->kind;
	if (kind->keys == NULL) {
		read_cron_entry(reader, entry, trigger);
		return;
	}
	only[0].name = kind->name;
	reader_map(reader, entry, only, NULL, NULL);
	inner = place_member(entry, kind->name);
	reader_map(reader, &inner, kind->keys, NULL, trigger);
}

static bool
is_manual(const struct doc *doc)
{
	return doc->kind == DOC_SCALAR && strcmp(doc->text, "manual") == 0;
}

static void
add(struct reader *reader, const struct place *entry, int index)
{
	struct workflow *workflow = reader->workflow;
	struct trigger_def *trigger;

	if (is_manual(entry->doc))
		return;
	trigger = &workflow->triggers[workflow->triggers_count];
	trigger->place = index;
	trigger->watch.debounce = DEBOUNCE_PRESET;
	cron_preset(trigger);
	if (entry->doc->kind == DOC_MAP) {
		read_entry(reader, entry, trigger);
	} else if (entry->doc->kind == DOC_LIST) {
		reader_problem(reader, entry,
			       "expected manual, a schedule, or a map, got a list");
	} else {
		read_cron(reader, entry, trigger);
		check_input(reader, entry, NULL);
	}
	workflow->triggers_count++;
}

void
trigger_read(struct reader *reader, const struct place *top)
{
	struct workflow *workflow = reader->workflow;
	const struct place place = place_member(top, "trigger");
	bool list = place.doc != NULL && place.doc->kind == DOC_LIST;
	size_t count = list ? place.doc->count : 1;

	if (place.doc == NULL)
		return;
	if (count > TRIGGERS_MAX) {
		reader_problem(reader, &place, "more than %d triggers", TRIGGERS_MAX);
		return;
	}
	workflow->triggers = xcalloc(count, sizeof *workflow->triggers);
	for (size_t i = 0; i < count; i++) {
		const struct place item = list ? place_item(&place, i) : place;

		add(reader, &item, (int)i);
	}
}
