/*
 * files.list, files.delete and files.copy: trees of files, a limited number of entries
 * and bytes each turn. Links are listed, deleted and left out of copies; none is
 * followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "files/files.h"
#include "files/path_core.h"
#include "tools/files_tools.h"
#include "tools/tools.h"
#include "walk.h"

#define ENTRIES_A_TURN 64
#define PIECE          (256 * 1024)
#define PIECES_A_TURN  8
#define LIST_MAX       10000

struct tree {
	struct attempt *attempt;
	const char *tool;
	struct timer *timer;
	struct walk *walk;
	bool stopped;
	struct buf path; /* of the step: the one listed, deleted, copied from */
	struct buf to;   /* copied to */
	struct json *list;
	int64_t count; /* files copied */
	bool whole;    /* the path itself is a folder that goes as well */
	int from;      /* the file being copied, or -1 */
	struct new_file file;
	char *piece;
	/* One entry of the walk: 1 go on, -1 with err. */
	int (*entry)(struct tree *tree, const struct walk_entry *entry,
		     struct err *err);
	/* After the last one. */
	struct json *(*end)(struct tree *tree, struct err *err);
};

static void
tree_free(void *state)
{
	struct tree *tree = state;

	timer_free(&tree->timer);
	walk_free(&tree->walk);
	if (tree->from >= 0)
		close(tree->from);
	new_file_fini(&tree->file);
	json_unref(&tree->list);
	buf_fini(&tree->path);
	buf_fini(&tree->to);
	free(tree->piece);
	free(tree);
}

/* A piece of the file under way: 1 there is more, 0 it is complete, -1 with err. */
static int
copy_piece(struct tree *tree, struct err *err)
{
	ssize_t got = read(tree->from, tree->piece, PIECE);

	if (got < 0)
		return err_errno(err, "reading");
	if (got > 0)
		return new_file_write(&tree->file, tree->piece, (size_t)got, err) < 0
			   ? -1
			   : 1;
	close(tree->from);
	tree->from = -1;
	if (new_file_commit(&tree->file, err) < 0)
		return -1;
	new_file_fini(&tree->file);
	tree->count++;
	return 0;
}

/* 1: goes on in the next turn; 0: all is done; -1 with err. */
static int
work(struct tree *tree, struct err *err)
{
	struct walk_entry entry;
	int more = 1, pieces = 0;

	for (int i = 0; i < ENTRIES_A_TURN && more > 0; i++) {
		while (tree->from >= 0 && more > 0 && pieces++ < PIECES_A_TURN)
			more = copy_piece(tree, err) < 0 ? -1 : 1;
		if (more < 0 || tree->from >= 0)
			return more;
		more = tree->walk != NULL ? walk_next(tree->walk, &entry, err) : 0;
		if (more > 0)
			more = tree->entry(tree, &entry, err);
	}
	return more;
}

static void
on_turn(void *context)
{
	struct tree *tree = context;
	struct json *output = NULL;
	struct err err = { 0 };
	int more;

	if (tree->stopped) {
		attempt_fail(tree->attempt, "stopped", false, "told to stop");
		return;
	}
	more = work(tree, &err);
	if (more > 0) {
		timer_set(tree->timer, 0);
		return;
	}
	if (more == 0)
		output = tree->end(tree, &err);
	if (err.kind != ERR_NONE)
		answer_error(tree->attempt, tree->tool, &err);
	else
		attempt_succeed(tree->attempt, output);
}

static struct tree *
tree_new(struct attempt *attempt, const char *tool)
{
	struct tree *tree = xcalloc(1, sizeof *tree);

	tree->attempt = attempt;
	tree->tool = tool;
	tree->from = tree->file.fd = tree->file.folder = -1;
	tree->timer = timer_new(attempt->services->loop, on_turn, tree);
	return tree;
}

/* Begins, or fails with what went wrong. */
static void *
tree_begin(struct tree *tree, const struct err *err)
{
	if (err->kind == ERR_NONE) {
		timer_set(tree->timer, 0);
		return tree;
	}
	answer_error(tree->attempt, tree->tool, err);
	tree_free(tree);
	return NULL;
}

static void
tree_stop(void *state, enum stop how)
{
	(void)how;
	((struct tree *)state)->stopped = true;
	timer_set(((struct tree *)state)->timer, 0);
}

/* ---- list ---- */

