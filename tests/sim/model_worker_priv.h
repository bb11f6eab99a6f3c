/* Between model_worker.c, model_slot.c and model_flush.c only. */
#ifndef SIM_MODEL_WORKER_PRIV_H
#define SIM_MODEL_WORKER_PRIV_H

#include "model_child.h"
#include "model_worker.h"
#include "worker/finish_core.h"
#include "worker/slot_core.h"
#include "worker/slots_core.h"

#define SLOTS 6

/* A run in hand: what is known of it is shared by its slots. */
struct live {
	int64_t id;
	struct run run;
	int users;
	bool visits_known;
};

struct flush_entry {
	struct list link;
	int holders;           /* the worker, and flushes under way */
	struct sim_slot *slot; /* NULL: it died meanwhile */
	struct finish_plan plan;
	struct sim_child child;
	struct approval_ask ask;
	bool ended;
	struct json *output, *made, *asked_prompt, *asked_args;
};

struct sim_slot {
	struct sim_worker *worker;
	int id; /* new for each step; 0: free */
	struct live *live;
	const struct step_def *def;
	struct held_step held; /* item is owned */
	int fence;
	int64_t parent_run;
	enum slot_state state;
	enum slot_reason reason;
	bool say_started, woke;
	int streak;
	usec_t streak_since;
	/* what it found when it came back */
	bool has_back;
	struct back back; /* owned */
	int back_visits;
	enum run_status child_status;
	bool has_child_run;
	struct json *child_output;
	/* the attempt */
	struct json *fields, *output, *error, *made;
	enum outcome_kind outcome;
	bool final;
	usec_t run_at;
	struct children children;
	struct approval_ask ask;
	const struct flow *starts;
	struct flush_entry *gathered;
	int in_flight;
};

struct flush; /* under way */

struct sim_worker {
	struct sim *sim;
	unsigned life; /* of the process */
	int id, session;
	int claim_number, lost_claim; /* lost: from this one on the answers are; or 0 */
	struct slots_core order;
	struct sim_slot slots[SLOTS];
	struct live *lives[SLOTS];
	int next_slot_id;
	struct list gathered;
	struct flush *flush;
	bool must_check, ringing;
};

/* Called later for a slot, if it is still about the same step. */
struct slot_call {
	struct sim_worker *worker;
	unsigned life;
	int place, id;
	void (*fn)(struct sim_slot *slot);
};

int worker_free_slots(const struct sim_worker *worker);
struct live *worker_hold(struct sim_worker *worker, const struct sim_run *run,
			 bool is_item);
void worker_drop(struct sim_worker *worker, struct live **live_p);

void slot_take(struct sim_worker *worker, const struct sim_step *step);
void slot_release(struct sim_slot *slot);
void slot_event(struct sim_slot *slot, enum slot_event event);
void slot_go_on(struct sim_slot *slot, const struct step_def *def, int number);
struct held_step slot_held(const struct sim_slot *slot);
void slot_later(struct sim_slot *slot, usec_t delay, void (*fn)(struct sim_slot *slot));

void flush_started(struct sim_slot *slot);
void flush_ended(struct sim_slot *slot);
void flush_forget(struct sim_slot *slot);
void flush_forget_all(struct sim_worker *worker);
void flush_soon(struct sim_worker *worker);

#endif
