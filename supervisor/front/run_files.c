/* One folder after the other. See run_files.h. */
#include "front/run_files.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "files/run_folder.h"
#include "files/tree.h"

#define A_TURN 64 /* files */

struct folder {
	struct list link;
	char *project, *path;
};

struct run_files {
	struct list folders; /* the first one is being removed */
	struct timer *timer;
};

static void
folder_free(struct folder *folder)
{
	list_remove(&folder->link);
	free(folder->project);
	free(folder->path);
	free(folder);
}

static void
on_turn(void *context)
{
	struct run_files *files = context;
	struct folder *folder = container_of(files->folders.next, struct folder, link);
	struct err err = { 0 };
	enum tree_left left = tree_remove(folder->project, folder->path, A_TURN, &err);

	if (left == TREE_FAILED)
		log_warn("run_files.left", F_STR("path", folder->path),
			 F_STR("why", err.text));
	if (left != TREE_MORE)
		folder_free(folder);
	if (!list_empty(&files->folders))
		timer_set(files->timer, 0);
}

struct run_files *
run_files_new(struct loop *loop)
{
	struct run_files *files = xcalloc(1, sizeof *files);

	list_init(&files->folders);
	files->timer = timer_new(loop, on_turn, files);
	return files;
}

void
run_files_free(struct run_files **files_p)
{
	struct run_files *files = *files_p;

	if (files == NULL)
		return;
	*files_p = NULL;
	list_each_safe (link, &files->folders)
		folder_free(container_of(link, struct folder, link));
	timer_free(&files->timer);
	free(files);
}

void
run_files_remove(struct run_files *files, const char *project, const struct uuid *run)
{
	struct folder *folder = xcalloc(1, sizeof *folder);

	folder->project = xstrdup(project);
	folder->path = run_folder_path(run);
	list_push(&files->folders, &folder->link);
	timer_set(files->timer, 0);
}
