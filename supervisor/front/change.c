/*
 * One change after the other on each connection. See change.h.
 *
 *	waiting -> claiming -> going -> committing -> told
 *	           (with a key)
 */
#include "front/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/point.h"
#include "base/siphash.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "front/change_core.h"
#include "front/feed.h"
#include "record/records.h"
#include "store/audit.h"

enum phase { PHASE_WAITING, PHASE_CLAIMING, PHASE_GOING, PHASE_COMMITTING };

/* What is done after the commit. */
struct after {
	struct list link;
	void (*fn)(struct front *front, void *context);
	void *context;
	void (*free_context)(void *context);
};

struct change {
	struct list link;
	struct lane *lane;
	struct change_call call; /* its texts are ours, but for the body */
	unsigned char hash[SHA256_BYTES];
	change_go_fn *go;
	change_done_fn *done; /* NULL: nobody cares any more */
	void *context;
	enum phase phase;
	bool begun; /* a transaction */
	char *target;
	struct json *details;
	struct list afters;
	struct change_known known;
	struct json *stored; /* the answer that was found */
	int status;
	struct buf text;
	struct err err; /* the first thing that went wrong */
	bool conflict;  /* the key was taken meanwhile */
	char position[CHANGE_POSITION];
};

struct lane {
	struct front *front;
	struct pg *pg;
	struct list waiting;
	size_t count; /* of them */
	struct change *current;
	struct timer *next;
};

struct changes {
	struct siphash_seed seed;
	struct lane lanes[CHANGES_LANES];
	size_t lanes_count;
};

/* ---- life ---- */

static void
after_free(struct after *after)
{
	if (after->free_context != NULL)
		after->free_context(after->context);
	free(after);
}

static void
change_free(struct change *change)
{
	struct list *link;

	while ((link = list_shift(&change->afters)) != NULL)
		after_free(container_of(link, struct after, link));
	free((char *)change->call.what);
	free((char *)change->call.who);
	free((char *)change->call.address);
	free((char *)change->call.key);
	free(change->target);
	json_unref(&change->details);
	json_unref(&change->stored);
	buf_fini(&change->text);
	free(change);
}

static void next_turn(void *context);

static int
open_lane(struct lane *lane, struct front *front, struct err *err)
{
	struct pg_conf conf = {
		.url = front->settings->database_url,
		.application = "stepmill front changes",
		.statement_timeout = front->settings->database_statement_timeout,
	};

	lane->front = front;
	list_init(&lane->waiting);
	lane->next = timer_new(front->loop, next_turn, lane);
	lane->pg = pg_new(front->loop, &conf, err);
	return lane->pg != NULL ? 0 : -1;
}

static void
close_lane(struct lane *lane)
{
	struct list *link;

	if (lane->front == NULL)
		return;
	while ((link = list_shift(&lane->waiting)) != NULL)
		change_free(container_of(link, struct change, link));
	pg_free(&lane->pg);
	if (lane->current != NULL)
		change_free(lane->current);
	timer_free(&lane->next);
}

struct changes *
changes_new(struct front *front, size_t lanes, struct err *err)
{
	struct changes *changes = xcalloc(1, sizeof *changes);

	changes->seed = siphash_seed();
	changes->lanes_count = lanes;
	for (size_t i = 0; i < changes->lanes_count; i++)
		if (open_lane(&changes->lanes[i], front, err) < 0) {
			changes_free(&changes);
			return NULL;
		}
	return changes;
}

void
changes_free(struct changes **changes_p)
{
	struct changes *changes = *changes_p;

	if (changes == NULL)
		return;
	*changes_p = NULL;
	for (size_t i = 0; i < changes->lanes_count; i++)
		close_lane(&changes->lanes[i]);
	free(changes);
}

bool
changes_are_up(const struct changes *changes)
{
	for (size_t i = 0; i < changes->lanes_count; i++)
		if (!pg_is_up(changes->lanes[i].pg))
			return false;
	return true;
}

static void
hash_call(struct change *change, const struct change_call *call)
{
	struct sha256 *hash = sha256_new();

	sha256_add(hash, call->what, strlen(call->what) + 1);
	sha256_add(hash, call->target, strlen(call->target) + 1);
	sha256_add(hash, &call->query_len, sizeof call->query_len);
	if (call->query_len > 0)
		sha256_add(hash, call->query, call->query_len);
	if (call->body_len > 0)
		sha256_add(hash, call->body, call->body_len);
	sha256_end(&hash, change->hash);
}

struct change *
change_begin(struct changes *changes, const struct change_call *call, change_go_fn *go,
	     change_done_fn *done, void *context)
{
	struct change *change = xcalloc(1, sizeof *change);
	struct lane *lane =
	    &changes->lanes[siphash(changes->seed, call->who, strlen(call->who)) %
			    changes->lanes_count];

	change->lane = lane;
	change->call = (struct change_call){
		.what = xstrdup(call->what),
		.who = xstrdup(call->who),
		.address = xstrdup(call->address),
		.key = xstrdup(call->key),
	};
	change->target = xstrdup(call->target);
	if (call->key != NULL)
		hash_call(change, call);
	change->go = go;
	change->done = done;
	change->context = context;
	list_init(&change->afters);
	list_push(&lane->waiting, &change->link);
	if (++lane->count > CHANGES_WAITING)
		err_set(&change->err, ERR_RETRY, "too many changes wait");
	if (lane->current == NULL)
		timer_set(lane->next, 0);
	return change;
}

