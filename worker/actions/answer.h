/*
 * How actions answer, where several do it alike: errors as failures, answers that are
 * known at once but may only be given on a later turn, texts of programs and servers as
 * JSON.
 */
#ifndef ACTIONS_ANSWER_H
#define ACTIONS_ANSWER_H

#include "actions/action.h"
#include "engine/field.h"
#include "output_core.h"

/* Fails with the kind of the error as code; "NAME: " in front when name is given. */
void answer_error(struct attempt *attempt, const char *name, const struct err *err);
bool answer_is_final(enum err_kind kind); /* trying again cannot help */

/* Are the resolved fields what the table says? Else the attempt has failed: false. */
bool answer_checked(struct attempt *attempt, const char *name,
		    const struct field *table);

/* May the run use this tool? Else the attempt has failed: false. */
bool answer_allowed(struct attempt *attempt, const char *tool);

/* An answer that is given on the next turn. */
struct later;
struct later *later_succeed(struct attempt *attempt, struct json *output); /* taken */
struct later *later_error(struct attempt *attempt, const char *name,
			  const struct err *err); /* copied */
struct later *later_wait(struct attempt *attempt, usec_t run_at);
void later_free(void *later); /* is the free of an action */

/* The member of the attempt's fields as text; preset when it is absent or null. */
const char *field_text(const struct attempt *attempt, const char *name,
		       const char *preset);
bool field_flag(const struct attempt *attempt, const char *name, bool preset);
/* A string, number or flag as text (FIELD_PAIRS); the caller's. */
char *field_as_text(const struct json *value);

/* What a program printed, masked, as a JSON string. */
struct json *answer_output(const struct attempt *attempt, const struct output *output,
			   bool *cut);
/* Any bytes, repaired and masked, as a JSON string. */
struct json *answer_text(const struct attempt *attempt, const char *text, size_t len);
/* The same of what was cut out of something longer. */
struct json *answer_part(const struct attempt *attempt, const char *text, size_t len);
/* JSON text, masked; -1 with err when it is none. */
int answer_json(const struct attempt *attempt, const char *text, size_t len,
		struct json **out, struct err *err);

/* A value that a program made, taken, with the texts in it masked. */
struct json *answer_masked(const struct attempt *attempt, struct json *value);

#endif
