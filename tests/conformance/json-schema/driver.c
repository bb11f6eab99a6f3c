/*
 * Runs a folder of the official JSON Schema test suite:
 *
 *   driver SUITE DRAFT EXCEPTIONS [-v]
 *
 * SUITE has tests/ and remotes/, DRAFT is a folder of tests/. Prints a line of counts;
 * every failed test is named, with -v also every excepted one. An exception for a test
 * that passes is a failure too.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "lang/schema_regex.h"
#include "json/schema.h"

#define FILES_MAX 1000
#define LINES_MAX 100
#define LINE_MAX  400

/* "FOLDER FILE TEST REASON", tabs between; a TEST of "*" is every one of the file. */
struct exception {
	char line[LINE_MAX];
	char *draft, *file, *test;
	unsigned passed, failed; /* of the tests that it is for */
};

struct run {
	const char *draft;
	enum schema_draft number;
	bool verbose;
	struct schema_document documents[FILES_MAX];
	size_t documents_count;
	struct exception exceptions[LINES_MAX];
	size_t exceptions_count;
	unsigned passed, failed, excepted;
};

static struct json *
read_json(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf text = { 0 };
	struct json *json = NULL;
	struct err err = { 0 };
	char piece[4096];
	size_t got;

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	while ((got = fread(piece, 1, sizeof piece, file)) > 0)
		buf_add(&text, piece, got);
	fclose(file);
	if (json_parse(buf_text(&text), text.len, &json, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		exit(2);
	}
	buf_fini(&text);
	return json;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Calls each for all .json files below root/below. */
static void
walk(struct run *run, const char *root, const char *below,
     void (*each)(struct run *run, const char *root, const char *name))
{
	char *path = xprintf("%s/%s", root, below);
	struct dirent **list = NULL;
	int count = scandir(path, &list, NULL, by_name);
	struct stat info;

	for (int i = 0; i < count; i++) {
		char *name = xprintf("%s%s%s", below, below[0] != '\0' ? "/" : "",
				     list[i]->d_name);
		char *full = xprintf("%s/%s", root, name);
		size_t len = strlen(name);

		if (list[i]->d_name[0] != '.' && stat(full, &info) == 0) {
			if (S_ISDIR(info.st_mode))
				walk(run, root, name, each);
			else if (len > 5 && strcmp(name + len - 5, ".json") == 0)
				each(run, root, name);
		}
		free(full);
		free(name);
		free(list[i]);
	}
	free(list);
	free(path);
}

static void
add_document(struct run *run, const char *root, const char *name)
{
	char *path = xprintf("%s/%s", root, name);

	if (run->documents_count == FILES_MAX)
		exit(2);
	run->documents[run->documents_count].uri =
	    xprintf("http://localhost:1234/%s", name);
	run->documents[run->documents_count++].json = read_json(path);
	free(path);
}

static void
forget_documents(struct run *run)
{
	for (size_t i = 0; i < run->documents_count; i++) {
		struct json *json = (struct json *)(uintptr_t)run->documents[i].json;

		json_unref(&json);
		free((char *)(uintptr_t)run->documents[i].uri);
	}
}

static struct exception *
find_exception(struct run *run, const char *file, const char *group, const char *test)
{
	char *name = xprintf("%s: %s", group, test);
	struct exception *found = NULL;

	for (size_t i = 0; i < run->exceptions_count && found == NULL; i++) {
		struct exception *exception = &run->exceptions[i];

		if ((strcmp(exception->draft, "*") == 0 ||
		     strcmp(exception->draft, run->draft) == 0) &&
		    strcmp(exception->file, file) == 0 &&
		    (strcmp(exception->test, "*") == 0 ||
		     strcmp(exception->test, name) == 0))
			found = exception;
	}
	free(name);
	return found;
}

/* Tests passed, and none was in need of it: the exception is out of date. */
static void
check_exceptions(struct run *run)
{
	for (size_t i = 0; i < run->exceptions_count; i++) {
		const struct exception *exception = &run->exceptions[i];

		if (exception->passed == 0 || exception->failed > 0)
			continue;
		run->failed++;
		printf("FAILED: the exception for %s, %s is not needed in %s\n",
		       exception->file, exception->test, run->draft);
	}
}

static void
count_test(struct run *run, const char *file, const char *group, const char *test,
	   bool good, const struct problems *problems)
{
	struct exception *exception = find_exception(run, file, group, test);

	if (exception != NULL && good)
		exception->passed++;
	if (good) {
		run->passed++;
		return;
	}
	if (exception != NULL) {
		exception->failed++;
		run->excepted++;
		if (run->verbose)
			printf("excepted: %s/%s: %s: %s\n", run->draft, file, group,
			       test);
		return;
	}
	run->failed++;
	printf("FAILED: %s/%s: %s: %s\n", run->draft, file, group, test);
	for (size_t i = 0; i < problems->count; i++) {
		char *text = problem_text(problems, i);

		printf("        %s\n", text);
		free(text);
	}
}

/* What these files are for. */
static bool
asserts_formats(const char *file)
{
	return strncmp(file, "optional/format/", 16) == 0 ||
	       strcmp(file, "optional/format.json") == 0 ||
	       strcmp(file, "optional/ecmascript-regex.json") == 0;
}

static void
run_group(struct run *run, const char *file, const struct json *group)
{
	const struct schema_options options = {
		.regex = &schema_regex,
		.assert_formats = asserts_formats(file),
		.draft = run->number,
		.documents = run->documents,
		.documents_count = run->documents_count,
	};
	const struct json *tests = json_get(group, "tests");
	const char *name = json_str(json_get(group, "description"));
	struct problems broken = { 0 };
	struct schema *schema =
	    schema_compile(json_get(group, "schema"), &options, &broken);

	for (size_t i = 0; i < json_count(tests); i++) {
		const struct json *test = json_at(tests, i);
		struct problems problems = { 0 };
		bool valid = false;

		if (schema != NULL)
			valid = schema_check(schema, json_get(test, "data"), "data",
					     &problems);
		count_test(run, file, name, json_str(json_get(test, "description")),
			   schema != NULL &&
			       valid == json_bool(json_get(test, "valid")) &&
			       valid == (problems.count == 0),
			   schema != NULL ? &problems : &broken);
		problems_fini(&problems);
	}
	problems_fini(&broken);
	schema_free(&schema);
}

static void
run_file(struct run *run, const char *root, const char *name)
{
	char *path = xprintf("%s/%s", root, name);
	struct json *groups = read_json(path);

	for (size_t i = 0; i < json_count(groups); i++)
		run_group(run, name, json_at(groups, i));
	json_unref(&groups);
	free(path);
}

static void
read_exceptions(struct run *run, const char *path)
{
	FILE *file = fopen(path, "r");
	struct exception *exception = run->exceptions;

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	while (run->exceptions_count < LINES_MAX &&
	       fgets(exception->line, LINE_MAX, file) != NULL) {
		if (exception->line[0] == '#' || exception->line[0] == '\n')
			continue;
		exception->draft = strtok(exception->line, "\t\n");
		exception->file = strtok(NULL, "\t\n");
		exception->test = strtok(NULL, "\t\n");
		if (exception->test == NULL) {
			fprintf(stderr, "%s: a line without three columns\n", path);
			exit(2);
		}
		run->exceptions_count++;
		exception++;
	}
	fclose(file);
}

int
main(int argc, char **argv)
{
	static const char *const drafts[SCHEMA_DRAFTS] = {
		[SCHEMA_2020_12] = "draft2020-12",
		[SCHEMA_2019_09] = "draft2019-09",
		[SCHEMA_7] = "draft7",
		[SCHEMA_6] = "draft6",
	};
	static struct run run;
	char *tests, *remotes;

	if (argc < 4)
		return 2;
	run.draft = argv[2];
	run.verbose = argc > 4;
	while (strcmp(drafts[run.number], run.draft) != 0)
		if (++run.number == SCHEMA_DRAFTS)
			return 2;
	tests = xprintf("%s/tests/%s", argv[1], run.draft);
	remotes = xprintf("%s/remotes", argv[1]);
	read_exceptions(&run, argv[3]);
	walk(&run, remotes, "", add_document);
	walk(&run, tests, "", run_file);
	check_exceptions(&run);
	free(tests);
	free(remotes);
	forget_documents(&run);
	printf("%-13s %5u passed %5u failed %5u excepted\n", run.draft, run.passed,
	       run.failed, run.excepted);
	return run.failed > 0 || run.passed == 0;
}
