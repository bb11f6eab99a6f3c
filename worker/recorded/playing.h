/*
 * A workflow program at work: its process, its record, and what it asks for. Only for
 * this folder. playing.c is its life, asks.c what it asks for and finds recorded,
 * function.c what it does itself, doing.c what the worker does for it, waits.c what
 * nobody has to do, settle.c when it goes on, rests or ends.
 */
#ifndef RECORDED_PLAYING_H
#define RECORDED_PLAYING_H

#include "actions/action.h"
#include "channel/channel.h"
#include "channel/inner.h"
#include "channel/talk_back.h"
#include "launch.h"
#include "program.h"
#include "recorded/recorded_core.h"
#include "recorded/recorder.h"

#define PLAYING_GRACE (1500 * USEC_MS) /* as slot.h has it */

enum play_state {
	PLAY_IDLE,     /* known from the record, nobody works on it */
	PLAY_FUNCTION, /* the program runs its function */
	PLAY_STORING,  /* what became of it is on its way */
	PLAY_DOING,    /* the worker does it */
	PLAY_PAUSING,  /* until it is tried again */
	PLAY_WAITING,  /* the engine has it */
};

/* A step as far as this worker has to do with it. */
struct play_step {
	struct list link; /* playing.steps */
	struct playing *playing;
	struct recorded_step *row; /* its owner is this */
	struct made_step *made;
	const char *method;        /* how it was asked for; static */
	struct channel_call *call; /* that waits for its answer; or NULL */
	enum play_state state;
	struct record *gathered; /* the recorder's */
	usec_t began_at;         /* monotonic */
	bool say_started, cut;   /* cut: its former attempt was cut off */
	bool timed_out;
	struct json *answer; /* that is given once all is stored */
	/* what the worker does */
	struct inner *inner;
	struct step_log *log;
	struct timer *timer;      /* of its time, of patience, of the next attempt */
	struct json *state_value; /* the run's state as it sees and changes it */
	struct held_step held;
	char *key; /* its idempotency key */
};

/* One that must be held back. */
struct held_ask {
	struct list link; /* playing.held */
	struct channel_call *call;
	struct recorded_place place;
	struct made_step *made;
	struct json *params;
	const char *method;
};

enum play_end {
	PLAY_GOES_ON,
	PLAY_DONE,
	PLAY_FAILED,
	PLAY_RESTS,      /* until something that it waits for has come */
	PLAY_GIVEN_BACK, /* its run is paused, or another worker goes on with it */
	PLAY_STOPPED,
};

struct playing {
	struct attempt *attempt;
	const struct program_def *def;
	struct launch launch;        /* how it is run */
	struct program *program;     /* NULL: its process has ended, or not begun */
	struct talk_back *talk_back; /* for other processes of it */
	struct recorded *recorded;
	struct json *state; /* of the run, at this place of the program */
	struct list steps, held;
	int storing; /* records of it that are not answered yet */
	int inners;  /* attempts of it at work */
	bool loaded, greeted, paused;
	bool stopping;   /* nothing new is begun: it is to end */
	bool suspending; /* it was told to go, and comes back */
	bool ended_by_us;
	bool told; /* the slot has its answer */
	enum play_end end;
	struct json *output, *error; /* of DONE, of FAILED */
	int over_before;             /* steps that had ended when its process began */
	int deaths;                  /* of processes in a row, without a step between */
	struct timer *load_timer;    /* of the record, of the next process */
	struct timer *exit_timer;    /* it was told to go */
	struct timer *quiet_timer;   /* nothing is under way but what it waits for */
	struct timer *look_timer;    /* at what it waits for */
	bool looking;
};

/* ---- playing.c ---- */

/* It cannot go on: the run fails with this. Takes error. What it holds is ended. */
void playing_fail(struct playing *playing, struct json *error);
/* The program is told to go, and comes back when there is more for it. */
void playing_suspend(struct playing *playing, enum play_end end);
void playing_begin_process(struct playing *playing);
/* The outcome is given if nothing is under way any more. */
void playing_settle(struct playing *playing);

/* ---- asks.c ---- */

void asks_call(void *playing, struct channel_call *call, const char *method,
	       struct json *params);
void asks_drop_held(struct playing *playing, enum rpc_code code, const char *why);
/* What was held may be asked for now. */
void asks_look_again(struct playing *playing);
/* Answers the call of a step from its row, which is over. */
void asks_answer_over(struct play_step *step);

/* ---- play_step.c ---- */

struct play_step *play_step_of(struct playing *playing, struct recorded_step *row,
			       struct made_step **made_p, const char *method);
void play_step_free(struct play_step *step);
/* Its next attempt begins now. */
void play_step_begin(struct play_step *step);
/* What PostgreSQL can hold, and without secrets. Takes the value. */
struct json *play_step_kept(const struct play_step *step, struct json *value);
/* Puts it on its way as its row says. event: beside its start. payload is taken. done:
 * its own; storing is counted. extra: see recorder.h. */
void play_step_store(struct play_step *step, struct json *input, enum event_type event,
		     struct json *payload, usec_t run_at, struct record_extra *extra,
		     record_done_fn *done);
/* It ended, and its call is answered once that is stored. output or error is taken. */
void play_step_completed(struct play_step *step, struct json *output);
void play_step_failed(struct play_step *step, struct json *error);
/* It failed and is tried again: true, *delay says when, and its row is on its way; done
 * comes when it is stored. error is taken if so. */
bool play_step_again(struct play_step *step, struct json *error, bool final,
		     usec_t not_before, usec_t *delay, record_done_fn *done);
/* How its record fared, where that is no success: the program is over. */
bool play_step_lost(struct play_step *step, enum record_fate fate, bool paused);

/* ---- function.c, doing.c, waits.c ---- */

void function_begin(struct play_step *step);
void function_end(struct playing *playing, struct channel_call *call,
		  struct json *params);
void doing_begin(struct play_step *step);
void doing_stop(struct play_step *step, enum stop how);
void waits_begin(struct play_step *step);
void waits_look(void *playing);

/* ---- settle.c ---- */

/* Something has changed: is anything under way, may it rest, does it diverge? */
void settle_look(struct playing *playing);
void settle_quiet(void *playing); /* the quiet timer */

#endif
