/* The words of CEL: kinds, places, literals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "lang/cel_lex.h"

/* "name@at:len" of each, or the error. */
static void
expect(const char *source, const char *expected)
{
	struct buf got = { 0 };
	struct cel_token token;
	struct cel_lex lex;
	struct arena arena;

	arena_init(&arena, NULL, 0);
	cel_lex_init(&lex, source, strlen(source), &arena);
	do {
		if (cel_lex_next(&lex, &token) < 0) {
			buf_printf(&got, "error@%u %s", lex.error_at, lex.error);
			break;
		}
		buf_printf(&got, "%s@%u:%u ", cel_token_name(token.kind), token.at,
			   token.len);
	} while (token.kind != CEL_T_END);
	assert_string_equal(buf_text(&got), expected);
	buf_fini(&got);
	arena_fini(&arena);
}

static void
expect_text(const char *source, enum cel_token_kind kind, const char *text, size_t len)
{
	struct cel_token token;
	struct cel_lex lex;
	struct arena arena;

	arena_init(&arena, NULL, 0);
	cel_lex_init(&lex, source, strlen(source), &arena);
	if (cel_lex_next(&lex, &token) < 0)
		fail_msg("%s: %s", source, lex.error);
	assert_int_equal(token.kind, kind);
	assert_int_equal(token.text_len, len);
	assert_memory_equal(token.text, text, len + 1);
	assert_int_equal(token.len, strlen(source));
	arena_fini(&arena);
}

static void
expect_number(const char *source, enum cel_token_kind kind, uint64_t number,
	      double real)
{
	struct cel_token token;
	struct cel_lex lex;
	struct arena arena;

	arena_init(&arena, NULL, 0);
	cel_lex_init(&lex, source, strlen(source), &arena);
	if (cel_lex_next(&lex, &token) < 0)
		fail_msg("%s: %s", source, lex.error);
	assert_int_equal(token.kind, kind);
	assert_int_equal(token.number, number);
	assert_true(token.real == real);
	assert_int_equal(token.len, strlen(source));
	arena_fini(&arena);
}

static void
test_words(void **state)
{
	(void)state;
	expect("", "the end@0:0 ");
	expect("  // only a comment", "the end@19:0 ");
	expect("a.b(c)[0]", "a name@0:1 .@1:1 a name@2:1 (@3:1 a name@4:1 )@5:1 [@6:1 "
			    "a number@7:1 ]@8:1 the end@9:0 ");
	expect("a<=b<c", "a name@0:1 <=@1:2 a name@3:1 <@4:1 a name@5:1 the end@6:0 ");
	expect("=== !== == != !", "==@0:3 !=@4:3 ==@8:2 !=@11:2 !@14:1 the end@15:0 ");
	expect("&&||", "&&@0:2 ||@2:2 the end@4:0 ");
	expect("?:,{}%/*+-", "?@0:1 :@1:1 ,@2:1 {@3:1 }@4:1 %@5:1 /@6:1 *@7:1 +@8:1 "
			     "-@9:1 the end@10:0 ");
	expect("in inn true null false",
	       "in@0:2 a name@3:3 true@7:4 null@12:4 false@17:5 the end@22:0 ");
	expect("r rb b br _x1",
	       "a name@0:1 a name@2:2 a name@5:1 a name@7:2 a name@10:3 "
	       "the end@13:0 ");
	expect("1.a", "a number@0:1 .@1:1 a name@2:1 the end@3:0 ");
	expect("a.`b-c d`", "a name@0:1 .@1:1 a name@2:7 the end@9:0 ");
}

static void
test_numbers(void **state)
{
	(void)state;
	expect_number("0", CEL_T_INT, 0, 0);
	expect_number("9223372036854775808", CEL_T_INT, (uint64_t)1 << 63, 0);
	expect_number("0xfF", CEL_T_INT, 255, 0);
	expect_number("18446744073709551615u", CEL_T_UINT, UINT64_MAX, 0);
	expect_number("0xFFFFFFFFFFFFFFFFU", CEL_T_UINT, UINT64_MAX, 0);
	expect_number("1.25", CEL_T_DOUBLE, 0, 1.25);
	expect_number(".5e+1", CEL_T_DOUBLE, 0, 5);
	expect_number("5E-1", CEL_T_DOUBLE, 0, 0.5);
	expect_number("1e-400", CEL_T_DOUBLE, 0, 0);
}

static void
test_strings(void **state)
{
	(void)state;
	expect_text("\"\"", CEL_T_STRING, "", 0);
	expect_text("'a\"b'", CEL_T_STRING, "a\"b", 3);
	expect_text("'''a\n'b''c'''", CEL_T_STRING, "a\n'b''c", 7);
	expect_text("r'a\\'", CEL_T_STRING, "a\\", 2);
	expect_text("\"\\a\\b\\f\\n\\r\\t\\v\\\\\"", CEL_T_STRING, "\a\b\f\n\r\t\v\\",
		    8);
	expect_text("\"\\000\"", CEL_T_STRING, "\0", 1);
	expect_text("\"\\xff\"", CEL_T_STRING, "\xc3\xbf", 2);
	expect_text("b\"\\xff\\377\"", CEL_T_BYTES, "\xff\xff", 2);
	expect_text("bR'\\x'", CEL_T_BYTES, "\\x", 2);
	expect_text("\"\\U0010ffff\"", CEL_T_STRING, "\xf4\x8f\xbf\xbf", 4);
	expect_text("'é'", CEL_T_STRING, "é", 2);
}

static void
test_mistakes(void **state)
{
	(void)state;
	expect("a 'b", "a name@0:1 error@2 this string has no end");
	expect("'a\nb'", "error@0 this string has no end");
	expect("'\\", "error@1 unknown escape; a backslash itself is \\\\");
	expect("\"\"\"a\"\"", "error@0 this string has no end");
	expect("'\\u12'", "error@1 this escape needs 4 hexadecimal digits");
	expect("'\\12'", "error@1 this escape needs 3 octal digits");
	expect("'\\U00110000'", "error@1 there is no such character");
	expect("1 = 2", "a number@0:1 error@2 \"=\" compares nothing: write ==");
	expect("\x01", "error@0 unexpected byte 0x01");
	expect("é", "error@0 unexpected character \"é\"");
	expect("`a", "error@0 this ` has no end; only letters, digits, _ . - / and "
		     "spaces may stand inside");
	expect("1x", "error@1 unexpected \"x\" in a number");
	expect("99999999999999999999", "error@0 this number is too large");
	expect("9223372036854775809",
	       "error@0 this number is too large; an unsigned one ends with u");
}

/* Ten thousand strings in a line cost what they are long, not more. */
static void
test_memory_is_linear(void **state)
{
	struct buf source = { 0 };
	struct cel_token token;
	struct cel_lex lex;
	struct arena arena;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_str(&source, "'abc',");
	arena_init(&arena, NULL, 0);
	cel_lex_init(&lex, buf_text(&source), source.len, &arena);
	do {
		assert_int_equal(cel_lex_next(&lex, &token), 0);
		count++;
	} while (token.kind != CEL_T_END);
	assert_int_equal(count, 20001);
	assert_true(arena.next_size <= 1 << 20);
	arena_fini(&arena);
	buf_fini(&source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_memory_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