bool
change_is_going(const struct change *change)
{
	return change->phase >= PHASE_GOING;
}

bool
change_is_answered(const struct change *change)
{
	return change->phase == PHASE_COMMITTING;
}

/* ---- the end ---- */

static void
let_next(struct lane *lane)
{
	lane->current = NULL;
	if (!list_empty(&lane->waiting))
		timer_set(lane->next, 0);
}

static void
ring(struct change *change)
{
	struct list *link;

	POINT("change.before_bell");
	while ((link = list_shift(&change->afters)) != NULL) {
		struct after *after = container_of(link, struct after, link);

		after->fn(change->lane->front, after->context);
		after_free(after);
	}
}

static void
tell(struct change *change, enum change_outcome outcome)
{
	struct change_result result = {
		.outcome = outcome,
		.err = &change->err,
		.status = change->status,
		.text = buf_text(&change->text),
		.len = change->text.len,
		.read_after = change->position[0] != '\0' ? change->position : NULL,
	};

	if (change->begun && outcome != CHANGE_MADE)
		pg_rollback(change->lane->pg);
	change->begun = false;
	let_next(change->lane);
	if (change->done != NULL)
		change->done(change->context, &result);
	change_free(change);
}

/* ---- the same call again ---- */

static void
note(struct change *change, const struct err *err)
{
	if (change->err.kind == ERR_NONE)
		change->err = *err;
}

static void
keep_position(struct change *change, const struct pg_rows *rows)
{
	if (rows != NULL)
		strncpy(change->position, pg_text(rows, 0, 0, NULL),
			sizeof change->position - 1);
}

/* The first call lies behind it, whoever answered that. */
static void
on_repeat_position(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct change *change = context;
	const char *text = json_str(json_get(change->stored, "body"));

	note(change, err);
	if (change->err.kind != ERR_NONE) {
		tell(change, CHANGE_FAILED);
		return;
	}
	keep_position(change, rows);
	change->status = (int)json_int(json_get(change->stored, "status"));
	buf_str(&change->text, text != NULL ? text : "");
	tell(change, CHANGE_REPEATED);
}

/* ---- its turn ---- */

static void
begin_once(struct change *change)
{
	if (!change->begun)
		pg_begin(change->lane->pg);
	change->begun = true;
}

static void
on_locked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct change *change = context;

	note(change, err);
	change->known.locked = rows != NULL && pg_bool(rows, 0, 0);
}

static void
go(struct change *change)
{
	change->phase = PHASE_GOING;
	change->go(change->context);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct change *change = context;

	note(change, err);
	if (change->err.kind != ERR_NONE) {
		tell(change, CHANGE_FAILED);
		return;
	}
	if (pg_count(rows) > 0) {
		change->known.found = true;
		change->known.same = pg_bool(rows, 0, 0);
		change->stored = pg_json(rows, 0, 1);
	}
	switch (change_judge(&change->known)) {
	case CHANGE_GO:
		go(change);
		break;
	case CHANGE_REPEAT:
		pg_query(change->lane->pg, "wal_position", NULL, on_repeat_position,
			 change);
		break;
	case CHANGE_REFUSE:
		tell(change, CHANGE_OTHER);
		break;
	case CHANGE_WAIT:
		tell(change, CHANGE_BUSY);
		break;
	}
}

static void
arg_key(const struct change *change, struct pg_args *args)
{
	pg_args_init(args);
	pg_arg_text(args, change->call.who);
	pg_arg_text(args, change->call.key);
}

static void
claim(struct change *change)
{
	struct pg *pg = change->lane->pg;
	struct pg_args args;

	change->phase = PHASE_CLAIMING;
	begin_once(change);
	arg_key(change, &args);
	pg_query(pg, "idempotency_lock", &args, on_locked, change);
	pg_arg_bytes(&args, change->hash, sizeof change->hash);
	pg_query(pg, "idempotency_find", &args, on_found, change);
	pg_args_fini(&args);
}

static void
next_turn(void *context)
{
	struct lane *lane = context;
	struct list *link;
	struct change *change;

	if (lane->current != NULL || (link = list_shift(&lane->waiting)) == NULL)
		return;
	lane->count--;
	change = lane->current = container_of(link, struct change, link);
	if (change->err.kind != ERR_NONE)
		tell(change, CHANGE_FAILED);
	else if (change->call.key != NULL)
		claim(change);
	else
		go(change);
}

/* ---- between go and the answer ---- */

struct pg *
change_pg(struct change *change)
{
	begin_once(change);
	return change->lane->pg;
}

