/* The hash map against a plain model; its order, holes and hash; and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "base/list.h"
#include "base/map.h"
#include "base/siphash.h"

#define KEYS 500

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
test_put_get_remove(void **state)
{
	struct map *map = map_new();
	int a, b;

	(void)state;
	assert_null(map_get(map, "x", 1));
	assert_null(map_remove(map, "x", 1));
	assert_null(map_put(map, "x", 1, &a));
	assert_ptr_equal(map_put(map, "x", 1, &b), &a);
	assert_int_equal(map_count(map), 1);
	assert_ptr_equal(map_get(map, "x", 1), &b);
	assert_null(map_get(map, "x\0", 2));
	assert_null(map_put(map, "x\0", 2, &a));
	assert_null(map_put(map, "", 0, &a));
	assert_int_equal(map_count(map), 3);
	assert_ptr_equal(map_remove(map, "x", 1), &b);
	assert_ptr_equal(map_get(map, "x\0", 2), &a);
	assert_ptr_equal(map_get(map, "", 0), &a);
	assert_int_equal(map_count(map), 2);
	map_free(&map, NULL);
	assert_null(map);
	map_free(&map, NULL);
}

/* What is in the map must be what the model says, each key once. */
static void
check_model(const struct map *map, void *const *model, size_t count)
{
	bool seen[KEYS] = { 0 };
	const void *key;
	size_t cursor = 0, len, number, walked = 0;
	void *value;
	char text[16];

	while (map_next(map, &cursor, &key, &len, &value)) {
		memcpy(text, key, len + 1);
		assert_int_equal(strlen(text), len);
		number = strtoul(text + 3, NULL, 10);
		assert_ptr_equal(value, model[number]);
		assert_false(seen[number]);
		seen[number] = true;
		walked++;
	}
	assert_int_equal(walked, count);
	assert_int_equal(map_count(map), count);
}

static void
test_a_long_random_life_agrees_with_a_model(void **state)
{
	struct map *map = map_new();
	void *model[KEYS] = { 0 }, *before;
	uint32_t seed = 7;
	size_t number, len, count = 0;
	char key[16];

	(void)state;
	for (int turn = 0; turn < 50000; turn++) {
		number = next_random(&seed) % KEYS;
		len = (size_t)snprintf(key, sizeof key, "key%zu", number);
		if (next_random(&seed) % 2 == 0) {
			before = map_remove(map, key, len);
			assert_ptr_equal(before, model[number]);
			count -= before != NULL;
			model[number] = NULL;
		} else {
			void *value = &model[next_random(&seed) % KEYS];

			before = map_put(map, key, len, value);
			assert_ptr_equal(before, model[number]);
			count += before == NULL;
			model[number] = value;
		}
		assert_ptr_equal(map_get(map, key, len), model[number]);
		if (turn % 1000 == 0)
			check_model(map, model, count);
	}
	check_model(map, model, count);
	map_free(&map, NULL);
}

static void
test_iteration_is_in_order_of_insertion(void **state)
{
	static const char *const keys[] = { "z", "a", "m", "b" };
	struct map *map = map_new();
	size_t cursor = 0, len, at = 0;
	const void *key;
	void *value;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		map_put(map, keys[i], 1, (void *)(uintptr_t)keys[i]);
	map_put(map, "z", 1, map); /* a new value keeps the place */
	while (map_next(map, &cursor, &key, &len, &value))
		assert_string_equal(key, keys[at++]);
	assert_int_equal(at, 4);
	map_free(&map, NULL);
}

static void
test_the_current_entry_may_be_removed_on_a_walk(void **state)
{
	struct map *map = map_new();
	size_t cursor = 0, len, walked = 0;
	const void *key;
	char text[16];
	void *value;

	(void)state;
	for (int i = 0; i < 300; i++)
		map_put(map, text, (size_t)snprintf(text, sizeof text, "%d", i), map);
	while (map_next(map, &cursor, &key, &len, &value)) {
		memcpy(text, key, len + 1);
		assert_ptr_equal(map_remove(map, text, len), map);
		walked++;
	}
	assert_int_equal(walked, 300);
	assert_int_equal(map_count(map), 0);
	assert_null(map_put(map, "again", 5, map));
	assert_ptr_equal(map_get(map, "again", 5), map);
	map_free(&map, NULL);
}

static void
test_values_are_freed_with_the_map(void **state)
{
	struct map *map = map_new();

	(void)state;
	map_put(map, "a", 1, malloc(10)); /* the sanitizer tells when one is left */
	map_put(map, "b", 1, malloc(10));
	free(map_remove(map, "a", 1));
	map_free(&map, free);
}

/* The first of the reference vectors for SipHash-1-3: key 00..0f, message 00..(n-1). */
static void
test_siphash_agrees_with_the_paper(void **state)
{
	struct siphash_seed seed = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	static const uint64_t expected[] = {
		0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d,
		0x8bf80ab8e7ddf7fb, 0xcf75576088d38328, 0xdef9d52f49533b67,
		0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e,
	};
	unsigned char message[8];

	(void)state;
	for (size_t len = 0; len <= 8; len++) {
		if (len > 0)
			message[len - 1] = (unsigned char)(len - 1);
		assert_int_equal(siphash(seed, message, len), expected[len]);
	}
}

struct thing {
	int number;
	struct list link;
};

static void
test_lists_keep_order_and_survive_removal(void **state)
{
	struct thing things[4] = {
		{ .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 }
	};
	struct list list;
	int expected = 0;

	(void)state;
	list_init(&list);
	assert_true(list_empty(&list));
	assert_null(list_shift(&list));
	for (int i = 1; i < 4; i++)
		list_push(&list, &things[i].link);
	list_unshift(&list, &things[0].link);
	list_each (it, &list)
		assert_int_equal(container_of(it, struct thing, link)->number,
				 expected++);
	assert_int_equal(expected, 4);
	list_each_safe (it, &list)
		if (container_of(it, struct thing, link)->number % 2 == 1)
			list_remove(it);
	list_remove(&things[1].link); /* a second time does nothing */
	assert_ptr_equal(list_shift(&list), &things[0].link);
	assert_ptr_equal(list_shift(&list), &things[2].link);
	assert_true(list_empty(&list));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_remove),
		cmocka_unit_test(test_a_long_random_life_agrees_with_a_model),
		cmocka_unit_test(test_iteration_is_in_order_of_insertion),
		cmocka_unit_test(test_the_current_entry_may_be_removed_on_a_walk),
		cmocka_unit_test(test_values_are_freed_with_the_map),
		cmocka_unit_test(test_siphash_agrees_with_the_paper),
		cmocka_unit_test(test_lists_keep_order_and_survive_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
