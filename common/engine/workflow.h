/*
 * A workflow definition, read and checked: what the engine decides from. It never
 * changes after it was read; everything in it is owned by it.
 */
#ifndef ENGINE_WORKFLOW_H
#define ENGINE_WORKFLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/map.h"
#include "base/step_ref.h"
#include "base/usec.h"
#include "engine/model_read.h"
#include "engine/retry_core.h"
#include "engine/trigger.h"
#include "lang/cel.h"
#include "lang/template.h"
#include "json/json.h"
#include "json/schema.h"

#define WORKFLOW_STEPS_MAX     1000
#define WORKFLOW_NAME_MAX      100
#define WORKFLOW_MAX_STEPS     1000 /* the preset of maxSteps */
#define WORKFLOW_MAX_STEPS_MAX 100000

enum action_kind {
	ACTION_NOOP,
	ACTION_TOOL,
	ACTION_HTTP,
	ACTION_WAIT,
	ACTION_CODE,
	ACTION_APPROVAL,
	ACTION_WORKFLOW,
	ACTION_CONDITIONAL,
	ACTION_LOOP,
	ACTION_MODEL,
	ACTION_SKILL,
	ACTION_AGENT,
	ACTION_MESSAGE,
	ACTION_KINDS
};

/* Of graph style: the row that becomes ready when all others are over, and ends the run
 * when it is claimed. Of a program: the row that stands for the program itself. */
#define END_NUMBER (-1)
#define END_KEY    ""
#define END_INDEX  (-2)
#define NO_STEP    (-1)

/* Where a step goes on: the index of a step, or one of these. */
enum { TARGET_NONE = -1, TARGET_END = -2, TARGET_BLOCK_END = -3 };

/* A workflow that is written as a program: docs/program-protocol.md. */
enum program_language {
	PROGRAM_JAVASCRIPT,
	PROGRAM_TYPESCRIPT,
	PROGRAM_PYTHON,
	PROGRAM_EXECUTABLE, /* itself: `*.workflow` */
	PROGRAM_LANGUAGES
};

#define PROGRAM_MAX_STEPS 10000

struct program_def {
	enum program_language language;
	char *file;     /* absolute */
	char *checksum; /* SHA-256 of the file, hexadecimal */
	char *text;     /* of the file; NULL of an executable */
	size_t text_len;
};

struct branch {
	struct cel *condition;
	int target;
};

struct step_def {
	int index;  /* its place in the file, from 0 */
	char *id;   /* unique in the file */
	char *name; /* shown to people; the id if none was given */
	enum action_kind action;
	struct template
	    *fields;    /* the action's own fields as one object, templates in it */
	usec_t timeout; /* of each attempt; 0: none */
	struct retry retry;
	bool self_correct; /* a model is told why its answer was of no use */
	char *queue;       /* the step's, else the workflow's */
	struct branch *branches;
	size_t branches_count;
	int on_success, on_failure; /* target */
	bool continue_on_error;
	bool approval_required;
	struct cel *condition_if; /* false: it is skipped; NULL: none */
	/* Fanning out and repeating; an expression that is NULL: it does not. */
	struct cel *foreach;
	int max_parallel; /* 0: as many as there are */
	struct cel *repeat_until;
	int max_iterations;         /* of repeatUntil and loop; 0: no limit */
	struct cel *when;           /* of a wait for an event; NULL: any of its type */
	struct cel *condition;      /* of conditional and loop; NULL of a loop: true */
	struct json *output_schema; /* or NULL */
	struct schema *output_rules;
	/* Blocks: the steps of `then`, `else` or `body`, one after the other. */
	int block,
	    other_block; /* of conditional and loop: the first step, or NO_STEP */
	int owner;       /* whose block it is in, or NO_STEP */
	int block_next;  /* the next one of its block, or NO_STEP */
	bool in_loop;    /* a loop owns it, perhaps from further up */
	/* Graph style: indexes of steps. */
	int *needs;
	size_t needs_count;
	int *followers; /* that need it */
	size_t followers_count;
	int *choices; /* targets of its branches, onSuccess and onFailure, each once */
	size_t choices_count;
	int sources; /* how many steps may choose it; it runs only when one does */
	/* What its fields and branches read of the run, so that no more is fetched. */
	int *refs; /* indexes of the steps named */
	size_t refs_count;
	bool refs_all_steps; /* steps[x]: any of them */
	bool refs_state;
	int *output_of; /* steps whose output its fields read: without it, it is skipped
			 */
	size_t output_of_count;
};

