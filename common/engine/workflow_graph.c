/* A definition as nodes and edges, for who draws it. */
#include "engine/sequence_core.h"
#include "engine/workflow.h"

static struct json *
node(const struct step_def *step)
{
	struct json *json = json_new_object();

	json_set(json, "id", json_new_str(step->id));
	json_set(json, "name", json_new_str(step->name));
	json_set(json, "action", json_new_str(action_name(step->action)));
	return json;
}

static struct json *
edge(const struct workflow *workflow, const struct step_def *from, int target,
     const char *kind)
{
	struct json *json = json_new_object();

	json_set(json, "from", json_new_str(from->id));
	json_set(json, "to",
		 target >= 0 ? json_new_str(workflow->steps[target].id) : NULL);
	json_set(json, "kind", json_new_str(kind));
	return json;
}

static void
add_branches(const struct workflow *workflow, const struct step_def *step,
	     struct json *edges)
{
	struct json *json;

	for (size_t i = 0; i < step->branches_count; i++) {
		json = edge(workflow, step, step->branches[i].target, "branch");
		json_set(json, "condition",
			 json_new_str(cel_source(step->branches[i].condition)));
		json_append(edges, json);
	}
}

/* Into the blocks that it holds. */
static void
add_blocks(const struct workflow *workflow, const struct step_def *step,
	   struct json *edges)
{
	const int blocks[] = { step->block, step->other_block };

	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (blocks[i] != NO_STEP)
			json_append(edges, edge(workflow, step, blocks[i], "branch"));
}

/* From step to step; the end of a block leads back to who holds it. */
static void
add_next(const struct workflow *workflow, const struct step_def *step,
	 struct json *edges)
{
	int next = sequence_after_success(workflow, step);

	if (next == TARGET_BLOCK_END)
		next = step->owner;
	json_append(edges, edge(workflow, step, next,
				step->on_success == TARGET_NONE ? "next" : "success"));
}

static void
add_needs(const struct workflow *workflow, const struct step_def *step,
	  struct json *edges)
{
	for (size_t i = 0; i < step->needs_count; i++)
		json_append(edges, edge(workflow, &workflow->steps[step->needs[i]],
					step->index, "needs"));
	if (step->on_success != TARGET_NONE)
		json_append(edges, edge(workflow, step, step->on_success, "success"));
}

static void
add_edges(const struct workflow *workflow, const struct step_def *step,
	  struct json *edges)
{
	add_blocks(workflow, step, edges);
	add_branches(workflow, step, edges);
	if (workflow->graph && step->owner == NO_STEP)
		add_needs(workflow, step, edges);
	else
		add_next(workflow, step, edges);
	if (step->on_failure != TARGET_NONE)
		json_append(edges, edge(workflow, step, step->on_failure, "failure"));
}

struct json *
workflow_graph(const struct workflow *workflow)
{
	struct json *graph = json_new_object();
	struct json *nodes = json_new_array(), *edges = json_new_array();

	for (size_t i = 0; i < workflow->steps_count; i++) {
		json_append(nodes, node(&workflow->steps[i]));
		add_edges(workflow, &workflow->steps[i], edges);
	}
	json_set(graph, "nodes", nodes);
	json_set(graph, "edges", edges);
	return graph;
}
