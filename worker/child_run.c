/* The memory of a run that is to be started. See child_run.h. */
#include "child_run.h"

#include <stdlib.h>

void
child_run_free(struct child_run **child_p)
{
	struct child_run *child = *child_p;

	if (child == NULL)
		return;
	*child_p = NULL;
	if (child->drop != NULL)
		child->drop(child->context, child->definition);
	for (size_t i = 0; i < sizeof child->texts / sizeof child->texts[0]; i++)
		free(child->texts[i]);
	json_unref(&child->input);
	free(child->steps);
	free(child);
}
