/*
 * What is recorded of a run, for a program that is tested: steps by where they stand,
 * or outputs by the names of steps. Pure.
 */
#ifndef CLI_RECORD_CORE_H
#define CLI_RECORD_CORE_H

#include "base/err.h"
#include "json/json.h"

struct record {
	struct json *by_name; /* name -> output; NULL: rows are of a run */
	struct json *rows;    /* place -> row, of those not yet taken */
	struct json *counts;  /* parent and name -> how many were taken */
	struct json *output;  /* of the run */
	bool over;            /* the run */
	bool completed;
};

/* json: a run as the API shows it ({status, steps, output}), or an object from names to
 * outputs; NULL: nothing is recorded. record_fini in any case. */
int record_read(struct record *record, const struct json *json, struct err *err);
void record_fini(struct record *record);
/* The next row of this name below that step (0: none): {status, action?, output,
 * error}; the caller's. NULL: there is none. */
struct json *record_take(struct record *record, int64_t parent, const char *name);
/* It has a result. */
bool record_has_ended(const struct json *row);

#endif
