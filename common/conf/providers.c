/* Reading providers. See providers.h. */
#include "conf/providers.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/option.h"
#include "conf/problems_within.h"
#include "conf/secret.h"

#define NAME_CHARACTERS                                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define HEADER_CHARACTERS "!#$%&'*+.^|~" NAME_CHARACTERS
#define NAME_LEN_MAX      64
#define HEADERS_MAX       32

struct usual {
	const char *name; /* in `type`, and of the provider itself */
	const char *variable;
	const char *base_url;
};

static const struct usual usual[PROVIDER_TYPES] = {
	[PROVIDER_ANTHROPIC] = { "anthropic", "ANTHROPIC_API_KEY",
				 "https://api.anthropic.com" },
	[PROVIDER_OPENAI] = { "openai", "OPENAI_API_KEY", "https://api.openai.com" },
	[PROVIDER_RESPONSES] = { "openai-responses", "OPENAI_API_KEY",
				 "https://api.openai.com" },
	[PROVIDER_GEMINI] = { "gemini", "GEMINI_API_KEY",
			      "https://generativelanguage.googleapis.com" },
};

/* As written, before it is looked at. */
struct written {
	char *type, *base_url, *api_key;
	usec_t timeout;
	bool structured_output;
	struct doc *headers, *prices;
};

#define AT(field) offsetof(struct written, field)

static const struct option provider_table[] = {
	{ "type", OPT_TEXT, AT(type), NULL, NULL, NULL, 0, "the protocol" },
	{ "base_url", OPT_TEXT, AT(base_url), NULL, NULL, NULL, 0, "where it is" },
	{ "api_key", OPT_TEXT, AT(api_key), NULL, NULL, NULL, OPT_SECRET, "the key" },
	{ "timeout", OPT_DURATION, AT(timeout), "2m", "100ms", "1h", 0, "of silence" },
	{ "structured_output", OPT_FLAG, AT(structured_output), "true", NULL, NULL, 0,
	  "whether it is asked to keep to a schema itself" },
	{ "headers", OPT_TREE, AT(headers), NULL, NULL, NULL, 0, "more headers" },
	{ "prices", OPT_TREE, AT(prices), NULL, NULL, NULL, 0, "of its models" },
	{ .name = NULL },
};

struct reading {
	struct provider *provider;
	struct problems *problems;
};

static void
complain(const struct reading *reading, const struct doc *where, const char *key,
	 const char *what)
{
	problems_add(reading->problems, where, "", "providers.%s%s%s: %s",
		     reading->provider->name, *key != '\0' ? "." : "", key, what);
}

static bool
has_only(const char *text, const char *characters, size_t most)
{
	size_t len = strlen(text);

	return len > 0 && len <= most && strspn(text, characters) == len;
}

/* ---- headers ---- */

static char *
header_value(const struct reading *reading, const struct doc *name,
	     const struct doc *node)
{
	struct err err = { 0 };
	char *value = NULL;

	if (node->kind != DOC_SCALAR || strlen(node->text) != node->len)
		err_set(&err, ERR_INPUT, "expected a text");
	else
		value = secret_follow(node->text, &err);
	for (const char *c = value; c != NULL && *c != '\0'; c++) {
		if ((unsigned char)*c >= ' ' && *c != 0x7f)
			continue;
		err_set(&err, ERR_INPUT, "a control character is not allowed");
		free(value);
		value = NULL;
		break;
	}
	if (value == NULL) {
		char *key = xprintf("headers.%.64s", name->text);

		complain(reading, node, key, err.text);
		free(key);
	}
	return value;
}

static void
read_headers(const struct reading *reading, const struct doc *tree)
{
	struct provider *provider = reading->provider;

	if (tree == NULL)
		return;
	if (tree->kind != DOC_MAP || tree->count > HEADERS_MAX) {
		complain(reading, tree, "headers",
			 "expected up to 32 names with values");
		return;
	}
	provider->headers = xcalloc(tree->count + 1, sizeof *provider->headers);
	for (size_t i = 0; i < tree->count; i++) {
		const struct doc *name = tree->keys[i];
		char *value;

		if (!has_only(name->text, HEADER_CHARACTERS, NAME_LEN_MAX)) {
			complain(reading, name, "headers", "not the name of a header");
			continue;
		}
		value = header_value(reading, name, tree->items[i]);
		if (value != NULL)
			provider->headers[provider->headers_count++] =
			    (struct provider_header){
				    .name = xstrdup(name->text),
				    .value = value,
				    .secret = strcmp(value, tree->items[i]->text) != 0,
			    };
	}
}

/* ---- a provider ---- */

static enum provider_type
type_named(const char *name)
{
	enum provider_type type = 0;

	while (type < PROVIDER_TYPES && strcmp(usual[type].name, name) != 0)
		type++;
	return type;
}

/* The path is put behind it, and begins with a slash. */
static char *
trimmed_url(const char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return xstrndup(url, len);
}

static void
set_url(const struct reading *reading, const struct doc *where, const char *url)
{
	bool good = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;

	for (const char *c = url; *c != '\0'; c++)
		good = good && (unsigned char)*c > ' ' && *c != 0x7f;
	if (good)
		reading->provider->base_url = trimmed_url(url);
	else
		complain(reading, where, "base_url",
			 "expected http:// or https:// with a host");
}

