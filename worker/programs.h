/*
 * What all child programs of a worker share: how they are isolated (decided once, by
 * trying), as whom they run, where their private folders are, and those that still run.
 * One program is program.h.
 */
#ifndef WORKER_PROGRAMS_H
#define WORKER_PROGRAMS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "conf/settings.h"
#include "loop/loop.h"
#include "spawn.h"

struct programs_conf {
	struct loop *loop;
	const struct settings *settings; /* worker_user, limits, worker_environment */
	char *const *environment;        /* of the worker */
	const char *init;         /* path of stepmill-init; NULL: beside this program */
	enum isolation isolation; /* the best one to try; 0: the best there is */
};

/* As whom programs run when it is not as the worker. */
struct program_user {
	bool is_set;
	uid_t uid;
	gid_t gid;
	char *home, *groups; /* "4,24,27" */
};

struct programs {
	struct loop *loop;
	const struct settings *settings;
	char *const *environment;
	char *init;
	enum isolation isolation;
	char *cgroup; /* groups are this and a number; NULL: none can be made */
	struct program_user user;
	char *folder;    /* private folders are made in it */
	int folder_lock; /* held while this process lives */
	unsigned long counter;
	struct list running;  /* struct program.link, also abandoned ones */
	struct list removers; /* processes that remove large folders */
};

/* Blocks for some milliseconds: tries the ways to isolate, removes what a worker that
 * died left in the folder for temporary files. */
struct programs *programs_new(const struct programs_conf *conf, struct err *err);
/* Ends what still runs, and waits until it has ended (at most 2 s). */
void programs_free(struct programs **programs_p);

/* A folder that only the programs of one attempt can enter. Its path is the caller's.
 */
char *programs_folder_new(struct programs *programs, struct err *err);
/* Removes it with all that is in it: what is little at once, much by a process of its
 * own. */
void programs_folder_drop(struct programs *programs, char **folder_p);

/* Ends everything below this process that is no living program's (a program may have
 * killed its own stepmill-init). True when nothing is left. */
bool programs_end_orphans(struct programs *programs);

#endif
