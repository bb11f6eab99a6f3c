/* Parameters in PostgreSQL's binary format, and what its refusals mean. No server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "store/pg.h"
#include "store/pg_error.h"
#include "store/pg_types.h"
#include "store/query.h"

static void
assert_arg(const struct pg_args *args, int i, uint32_t oid, const void *bytes, int len)
{
	assert_in_range(i, 0, args->count - 1);
	assert_int_equal(args->at[i].type, oid);
	assert_int_equal(args->at[i].len, len);
	if (len > 0)
		assert_memory_equal(args->data.data + args->at[i].offset, bytes,
				    (size_t)len);
}

static void
test_values(void **state)
{
	struct uuid id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
	struct pg_args args;

	(void)state;
	pg_args_init(&args);
	pg_arg_bool(&args, true);
	pg_arg_int2(&args, -2);
	pg_arg_int4(&args, 0x01020304);
	pg_arg_int8(&args, -1);
	pg_arg_text(&args, "a\xc3\xa9");
	pg_arg_text_len(&args, "abc", 2);
	pg_arg_uuid(&args, &id);
	pg_arg_json_text(&args, "{}", 2);
	pg_arg_time(&args, PG_EPOCH + 258);
	pg_arg_bytes(&args, "\0\377", 2);
	pg_arg_text(&args, "");
	assert_int_equal(args.count, 11);
	assert_arg(&args, 0, OID_BOOL, "\1", 1);
	assert_arg(&args, 1, OID_INT2, "\377\376", 2);
	assert_arg(&args, 2, OID_INT4, "\1\2\3\4", 4);
	assert_arg(&args, 3, OID_INT8, "\377\377\377\377\377\377\377\377", 8);
	assert_arg(&args, 4, OID_TEXT, "a\xc3\xa9", 3);
	assert_arg(&args, 5, OID_TEXT, "ab", 2);
	assert_arg(&args, 6, OID_UUID, id.b, 16);
	assert_arg(&args, 7, OID_JSONB, "\1{}", 3);
	assert_arg(&args, 8, OID_TIMESTAMPTZ, "\0\0\0\0\0\0\1\2", 8);
	assert_arg(&args, 9, OID_BYTEA, "\0\377", 2);
	assert_arg(&args, 10, OID_TEXT, "", 0);
	pg_args_fini(&args);
}

static void
test_nulls(void **state)
{
	struct pg_args args;

	(void)state;
	pg_args_init(&args);
	pg_arg_null(&args, PG_INT4);
	pg_arg_text(&args, NULL);
	pg_arg_uuid(&args, NULL);
	pg_arg_json(&args, NULL);
	pg_arg_time(&args, 0);
	assert_arg(&args, 0, OID_INT4, NULL, -1);
	assert_arg(&args, 1, OID_TEXT, NULL, -1);
	assert_arg(&args, 2, OID_UUID, NULL, -1);
	assert_arg(&args, 3, OID_JSONB, NULL, -1);
	assert_arg(&args, 4, OID_TIMESTAMPTZ, NULL, -1);
	pg_args_fini(&args);
}

/* dimensions, has nulls, element type, count, lower bound, then length and bytes each
 */
static void
test_arrays(void **state)
{
	static const char numbers[] = "\0\0\0\1\0\0\0\1\0\0\0\25\0\0\0\3\0\0\0\1"
				      "\0\0\0\2\0\7\377\377\377\377\0\0\0\2\0\10";
	static const char json[] = "\0\0\0\1\0\0\0\0\0\0\016\332\0\0\0\1\0\0\0\1"
				   "\0\0\0\6\1[1,2]";
	static const char none[] = "\0\0\0\0\0\0\0\0\0\0\0\31";
	struct json *list = json_new_array();
	struct pg_args args;

	(void)state;
	json_append(list, json_new_int(1));
	json_append(list, json_new_int(2));
	pg_args_init(&args);
	pg_array_begin(&args, PG_INT2);
	pg_arg_int2(&args, 7);
	pg_arg_null(&args, PG_INT2);
	pg_arg_int2(&args, 8);
	pg_array_end(&args);
	pg_array_begin(&args, PG_JSONB);
	pg_arg_json(&args, list);
	pg_array_end(&args);
	pg_array_begin(&args, PG_TEXT);
	pg_array_end(&args);
	pg_arg_json(&args, list);
	assert_int_equal(args.count, 4);
	assert_arg(&args, 0, OID_INT2_ARRAY, numbers, sizeof numbers - 1);
	assert_arg(&args, 1, OID_JSONB_ARRAY, json, sizeof json - 1);
	assert_arg(&args, 2, OID_TEXT_ARRAY, none, sizeof none - 1);
	assert_arg(&args, 3, OID_JSONB, "\1[1,2]", 6);
	json_unref(&list);
	pg_args_fini(&args);
}

static void
test_errors(void **state)
{
	static const struct {
		const char *sqlstate;
		enum err_kind kind;
		enum pg_remedy remedy;
	} rows[] = {
		{ "23505", ERR_CONFLICT, PG_GO_ON },
		{ "23503", ERR_CONFLICT, PG_GO_ON },
		{ "23502", ERR_INPUT, PG_GO_ON },
		{ "23514", ERR_INPUT, PG_GO_ON },
		{ "22P05", ERR_INPUT, PG_GO_ON },
		{ "54000", ERR_INPUT, PG_GO_ON },
		{ "40001", ERR_RETRY, PG_GO_ON },
		{ "40P01", ERR_RETRY, PG_GO_ON },
		{ "57014", ERR_RETRY, PG_GO_ON },
		{ "55P03", ERR_RETRY, PG_GO_ON },
		{ "53100", ERR_RETRY, PG_GO_ON },
		{ "57P01", ERR_RETRY, PG_RECONNECT },
		{ "25006", ERR_RETRY, PG_RECONNECT },
		{ "0A000", ERR_RETRY, PG_RECONNECT },
		{ "26000", ERR_RETRY, PG_FORGET_PLAN },
		{ "42P01", ERR_SYSTEM, PG_GO_ON },
		{ "XX000", ERR_SYSTEM, PG_GO_ON },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err err = { 0 };

		assert_int_equal(pg_error(rows[i].sqlstate, "m", "c", "s", &err),
				 rows[i].remedy);
		assert_int_equal(err.kind, rows[i].kind);
	}
}

static void
test_a_conflict_begins_with_its_constraint(void **state)
{
	struct err err = { 0 };

	(void)state;
	pg_error("23505", "duplicate key", "workflow_runs_idempotency", "runs_insert",
		 &err);
	assert_string_equal(err.text, "workflow_runs_idempotency: duplicate key");
	pg_error("22P05", "bad escape", NULL, "steps_finish", &err);
	assert_string_equal(err.text, "steps_finish: bad escape (22P05)");
}

static void
test_every_statement_is_found_by_its_name(void **state)
{
	(void)state;
	assert_true(query_count() > 40);
	assert_string_equal(query_name(query_find("steps_claim")), "steps_claim");
	assert_non_null(strstr(query_text(query_find("steps_claim_lost")), "lost"));
	assert_string_equal(query_name(query_find("workers_take_session")),
			    "workers_take_session");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_a_conflict_begins_with_its_constraint),
		cmocka_unit_test(test_every_statement_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
