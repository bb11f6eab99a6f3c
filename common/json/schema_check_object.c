/* What is asked of an object and of its members. */
#include <stdlib.h>
#include <string.h>

#include "json/schema_check.h"

static bool
goes_on(const struct frame *frame, bool good)
{
	return frame->check->broken == NULL && (good || schema_check_tells(frame));
}

static bool
check_size(const struct frame *frame, const struct object_rules *rules)
{
	size_t count = json_count(frame->value);

	if ((int64_t)count < rules->min)
		return schema_check_fail(
		    frame, frame->where, "expected at least %lld member%s, got %zu",
		    (long long)rules->min, rules->min == 1 ? "" : "s", count);
	if ((int64_t)count > rules->max)
		return schema_check_fail(
		    frame, frame->where, "expected at most %lld member%s, got %zu",
		    (long long)rules->max, rules->max == 1 ? "" : "s", count);
	return true;
}

/* All names of a list must be there. because: the member that asks for them, or NULL */
static bool
check_required(const struct frame *frame, const struct json *names, const char *because)
{
	bool good = true;

	for (size_t i = 0; i < json_count(names) && goes_on(frame, good); i++) {
		const char *name = json_str(json_at(names, i));
		struct where where = { .up = frame->where, .key = name };

		schema_check_spend(frame, 1);
		if (json_has(frame->value, name))
			continue;
		if (because != NULL)
			good = schema_check_fail(
			    frame, &where, "is required where %.100s is", because);
		else
			good = schema_check_fail(frame, &where, "is required");
	}
	return good;
}

static bool
check_name(const struct frame *frame, const struct node *node,
	   const struct json_iter *it, const struct where *where)
{
	struct json *name = json_new_str_len(it->key, it->key_len);
	bool good = schema_check_quietly(frame, node, name, where, NULL);
	char *reason;

	if (!good && schema_check_tells(frame)) {
		reason = schema_check_reason(frame, node, name, where);
		schema_check_fail(frame, where, "the name is not allowed: %s", reason);
		free(reason);
	}
	json_unref(&name);
	return good;
}

static bool
check_member(const struct frame *frame, const struct object_rules *rules,
	     const struct json_iter *it, size_t index)
{
	const struct where where = { .up = frame->where, .key = it->key };
	const struct node *node = NULL;
	bool known, good = true;

	if (rules->names != NULL)
		good = check_name(frame, rules->names, it, &where);
	if (rules->members != NULL)
		node = map_get(rules->members, it->key, it->key_len);
	known = node != NULL;
	if (known)
		good = schema_check_node(frame, node, it->value, &where, NULL) && good;
	for (size_t i = 0; i < rules->patterns_count; i++) {
		if (!schema_check_regex(frame, rules->patterns[i].regex, it->key,
					it->key_len))
			continue;
		known = true;
		good = schema_check_node(frame, rules->patterns[i].node, it->value,
					 &where, NULL) &&
		       good;
	}
	if (!known && rules->others != NULL) {
		known = true;
		good =
		    schema_check_node(frame, rules->others, it->value, &where, NULL) &&
		    good;
	}
	if (known && frame->seen != NULL)
		schema_seen_add(frame->seen, index);
	return good;
}

static bool
check_members(const struct frame *frame, const struct object_rules *rules)
{
	bool good = true;
	size_t index = 0;

	if (rules->names == NULL && rules->members == NULL &&
	    rules->patterns_count == 0 && rules->others == NULL)
		return true;
	for (struct json_iter it = json_iter(frame->value);
	     goes_on(frame, good) && json_next(&it); index++) {
		schema_check_spend(frame, 1);
		good = check_member(frame, rules, &it, index) && good;
	}
	return good;
}

static bool
check_needs(const struct frame *frame, const struct object_rules *rules)
{
	bool good = true;

	for (size_t i = 0; i < rules->needs_count && goes_on(frame, good); i++) {
		const struct need *need = &rules->needs[i];

		schema_check_spend(frame, 1);
		if (!json_has(frame->value, need->key))
			continue;
		if (need->names != NULL)
			good = check_required(frame, need->names, need->key) && good;
		else
			good = schema_check_node(frame, need->node, frame->value,
						 frame->where, frame->seen) &&
			       good;
	}
	return good;
}

bool
schema_check_object(const struct frame *frame)
{
	const struct object_rules *rules = frame->node->object;
	bool good;

	if (rules == NULL || json_type(frame->value) != JSON_OBJECT)
		return true;
	good = check_size(frame, rules);
	good = check_required(frame, rules->required, NULL) && good;
	good = check_members(frame, rules) && good;
	return check_needs(frame, rules) && good;
}
