/* Where skills are found: which place comes first, what is told of none, and that
 * nothing outside is reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/skill_files.h"

#define MOST 1000

/* A project and one folder more, below a folder of the test's own. */
struct place {
	char top[32], project[64], other[64];
	char *folders[2];
	struct skill_places places;
};

static void
make_folder(const char *path)
{
	char *copy = xstrdup(path);

	for (char *at = strchr(copy + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(copy, 0755);
		*at = '/';
	}
	mkdir(copy, 0755);
	free(copy);
}

static void
put(const char *folder, const char *name, const char *text)
{
	char *path = xprintf("%s/%s", folder, name);
	FILE *file;

	make_folder(folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(path);
}

static void
put_skill(const char *folder, const char *name, const char *text)
{
	char *path = xprintf("%s/%s", folder, name);

	put(path, "SKILL.md", text);
	free(path);
}

static int
setup(void **state)
{
	struct place *place = xcalloc(1, sizeof *place);

	strcpy(place->top, "/tmp/skill-files-XXXXXX");
	assert_non_null(mkdtemp(place->top));
	snprintf(place->project, sizeof place->project, "%s/project", place->top);
	snprintf(place->other, sizeof place->other, "%s/other", place->top);
	place->folders[0] = place->other;
	place->folders[1] = (char *)(uintptr_t) "/nowhere";
	place->places = (struct skill_places){ place->project, place->folders, 2 };
	make_folder(place->project);
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	char *command = xprintf("rm -rf '%s'", place->top);
	int result = system(command);

	free(command);
	free(place);
	return result;
}

static char *
skills_of(const struct place *place)
{
	return xprintf("%s/.agent/skills", place->project);
}

static void
check_found(const struct place *place, const char *name, size_t index, const char *path,
	    const char *text)
{
	struct buf found = { 0 };
	struct err err = { 0 };
	char *found_path;
	size_t found_index;

	assert_int_equal(skill_files_find(&place->places, name, MOST, &found_index,
					  &found, &found_path, &err),
			 0);
	assert_int_equal(found_index, index);
	assert_string_equal(found_path, path);
	assert_string_equal(buf_text(&found), text);
	buf_fini(&found);
	free(found_path);
}

static struct err
not_found(const struct place *place, const char *name)
{
	struct buf found = { 0 };
	struct err err = { 0 };
	char *path = NULL;
	size_t index;

	assert_int_equal(
	    skill_files_find(&place->places, name, MOST, &index, &found, &path, &err),
	    -1);
	assert_null(path);
	buf_fini(&found);
	return err;
}

static void
test_the_first_is_meant(void **state)
{
	const struct place *place = *state;
	char *own = skills_of(place);

	put_skill(place->other, "both", "other");
	check_found(place, "both", 1, "both", "other");
	put_skill(own, "both", "own");
	check_found(place, "both", 0, ".agent/skills/both", "own");
	free(own);
}

static void
test_none_names_all_places(void **state)
{
	const struct place *place = *state;
	struct err err = not_found(place, "none");
	char *expected = xprintf(
	    "there is no skill \"none\": no folder of this name with a SKILL.md "
	    "in %s/.agent/skills, %s and /nowhere",
	    place->project, place->other);

	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.text, expected);
	free(expected);
}

static void
test_one_that_cannot_be_read_is_told(void **state)
{
	const struct place *place = *state;
	char *own = skills_of(place), *text = xcalloc(1, MOST + 2);

	memset(text, 'a', MOST + 1);
	put_skill(own, "large", text);
	put_skill(place->other, "large", "small");
	assert_int_equal(not_found(place, "large").kind, ERR_LIMIT);
	free(text);
	free(own);
}

static void
test_nothing_outside_is_reached(void **state)
{
	const struct place *place = *state;
	char *own = skills_of(place), *outside = xprintf("%s/outside", place->top);
	char *link = xprintf("%s/linked", own);
	struct err err = { 0 };

	put(outside, "SKILL.md", "outside");
	put(outside, "main.sh", "outside");
	make_folder(own);
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(not_found(place, "linked").kind, ERR_DENIED);
	assert_null(skill_files_real(&place->places, 0, ".agent/skills/linked",
				     "main.sh", &err));
	assert_int_equal(err.kind, ERR_DENIED);
	err_clear(&err);
	assert_null(skill_files_real(&place->places, 0, ".agent/skills",
				     "../../../outside/main.sh", &err));
	assert_int_equal(err.kind, ERR_DENIED);
	free(link);
	free(outside);
	free(own);
}

static void
test_where_files_are(void **state)
{
	const struct place *place = *state;
	char *own = skills_of(place), *real, *expected;
	struct err err = { 0 };

	put_skill(own, "one", "text");
	real =
	    skill_files_real(&place->places, 0, ".agent/skills/one", "SKILL.md", &err);
	expected = xprintf("%s/one/SKILL.md", own);
	assert_string_equal(real, expected);
	free(real);
	free(expected);
	real = skill_files_folder(&place->places, 0, ".agent/skills/one", &err);
	expected = xprintf("%s/one", own);
	assert_string_equal(real, expected);
	free(real);
	free(expected);
	assert_null(
	    skill_files_real(&place->places, 0, ".agent/skills/one", "none", &err));
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	free(own);
}

static void
test_names(void **state)
{
	const struct place *place = *state;
	char *own = skills_of(place);
	struct skill_names names;
	struct err err = { 0 };

	put_skill(own, "b", "");
	put_skill(own, "a", "");
	put_skill(own, ".hidden", "");
	put(own, "file", "");
	assert_int_equal(skill_files_names(&place->places, 0, &names, &err), 0);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.list[0], "a");
	assert_string_equal(names.list[1], "b");
	skill_names_fini(&names);
	assert_int_equal(skill_files_names(&place->places, 2, &names, &err), 0);
	assert_int_equal(names.count, 0);
	free(own);
}

static void
test_no_more_names_than_that(void **state)
{
	const struct place *place = *state;
	struct skill_names names;
	struct err err = { 0 };
	char name[16];

	for (int i = 0; i <= SKILL_NAMES_MAX; i++) {
		char *path;

		snprintf(name, sizeof name, "s%d", i);
		path = xprintf("%s/%s", place->other, name);
		make_folder(path);
		free(path);
	}
	assert_int_equal(skill_files_names(&place->places, 1, &names, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(names.count, SKILL_NAMES_MAX);
	skill_names_fini(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_first_is_meant, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_none_names_all_places, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_one_that_cannot_be_read_is_told,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_outside_is_reached, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_where_files_are, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_more_names_than_that, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