static char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? xstrdup(value) : NULL;
}

static void
take(const struct reading *reading, const struct doc *node, struct written *written)
{
	struct provider *provider = reading->provider;
	enum provider_type of_name = type_named(provider->name);
	char *whose;

	provider->type = written->type != NULL ? type_named(written->type) : of_name;
	if (provider->type == PROVIDER_TYPES) {
		complain(reading, node, "type",
			 "expected anthropic, openai, openai-responses or gemini");
		provider->type = PROVIDER_OPENAI;
	}
	set_url(reading, node,
		written->base_url != NULL ? written->base_url
					  : usual[provider->type].base_url);
	provider->api_key = written->api_key;
	written->api_key = NULL;
	/* only the one that is called like it: a key is not sent elsewhere unasked */
	if (provider->api_key == NULL && of_name != PROVIDER_TYPES)
		provider->api_key = variable(usual[of_name].variable);
	provider->timeout = written->timeout;
	provider->structured_output = written->structured_output;
	read_headers(reading, written->headers);
	whose = xprintf("providers.%s", provider->name);
	prices_read(whose, written->prices, &provider->prices, &provider->prices_count,
		    reading->problems);
	free(whose);
}

static void
read_provider(struct provider *provider, const struct doc *name, const struct doc *node,
	      struct problems *problems)
{
	struct reading reading = { provider, problems };
	struct written written = { 0 };
	size_t before = problems->count;
	char *whose;

	provider->name = xprintf("%.*s", NAME_LEN_MAX, name->text);
	if (!has_only(name->text, NAME_CHARACTERS, NAME_LEN_MAX)) {
		problems_add(problems, name, "",
			     "providers: expected names of up to 64 letters, digits, "
			     "dots, dashes or underscores");
		return;
	}
	option_defaults(provider_table, &written);
	option_read(provider_table, node, &written, problems);
	whose = xprintf("providers.%s", provider->name);
	problems_within(problems, before, whose);
	free(whose);
	take(&reading, node, &written);
	option_fini(provider_table, &written);
}

/* One that nobody configured, if its key is in the environment. */
static void
add_usual(struct providers *providers, enum provider_type type)
{
	const struct usual *row = &usual[type];
	char *key = variable(row->variable);

	if (key == NULL ||
	    provider_find(providers, row->name, strlen(row->name)) != NULL) {
		free(key);
		return;
	}
	providers->list[providers->count++] = (struct provider){
		.name = xstrdup(row->name),
		.type = type,
		.base_url = xstrdup(row->base_url),
		.api_key = key,
		.timeout = 120 * USEC_SECOND,
		.structured_output = true,
	};
}

static bool
is_readable(const struct doc *tree, struct problems *problems)
{
	if (tree == NULL)
		return false;
	if (tree->kind == DOC_MAP && tree->count <= PROVIDERS_MAX)
		return true;
	problems_add(problems, tree, "",
		     "providers: expected up to 64 names with what they are");
	return false;
}

void
providers_read(struct providers *providers, const struct doc *tree,
	       struct problems *problems)
{
	size_t count = is_readable(tree, problems) ? tree->count : 0;

	providers->list = xcalloc(count + PROVIDER_TYPES, sizeof *providers->list);
	for (size_t i = 0; i < count; i++)
		read_provider(&providers->list[providers->count++], tree->keys[i],
			      tree->items[i], problems);
	for (enum provider_type type = 0; type < PROVIDER_TYPES; type++)
		add_usual(providers, type);
}

static void
provider_fini(struct provider *provider)
{
	free(provider->name);
	free(provider->base_url);
	if (provider->api_key != NULL)
		explicit_bzero(provider->api_key, strlen(provider->api_key));
	free(provider->api_key);
	for (size_t i = 0; i < provider->headers_count; i++) {
		free(provider->headers[i].name);
		free(provider->headers[i].value);
	}
	free(provider->headers);
	prices_free(&provider->prices, provider->prices_count);
}

void
providers_fini(struct providers *providers)
{
	for (size_t i = 0; i < providers->count; i++)
		provider_fini(&providers->list[i]);
	free(providers->list);
	*providers = (struct providers){ 0 };
}

const struct provider *
provider_find(const struct providers *providers, const char *name, size_t len)
{
	for (size_t i = 0; i < providers->count; i++)
		if (strlen(providers->list[i].name) == len &&
		    memcmp(providers->list[i].name, name, len) == 0)
			return &providers->list[i];
	return NULL;
}

const struct price *
provider_price(const struct provider *provider, const char *model)
{
	return price_find(provider->prices, provider->prices_count, model);
}

const char *
provider_type_name(enum provider_type type)
{
	return type < PROVIDER_TYPES ? usual[type].name : "unknown";
}

void
providers_mask(const struct providers *providers, struct mask *mask)
{
	for (size_t i = 0; i < providers->count; i++) {
		const struct provider *provider = &providers->list[i];

		if (provider->api_key != NULL)
			mask_add(mask, provider->api_key, strlen(provider->api_key));
		for (size_t h = 0; h < provider->headers_count; h++) {
			const struct provider_header *header = &provider->headers[h];

			if (header->secret)
				mask_add(mask, header->value, strlen(header->value));
		}
	}
}
