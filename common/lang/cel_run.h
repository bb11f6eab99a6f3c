/*
 * One evaluation: its memory, its cost so far, its variables, and what goes wrong in
 * it. A failure is a value (CEL_ERROR), since && and || may absorb it; only running out
 * of cost cannot be absorbed, because then every further step fails too.
 */
#ifndef LANG_CEL_RUN_H
#define LANG_CEL_RUN_H

#include "lang/arena.h"
#include "lang/cel.h"
#include "lang/cel_value.h"

#define CEL_LOCALS_MAX (2 * CEL_DEPTH_MAX) /* two per macro, one inside the other */

struct cel_node;

struct cel_fault {
	uint32_t at; /* byte in the source */
	const char *text;
	/* "no such key": where it was looked for, so that the report can name another
	 */
	struct cel_value map;
	struct cel_text key;
};

/* Where variables come from. dotted: a name may hold dots, "a.b.c" is asked first. */
struct cel_env {
	bool (*lookup)(void *context, const char *name, struct cel_value *out);
	void *context;
	bool dotted;
};

struct cel_run {
	struct arena arena;
	int64_t cost; /* that may still be spent; below 0: too expensive */
	const struct cel_env *env;
	const struct cel_node *node; /* whose operation runs: where an error stands */
	struct cel_fault too_expensive;
	struct cel_value locals[CEL_LOCALS_MAX];
	char room[2048]; /* for the arena, before it allocates */
};

void cel_run_init(struct cel_run *run, const struct cel_env *env);
void cel_run_fini(struct cel_run *run); /* and with it every value that was made */

/* false: the cost is used up, give cel_spent back. */
static inline bool
cel_spend(struct cel_run *run, size_t amount)
{
	run->cost -= (int64_t)amount;
	return run->cost >= 0;
}
struct cel_value cel_spent(struct cel_run *run);
/* Counts 1/16 a byte; NULL when the cost is used up. */
void *cel_alloc(struct cel_run *run, size_t size);
struct cel_value *cel_alloc_values(struct cel_run *run, size_t count);

struct cel_value cel_fail(struct cel_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct cel_value cel_no_key(struct cel_run *run, const struct cel_value *map,
			    const struct cel_value *key);
/* cel_map_get, counted. */
bool cel_run_get(struct cel_run *run, const struct cel_value *map,
		 const struct cel_value *key, struct cel_value *out);

/* The text of a value in messages: "\"foo\"", "3". Short. */
const char *cel_show(const struct cel_value *value, char *out, size_t size);
/* ("EXPR" 1:3: no such key: "foo"; did you mean ["food"]?), without what stands before
 * the message when source is NULL. Returns -1. */
int cel_report(const char *source, const struct cel_fault *fault, struct err *err);
/* Line and column, as characters from 1, of a byte in the source. */
struct cel_place cel_place_at(const char *source, size_t at);

#endif