void
change_audit(struct change *change, const char *target, struct json *details)
{
	free(change->target);
	change->target = xstrdup(target);
	json_unref(&change->details);
	change->details = json_storable(details, NULL);
}

void
change_after(struct change *change, void (*fn)(struct front *front, void *context),
	     void *context, void (*free_context)(void *context))
{
	struct after *after = xmalloc(sizeof *after);

	*after = (struct after){ .fn = fn,
				 .context = context,
				 .free_context = free_context };
	list_push(&change->afters, &after->link);
}

struct bell {
	struct step_ref ref;
	enum priority priority;
	char queue[QUEUE_NAME_MAX + 1];
};

static void
ring_ready(struct front *front, void *context)
{
	const struct bell *bell = context;

	queue_push(front->queue, bell->queue, bell->priority, &bell->ref, 1);
}

void
change_tell_ready(struct change *change, const char *queue, enum priority priority,
		  const struct step_ref *ref)
{
	struct bell *bell = xcalloc(1, sizeof *bell);

	bell->ref = *ref;
	bell->priority = priority;
	strncpy(bell->queue, queue, QUEUE_NAME_MAX);
	change_after(change, ring_ready, bell, free);
}

struct told_run {
	struct uuid id;
	int64_t seq;
};

static void
ring_run(struct front *front, void *context)
{
	const struct told_run *run = context;

	queue_publish(front->queue, CHANNEL_CONTROL, run->id.b, sizeof run->id.b);
	feed_announce(front->feed, &run->id, run->seq);
}

void
change_tell_run(struct change *change, const struct uuid *run, int64_t seq)
{
	struct told_run *told = xmalloc(sizeof *told);

	*told = (struct told_run){ *run, seq };
	change_after(change, ring_run, told, free);
}

static void
record_run(struct front *front, void *context)
{
	records_add(front->records, context);
}

void
change_tell_end(struct change *change, const struct uuid *run, int64_t seq)
{
	change_tell_run(change, run, seq);
	change_after(change, record_run, xmemdup(run, sizeof *run), free);
}

/* ---- the answer ---- */

static void
on_position(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct change *change = context;
	enum change_outcome outcome =
	    change->err.kind == ERR_NONE ? CHANGE_MADE : CHANGE_FAILED;

	(void)err;
	keep_position(change, rows);
	if (outcome == CHANGE_MADE || change->err.kind == ERR_LOST)
		ring(change);
	POINT("change.before_answer");
	tell(change, change->conflict ? CHANGE_BUSY : outcome);
}

static void
on_committed(void *context, const struct err *err)
{
	struct change *change = context;

	change->begun = false;
	note(change, err);
}

static void
on_kept(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct change *change = context;

	(void)rows;
	note(change, err);
}

/* Another supervisor's, which had not been seen. */
static void
on_answer_kept(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct change *change = context;

	change->conflict = change->err.kind == ERR_NONE && err->kind == ERR_CONFLICT;
	on_kept(context, rows, err);
}

static void
add_audit(struct change *change, struct pg *pg)
{
	struct uuid id = uuid7_new(loop_now(change->lane->front->loop));
	struct audit_row row = {
		.id = id,
		.who = change->call.who,
		.what = change->call.what,
		.target = change->target,
		.address = change->call.address,
		.details = change->details,
	};

	audit_insert(pg, &row, on_kept, change);
}

static void
add_answer(struct change *change, struct pg *pg)
{
	struct json *answer = json_new_object();
	struct pg_args args;

	json_set(answer, "status", json_new_int(change->status));
	json_set(answer, "body", json_new_str(buf_text(&change->text)));
	arg_key(change, &args);
	pg_arg_bytes(&args, change->hash, sizeof change->hash);
	pg_arg_json(&args, answer);
	pg_query(pg, "idempotency_insert", &args, on_answer_kept, change);
	pg_args_fini(&args);
	json_unref(&answer);
}

/* The position is asked for behind the commit, in the same round trip. */
void
change_answer(struct change *change, int status, const char *text, size_t len)
{
	struct pg *pg = change_pg(change);

	if (change->phase != PHASE_GOING)
		bug("an answer to a change that has one, or has not begun");
	change->phase = PHASE_COMMITTING;
	change->status = status;
	if (len > 0)
		buf_add(&change->text, text, len);
	add_audit(change, pg);
	if (change->call.key != NULL)
		add_answer(change, pg);
	pg_commit(pg, on_committed, change);
	pg_query(pg, "wal_position", NULL, on_position, change);
}

void
change_drop(struct change **change_p)
{
	struct change *change = *change_p;
	struct lane *lane;

	if (change == NULL)
		return;
	*change_p = NULL;
	change->done = NULL;
	if (change->phase == PHASE_COMMITTING)
		return;
	lane = change->lane;
	if (change->phase == PHASE_WAITING) {
		list_remove(&change->link);
		lane->count--;
	} else {
		pg_forget(lane->pg, change);
		if (change->begun)
			pg_rollback(lane->pg);
		let_next(lane);
	}
	change_free(change);
}
