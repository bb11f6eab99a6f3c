/*
 * SKILL.md: what a skill is called, what it takes and gives, and how it is run: a
 * prompt (the Markdown itself), or a program that lies beside it. Text in, a skill or
 * its problems out; whoever reads the file lends the door to YAML.
 */
#ifndef ENGINE_SKILL_READ_H
#define ENGINE_SKILL_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/err.h"
#include "engine/front_matter.h"
#include "lang/template.h"
#include "json/json.h"
#include "json/schema.h"

#define SKILL_BYTES_MAX       FRONT_MATTER_BYTES_MAX
#define SKILL_NAME_MAX        64
#define SKILL_DESCRIPTION_MAX 2000
#define SKILL_WORDS_MAX       14 /* of a command, so that a program can be given them */
#define SKILL_WORD_MAX        4000 /* bytes of one of them */

enum skill_runtime {
	SKILL_PROMPT,
	SKILL_JAVASCRIPT,
	SKILL_PYTHON,
	SKILL_SHELL,
	SKILL_COMMAND,
	SKILL_RUNTIMES
};

struct skill {
	char *name; /* that of its folder */
	char *description;
	enum skill_runtime runtime;
	struct json *input; /* JSON Schema of what it takes; NULL: any object */
	struct schema *input_rules;
	struct json *output; /* of what it gives; NULL: anything */
	struct schema *output_rules;
	struct json *command; /* of SKILL_COMMAND: texts, at least one */
	/* Of SKILL_PROMPT: */
	struct json *model;      /* fields of a model step, all but its prompt */
	struct template *prompt; /* over `input` */
	bool names_input;        /* the prompt says where it wants it */
};

/* Letters, digits, ".", _ and -, and a letter or digit first: also a folder's name. */
bool skill_name_is_good(const char *name);
const char *skill_runtime_name(enum skill_runtime runtime); /* "prompt", ... */
/* What runs its file ("node"), and the file ("main.js"). NULL: it has none of these. */
const char *skill_program(enum skill_runtime runtime);
const char *skill_program_file(enum skill_runtime runtime);

/* name: of its folder. False with at least one problem; then nothing is to be freed. */
bool skill_read(const char *name, const char *text, size_t len,
		front_matter_yaml_fn *yaml, struct skill *out,
		struct problems *problems);
void skill_fini(struct skill *skill);

/* The prompt for this input (an object), appended to out; where it does not name the
 * input, that follows it as JSON, if it has members. -1 with err. */
int skill_prompt(const struct skill *skill, struct json *input, struct buf *out,
		 struct err *err);

#endif