static int
list_entry(struct tree *tree, const struct walk_entry *entry, struct err *err)
{
	const char *pattern = field_text(tree->attempt, "pattern", NULL);
	struct json *item;
	char *path;

	if (entry->leaving ||
	    (pattern != NULL && fnmatch(pattern, entry->name, FNM_PERIOD) != 0))
		return 1;
	if (json_count(tree->list) == LIST_MAX)
		return err_set(err, ERR_LIMIT,
			       "more than %d entries; give a pattern, or list a folder "
			       "at a time",
			       LIST_MAX);
	path = strcmp(buf_text(&tree->path), ".") == 0
		   ? xstrdup(entry->path)
		   : xprintf("%s/%s", buf_text(&tree->path), entry->path);
	item = json_new_object();
	json_set(item, "path", answer_text(tree->attempt, path, strlen(path)));
	json_set(item, "type", json_new_str(files_type(entry->st.st_mode)));
	json_set(item, "size", json_new_int((int64_t)entry->st.st_size));
	json_append(tree->list, item);
	free(path);
	return 1;
}

static struct json *
list_end(struct tree *tree, struct err *err)
{
	(void)err;
	return json_ref(tree->list);
}

static void *
list_start(struct attempt *attempt)
{
	struct tree *tree = tree_new(attempt, "files.list");
	struct err err = { 0 };
	int folder = -1;

	tree->entry = list_entry;
	tree->end = list_end;
	tree->list = json_new_array();
	if (files_path(attempt, "path", ".", &tree->path, &err) == 0)
		folder = files_open_folder(attempt->project_path, buf_text(&tree->path),
					   &err);
	if (folder >= 0)
		tree->walk = walk_new(folder, field_flag(attempt, "recursive", false));
	return tree_begin(tree, &err);
}

/* ---- delete ---- */

static int
delete_entry(struct tree *tree, const struct walk_entry *entry, struct err *err)
{
	bool folder = S_ISDIR(entry->st.st_mode);

	(void)tree;
	if (folder && !entry->leaving)
		return 1;
	if (unlinkat(entry->folder, entry->name, folder ? AT_REMOVEDIR : 0) == 0 ||
	    errno == ENOENT)
		return 1;
	return err_errno(err, "\"%.300s\"", entry->path);
}

/* The thing itself. 1: deleted, 0: it was not there, -1 with err. */
static int
delete_itself(const struct tree *tree, struct err *err)
{
	const char *name;
	int parent = files_open_parent(tree->attempt->project_path,
				       buf_text(&tree->path), false, &name, err);
	int result = 1;

	if (parent < 0 && err->kind == ERR_NOT_FOUND) {
		err_clear(err);
		return 0;
	}
	if (parent < 0)
		return -1;
	if (unlinkat(parent, name, tree->whole ? AT_REMOVEDIR : 0) < 0) {
		result = errno == ENOENT ? 0 : -1;
		if (errno == ENOTEMPTY || errno == EISDIR)
			err_set(err, ERR_CONFLICT,
				"\"%.300s\" is a folder with something in it; "
				"`recursive: true` deletes that too",
				buf_text(&tree->path));
		else if (result < 0)
			err_errno(err, "\"%.300s\"", buf_text(&tree->path));
	}
	close(parent);
	return result;
}

static struct json *
delete_end(struct tree *tree, struct err *err)
{
	int deleted = delete_itself(tree, err);
	struct json *output;

	if (deleted < 0)
		return NULL;
	output = json_new_object();
	json_set(output, "deleted", json_new_bool(deleted > 0));
	return output;
}

/* Is it a folder, not a link to one? Opens it if its contents are to go. */
static void
delete_look(struct tree *tree, struct err *err)
{
	const struct attempt *attempt = tree->attempt;
	const char *name;
	struct stat st;
	int parent = files_open_parent(attempt->project_path, buf_text(&tree->path),
				       false, &name, err);

	if (parent < 0) {
		if (err->kind == ERR_NOT_FOUND)
			err_clear(err);
		return;
	}
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode)) {
		tree->whole = true;
		if (field_flag(attempt, "recursive", false)) {
			int fd =
			    openat(parent, name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (fd >= 0)
				tree->walk = walk_new(fd, true);
			else
				err_errno(err, "\"%.300s\"", buf_text(&tree->path));
		}
	}
	close(parent);
}

