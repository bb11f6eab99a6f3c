/* The heap of times against a plain model, with moves and removals in the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

#define LINKS 200

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static usec_t
least_of(const struct heap_link *links)
{
	usec_t least = USEC_NEVER;

	for (size_t i = 0; i < LINKS; i++)
		if (links[i].index != 0 && links[i].at < least)
			least = links[i].at;
	return least;
}

static void
check(const struct heap *heap, const struct heap_link *links)
{
	size_t inside = 0;

	for (size_t i = 0; i < LINKS; i++) {
		if (links[i].index == 0)
			continue;
		inside++;
		assert_ptr_equal(heap->links[links[i].index - 1], &links[i]);
	}
	assert_int_equal(inside, heap->count);
	if (inside == 0)
		assert_null(heap_top(heap));
	else
		assert_int_equal(heap_top(heap)->at, least_of(links));
}

static void
test_a_long_random_life_agrees_with_a_model(void **state)
{
	struct heap heap = { 0 };
	struct heap_link links[LINKS] = { 0 };
	uint32_t seed = 3;

	(void)state;
	for (int turn = 0; turn < 20000; turn++) {
		struct heap_link *link = &links[next_random(&seed) % LINKS];

		if (next_random(&seed) % 3 == 0)
			heap_remove(&heap, link);
		else
			heap_move(&heap, link, next_random(&seed) % 1000);
		check(&heap, links);
	}
	heap_fini(&heap);
	for (size_t i = 0; i < LINKS; i++)
		assert_int_equal(links[i].index, 0);
}

static void
test_taking_the_top_sorts(void **state)
{
	struct heap heap = { 0 };
	struct heap_link links[LINKS] = { 0 };
	uint32_t seed = 11;
	usec_t last = -1;

	(void)state;
	for (size_t i = 0; i < LINKS; i++)
		heap_push(&heap, &links[i], next_random(&seed) % 50);
	for (size_t i = 0; i < LINKS; i++) {
		struct heap_link *top = heap_top(&heap);

		assert_true(top->at >= last);
		last = top->at;
		heap_remove(&heap, top);
	}
	assert_null(heap_top(&heap));
	heap_fini(&heap);
}

static void
test_removing_what_is_not_in_does_nothing(void **state)
{
	struct heap heap = { 0 };
	struct heap_link link = { 0 };

	(void)state;
	heap_remove(&heap, &link);
	heap_push(&heap, &link, 5);
	heap_remove(&heap, &link);
	heap_remove(&heap, &link);
	assert_int_equal(heap.count, 0);
	heap_fini(&heap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_long_random_life_agrees_with_a_model),
		cmocka_unit_test(test_taking_the_top_sorts),
		cmocka_unit_test(test_removing_what_is_not_in_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
