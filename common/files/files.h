/*
 * Files of a project, opened so that nothing outside its folder can be reached: not by
 * "..", not by a link, not by a name that changes meanwhile. The kernel keeps the
 * promise (openat2 beneath). Only regular files and folders: no pipes, no devices.
 */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define FILES_FOLDER_MODE 0755
#define FILES_RUN_MODE    0750 /* of folders of runs: logs and artifacts */

/* Paths are clean ones (path_core.h), relative to the project. All of them: -1 with
 * err, ERR_NOT_FOUND (it is not there), ERR_DENIED (outside, or no right to it),
 * ERR_INPUT (it is something else than what is wanted), ERR_SYSTEM. */

/* A regular file for reading (O_RDONLY) or adding to (O_WRONLY | O_APPEND). */
int files_open(const char *project, const char *path, int flags, struct err *err);
/* A folder, readable. */
int files_open_folder(const char *project, const char *path, struct err *err);
/* The same, made with all above it where it is missing. */
int files_make_folder(const char *project, const char *path, mode_t mode,
		      struct err *err);
/* The folder that a path stands in ("a/b" of "a/b/c"); name is the rest of path. */
int files_open_parent(const char *project, const char *path, bool make,
		      const char **name, struct err *err);
/* What a path names; a link is followed as far as it stays inside. */
int files_stat(const char *project, const char *path, struct stat *st, struct err *err);

/* All of a regular file, appended to out; one of more than most bytes is ERR_LIMIT. */
int files_read(const char *project, const char *path, size_t most, struct buf *out,
	       struct err *err);
/* The folder that a path may not leave, and the clean path in it: the project, or, of
 * an absolute path that lies below none of it, the folder of the list that it lies
 * below. root is borrowed from either. Errors as those of path_clean. */
int files_place(const char *project, char *const *folders, size_t count,
		const char *text, size_t len, const char **root, struct buf *path,
		struct err *err);

/* A new file that appears under its name when it is complete. */
struct new_file {
	int folder, fd;
	char *name, *passing; /* the name meanwhile */
	bool in_place;        /* the name is a link: written where it leads */
	bool replaces;        /* a file of this name is there */
};
int new_file_open(struct new_file *file, const char *project, const char *path,
		  mode_t mode, struct err *err);
int new_file_write(struct new_file *file, const void *data, size_t len,
		   struct err *err);
/* Gives it its name. Without it new_file_fini leaves nothing behind. */
int new_file_commit(struct new_file *file, struct err *err);
void new_file_fini(struct new_file *file);

#endif
