/*
 * A tree of folders, entry by entry, by name, following no link: as much at a time as
 * the caller likes. Folders come twice, before and after what is in them.
 */
#ifndef WORKER_WALK_H
#define WORKER_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define WALK_DEPTH_MAX   64
#define WALK_ENTRIES_MAX 100000 /* of one folder */

struct walk;

struct walk_entry {
	const char *path; /* from where the walk began: "a/b" */
	const char *name;
	int folder; /* the folder it is in, open */
	struct stat st;
	bool leaving; /* a folder whose contents were all told */
};

/* Takes the descriptor of the folder to begin in. deep: folders below too. */
struct walk *walk_new(int folder, bool deep);
void walk_free(struct walk **walk_p);
/* 1: an entry, valid until the next call; 0: that was all; -1 with err. */
int walk_next(struct walk *walk, struct walk_entry *entry, struct err *err);

#endif
