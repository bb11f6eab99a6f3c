/* What program.c and programs.c share: only they include it. */
#ifndef WORKER_PROGRAM_PRIV_H
#define WORKER_PROGRAM_PRIV_H

#include "program.h"
#include "programs.h"

enum { PIPE_OUT, PIPE_ERRORS, PIPES };

struct program_pipe {
	int fd; /* our end; -1: closed or never there */
	struct watch *watch;
	struct program *program;
	int which;
};

struct program {
	struct list link; /* programs.running, from start until it has ended */
	struct programs *programs;
	const struct attempt *attempt; /* NULL once abandoned */
	char *folder, *cgroup;
	struct child child; /* stepmill-init; pid 0: not started, or reaped */
	int control;
	struct watch *end_watch;
	struct timer *patience; /* init is to end the tree; then we do */
	struct program_pipe pipes[PIPES];
	struct output outputs[2];
	struct channel *channel;     /* NULL: it has none */
	struct talk_back *talk_back; /* who answers there, unless another does */
	struct buf channel_out;      /* what is written there beside calls */
	usec_t settling_since;       /* monotonic: its tree is gone, answers are not */
	size_t out_max;
	bool log[2];
	void (*on_out)(void *context, const char *data, size_t len);
	bool channel_cut, stopped;
	bool told; /* init said how it ended, in `message` */
	struct init_message message;
	program_heard_fn *heard; /* or NULL */
	program_done_fn *done;   /* NULL once abandoned */
	void *context;
	char name[64]; /* of the program, for messages */
};

/* Told to end with all of its tree, at once. */
void program_end_tree(struct program *program);
/* Has init ended? Then what it said is kept. */
bool program_reap(struct program *program, bool wait);
void program_destroy(struct program *program);

void programs_remove_later(void *context, const char *path);

#endif
