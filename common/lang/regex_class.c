/*
 * Sets of characters. ASCII is answered from a bitmap; the rest by walking the items,
 * of which a pattern has few. Case is folded by Unicode's simple pairs.
 */
#include "lang/regex_class.h"

#include <string.h>

#include "lang/regex_tables.h"

#define CATEGORY_UL 30 /* Lu and Ll in turns, beginning with Lu */
#define CATEGORY_LU 31

static const char category_names[][3] = {
	"Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu",
	"Mc", "Me", "Mn", "Nd", "Nl", "No", "Pc", "Pd", "Pe", "Pf",
	"Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs",
};
#define CATEGORIES      (sizeof category_names / sizeof category_names[0])
#define CATEGORY_LL     5
#define CATEGORY_LU_ONE 9

static const struct regex_range set_alnum[] = {
	{ '0', '9' }, { 'A', 'Z' }, { 'a', 'z' }, { 0, 0 }
};
static const struct regex_range set_alpha[] = { { 'A', 'Z' }, { 'a', 'z' }, { 0, 0 } };
static const struct regex_range set_ascii[] = { { 0, 0x7f }, { 0, 0 } };
static const struct regex_range set_blank[] = { { '\t', '\t' },
						{ ' ', ' ' },
						{ 0, 0 } };
static const struct regex_range set_cntrl[] = { { 0, 31 }, { 127, 127 }, { 0, 0 } };
static const struct regex_range set_digit[] = { { '0', '9' }, { 0, 0 } };
static const struct regex_range set_graph[] = { { '!', '~' }, { 0, 0 } };
static const struct regex_range set_lower[] = { { 'a', 'z' }, { 0, 0 } };
static const struct regex_range set_print[] = { { ' ', '~' }, { 0, 0 } };
static const struct regex_range set_punct[] = {
	{ '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' }, { 0, 0 }
};
static const struct regex_range set_space[] = { { '\t', '\r' },
						{ ' ', ' ' },
						{ 0, 0 } };
static const struct regex_range set_upper[] = { { 'A', 'Z' }, { 0, 0 } };
static const struct regex_range set_word[] = {
	{ '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' }, { 0, 0 }
};
static const struct regex_range set_xdigit[] = {
	{ '0', '9' }, { 'A', 'F' }, { 'a', 'f' }, { 0, 0 }
};
/* \s is narrower than [[:space:]]: no vertical tab. */
static const struct regex_range set_perl_space[] = {
	{ '\t', '\n' }, { '\f', '\r' }, { ' ', ' ' }, { 0, 0 }
};

static const struct {
	const char *name;
	const struct regex_range *set;
} posix_sets[] = {
	{ "alnum", set_alnum }, { "alpha", set_alpha },   { "ascii", set_ascii },
	{ "blank", set_blank }, { "cntrl", set_cntrl },   { "digit", set_digit },
	{ "graph", set_graph }, { "lower", set_lower },   { "print", set_print },
	{ "punct", set_punct }, { "space", set_space },   { "upper", set_upper },
	{ "word", set_word },   { "xdigit", set_xdigit },
};

bool
regex_set_perl(char letter, struct regex_item *out)
{
	*out = (struct regex_item){ .negated = letter < 'a' };
	switch (letter | 0x20) {
	case 'd':
		out->set = set_digit;
		break;
	case 's':
		out->set = set_perl_space;
		break;
	case 'w':
		out->set = set_word;
		break;
	}
	return out->set != NULL;
}

bool
regex_set_posix(const char *name, size_t len, struct regex_item *out)
{
	*out = (struct regex_item){ 0 };
	for (size_t i = 0; i < sizeof posix_sets / sizeof posix_sets[0]; i++)
		if (strlen(posix_sets[i].name) == len &&
		    memcmp(posix_sets[i].name, name, len) == 0)
			out->set = posix_sets[i].set;
	return out->set != NULL;
}

bool
regex_set_unicode(const char *name, size_t len, struct regex_item *out)
{
	*out = (struct regex_item){ 0 };
	if (len == 3 && memcmp(name, "Any", 3) == 0)
		out->categories = ((uint32_t)1 << CATEGORIES) - 1;
	if (len != 1 && len != 2)
		return out->categories != 0;
	for (size_t i = 0; i < CATEGORIES; i++)
		if (memcmp(category_names[i], name, len) == 0)
			out->categories |= (uint32_t)1 << i;
	return out->categories != 0;
}

static unsigned
category(uint32_t c)
{
	size_t low = 0, high = regex_categories_count, middle;
	unsigned what;

	while (high - low > 1) {
		middle = (low + high) / 2;
		if (regex_categories[middle] >> 5 <= c)
			low = middle;
		else
			high = middle;
	}
	what = regex_categories[low] & 31;
	if (what < CATEGORIES)
		return what;
	if ((c - (regex_categories[low] >> 5)) % 2 == (what == CATEGORY_LU))
		return CATEGORY_LU_ONE;
	return CATEGORY_LL;
}

static uint32_t
change_case(const struct regex_case *table, size_t count, uint32_t c)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (table[middle].last < c)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count || table[low].first > c ||
	    (c - table[low].first) % table[low].step)
		return c;
	return (uint32_t)((int32_t)c + table[low].delta);
}

static uint32_t
lower(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	return change_case(regex_lower, regex_lower_count, c);
}

static uint32_t
upper(uint32_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? c - 32 : c;
	return change_case(regex_upper, regex_upper_count, c);
}

bool
regex_same_fold(uint32_t a, uint32_t b)
{
	return a == b || lower(upper(a)) == lower(upper(b));
}

bool
regex_is_word(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

void
regex_class_add(struct regex_class *class, struct arena *arena, struct regex_item item)
{
	struct regex_item *bigger;

	if (class->count == class->capacity) {
		class->capacity = class->capacity * 2 + 4;
		bigger = arena_alloc(arena, class->capacity * sizeof item);
		if (class->count > 0)
			memcpy(bigger, class->items, class->count * sizeof item);
		class->items = bigger;
	}
	class->items[class->count++] = item;
}

static bool
set_has(const struct regex_range *set, uint32_t c)
{
	do {
		if (c >= set->first && c <= set->last)
			return true;
		set++;
	} while (set->last != 0);
	return false;
}

static bool
item_has(const struct regex_item *item, uint32_t c)
{
	bool has;

	if (item->set != NULL)
		has = set_has(item->set, c);
	else if (item->categories != 0)
		has = (item->categories >> category(c) & 1) != 0;
	else
		has = c >= item->range.first && c <= item->range.last;
	return has != item->negated;
}

static bool
any_has(const struct regex_class *class, uint32_t c)
{
	for (size_t i = 0; i < class->count; i++)
		if (item_has(&class->items[i], c))
			return true;
	return false;
}

static bool
walk(const struct regex_class *class, uint32_t c)
{
	bool has = any_has(class, c);

	if (!has && class->fold)
		has = any_has(class, lower(c)) || any_has(class, upper(c)) ||
		      any_has(class, lower(upper(c)));
	return has != class->negated;
}

void
regex_class_end(struct regex_class *class)
{
	for (uint32_t c = 0; c < 128; c++)
		if (walk(class, c))
			class->ascii[c / 64] |= (uint64_t)1 << c % 64;
}

bool
regex_class_has(const struct regex_class *class, uint32_t c)
{
	if (c < 128)
		return (class->ascii[c / 64] >> c % 64 & 1) != 0;
	return walk(class, c);
}
