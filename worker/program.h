/*
 * One child program of an attempt: in a session of its own, with limits, a private
 * folder, a cleaned environment, and descriptors 0, 1, 2 (and 3, its channel, if asked
 * for). It has ended when nothing of its tree is left: once the program itself ends,
 * what it started and left behind is ended too.
 */
#ifndef WORKER_PROGRAM_H
#define WORKER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "actions/action.h"
#include "channel/channel.h"
#include "output_core.h"

struct program;
struct programs; /* worker/programs.h */

/* A piece of its standard output, besides what is kept. The program may be stopped in
 * it, not freed. */
typedef void program_heard_fn(void *context, const char *data, size_t len);

struct program_spec {
	const char *const *argv;        /* argv[0] is looked up in the program's PATH */
	int folder;                     /* where it starts: a descriptor, borrowed */
	const char *const *environment; /* "NAME=value" added to the rest; or NULL */
	const void *input;              /* of its standard input; NULL: /dev/null */
	size_t input_len;
	bool channel; /* descriptor 3, named by STEPMILL_FD: a socket over which the
		       * program calls (channel/talk_back.h), and to which it writes
		       * its output */
	/* Who answers the calls instead, and has what is written beside them; or NULL.
	 */
	const struct channel_events *talk;
	void *talk_context;
	bool log_out;            /* lines of standard output go to the step's log */
	bool log_err;            /* lines of standard error go to the step's log */
	size_t out_max;          /* kept of each output; 0: worker.output_max */
	program_heard_fn *heard; /* with done's context; or NULL */
	int input_fd; /* its standard input instead of `input`; taken. 0: none */
	/* Standard output as it comes, instead of keeping it; once with len 0 at its
	 * end. May stop the program, not free it. NULL: it is kept. */
	void (*on_out)(void *context, const char *data, size_t len);
};

struct program_end {
	bool started;     /* false: it could not be executed, see code and why */
	const char *code; /* a word for attempt_fail; NULL when it exited with 0 */
	char why[256];
	bool final;      /* trying again cannot help */
	bool stopped;    /* program_stop was called before the end */
	int exit_status; /* 0..255; 128 + signal as a shell has it */
	int signal;      /* that ended it; 0 */
	const struct output *out, *errors;
	const struct buf *channel; /* what it wrote there beside calls */
	bool channel_cut;          /* more than out_max was written to it */
};

/* Everything is valid during the callback only. The program may be freed in it. */
typedef void program_done_fn(void *context, const struct program_end *end);

/* Makes the private folder. NULL with err. */
struct program *program_new(const struct attempt *attempt, struct err *err);
/* One that is no attempt's: it may outlive steps. */
struct program *program_new_shared(struct programs *programs, struct err *err);
/* Ends it without waiting; done will not come. */
void program_free(struct program **program_p);
const char *program_folder(const struct program *program);
/* Writes a file into the private folder; its path is the caller's. NULL with err. */
char *program_put(struct program *program, const char *name, const void *data,
		  size_t len, struct err *err);
/* done comes exactly once, when it and its tree have ended. -1 with err: it does not
 * run, done will not come. */
int program_start(struct program *program, const struct program_spec *spec,
		  program_done_fn *done, void *context, struct err *err);
void program_stop(struct program *program, enum stop how);
/* Of one that was started with `talk`; borrowed, until it is freed. */
struct channel *program_channel(struct program *program);

/* Words for messages: "node" -> "nodejs": the package that brings it, or NULL. */
const char *program_package(const char *program);

#endif
