/* What the rooms of the library share: a run, and one question to the engine. Names
 * begin with smw_, since they share a program with names of others. */
#ifndef SDK_RUN_H
#define SDK_RUN_H

#include <json-c/json.h>

#include "stepmill/workflow.h"
#include "wire.h"

struct stepmill {
	struct wire wire;
	long long last_id;
	int step; /* the one whose function runs; 0: none */
	bool cancelled;
	struct json_object *told;
	char *input;
	struct stepmill_error error;
};

/* What to do about an answer that never comes is settled here: a suspend, or the end of
 * the engine, ends the process. Takes params. The result, the caller's; NULL: the error
 * is set. */
struct json_object *smw_run_ask(struct stepmill *run, const char *method,
				struct json_object *params);
void smw_run_tell(struct stepmill *run, const char *method, struct json_object *params);
/* Sets the error; always -1. */
int smw_run_refuse(struct stepmill *run, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The params of a call, with the step it stands in. */
struct json_object *smw_run_params(const struct stepmill *run);
/* hello, the work, done or fail; the exit status. */
int smw_run_perform(struct stepmill *run, const struct stepmill_workflow *workflow,
		    stepmill_fn *work, void *data);
void smw_run_fini(struct stepmill *run);

/* JSON of a caller into *out, which is the caller's; NULL gives null. -1: it is none,
 * or no object where one is wanted; what names it in the error. */
int smw_run_parse(struct stepmill *run, const char *what, const char *text, bool object,
		  struct json_object **out);
/* As text, the caller's; drops the reference. */
char *smw_run_text(struct json_object *value);
/* A member that is a text, or "". Borrowed. */
const char *smw_run_member_text(struct json_object *object, const char *key);
/* Adds a text, if there is one. */
void smw_run_add_text(struct json_object *object, const char *key, const char *text);

/* ---- one call (call.c) ---- */

/* Adds the members of an object, as text, to fields; NULL: none. -1: it is none. */
int smw_add_more(struct stepmill *run, const char *more, struct json_object *fields);
/* Adds name, timeout and retry. */
int smw_add_options(struct stepmill *run, const struct stepmill_options *options,
		    struct json_object *params);
/* An action as a message of this method; takes fields. Its output, the caller's. */
char *smw_action(struct stepmill *run, const char *method, const char *action,
		 struct json_object *fields, const struct stepmill_options *options);
/* The same, with options->more among the fields. */
char *smw_action_more(struct stepmill *run, const char *method, const char *action,
		      struct json_object *fields,
		      const struct stepmill_options *options);
/* A member of an answer as text, the caller's; drops the answer, which may be NULL. */
char *smw_take_member(struct json_object *answer, const char *key);
/* Drops an answer; -1: there was none. */
int smw_done(struct json_object *answer);

#endif
