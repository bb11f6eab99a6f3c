/*
 * The model of PostgreSQL: rows, and the transactions that change them, one at a time.
 * Each does in memory what the statement of the same name in sql/ does, no more: what
 * happens next is decided by the real cores.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <stdint.h>

#include "base/list.h"
#include "engine/advance_core.h"
#include "engine/enter_core.h"
#include "engine/finish_item.h"
#include "flows.h"

struct sim_run;

struct sim_step {
	struct list link; /* of store.ready while queued, of store.timed with a time */
	struct sim_run *run;
	int number, index; /* index: END_INDEX of the row END_NUMBER */
	enum step_status status;
	enum phase phase;
	int attempt, losses, fence, claim_number;
	int needs, parent, item_index, iteration;
	bool is_item, started, started_logged, ready;
	usec_t run_at;
	int worker; /* 0: nobody */
	int cut_by; /* which crash cut it off, or 0 */
	struct json *output, *error, *item;
};

struct sim_approval {
	int64_t id; /* rises */
	int number;
	enum approval_status status;
	enum on_timeout on_timeout;
	struct json *args;
};

struct sim_event {
	enum event_type type; /* EVENT_NONE: none has this number */
	int number;
};

enum paused_by { PAUSED_BY_NOBODY, PAUSED_BY_PERSON, PAUSED_BY_APPROVAL };

struct sim_run {
	struct list link; /* of store.open */
	int64_t id;
	const struct flow *flow;
	enum run_status status;
	enum paused_by paused_by;
	int64_t last_seq;
	usec_t deadline_at, budget_left; /* 0: null */
	bool limited;                    /* its workflow limits how many run at once */
	int64_t parent_run;              /* 0: none */
	int parent_step, depth;
	struct json *input, *output, *error;
	struct sim_step **steps; /* by number */
	int steps_count, steps_room;
	struct sim_approval *approvals;
	int approvals_count;
	struct sim_event *events; /* by number, less one */
	int64_t events_room, events_count, events_high;
	int crash;       /* the last one, or 0 */
	bool touched;    /* by this transaction */
	bool led_to_end; /* for the checks: a step led to `end` */
};

struct worker_row {
	bool alive;
	int session;
};

struct store {
	usec_t now;
	struct list ready[PRIORITIES], timed, open;
	struct sim_run **runs; /* by id; NULL: it is over and was looked at */
	int64_t runs_count, runs_room;
	struct worker_row *workers; /* by id */
	int workers_count;
	int64_t approvals_made;
	int open_count, crashes;
	struct sim_run **touched;
	int touched_count, touched_room;
	const struct flows *flows;
};

/* ---- rows (model_store.c) ---- */

void store_init(struct store *store, const struct flows *flows);
void store_fini(struct store *store);
struct sim_run *store_run(const struct store *store, int64_t id); /* or NULL */
void store_forget_run(struct store *store, struct sim_run *run);
struct sim_step *run_step(const struct sim_run *run, int number); /* or NULL */
struct sim_step *run_add_step(struct sim_run *run, int index, int number);
const struct step_def *step_def_of(const struct sim_step *step);
int run_top(const struct sim_run *run); /* the highest number */
void run_touch(struct store *store, struct sim_run *run);
/* Every change of a status goes through these two, which know the tables. */
void step_move(struct store *store, struct sim_step *step, enum step_status status);
void run_move(struct store *store, struct sim_run *run, enum run_status status);
void step_born(struct store *store, struct sim_step *step, enum step_status status);
/* Queued, or pending until its paused run goes on. */
void step_make_ready(struct store *store, struct sim_step *step);
void run_log(struct sim_run *run, int64_t seq, enum event_type type, int number);
struct sim_run *store_start(struct store *store, const struct flow *flow,
			    struct json *input, int64_t parent_run, int parent_step);
int64_t run_of_uuid(const struct uuid *id);
struct uuid uuid_of_run(int64_t id);

/* ---- finish (model_finish.c, model_effects.c) ---- */

enum answer { ANSWER_OK, ANSWER_DEAD, ANSWER_NOT_MINE };

/* steps_finish and what follows it. */
enum answer store_finish(struct store *store, int worker, int session,
			 struct finish_item *items, int count);
void effects_apply(struct store *store, struct finish_item *items, int count);
void runs_close_open(struct store *store, struct sim_run *run);
void runs_pause_waiting(struct store *store, struct sim_run *run);
void parents_wake(struct store *store, struct sim_run *child);
void runs_admit(struct store *store, const struct flow *flow);
/* workers_take_session, steps_finish_check: 1 committed, 0 still ours, -1 neither; and
 * holds_next. */
enum answer store_check(struct store *store, int worker, int *session,
			struct finish_item *items, int count);

/* ---- claims and deaths (model_claim.c) ---- */

int store_register(struct store *store);
/* What is claimed comes into list. */
enum answer store_claim(struct store *store, int worker, int session, int claim_number,
			const struct step_ref *named, int named_count,
			const enum priority order[static PRIORITIES],
			struct sim_step **list, int most, int *count);
enum answer store_claim_lost(struct store *store, int worker, int *session,
			     int claim_number, struct sim_step **list, int most,
			     int *count);
void store_hand_back(struct store *store, int worker, int session, int64_t run,
		     int number, int fence);
void store_bury(struct store *store, int worker);
bool store_holds(const struct store *store, int worker, int64_t run, int number,
		 int fence);

/* ---- from outside (model_outside.c) ---- */

bool store_fire(struct store *store, int64_t run, int number);
void store_end(struct store *store, struct sim_run *run, enum run_status how);
void store_pause(struct store *store, struct sim_run *run);
void store_resume(struct store *store, struct sim_run *run);
void store_decide(struct store *store, struct sim_run *run,
		  struct sim_approval *approval, bool approved);

/* ---- violations (check.c) ---- */

void __attribute__((format(printf, 2, 3), noreturn))
violated(const struct sim_run *run, const char *format, ...);

#endif
