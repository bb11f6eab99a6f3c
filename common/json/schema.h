/*
 * JSON Schema: draft 2020-12 with the vocabularies core, applicator, unevaluated and
 * validation; drafts 2019-09, 7 and 6 where `$schema` says so. A schema is compiled
 * once and then checks any number of values.
 *
 * Nothing is ever fetched: `$ref` reaches what the document embeds, the documents that
 * the caller hands in, and the metaschemas of these drafts, which are built in. Work
 * and depth are bounded for every schema and every value.
 */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/err.h"
#include "json/json.h"

#define SCHEMA_PROBLEMS_MAX 100      /* that one compilation or check tells */
#define SCHEMA_DEPTH_MAX    500      /* subschemas inside one another, while checking */
#define SCHEMA_WORK_MAX     10000000 /* small steps of one check */
#define SCHEMA_REGEX_MAX    200000   /* size of all patterns of a schema together */

struct schema;

/* The engine for `pattern`, `patternProperties` and the format "regex", which lives in
 * a layer above: see lang/schema_regex.h. */
struct schema_regex {
	void *(*compile)(const char *pattern, size_t len, struct err *err);
	size_t (*size)(const void *regex);
	/* 1: it matches somewhere, 0: nowhere, -1: *budget was spent before it was
	 * known */
	int (*match)(const void *regex, const char *text, size_t len, int64_t *budget);
	void (*free)(void *regex);
};

/* A document that `$ref` may name. Borrowed while the schema is compiled. */
struct schema_document {
	const char *uri; /* absolute, without a fragment */
	const struct json *json;
};

enum schema_draft { SCHEMA_2020_12, SCHEMA_2019_09, SCHEMA_7, SCHEMA_6, SCHEMA_DRAFTS };

struct schema_options {
	const struct schema_regex *regex; /* NULL: patterns are refused */
	bool assert_formats;              /* else `format` only tells */
	enum schema_draft draft;          /* of documents without `$schema` */
	const struct schema_document *documents;
	size_t documents_count;
};

/* NULL and every problem of the schema itself; their paths are JSON pointers into it,
 * "/properties/repo/type", and "" is its top. options->regex is borrowed as long as the
 * schema lives. */
struct schema *schema_compile(const struct json *json,
			      const struct schema_options *options,
			      struct problems *problems);
void schema_free(struct schema **schema_p);

/* Does the value fit? What does not becomes problems whose paths begin with name:
 * "input.list[2]". The value needs no copy and is not kept. */
bool schema_check(const struct schema *schema, const struct json *value,
		  const char *name, struct problems *problems);

#endif
