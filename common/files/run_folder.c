/* See run_folder.h. */
#include "files/run_folder.h"

#include "base/xalloc.h"

char *
run_folder_path(const struct uuid *run)
{
	char id[UUID_TEXT];

	return xprintf(".agent/workflows/executions/%s", uuid_format(run, id));
}
