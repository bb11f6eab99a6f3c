/* The state of one evaluation, its cost and its errors. */
#include "lang/cel_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lang/cel_node.h"

#define FAULT_COST 20  /* making a message is dear */
#define SHOWN_MAX  160 /* bytes of an expression in a message */
#define HINT_KEYS  200 /* maps larger than this are not searched for a hint */
#define HINT_LEN   100

void
cel_run_init(struct cel_run *run, const struct cel_env *env)
{
	arena_init(&run->arena, run->room, sizeof run->room);
	run->cost = CEL_COST_MAX;
	run->env = env;
	run->node = NULL;
	run->too_expensive = (struct cel_fault){
		.text = "too expensive: the limit of evaluation steps is reached"
	};
}

void
cel_run_fini(struct cel_run *run)
{
	arena_fini(&run->arena);
}

static struct cel_value
fault_value(const struct cel_fault *fault)
{
	return (struct cel_value){ .kind = CEL_ERROR, .fault = fault };
}

struct cel_value
cel_spent(struct cel_run *run)
{
	if (run->cost >= 0)
		run->cost = -1;
	if (run->node != NULL && run->too_expensive.at == 0)
		run->too_expensive.at = run->node->at;
	return fault_value(&run->too_expensive);
}

void *
cel_alloc(struct cel_run *run, size_t size)
{
	if (!cel_spend(run, size / 16 + 1))
		return NULL;
	return arena_alloc(&run->arena, size);
}

struct cel_value *
cel_alloc_values(struct cel_run *run, size_t count)
{
	if (count > CEL_COST_MAX) {
		cel_spent(run);
		return NULL;
	}
	return cel_alloc(run, count * sizeof(struct cel_value));
}

static struct cel_fault *
new_fault(struct cel_run *run)
{
	struct cel_fault *fault;

	if (!cel_spend(run, FAULT_COST))
		return NULL;
	fault = cel_alloc(run, sizeof *fault);
	if (fault == NULL)
		return NULL;
	*fault = (struct cel_fault){ .at = run->node != NULL ? run->node->at : 0 };
	return fault;
}

struct cel_value
cel_fail(struct cel_run *run, const char *format, ...)
{
	struct cel_fault *fault = new_fault(run);
	char text[300];
	va_list args;
	char *copy;

	if (fault == NULL)
		return cel_spent(run);
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	copy = cel_alloc(run, strlen(text) + 1);
	if (copy == NULL)
		return cel_spent(run);
	strcpy(copy, text);
	fault->text = copy;
	return fault_value(fault);
}

struct cel_value
cel_no_key(struct cel_run *run, const struct cel_value *map,
	   const struct cel_value *key)
{
	char shown[80];
	struct cel_value value;
	struct cel_fault *fault;

	value = cel_fail(run, "no such key: %s", cel_show(key, shown, sizeof shown));
	if (run->cost < 0 || key->kind != CEL_STRING || key->text.len == 0)
		return value;
	fault = (struct cel_fault *)value.fault; /* just made */
	fault->map = *map;
	fault->key = key->text;
	return value;
}

bool
cel_run_get(struct cel_run *run, const struct cel_value *map,
	    const struct cel_value *key, struct cel_value *out)
{
	size_t len = key->kind == CEL_STRING ? key->text.len : 0;
	size_t pairs = map->json == NULL ? map->items.count : 0;

	if (!cel_spend(run, 1 + len / 64 + pairs * (1 + len / 64) / 8))
		return false;
	return cel_map_get(map, key, out);
}

/* How much of a text may be shown, not cutting a character. */
static size_t
cut(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && (text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

const char *
cel_show(const struct cel_value *value, char *out, size_t size)
{
	size_t len;

	switch (value->kind) {
	case CEL_STRING:
		len = cut(value->text.data, value->text.len, size - 8);
		snprintf(out, size, "\"%.*s%s\"", (int)len, value->text.data,
			 len < value->text.len ? "..." : "");
		return out;
	case CEL_INT:
		snprintf(out, size, "%lld", (long long)value->integer);
		return out;
	case CEL_UINT:
		snprintf(out, size, "%lluu", (unsigned long long)value->natural);
		return out;
	case CEL_BOOL:
		return value->truth ? "true" : "false";
	case CEL_DOUBLE:
		snprintf(out, size, "%g", value->real);
		return out;
	default:
		return cel_kind_name(value->kind);
	}
}

struct cel_place
cel_place_at(const char *source, size_t at)
{
	struct cel_place place = { 1, 1 };

	for (size_t i = 0; i < at && source[i] != '\0'; i++) {
		if (source[i] == '\n')
			place = (struct cel_place){ place.line + 1, 1 };
		else if ((source[i] & 0xc0) != 0x80)
			place.column++;
	}
	return place;
}

/* A member that people may have meant: one like it, or, since "load-spec" reads as a
 * subtraction, one that goes on with a minus. */
static const char *
hint(const struct cel_fault *fault)
{
	const char *names[HINT_KEYS + 1];
	char key[HINT_LEN + 1];
	struct json_iter it = json_iter(fault->map.json);
	size_t count = 0;

	if (json_count(fault->map.json) > HINT_KEYS || fault->key.len > HINT_LEN)
		return NULL;
	memcpy(key, fault->key.data, fault->key.len);
	key[fault->key.len] = '\0';
	while (json_next(&it)) {
		if (it.key_len > HINT_LEN)
			continue;
		if (it.key_len > fault->key.len && it.key[fault->key.len] == '-' &&
		    memcmp(it.key, key, fault->key.len) == 0)
			return it.key;
		names[count++] = it.key;
	}
	names[count] = NULL;
	return nearest_name(key, names);
}

int
cel_report(const char *source, const struct cel_fault *fault, struct err *err)
{
	const char *meant = fault->map.json != NULL ? hint(fault) : NULL;
	struct cel_place place;
	size_t len, shown;

	err_set(err, ERR_INPUT, "%s", fault->text);
	if (meant != NULL)
		err_set(err, ERR_INPUT,
			strchr(meant, '-') != NULL ? "%s; did you mean [\"%s\"]?"
						   : "%s; did you mean \"%s\"?",
			fault->text, meant);
	if (source != NULL) {
		place = cel_place_at(source, fault->at);
		len = strlen(source);
		shown = cut(source, len, SHOWN_MAX);
		err_in(err, "\"%.*s%s\" %d:%d", (int)shown, source,
		       shown < len ? "..." : "", place.line, place.column);
	}
	return -1;
}
