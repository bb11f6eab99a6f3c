/*
 * Pure: what is known before a run has run. An expression is resolved where all that it
 * reads is known; else it is shown as it was written, with the names of what is
 * missing.
 */
#ifndef ENGINE_DRY_KNOWN_CORE_H
#define ENGINE_DRY_KNOWN_CORE_H

#include "engine/run.h"

/* What is known of each step of the definition. */
enum knowledge {
	KNOWN,          /* it is all there, or the step has not been reached */
	UNKNOWN_OUTPUT, /* it will have run; with which output is not known */
	UNKNOWN_STEP    /* not even whether it will have run */
};

struct dry_scope {
	struct run_scope *scope;
	const enum knowledge *steps; /* one per step of the definition */
	bool has_item;
	/* Of `result`, where it exists. */
	bool result_is_known;
	const char *result_member; /* that is known all the same, or NULL */
	size_t *left;              /* bytes that resolved texts may still take */
};

/* Adds to unresolved (an array of texts, each once) what the expression reads and is
 * not known. True: all of it is. */
bool dry_knows(const struct dry_scope *scope, const struct cel *cel,
	       struct json *unresolved);
bool dry_knows_template(const struct dry_scope *scope, const struct template *tmpl,
			struct json *unresolved);
/* The value with all templates resolved that can be; the others stay as they are, and
 * what they miss is added to unresolved. -1: one of them cannot be resolved at all, or
 * (ERR_LIMIT) nothing is left of `left`. */
int dry_resolve(const struct dry_scope *scope, const struct json *value,
		struct json **out, struct json *unresolved, struct err *err);

#endif
