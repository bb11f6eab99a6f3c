/*
 * stepmill audit verify: whether the audit log is still what it was. The seals are
 * hashed here, not by the database whose word is in question; what only somebody
 * outside can know, a seal that was noted before, is given by --expect.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_list.h"
#include "base/xalloc.h"
#include "commands.h"
#include "database.h"
#include "digest/digest.h"
#include "print.h"

#define SEALS_AT_A_TIME 100
#define HASH_TEXT       (2 * SHA256_BYTES + 1)

const struct arg audit_args[] = {
	{ "expect", 'e', "SEAL:HASH", "verify: a seal as it was printed before" },
	{ "who", 'w', "KEY", "list: only what was done with this key" },
	{ "what", 0, "CHANGE", "list: only this, e.g. execution.cancel" },
	{ "target", 't', "TARGET", "list: only what was done to this" },
	{ "since", 0, "TIME", "list: since then (RFC 3339)" },
	{ "until", 0, "TIME", "list: before then" },
	{ "limit", 'n', "N", "list: at most so many (default 20, at most 100)" },
	SERVER_ARGS,
	DATABASE_ARGS,
	COMMAND_ARGS,
};

struct verifying {
	int64_t number; /* of the last seal that was looked at */
	unsigned char hash[SHA256_BYTES];
	int64_t entries;
	int64_t open, loose, missing;
	int page;             /* seals that came with the last page */
	const char *expected; /* hash of seal expected_number, or NULL */
	long long expected_number;
	bool expectation_met;
	char *wrong; /* the first thing that is not right; NULL: nothing */
};

