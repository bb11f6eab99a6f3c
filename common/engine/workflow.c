/* A definition's life and the questions to it. How it is made is workflow_read.c. */
#include "engine/workflow.h"

#include <stdlib.h>
#include <string.h>

static void
step_fini(struct step_def *step)
{
	free(step->id);
	free(step->name);
	template_free(&step->fields);
	free(step->queue);
	for (size_t i = 0; i < step->branches_count; i++)
		cel_free(&step->branches[i].condition);
	free(step->branches);
	free(step->refs);
}

void
workflow_free(struct workflow **workflow_p)
{
	struct workflow *workflow = *workflow_p;

	*workflow_p = NULL;
	if (workflow == NULL)
		return;
	map_free(&workflow->ids, NULL);
	for (size_t i = 0; i < workflow->steps_count; i++)
		step_fini(&workflow->steps[i]);
	free(workflow->steps);
	free(workflow->name);
	free(workflow->description);
	json_unref(&workflow->config);
	json_unref(&workflow->input_schema);
	schema_free(&workflow->input_rules);
	template_free(&workflow->output);
	free(workflow->output_refs);
	free(workflow->queue);
	free(workflow);
}

int
workflow_step_index(const struct workflow *workflow, const char *id)
{
	const struct step_def *step = map_get(workflow->ids, id, strlen(id));

	return step != NULL ? step->index : -1;
}
