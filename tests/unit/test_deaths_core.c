/* Nobody's death is forgotten before somebody had time to declare it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/deaths_core.h"

static struct uuid
id_of(int number)
{
	struct uuid id = {
		.b = { [0] = (unsigned char)(number >> 8), [1] = (unsigned char)number }
	};

	return id;
}

static void
expect_untold(struct deaths *deaths, int number)
{
	struct death *death = deaths_untold(deaths);
	struct uuid id = id_of(number);

	if (death == NULL)
		fail_msg("%d is not untold", number);
	assert_true(uuid_equal(&death->worker, &id));
	assert_int_equal(death->ending.signal, number);
}

static void
add(struct deaths *deaths, int number)
{
	struct uuid id = id_of(number);
	struct ending ending = { .signal = number };

	deaths_add(deaths, &id, &ending);
}

static void
test_told_in_order(void **state)
{
	struct deaths deaths;

	(void)state;
	deaths_init(&deaths);
	assert_null(deaths_untold(&deaths));
	add(&deaths, 1);
	add(&deaths, 2);
	expect_untold(&deaths, 1);
	deaths_told(&deaths, deaths_untold(&deaths), 50, 0);
	expect_untold(&deaths, 2);
	deaths_told(&deaths, deaths_untold(&deaths), 50, 0);
	assert_null(deaths_untold(&deaths));
	deaths_fini(&deaths);
}

static void
test_told_again_when_the_listener_dies_soon(void **state)
{
	struct deaths deaths;

	(void)state;
	deaths_init(&deaths);
	add(&deaths, 1);
	deaths_told(&deaths, deaths_untold(&deaths), 50, 0);
	add(&deaths, 2);
	deaths_told(&deaths, deaths_untold(&deaths), 51, 0);
	deaths_listener_ended(&deaths, 50, DEATH_DOUBT - 1);
	expect_untold(&deaths, 1);
	deaths_told(&deaths, deaths_untold(&deaths), 52, DEATH_DOUBT - 1);
	deaths_listener_ended(&deaths, 51, DEATH_DOUBT); /* long enough ago */
	assert_null(deaths_untold(&deaths));
	assert_int_equal(deaths.count, 1);
	deaths_fini(&deaths);
}

static void
test_bounded(void **state)
{
	struct deaths deaths;

	(void)state;
	deaths_init(&deaths);
	for (int i = 0; i < 3 * DEATHS_MOST; i++)
		add(&deaths, i);
	assert_int_equal(deaths.count, DEATHS_MOST);
	expect_untold(&deaths, 2 * DEATHS_MOST);
	deaths_fini(&deaths);
	assert_int_equal(deaths.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_in_order),
		cmocka_unit_test(test_told_again_when_the_listener_dies_soon),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
