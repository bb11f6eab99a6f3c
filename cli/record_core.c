/* See record_core.h. */
#include "record_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define STEPS_MAX 100000

/* ---- reading ---- */

/* Where a step stands: below whom, its name, which one of these. The caller's. */
static char *
place_of(struct json *counts, int64_t parent, const char *name)
{
	char *key = xprintf("%lld %s", (long long)parent, name), *place;
	int64_t count = json_int(json_get(counts, key)) + 1;

	json_set(counts, key, json_new_int(count));
	place = xprintf("%s %lld", key, (long long)count);
	free(key);
	return place;
}

/* A step's number by its id, "<run>:<number>". */
static int64_t
number_of(const struct json *id)
{
	const char *text = json_str(id);
	const char *colon = text != NULL ? strrchr(text, ':') : NULL;

	return colon != NULL ? strtoll(colon + 1, NULL, 10) : 0;
}

struct reading {
	struct json *counts; /* by parent and name */
	struct json *ended;  /* numbers of steps that answer for what is below them */
};

static bool
has_number(const struct json *set, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	return json_has(set, text);
}

static void
add_number(struct json *set, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	json_set(set, text, NULL);
}

static void
read_row(struct record *record, struct reading *reading, struct json *row)
{
	const char *name = json_str(json_get(row, "name"));
	int64_t number = json_int(json_get(row, "stepNumber"));
	int64_t parent = number_of(json_get(row, "parentStepId"));
	char *place;

	if (name == NULL || number <= 0)
		return; /* the row of the program itself */
	if (record_has_ended(row) || has_number(reading->ended, parent))
		add_number(reading->ended, number);
	if (has_number(reading->ended, parent))
		return; /* nobody will ask: what it stands in answers by itself */
	place = place_of(reading->counts, parent > 0 ? parent : 0, name);
	json_set(record->rows, place, json_ref(row));
	free(place);
}

static int
read_run(struct record *record, const struct json *run, struct err *err)
{
	static const char *const over[] = { "COMPLETED", "FAILED", "CANCELLED",
					    "TIMED_OUT" };
	struct json *steps = json_get(run, "steps");
	struct reading reading = { 0 };
	const char *status = json_str(json_get(run, "status"));

	if (json_count(steps) > STEPS_MAX)
		return err_set(err, ERR_INPUT, "the record has more than %d steps",
			       STEPS_MAX);
	reading.counts = json_new_object();
	reading.ended = json_new_object();
	record->rows = json_new_object();
	for (size_t i = 0; i < json_count(steps); i++)
		read_row(record, &reading, json_at(steps, i));
	json_unref(&reading.counts);
	json_unref(&reading.ended);
	for (size_t i = 0; status != NULL && i < sizeof over / sizeof *over; i++)
		record->over |= strcmp(status, over[i]) == 0;
	record->completed = status != NULL && strcmp(status, "COMPLETED") == 0;
	record->output = json_ref(json_get(run, "output"));
	return 0;
}

int
record_read(struct record *record, const struct json *json, struct err *err)
{
	*record = (struct record){ .counts = json_new_object() };
	if (json != NULL && json_type(json) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "the record: expected an object, got %s",
			       json_type_name(json_type(json)));
	if (json_type(json_get(json, "steps")) == JSON_ARRAY)
		return read_run(record, json, err);
	record->by_name = json != NULL ? json_copy(json) : json_new_object();
	return 0;
}

void
record_fini(struct record *record)
{
	json_unref(&record->by_name);
	json_unref(&record->rows);
	json_unref(&record->counts);
	json_unref(&record->output);
}

/* ---- taking from it ---- */

/* An output, or {"$error": {...}}: as a row. */
static struct json *
row_of_output(struct json *output)
{
	struct json *row = json_new_object(), *error = json_get(output, "$error");

	json_set(row, "status", json_new_str(error != NULL ? "FAILED" : "COMPLETED"));
	json_set(row, error != NULL ? "error" : "output",
		 json_ref(error != NULL ? error : output));
	return row;
}

struct json *
record_take(struct record *record, int64_t parent, const char *name)
{
	struct json *row;
	char *place;

	if (record->by_name != NULL)
		return json_has(record->by_name, name)
			   ? row_of_output(json_get(record->by_name, name))
			   : NULL;
	place = place_of(record->counts, parent, name);
	row = json_ref(json_get(record->rows, place));
	json_remove(record->rows, place); /* what stays was not asked for */
	free(place);
	return row;
}

bool
record_has_ended(const struct json *row)
{
	const char *status = json_str(json_get(row, "status"));

	return status == NULL || strcmp(status, "COMPLETED") == 0 ||
	       strcmp(status, "FAILED") == 0 || strcmp(status, "SKIPPED") == 0;
}
