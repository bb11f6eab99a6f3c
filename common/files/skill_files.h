/*
 * Where skills lie: in ".agent/skills" of a project, and in folders that the
 * configuration names; each in a folder of its own that holds a SKILL.md. The first
 * that has the name is meant. Nothing outside the project, or outside such a folder, is
 * reached (files.h).
 */
#ifndef FILES_SKILL_FILES_H
#define FILES_SKILL_FILES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SKILL_NAMES_MAX 1000 /* entries of one folder that are looked at */

/* The places that are looked through, in this order; all borrowed. */
struct skill_places {
	const char *project;
	char *const *folders;
	size_t count;
};

size_t skill_places_count(const struct skill_places *places); /* the project's too */
/* The folder that the n-th may not leave, and where in it skills lie. */
const char *skill_places_root(const struct skill_places *places, size_t index,
			      const char **within);

/* Appends SKILL.md of this skill at this place; *path (the caller's) is its folder,
 * relative to the root. -1: ERR_NOT_FOUND, ERR_LIMIT (larger than most), or as
 * files_read. name: a plain name of a folder. */
int skill_files_read(const struct skill_places *places, size_t index, const char *name,
		     size_t most, struct buf *out, char **path, struct err *err);
/* The same at the first place that has it; *index is which. ERR_NOT_FOUND names all of
 * them. */
int skill_files_find(const struct skill_places *places, const char *name, size_t most,
		     size_t *index, struct buf *out, char **path, struct err *err);

/* Names of what may be skills there, in order: the list is the caller's
 * (skill_names_fini). A place that is not there has none. */
struct skill_names {
	char **list;
	size_t count;
};
int skill_files_names(const struct skill_places *places, size_t index,
		      struct skill_names *out, struct err *err);
void skill_names_fini(struct skill_names *names);

/* The absolute path, without links, of a file (clean path) below a skill's folder. -1:
 * it is not there, no regular file, or leads out of the root. The caller's. */
char *skill_files_real(const struct skill_places *places, size_t index,
		       const char *skill_path, const char *file, struct err *err);
/* The same of the folder itself. */
char *skill_files_folder(const struct skill_places *places, size_t index,
			 const char *skill_path, struct err *err);

#endif
