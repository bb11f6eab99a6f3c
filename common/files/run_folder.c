/* See run_folder.h. */
#include "files/run_folder.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"

char *
run_folder_path(const struct uuid *run)
{
	char id[UUID_TEXT];

	return xprintf(".agent/workflows/executions/%s", uuid_format(run, id));
}

static int
write_file(const char *project, const char *path, const char *text, size_t len,
	   struct err *err)
{
	struct new_file file;
	int status = -1;

	if (new_file_open(&file, project, path, 0640, err) < 0)
		return -1;
	if (new_file_write(&file, text, len, err) == 0 &&
	    new_file_write(&file, "\n", 1, err) == 0)
		status = new_file_commit(&file, err);
	new_file_fini(&file);
	return status;
}

int
run_folder_write_metadata(const char *project, const struct uuid *run, const char *text,
			  size_t len, struct err *err)
{
	char *folder = run_folder_path(run);
	char *path = xprintf("%s/metadata.json", folder);
	int fd = files_make_folder(project, folder, FILES_RUN_MODE, err);
	int status = -1;

	if (fd >= 0) {
		close(fd);
		status = write_file(project, path, text, len, err);
	}
	free(path);
	free(folder);
	return status;
}
