/*
 * A call that changes something, as one transaction: its effect, its row in the audit
 * log, and the answer that a repetition of it gets (idempotency_keys). Whoever serves
 * the call, HTTP or WebSocket, begins a change; `go` comes when its turn has come and
 * it is no repetition; then the effect is sent on change_pg, and change_answer commits,
 * or change_drop undoes. Bells ring only after the commit.
 *
 * A front makes the changes of one client one after the other, in their order, and has
 * CHANGES_LANES connections for all of them: who waits for a lock holds up few others.
 * An Idempotency-Key names a call of one client (who) for a day: the same call gets the
 * stored answer, another one CHANGE_OTHER, and one that comes while the first still
 * runs CHANGE_BUSY, whichever supervisor has it. Only what was committed is stored; a
 * refused call may be tried again. (After the draft
 * draft-ietf-httpapi-idempotency-key-header.)
 */
#ifndef FRONT_CHANGE_H
#define FRONT_CHANGE_H

#include "base/step_ref.h"
#include "engine/status.h"
#include "front/front.h"

#define CHANGE_KEY_MAX  255 /* bytes of an Idempotency-Key */
#define CHANGES_LANES   3
#define CHANGES_WAITING 1000 /* more are refused (ERR_RETRY) */
#define CHANGE_POSITION 32   /* of the text of a position in PostgreSQL's log */

struct changes;
struct change;

enum change_outcome {
	CHANGE_MADE,     /* committed */
	CHANGE_REPEATED, /* it was made before: this is the stored answer */
	CHANGE_OTHER,    /* the key was used for another call: 422 */
	CHANGE_BUSY,     /* the call of this key is still running: 409 */
	CHANGE_FAILED    /* see err; ERR_LOST: nobody knows */
};

struct change_result {
	enum change_outcome outcome;
	const struct err *err;
	int status;       /* of MADE and REPEATED, as change_answer said */
	const char *text; /* JSON, "" when there is none */
	size_t len;
	const char *read_after; /* the position that readers must have seen; NULL */
};

/* All is copied. */
struct change_call {
	const char *what;    /* "execution.pause", for the audit log */
	const char *target;  /* by default what the audit log says it was done to */
	const char *who;     /* the key's name, and the client's */
	const char *address; /* where the call came from, or NULL */
	const char *key;     /* Idempotency-Key, 1 to CHANGE_KEY_MAX bytes, or NULL */
	const void *query, *body;   /* what must be the same in a repetition, */
	size_t query_len, body_len; /* with what and target */
};

typedef void change_go_fn(void *context);
/* Called once, unless the change is dropped. */
typedef void change_done_fn(void *context, const struct change_result *result);

/* lanes: connections, at most CHANGES_LANES. */
struct changes *changes_new(struct front *front, size_t lanes, struct err *err);
void changes_free(struct changes **changes_p); /* what is under way never answers */
bool changes_are_up(const struct changes *changes); /* PostgreSQL is reached */

/* Never calls back at once. */
struct change *change_begin(struct changes *changes, const struct change_call *call,
			    change_go_fn *go, change_done_fn *done, void *context);
bool change_is_going(const struct change *change); /* go was called */
bool change_is_answered(const struct change *change);

/* ---- between go and the answer ---- */

/* Everything sent there is this transaction's. */
struct pg *change_pg(struct change *change);
/* What the audit log says: the target instead of the call's; details may be NULL,
 * taken. */
void change_audit(struct change *change, const char *target, struct json *details);
/* After the commit: a step is ready; the run's log got events up to seq (and who runs
 * it shall look); anything else. free_context is called in any case, may be NULL. */
void change_tell_ready(struct change *change, const char *queue, enum priority priority,
		       const struct step_ref *ref);
void change_tell_run(struct change *change, const struct uuid *run, int64_t seq);
/* The same of a run that this change ended. */
void change_tell_end(struct change *change, const struct uuid *run, int64_t seq);
void change_after(struct change *change, void (*fn)(struct front *front, void *context),
		  void *context, void (*free_context)(void *context));

/* status: below 400; text: JSON, copied, may be empty. */
void change_answer(struct change *change, int status, const char *text, size_t len);
/* Refused, or nobody cares any more: undone, done will not come. After change_answer it
 * is committed all the same. */
void change_drop(struct change **change_p);

#endif
