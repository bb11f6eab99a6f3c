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

#endif