static void
hash_text(const unsigned char *hash, char out[static HASH_TEXT])
{
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static void
hash_seal(const struct verifying *verifying, const struct pg_rows *rows, int row,
	  unsigned char out[static SHA256_BYTES])
{
	struct sha256 *hash = sha256_new();
	const char *text;
	size_t len;

	if (verifying->number > 0)
		sha256_add(hash, verifying->hash, SHA256_BYTES);
	text = pg_text(rows, row, 3, &len);
	sha256_add(hash, text, len);
	sha256_end(&hash, out);
}

static void
check_seal(struct verifying *verifying, const struct pg_rows *rows, int row)
{
	int64_t number = pg_int(rows, row, 0), entries = pg_int(rows, row, 1);
	unsigned char hash[SHA256_BYTES];
	char text[HASH_TEXT];
	const char *stored;
	size_t len;

	hash_seal(verifying, rows, row, hash);
	stored = pg_text(rows, row, 2, &len);
	if (number != verifying->number + 1)
		verifying->wrong =
		    xprintf("seal %lld is missing", (long long)verifying->number + 1);
	else if (pg_int(rows, row, 4) != entries)
		verifying->wrong =
		    xprintf("seal %lld was closed over %lld entries, there are %lld",
			    (long long)number, (long long)entries,
			    (long long)pg_int(rows, row, 4));
	else if (len != SHA256_BYTES || memcmp(stored, hash, SHA256_BYTES) != 0)
		verifying->wrong = xprintf("seal %lld does not fit its entries, or the "
					   "seal before it",
					   (long long)number);
	hash_text(hash, text);
	if (verifying->expected != NULL && number == verifying->expected_number) {
		verifying->expectation_met = strcmp(text, verifying->expected) == 0;
		if (!verifying->expectation_met && verifying->wrong == NULL)
			verifying->wrong = xprintf("seal %lld is not the one expected",
						   (long long)number);
	}
	memcpy(verifying->hash, hash, sizeof hash);
	verifying->number = number;
	verifying->entries += entries;
}

static void
on_seals(void *context, const struct pg_rows *rows)
{
	struct verifying *verifying = context;

	verifying->page = pg_count(rows);
	for (int row = 0; row < pg_count(rows) && verifying->wrong == NULL; row++)
		check_seal(verifying, rows, row);
}

static void
on_loose(void *context, const struct pg_rows *rows)
{
	struct verifying *verifying = context;

	verifying->open = pg_int(rows, 0, 0);
	verifying->loose = pg_int(rows, 0, 1);
	verifying->missing = pg_int(rows, 0, 2);
}

static int
walk(struct database *database, struct verifying *verifying, struct err *err)
{
	struct pg_args args;
	int result;

	do {
		verifying->page = 0;
		pg_args_init(&args);
		pg_arg_int8(&args, verifying->number);
		pg_arg_int4(&args, SEALS_AT_A_TIME);
		result = database_run(database, "audit_seals_since", &args, on_seals,
				      verifying, err);
		pg_args_fini(&args);
	} while (result == 0 && verifying->wrong == NULL && verifying->page > 0);
	if (result < 0)
		return -1;
	return database_run(database, "audit_loose", NULL, on_loose, verifying, err);
}

static void
judge_rest(struct verifying *verifying)
{
	if (verifying->wrong != NULL)
		return;
	if (verifying->loose > 0)
		verifying->wrong = xprintf("%lld entries stand under no seal",
					   (long long)verifying->loose);
	else if (verifying->missing > 0)
		verifying->wrong =
		    xprintf("%lld seals are missing", (long long)verifying->missing);
	else if (verifying->expected != NULL && !verifying->expectation_met)
		verifying->wrong = xprintf("there is no seal %lld (any more)",
					   verifying->expected_number);
}

static void
print_verdict(const struct args *args, const struct verifying *verifying)
{
	char hash[HASH_TEXT] = "";
	struct json *json;

	if (verifying->number > 0)
		hash_text(verifying->hash, hash);
	if (args_has(args, "json")) {
		json = json_new_object();
		json_set(json, "good", json_new_bool(verifying->wrong == NULL));
		json_set(json, "problem",
			 verifying->wrong ? json_new_str(verifying->wrong) : NULL);
		json_set(json, "entries", json_new_int(verifying->entries));
		json_set(json, "open", json_new_int(verifying->open));
		json_set(json, "seal", json_new_int(verifying->number));
		json_set(json, "hash", json_new_str(hash));
		print_json(json);
		json_unref(&json);
		return;
	}
	if (verifying->wrong != NULL)
		return;
	printf("good: %lld entries under %lld seals, %lld wait for theirs\n",
	       (long long)verifying->entries, (long long)verifying->number,
	       (long long)verifying->open);
	if (verifying->number > 0)
		printf("the last one, to be noted elsewhere for --expect: %lld:%s\n",
		       (long long)verifying->number, hash);
}

/* "12:0a1b..." */
static bool
read_expected(struct verifying *verifying, const char *text)
{
	char *end;

	if (text == NULL)
		return true;
	verifying->expected_number = strtoll(text, &end, 10);
	verifying->expected = end + 1;
	return verifying->expected_number > 0 && *end == ':' &&
	       strlen(end + 1) == HASH_TEXT - 1 &&
	       strspn(end + 1, "0123456789abcdef") == HASH_TEXT - 1;
}

static int
verify(const struct command *command, const struct args *args)
{
	struct verifying verifying = { 0 };
	struct err err = { 0 };
	struct database *database;
	int status;

	if (!read_expected(&verifying, args_value(args, "expect")))
		return command_usage(command,
				     "--expect: a number, a colon and 64 hexadecimal "
				     "digits");
	database = database_of(command, args, &status);
	if (database == NULL)
		return status;
	if (walk(database, &verifying, &err) < 0) {
		status = command_fail(command, CLI_FAILED, "%s", err.text);
	} else {
		judge_rest(&verifying);
		print_verdict(args, &verifying);
		if (verifying.wrong != NULL)
			status = command_fail(command, CLI_FAILED,
					      "the audit log was changed: %s",
					      verifying.wrong);
	}
	free(verifying.wrong);
	database_close(&database);
	return status;
}

int
cmd_audit(const struct command *command, const struct args *args)
{
	const char *word = args->words_count == 1 ? args->words[0] : "";

	if (strcmp(word, "list") == 0)
		return audit_list(command, args);
	if (strcmp(word, "verify") == 0)
		return verify(command, args);
	return command_usage(command, "expected list or verify");
}
