/* Folders -> what is in them. See skills.h. */
#include "front/skills.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/skill_read.h"
#include "files/skill_files.h"
#include "front/api.h"

struct listing {
	struct skill_places places;
	struct json *list;
	struct map *taken; /* name -> path of the one that is meant by it */
	size_t left;       /* bytes that may still be read */
};

/* ---- one skill ---- */

static char *
shown_path(const struct listing *listing, size_t place, const char *path)
{
	const char *within, *root = skill_places_root(&listing->places, place, &within);

	return place == 0 ? xprintf("%s/SKILL.md", path)
			  : xprintf("%s/%s/SKILL.md", root, path);
}

static void
set_value(struct json *one, const char *key, struct json *value)
{
	json_set(one, key, json_ref(value));
}

static void
describe(struct json *one, const struct skill *skill)
{
	json_set(one, "description", json_new_str(skill->description));
	json_set(one, "runtime", json_new_str(skill_runtime_name(skill->runtime)));
	set_value(one, "inputSchema", skill->input);
	set_value(one, "outputSchema", skill->output);
}

/* Two of one name: the first is meant, and the other one's author shall know. */
static void
check_taken(struct listing *listing, const char *name, const char *path,
	    struct problems *problems)
{
	const char *other = map_get(listing->taken, name, strlen(name));

	if (other != NULL)
		problems_add_at(problems, 0, 0, "", "never used: %s is found first",
				other);
	else
		map_put(listing->taken, name, strlen(name), xstrdup(path));
}

static void
check_program(const struct listing *listing, size_t place, const char *path,
	      const struct skill *skill, struct problems *problems)
{
	const char *file = skill_program_file(skill->runtime);
	struct err err = { 0 };
	char *real;

	if (file == NULL)
		return;
	real = skill_files_real(&listing->places, place, path, file, &err);
	if (real == NULL)
		problems_add_at(problems, 0, 0, "", "%s", err.text);
	free(real);
}

static void
add_skill(struct listing *listing, size_t place, const char *name, const char *path,
	  const struct buf *text)
{
	struct json *one = json_new_object();
	struct problems problems = { 0 };
	char *shown = shown_path(listing, place, path);
	struct skill skill;

	json_set(one, "name", json_new_str(name));
	if (skill_read(name, buf_text(text), text->len, yaml_parse, &skill,
		       &problems)) {
		describe(one, &skill);
		check_program(listing, place, path, &skill, &problems);
		skill_fini(&skill);
	}
	check_taken(listing, name, shown, &problems);
	json_set(one, "path", json_new_str(shown));
	json_set(one, "problems", api_problems(&problems));
	json_append(listing->list, json_storable(one, NULL));
	problems_fini(&problems);
	free(shown);
}

/* ---- what cannot be looked at ---- */

/* A skill, or with no name the whole folder. */
static void
add_unread(struct listing *listing, size_t place, const char *name,
	   const struct err *err)
{
	const char *within, *root = skill_places_root(&listing->places, place, &within);
	const char *folder = place == 0 ? within : root;
	char *path =
	    name != NULL ? xprintf("%s/%s/SKILL.md", folder, name) : xstrdup(folder);
	struct json *one = json_new_object();
	struct problems problems = { 0 };

	problems_add_at(&problems, 0, 0, "", "%s", err->text);
	json_set(one, "name", json_new_str(name));
	json_set(one, "path", json_new_str(path));
	json_set(one, "problems", api_problems(&problems));
	json_append(listing->list, json_storable(one, NULL));
	problems_fini(&problems);
	free(path);
}

/* False: enough was read. */
static bool
look_at(struct listing *listing, size_t place, const char *name)
{
	struct buf text = { 0 };
	struct err err = { 0 };
	char *path;

	if (json_count(listing->list) == SKILLS_LISTED_MAX || listing->left == 0)
		return false;
	if (skill_files_read(&listing->places, place, name, SKILL_BYTES_MAX, &text,
			     &path, &err) == 0) {
		add_skill(listing, place, name, path, &text);
		free(path);
	} else if (err.kind != ERR_NOT_FOUND) {
		add_unread(listing, place, name, &err);
	}
	listing->left -= text.len < listing->left ? text.len : listing->left;
	buf_fini(&text);
	return true;
}

/* ---- all of them ---- */

static void
look_into(struct listing *listing, size_t place)
{
	struct skill_names names;
	struct err err = { 0 };

	if (skill_files_names(&listing->places, place, &names, &err) < 0)
		add_unread(listing, place, NULL, &err);
	for (size_t i = 0; i < names.count; i++) {
		if (look_at(listing, place, names.list[i]))
			continue;
		err_set(&err, ERR_LIMIT,
			"there are more: at most %d are listed, and %d MiB read",
			SKILLS_LISTED_MAX, SKILLS_READ_MAX / 1024 / 1024);
		add_unread(listing, place, NULL, &err);
		break;
	}
	skill_names_fini(&names);
}

struct json *
skills_list(const char *project_path, const struct texts *folders)
{
	struct listing listing = {
		.places = { project_path, folders->list, folders->count },
		.list = json_new_array(),
		.taken = map_new(),
		.left = SKILLS_READ_MAX,
	};

	for (size_t i = 0; i < skill_places_count(&listing.places); i++)
		look_into(&listing, i);
	map_free(&listing.taken, free);
	return listing.list;
}
