/* Several schemas for the same value: combinations, conditions, references. */
#include <stdlib.h>
#include <string.h>

#include "json/schema_check.h"

#define REASONS_SHOWN 3

static bool
is_over(const struct frame *frame)
{
	return frame->check->broken != NULL;
}

static bool
check_all(const struct frame *frame, const struct node_list *list)
{
	bool good = true;

	for (size_t i = 0; i < list->count && !is_over(frame); i++) {
		if (!good && !schema_check_tells(frame))
			break;
		if (!schema_check_node(frame, list->nodes[i], frame->value,
				       frame->where, frame->seen))
			good = false;
	}
	return good;
}

/* "expected one of 5 alternatives: (1) ...; (2) ..." */
static bool
fail_alternatives(const struct frame *frame, const struct node_list *list)
{
	struct buf text = { 0 };
	char *reason;

	if (!schema_check_tells(frame))
		return false;
	for (size_t i = 0; i < list->count && i < REASONS_SHOWN; i++) {
		reason = schema_check_reason(frame, list->nodes[i], frame->value,
					     frame->where);
		buf_printf(&text, "%s(%zu) %s", i > 0 ? "; " : "", i + 1, reason);
		free(reason);
	}
	schema_check_fail(frame, frame->where, "fits none of %zu alternatives: %s%s",
			  list->count, buf_text(&text),
			  list->count > REASONS_SHOWN ? "; ..." : "");
	buf_fini(&text);
	return false;
}

static bool
check_any(const struct frame *frame, const struct node_list *list)
{
	bool good = list->count == 0;

	for (size_t i = 0; i < list->count && !is_over(frame); i++) {
		if (schema_check_quietly(frame, list->nodes[i], frame->value,
					 frame->where, frame->seen))
			good = true;
		if (good && frame->seen == NULL) /* else all that fit are asked */
			break;
	}
	return good || fail_alternatives(frame, list);
}

static bool
check_one(const struct frame *frame, const struct node_list *list)
{
	size_t fitting = 0, first = 0;

	for (size_t i = 0; i < list->count && !is_over(frame); i++) {
		if (!schema_check_quietly(frame, list->nodes[i], frame->value,
					  frame->where, frame->seen))
			continue;
		if (fitting++ > 0)
			return schema_check_fail(
			    frame, frame->where,
			    "fits more than one of %zu alternatives: (%zu) and (%zu)",
			    list->count, first + 1, i + 1);
		first = i;
	}
	return fitting == 1 || list->count == 0 || fail_alternatives(frame, list);
}

static bool
check_condition(const struct frame *frame, const struct logic_rules *rules)
{
	const struct node *next;

	if (rules->when == NULL)
		return true;
	next = schema_check_quietly(frame, rules->when, frame->value, frame->where,
				    frame->seen)
		   ? rules->then
		   : rules->otherwise;
	return next == NULL ||
	       schema_check_node(frame, next, frame->value, frame->where, frame->seen);
}

bool
schema_check_logic(const struct frame *frame)
{
	const struct logic_rules *rules = frame->node->logic;
	bool good;

	if (rules == NULL)
		return true;
	good = check_all(frame, &rules->all);
	good = check_any(frame, &rules->any) && good;
	good = check_one(frame, &rules->one) && good;
	good = check_condition(frame, rules) && good;
	if (rules->not != NULL &&
	    schema_check_quietly(frame, rules->not, frame->value, frame->where, NULL))
		good = schema_check_fail(frame, frame->where,
					 "fits what it must not (\"not\")");
	return good;
}

/* Of all schemas that led here, the outermost that has the anchor. */
static const struct node *
find_dynamic(const struct frame *frame, const char *name)
{
	const struct node *found = NULL, *node;
	int64_t steps = 0;

	for (const struct frame *at = frame; at->node != NULL; at = at->up) {
		node = map_get(at->node->resource->dynamic, name, strlen(name));
		if (node != NULL)
			found = node;
		steps++;
	}
	schema_check_spend(frame, steps);
	return found;
}

bool
schema_check_refs(const struct frame *frame)
{
	const struct reference *ref = &frame->node->ref;
	const struct reference *dynamic = &frame->node->dynamic_ref;
	const struct node *node = dynamic->node;
	bool good = true;

	if (ref->node != NULL)
		good = schema_check_node(frame, ref->node, frame->value, frame->where,
					 frame->seen);
	if (dynamic->dynamic != NULL)
		node = find_dynamic(frame, dynamic->dynamic);
	if (node == NULL)
		node = dynamic->node;
	if (node != NULL)
		good = schema_check_node(frame, node, frame->value, frame->where,
					 frame->seen) &&
		       good;
	return good;
}
