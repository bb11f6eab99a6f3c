/*
 * Pure: the life of a step inside a worker. A table says for each state and event what
 * the shell is to do; an empty place is an event that does not matter in that state.
 *
 *   LOADING --loaded--> RUNNING --answered--> DONE
 *      |                 |  \--timed out, cancelled, handed back--> STOPPING
 *      |                 |                     STOPPING --patience over--> KILLING
 *      |                 |                     STOPPING, KILLING --answered--> DONE
 *      \--cancelled, handed back--> DONE
 */
#ifndef WORKER_SLOT_CORE_H
#define WORKER_SLOT_CORE_H

enum slot_state {
	SLOT_LOADING,  /* waits for its definition and for outputs it refers to */
	SLOT_RUNNING,  /* the action is at work */
	SLOT_STOPPING, /* asked to end */
	SLOT_KILLING,  /* told to end */
	SLOT_DONE,     /* the answer is in; its flush is under way, or nothing is to be
			  stored */
	SLOT_STATES
};

enum slot_event {
	SLOT_EV_LOADED,
	SLOT_EV_UNUSABLE, /* what it needs cannot be had: the step fails, or is dropped
			   */
	SLOT_EV_ANSWERED,
	SLOT_EV_TIMED_OUT,
	SLOT_EV_TAKEN_AWAY, /* cancelled, or somebody else's by now */
	SLOT_EV_HAND_BACK,  /* the worker must go and cannot wait */
	SLOT_EV_PATIENCE_OVER,
	SLOT_EVENTS
};

/* Why the action was stopped: decides what its answer is worth. */
enum slot_reason {
	SLOT_REASON_NONE,
	SLOT_REASON_TIMEOUT,    /* the attempt failed with code timeout */
	SLOT_REASON_TAKEN_AWAY, /* the answer is dropped */
	SLOT_REASON_HAND_BACK,  /* the step goes back, no attempt is spent */
	SLOT_REASONS
};

enum slot_order {
	SLOT_DO_NOTHING,
	SLOT_DO_START,
	SLOT_DO_ASK, /* stop the action politely, and set the timer of patience */
	SLOT_DO_FORCE,
	SLOT_DO_FINISH, /* judge the answer, store it */
	SLOT_DO_DROP,   /* the step is not ours any more: free the slot */
	SLOT_DO_GIVE_BACK,
	SLOT_ORDERS
};

struct slot_step {
	enum slot_state state;
	enum slot_reason reason;
	enum slot_order order;
};

struct slot_step slot_on(enum slot_state state, enum slot_reason reason,
			 enum slot_event event);

#endif
