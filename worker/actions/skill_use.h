/*
 * A skill in the hand of a step: found afresh at each use, read, and its input checked.
 * What is wrong with any of it fails the attempt before anything was run.
 */
#ifndef ACTIONS_SKILL_USE_H
#define ACTIONS_SKILL_USE_H

#include "actions/action.h"
#include "engine/skill_read.h"
#include "files/skill_files.h"

struct skill_use {
	struct skill skill;
	struct skill_places places; /* borrowed from the attempt */
	size_t place;               /* where it was found */
	char *path;                 /* its folder, relative to that place's root */
	struct json *input;         /* an object */
};

/* False: the attempt has failed. skill_use_fini in any case. */
bool skill_use_begin(struct skill_use *use, struct attempt *attempt);
void skill_use_fini(struct skill_use *use);

/* Does what it gave fit its schema? Else the attempt has failed with it (taken). */
bool skill_use_fits(const struct skill_use *use, struct attempt *attempt,
		    struct json *output);

#endif
