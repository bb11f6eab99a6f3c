/* What is asked of an array and of its items. */
#include <stdlib.h>

#include "json/schema_check.h"
#include "json/schema_hash.h"

static struct where
item_where(const struct frame *frame, size_t index)
{
	return (struct where){ .up = frame->where, .index = index };
}

static bool
check_size(const struct frame *frame, const struct array_rules *rules)
{
	size_t count = json_count(frame->value);

	if ((int64_t)count < rules->min)
		return schema_check_fail(
		    frame, frame->where, "expected at least %lld item%s, got %zu",
		    (long long)rules->min, rules->min == 1 ? "" : "s", count);
	if ((int64_t)count > rules->max)
		return schema_check_fail(
		    frame, frame->where, "expected at most %lld item%s, got %zu",
		    (long long)rules->max, rules->max == 1 ? "" : "s", count);
	return true;
}

static bool
check_unique(const struct frame *frame)
{
	struct hashed *items;
	size_t first, second;
	bool twins;

	if (json_count(frame->value) < 2)
		return true;
	items = schema_hash_items(frame->value, &frame->check->work);
	twins = schema_check_spend(frame, 0) &&
		schema_hash_twins(frame->value, items, &first, &second);
	free(items);
	if (twins)
		schema_check_fail(frame, frame->where,
				  "expected items that differ, but [%zu] and [%zu] are "
				  "the same",
				  first, second);
	return !twins;
}

static bool
check_items(const struct frame *frame, const struct array_rules *rules)
{
	bool good = true;

	for (size_t i = 0; i < json_count(frame->value); i++) {
		const struct node *node =
		    i < rules->first_count ? rules->first[i] : rules->rest;
		struct where where = item_where(frame, i);

		if (node == NULL)
			break;
		if (frame->seen != NULL)
			schema_seen_add(frame->seen, i);
		if (!schema_check_node(frame, node, json_at(frame->value, i), &where,
				       NULL))
			good = false;
		if (!good && !schema_check_tells(frame))
			break;
	}
	return good;
}

/* How many items fit `contains`; no more are counted than anybody asks for. */
static int64_t
count_contained(const struct frame *frame, const struct array_rules *rules)
{
	bool counts_as_seen =
	    frame->node->resource->dialect.draft == DRAFT_2020 && frame->seen != NULL;
	int64_t count = 0;

	for (size_t i = 0; i < json_count(frame->value); i++) {
		struct where where = item_where(frame, i);

		if (frame->check->broken != NULL || count > rules->max_contains)
			break;
		if (!counts_as_seen && rules->max_contains == INT64_MAX &&
		    count >= rules->min_contains)
			break;
		if (!schema_check_quietly(frame, rules->contains,
					  json_at(frame->value, i), &where, NULL))
			continue;
		count++;
		if (counts_as_seen)
			schema_seen_add(frame->seen, i);
	}
	return count;
}

static bool
check_contains(const struct frame *frame, const struct array_rules *rules)
{
	int64_t count;

	if (rules->contains == NULL)
		return true;
	count = count_contained(frame, rules);
	if (count < rules->min_contains)
		return schema_check_fail(
		    frame, frame->where,
		    "expected at least %lld item%s that fit \"contains\", got %lld",
		    (long long)rules->min_contains, rules->min_contains == 1 ? "" : "s",
		    (long long)count);
	if (count > rules->max_contains)
		return schema_check_fail(
		    frame, frame->where,
		    "expected at most %lld item%s that fit \"contains\", got more",
		    (long long)rules->max_contains,
		    rules->max_contains == 1 ? "" : "s");
	return true;
}

bool
schema_check_array(const struct frame *frame)
{
	const struct array_rules *rules = frame->node->array;
	bool good;

	if (rules == NULL || json_type(frame->value) != JSON_ARRAY)
		return true;
	good = check_size(frame, rules);
	good = check_items(frame, rules) && good;
	good = check_contains(frame, rules) && good;
	return (!rules->unique || check_unique(frame)) && good;
}

static bool
check_other_items(const struct frame *frame)
{
	bool good = true;

	for (size_t i = 0; i < json_count(frame->value); i++) {
		struct where where = item_where(frame, i);

		if (!schema_seen_has(frame->seen, i) &&
		    !schema_check_node(frame, frame->node->other_items,
				       json_at(frame->value, i), &where, NULL))
			good = false;
	}
	frame->seen->all = frame->seen->all || good;
	return good;
}

static bool
check_other_members(const struct frame *frame)
{
	bool good = true;
	size_t i = 0;

	for (struct json_iter it = json_iter(frame->value); json_next(&it); i++) {
		struct where where = { .up = frame->where, .key = it.key };

		if (!schema_seen_has(frame->seen, i) &&
		    !schema_check_node(frame, frame->node->other_members, it.value,
				       &where, NULL))
			good = false;
	}
	frame->seen->all = frame->seen->all || good;
	return good;
}

bool
schema_check_others(const struct frame *frame)
{
	if (frame->node->other_items != NULL && json_type(frame->value) == JSON_ARRAY)
		return check_other_items(frame);
	if (frame->node->other_members != NULL &&
	    json_type(frame->value) == JSON_OBJECT)
		return check_other_members(frame);
	return true;
}
