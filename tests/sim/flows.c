/* Texts become workflows here. What the reader refuses is drawn anew. */
#include "flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/graph_core.h"
#include "generate.h"

#define CHILDREN 3
#define FILE_MAX (1024 * 1024)

static struct workflow *
read_text(const char *text, bool tell)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);
	struct workflow *workflow = NULL;
	char *said;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	doc_free(&doc);
	for (size_t i = 0; tell && i < problems.count; i++) {
		said = problem_text(&problems, i);
		fprintf(stderr, "%s\n", said);
		free(said);
	}
	problems_fini(&problems);
	return workflow;
}

static void
note(bool *reads, const int *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		reads[list[i]] = true;
}

/* As a worker does it, see worker/definitions.c: no more is fetched. */
static bool *
find_reads(const struct workflow *workflow)
{
	bool *reads = xcalloc(workflow->steps_count, sizeof *reads);
	bool all = workflow->output_refs_all_steps;

	note(reads, workflow->output_refs, workflow->output_refs_count);
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];

		all |= step->refs_all_steps;
		note(reads, step->refs, step->refs_count);
		note(reads, step->needs, step->needs_count);
		reads[i] |= graph_is_end(workflow, step);
	}
	memset(reads, all, all ? workflow->steps_count : 0);
	return reads;
}

/* Takes text. */
static bool
add(struct flows *flows, char *text, bool tell)
{
	struct workflow *workflow = read_text(text, tell);

	if (workflow == NULL) {
		free(text);
		return false;
	}
	flows->list =
	    xrealloc(flows->list, (size_t)flows->count + 1, sizeof *flows->list);
	flows->list[flows->count++] =
	    (struct flow){ text, workflow, find_reads(workflow) };
	return true;
}

static void
generate(struct flows *flows, struct random *random)
{
	bool child = flows->count < CHILDREN;
	char name[32];
	struct buf text;

	snprintf(name, sizeof name, "%s%d", child ? "child" : "flow",
		 child ? flows->count : flows->count - CHILDREN);
	do {
		text = (struct buf){ 0 };
		generate_workflow(random, name, child ? 0 : CHILDREN, &text);
	} while (!add(flows, buf_take(&text), false));
}

void
flows_generate(struct flows *flows, struct random *random, int count)
{
	while (flows->count < count + CHILDREN)
		generate(flows, random);
	flows->children = CHILDREN;
}

bool
flows_load(struct flows *flows, const char *path)
{
	char *text = xcalloc(FILE_MAX + 1, 1);
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		perror(path);
		free(text);
		return false;
	}
	text[fread(text, 1, FILE_MAX, file)] = '\0';
	fclose(file);
	return add(flows, text, true);
}

const struct flow *
flows_find(const struct flows *flows, const char *name)
{
	for (int i = 0; i < flows->count; i++)
		if (strcmp(flows->list[i].workflow->name, name) == 0)
			return &flows->list[i];
	return NULL;
}

void
flows_fini(struct flows *flows)
{
	for (int i = 0; i < flows->count; i++) {
		free(flows->list[i].text);
		free(flows->list[i].reads);
		workflow_free(&flows->list[i].workflow);
	}
	free(flows->list);
}