static void *
delete_start(struct attempt *attempt)
{
	struct tree *tree = tree_new(attempt, "files.delete");
	struct err err = { 0 };

	tree->entry = delete_entry;
	tree->end = delete_end;
	if (files_path(attempt, "path", "", &tree->path, &err) == 0)
		delete_look(tree, &err);
	return tree_begin(tree, &err);
}

/* ---- copy ---- */

static int
begin_file(struct tree *tree, int from, const char *to, mode_t mode, struct err *err)
{
	if (new_file_open(&tree->file, tree->attempt->project_path, to, mode & 0777,
			  err) < 0) {
		close(from);
		return -1;
	}
	tree->from = from;
	if (tree->piece == NULL)
		tree->piece = xmalloc(PIECE);
	return 1;
}

static int
copy_entry(struct tree *tree, const struct walk_entry *entry, struct err *err)
{
	char *to = xprintf("%s/%s", buf_text(&tree->to), entry->path);
	int fd, result = 1;

	if (S_ISDIR(entry->st.st_mode) && !entry->leaving) {
		fd = files_make_folder(tree->attempt->project_path, to,
				       FILES_FOLDER_MODE, err);
		result = fd < 0 ? -1 : 1;
		if (fd >= 0)
			close(fd);
	} else if (S_ISREG(entry->st.st_mode)) {
		fd = openat(entry->folder, entry->name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			result = begin_file(tree, fd, to, entry->st.st_mode, err);
		else if (errno != ENOENT)
			result = err_errno(err, "\"%.300s\"", entry->path);
	}
	free(to);
	return result;
}

static struct json *
copy_end(struct tree *tree, struct err *err)
{
	struct json *output = json_new_object();

	(void)err;
	json_set(output, "from", json_new_str(buf_text(&tree->path)));
	json_set(output, "to", json_new_str(buf_text(&tree->to)));
	json_set(output, "files", json_new_int(tree->count));
	return output;
}

/* A folder must not be copied into itself: that would never end. */
static bool
is_inside(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strcmp(folder, ".") == 0 || (strncmp(path, folder, len) == 0 &&
					    (path[len] == '/' || path[len] == '\0'));
}

static void
copy_folder(struct tree *tree, struct err *err)
{
	const char *project = tree->attempt->project_path;
	int fd;

	if (!field_flag(tree->attempt, "recursive", false)) {
		err_set(err, ERR_INPUT,
			"\"%.300s\" is a folder; `recursive: true` copies it",
			buf_text(&tree->path));
		return;
	}
	if (is_inside(buf_text(&tree->to), buf_text(&tree->path))) {
		err_set(err, ERR_INPUT, "\"%.300s\" is inside of what is copied",
			buf_text(&tree->to));
		return;
	}
	fd = files_make_folder(project, buf_text(&tree->to), FILES_FOLDER_MODE, err);
	if (fd < 0)
		return;
	close(fd);
	fd = files_open_folder(project, buf_text(&tree->path), err);
	if (fd >= 0)
		tree->walk = walk_new(fd, true);
}

static void
copy_look(struct tree *tree, struct err *err)
{
	const char *project = tree->attempt->project_path;
	struct stat st;
	int fd;

	if (files_stat(project, buf_text(&tree->path), &st, err) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		copy_folder(tree, err);
		return;
	}
	if (strcmp(buf_text(&tree->path), buf_text(&tree->to)) == 0) {
		err_set(err, ERR_INPUT, "from and to are the same");
		return;
	}
	fd = files_open(project, buf_text(&tree->path), O_RDONLY, err);
	if (fd >= 0)
		begin_file(tree, fd, buf_text(&tree->to), st.st_mode, err);
}

static void *
copy_start(struct attempt *attempt)
{
	struct tree *tree = tree_new(attempt, "files.copy");
	struct err err = { 0 };

	tree->entry = copy_entry;
	tree->end = copy_end;
	if (files_path(attempt, "from", "", &tree->path, &err) == 0 &&
	    files_path(attempt, "to", "", &tree->to, &err) == 0)
		copy_look(tree, &err);
	return tree_begin(tree, &err);
}

const struct action tool_files_list = {
	.name = "files.list", .start = list_start, .stop = tree_stop, .free = tree_free
};
const struct action tool_files_delete = { .name = "files.delete",
					  .start = delete_start,
					  .stop = tree_stop,
					  .free = tree_free };
const struct action tool_files_copy = {
	.name = "files.copy", .start = copy_start, .stop = tree_stop, .free = tree_free
};
