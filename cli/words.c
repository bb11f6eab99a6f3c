/* See words.h. */
#include "words.h"

#include <string.h>

#define BETWEEN "[]|. "
#define SMALL   "abcdefghijklmnopqrstuvwxyz0123456789"

struct words
words_of(const char *text)
{
	return (struct words){ text != NULL ? text : "" };
}

bool
words_next(struct words *words, char word[static WORDS_LEN_MAX])
{
	for (;;) {
		size_t len;

		words->at += strspn(words->at, BETWEEN);
		len = strcspn(words->at, BETWEEN);
		if (len == 0)
			return false;
		words->at += len;
		if (strspn(words->at - len, SMALL) < len || len >= WORDS_LEN_MAX)
			continue;
		memcpy(word, words->at - len, len);
		word[len] = '\0';
		return true;
	}
}

bool
words_any(const char *text)
{
	struct words it = words_of(text);
	char word[WORDS_LEN_MAX];

	return words_next(&it, word);
}
