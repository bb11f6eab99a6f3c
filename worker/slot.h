/*
 * The shell of one step in a worker: gets what it needs, starts the action, keeps its
 * timers, stops it, and hands the outcome to finish. What happens in which state is
 * slot_core's; what the outcome means is the engine's.
 */
#ifndef WORKER_SLOT_H
#define WORKER_SLOT_H

#include "engine/advance_core.h"
#include "live_run.h"
#include "slot_core.h"
#include "worker.h"

#define SLOT_PATIENCE (1500 * USEC_MS) /* between SIGTERM and SIGKILL */

struct finish_entry;

struct slot {
	struct list link; /* worker.slots */
	struct worker *worker;
	struct live_run *live; /* shared */
	struct attempt attempt;
	const struct step_def *def;
	char *step_key; /* as claimed, until the definition is there */
	int losses, deaths;
	struct json *last_death; /* not NULL: the step is to run alone */
	enum slot_state state;
	enum slot_reason reason;
	bool say_started;  /* step.started is not stored yet */
	bool visits_asked; /* a load of outputs is under way for it */
	bool answered;     /* the action said how it went */
	const struct action *action;
	void *action_state;
	bool starting; /* inside action->start */
	struct json *fields;
	struct json *shown; /* the same without secrets: what is stored of them */
	struct json *output, *error; /* of the answer */
	enum outcome_kind outcome;
	bool final;
	bool effect_unknown; /* what was under way may have had its effect */
	usec_t run_at;
	struct children children; /* of OUTCOME_CHILDREN */
	int *awaited;             /* of OUTCOME_REST */
	size_t awaited_count;
	struct approval_ask ask; /* of OUTCOME_APPROVAL */
	struct child_run *child; /* that it starts, or NULL */
	char *wait_event;        /* the type of event that wakes it, or NULL */
	usec_t checked_at;
	struct held_step held;
	struct json *made; /* what outcome, children and ask borrow from */
	/* As claimed, see engine/advance_core.h. */
	enum phase phase;
	int parent, item_index, iteration;
	bool is_item, chosen;
	struct json *item;
	struct json *made_value;     /* of a row that a program asked for, as stored */
	struct made_step *made_step; /* the same, read; def is its, then */
	struct slot_back *back;      /* what it found when it came back, or NULL */
	bool back_asked;
	struct timer *timer; /* of the attempt, then of patience */
	char idempotency_key[64];
	struct finish_entry *gathered; /* waits for the next flush */
	int in_flight;                 /* entries of it in the flush under way */
	int streak;                    /* steps of its run in a row, here */
	usec_t streak_since;           /* monotonic */
	char *crash;   /* why its run is to be crashed; until that is stored */
	bool crashing; /* asked for, not answered */
	bool dead;     /* freed, but for its own memory */
};

/* A claimed step; takes from the claim what it needs. */
struct slot *slot_new(struct worker *worker, struct claimed *claimed);
void slot_free(struct slot **slot_p); /* ends the action without asking */
/* Try to get on from LOADING: called when a definition, outputs or the lease came. */
void slot_load(struct slot *slot);
/* LOADING, or what else waits for the store: ask again what was not answered. */
void slot_ask_again(struct slot *slot);
/* The worker must go: give the step back, or leave that to the worker's own end. */
void slot_hand_back(struct slot *slot);
/* The run cannot go on at all: a person must look, and may resume it then. The slot
 * ends when that is stored, not before: else the step would be held by nobody for ever.
 */
void slot_crash(struct slot *slot, const char *why);
/* Its step is stored as ended and the next one is held by us: go on with it. */
void slot_go_on(struct slot *slot, const struct step_def *def, int number);
void slot_event(struct slot *slot, enum slot_event event);
bool slot_wants_visits(const struct slot *slot);
/* The attempt as the engine sees it. */
struct held_step slot_held(const struct slot *slot);

#endif
