/*
 * What a `model` step names: models as "provider:model", tools by name or with a `*`,
 * and a budget, which also stands at the top of a workflow. Which providers there are
 * is for the configuration to say, so only the form of the names is checked here.
 */
#ifndef ENGINE_MODEL_READ_H
#define ENGINE_MODEL_READ_H

#include "engine/reader.h"

#define MODEL_NAME_MAX     200
#define MODEL_LIST_MAX     16 /* models to fall over */
#define MODEL_TOOLS_MAX    64
#define MODEL_CORRECTIONS  3    /* of llm_self_correct */
#define MODEL_ROUNDS       10   /* the preset of maxToolRounds */
#define MODEL_TOKENS       4096 /* the preset of maxTokens */
#define MODEL_TOKENS_MAX   1000000
#define MODEL_PROVIDER_MAX 64

struct budget {
	long tokens; /* in and out together; 0: no limit */
	double usd;  /* 0: no limit */
};

extern const struct field model_budget_fields[];

/* The length of the provider's name, in front of the colon; 0 when the text is not
 * "provider:model". */
size_t model_name_provider(const char *text);
/* The fields `model` and `tools` of a step, as far as they are no templates. */
void model_read_names(struct reader *reader, const struct place *step_place);
/* `budget` at the top. */
void model_read_budget(struct reader *reader, const struct place *place,
		       struct budget *budget);
/* A value that fits model_budget_fields, or null. */
struct budget model_budget(const struct json *value);

#endif
