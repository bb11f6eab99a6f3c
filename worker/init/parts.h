/* The parts of stepmill-init: words of the command line, start, tree, folder. */
#ifndef WORKER_INIT_PARTS_H
#define WORKER_INIT_PARTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "init/init.h"

#define GROUPS_MAX 256

enum mode { MODE_NAMESPACE, MODE_CGROUP, MODE_REAPER };

struct words {
	enum mode mode;
	bool probe;
	const char *remove;
	const char *cgroup;
	bool channel;
	bool has_user;
	uid_t user;
	gid_t group, groups[GROUPS_MAX];
	int groups_count;
	unsigned long address_space, files, processes; /* 0: no limit */
	int cgroup_procs, cgroup_kill;                 /* descriptors, or -1 */
};

/* Returns what follows "--", or NULL. */
char **words_read(struct words *words, int argc, char **argv);

struct start_failure {
	enum init_stage stage;
	int error; /* errno */
};

/* A signalfd for SIGCHLD; everything else that can be ignored is. */
int start_signals(void);
/* The process, or -1 with why. Afterwards the program's descriptors are closed here. */
pid_t start_program(struct words *words, char **argv, struct start_failure *failure);

int tree_open(struct words *words);
void tree_close(const struct words *words);
/* One pass over everything below us. SIGTERM is followed by SIGCONT. */
void tree_signal(const struct words *words, int number);
int tree_probe(struct words *words);

/* A folder and everything in it, following no link. */
int folder_remove(const char *path);

#endif
