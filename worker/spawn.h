/*
 * Starting stepmill-init for an attempt: the one place where this process forks. Which
 * ways there are to see to it that nothing is left of a program, and how they are
 * tried.
 */
#ifndef WORKER_SPAWN_H
#define WORKER_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "init/init.h"

/* From the best on. */
enum isolation {
	ISOLATION_NAMESPACE,      /* a PID namespace; needs CAP_SYS_ADMIN */
	ISOLATION_USER_NAMESPACE, /* a PID namespace in a user namespace */
	ISOLATION_CGROUP,         /* a control group of version 2, and a sub-reaper */
	ISOLATION_REAPER,         /* a sub-reaper that walks the tree of processes */
	ISOLATIONS
};

#define SPAWN_FDS (INIT_FOLDER_FD + 1)

struct spawn {
	const char *init; /* path of stepmill-init */
	enum isolation isolation;
	char *const *words; /* argv of init, NULL-terminated */
	char *const *environment;
	int fds[SPAWN_FDS]; /* what become its descriptors 0, 1, ...; -1: none */
};

struct child {
	pid_t pid;
	int pidfd; /* readable once it has ended */
};

/* -1 with err (ERR_RETRY where a moment later it may work). What fails after the fork
 * comes as a struct init_message on the control socket. */
int spawn(const struct spawn *spawn, struct child *child, struct err *err);

const char *isolation_name(enum isolation isolation); /* "PID namespace" */
/* The mode of init: "namespace", "cgroup", "reaper". */
const char *isolation_mode(enum isolation isolation);
/* Is the control group of this process one that groups can be made in? The folder's
 * path is the caller's; NULL: none. */
char *isolation_cgroup(void);
/* Tries it; blocks for some milliseconds (at most 2 s). */
bool isolation_works(enum isolation isolation, const char *init, const char *cgroup);

#endif
