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
	free(step->output_of);
	cel_free(&step->condition_if);
	cel_free(&step->foreach);
	cel_free(&step->repeat_until);
	cel_free(&step->condition);
	cel_free(&step->when);
	json_unref(&step->output_schema);
	schema_free(&step->output_rules);
	free(step->needs);
	free(step->followers);
	free(step->choices);
}

static void
program_free(struct program_def **program_p)
{
	struct program_def *program = *program_p;

	if (program == NULL)
		return;
	free(program->file);
	free(program->checksum);
	free(program->text);
	free(program);
	*program_p = NULL;
}

struct workflow *
workflow_ref(const struct workflow *workflow)
{
	struct workflow *held = (struct workflow *)workflow;

	held->holders++;
	return held;
}

void
workflow_free(struct workflow **workflow_p)
{
	struct workflow *workflow = *workflow_p;

	*workflow_p = NULL;
	if (workflow == NULL || workflow->holders-- > 0)
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
	template_free(&workflow->concurrency_key);
	for (size_t i = 0; i < workflow->triggers_count; i++)
		trigger_fini(&workflow->triggers[i]);
	free(workflow->triggers);
	step_fini(&workflow->end);
	program_free(&workflow->program);
	free(workflow->output_refs);
	for (size_t i = 0; i < workflow->secrets_count; i++)
		free(workflow->secrets[i]);
	free(workflow->secrets);
	free(workflow->queue);
	free(workflow);
}

int
workflow_step_index(const struct workflow *workflow, const char *id)
{
	const struct step_def *step = map_get(workflow->ids, id, strlen(id));

	return step != NULL ? step->index : -1;
}

const struct step_def *
workflow_step(const struct workflow *workflow, const char *key)
{
	if ((workflow->graph || workflow->program != NULL) && strcmp(key, END_KEY) == 0)
		return &workflow->end;
	return map_get(workflow->ids, key, strlen(key));
}
