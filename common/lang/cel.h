/*
 * CEL, the Common Expression Language (cel-spec's language definition): compile once,
 * evaluate often. Data only: no input can loop for ever, reach outside, or crash it;
 * the cost of an evaluation is bounded (CEL_COST_MAX), so are depth and sizes. "==="
 * and "!==" are read as "==" and "!=". What is left out of the standard stands in
 * docs/expressions.md.
 */
#ifndef LANG_CEL_H
#define LANG_CEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/usec.h"
#include "json/json.h"

#define CEL_TEXT_MAX  (64 * 1024)
#define CEL_DEPTH_MAX 64
#define CEL_COST_MAX  1000000 /* evaluation steps, and bytes built / 16 */

struct cel;

struct cel_place { /* where in the expression an error stands, from 1 */
	int line, column;
};

/* The variables in scope, asked by name when the expression needs one. A value is
 * borrowed for the evaluation. false: no such variable. */
struct cel_scope {
	bool (*lookup)(void *context, const char *name, struct json **value);
	void *context;
};

/* NULL with err (ERR_INPUT: "1:9: expected ..., found ...") and *place filled. place
 * may be NULL. */
struct cel *cel_compile(const char *text, size_t len, struct cel_place *place,
			struct err *err);
void cel_free(struct cel **cel_p);
const char *cel_source(const struct cel *cel);

/* 0 and the value as JSON (a timestamp and a duration as strings, bytes as base64, what
 * JSON has no form for as its text); or -1 with err ("EXPR" 1:3: no such key: "foo").
 */
int cel_eval(const struct cel *cel, const struct cel_scope *scope, struct json **out,
	     struct err *err);
/* The same, with the error's place in *place and not in its text: for who shows the
 * expression with a mark under it. */
int cel_eval_placed(const struct cel *cel, const struct cel_scope *scope,
		    struct json **out, struct cel_place *place, struct err *err);
/* For conditions: anything but a bool is an error. */
int cel_test(const struct cel *cel, const struct cel_scope *scope, bool *out,
	     struct err *err);

/* Which variables it reads, with the member and its field that follow if they are
 * written literally: steps.build.output gives ("steps", "build", "output"),
 * steps["load-spec"]
 * ("steps", "load-spec", NULL), steps[x] ("steps", NULL, NULL), input ("input", NULL,
 * NULL). Comprehension variables are not reported. */
typedef void cel_ref_fn(void *context, const char *variable, const char *member,
			const char *field);
void cel_refs(const struct cel *cel, cel_ref_fn *fn, void *context);

#endif