struct workflow {
	char *name, *description;
	struct json *config; /* the parsed form, as stored and shown; without `ui`, with
				secrets of triggers masked */
	struct json *input_schema;  /* or NULL */
	struct schema *input_rules; /* the same, compiled */
	struct template *output;    /* or NULL: that of the step that ended last */
	int *output_refs;           /* steps named by it */
	size_t output_refs_count;
	bool output_refs_all_steps, output_refs_state;
	usec_t timeout;
	enum priority priority;
	char *queue;
	bool crash_on_interrupt;          /* onInterrupt: crash */
	bool graph;                       /* some step has needs */
	bool no_foreach;                  /* every row is a visit: numbers count them */
	long concurrency;                 /* runs at once; 0: no limit */
	struct template *concurrency_key; /* or NULL: all its runs together */
	struct trigger_def *triggers;     /* in order of the file; manual is none */
	size_t triggers_count;
	struct budget budget;        /* of a run: what its models may use */
	struct program_def *program; /* then it has no steps of its own; or NULL */
	struct step_def end;         /* of graph style, and of a program: stands for
					the row END_NUMBER */
	int holders;                 /* beyond the first */
	int max_steps;
	struct step_def *steps;
	size_t steps_count;
	struct map *ids;        /* id -> step_def */
	bool reads_steps_whole; /* some expression takes `steps` itself, not steps.x */
	/* Which secrets its expressions name, each once; all: some is not named. */
	char **secrets;
	size_t secrets_count;
	bool reads_all_secrets;
};

/* Reads a tree. NULL and at least one problem, or the workflow (borrows nothing). */
struct workflow *workflow_read(const struct doc *tree, struct problems *problems);
/* The same of one that is to be registered: its tools may be of these MCP servers only.
 * The list ends with NULL; NULL: of any. */
struct workflow *workflow_read_new(const struct doc *tree,
				   const char *const *mcp_servers,
				   struct problems *problems);
/* Holds it: each holder frees it once. */
struct workflow *workflow_ref(const struct workflow *workflow);
void workflow_free(struct workflow **workflow_p);
int workflow_step_index(const struct workflow *workflow, const char *id); /* or -1 */
/* By the key of a row, also of the end's; NULL if there is none. */
const struct step_def *workflow_step(const struct workflow *workflow, const char *key);
const char *action_name(enum action_kind action);
const char *program_language_name(enum program_language language); /* "python" */
/* Whether a step of it may do anything but decide what comes next. */
bool workflow_acts(const struct workflow *workflow);
/* {nodes: [{id, name, action}], edges: [{from, to, kind}]} as the engine reads it: kind
 * is next, success, failure or branch (which has its condition too); to is null where
 * the run ends. */
struct json *workflow_graph(const struct workflow *workflow);
/* Does a run's input fit `input`? What does not becomes problems with paths like
 * "input.repo", at most SCHEMA_PROBLEMS_MAX. True when it fits. */
bool workflow_check_input(const struct workflow *workflow, const struct json *input,
			  struct problems *problems);

/* Which runs of it count together for its limit; NULL without err: there is none. The
 * caller's. */
char *workflow_concurrency_key(const struct workflow *workflow, struct json *input,
			       struct json *trigger, struct err *err);

#endif
