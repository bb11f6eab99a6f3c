/* What becomes of a call with an Idempotency-Key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/change_core.h"

static void
test_verdicts(void **state)
{
	static const struct {
		struct change_known known;
		enum change_verdict verdict;
	} rows[] = {
		{ { .locked = true }, CHANGE_GO },
		{ { .locked = false }, CHANGE_WAIT },
		{ { .locked = true, .found = true, .same = true }, CHANGE_REPEAT },
		{ { .locked = true, .found = true }, CHANGE_REFUSE },
		/* who has the key now only repeats it, too */
		{ { .found = true, .same = true }, CHANGE_REPEAT },
		{ { .found = true }, CHANGE_REFUSE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(change_judge(&rows[i].known), rows[i].verdict);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
