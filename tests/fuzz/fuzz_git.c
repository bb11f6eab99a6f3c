/* Whatever git prints (the first byte says for which command), it is read or refused; a
 * remote's URL gives plain names or nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tools/git_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
read_remote(const char *data, size_t len)
{
	char *url = xstrndup(data, len), *owner = NULL, *repository = NULL;
	struct err err = { 0 };

	if (git_read_remote(url, &owner, &repository, &err) == 0 &&
	    (strpbrk(owner, "/%?#: ") != NULL ||
	     strpbrk(repository, "/%?#: ") != NULL || owner[0] == '\0' ||
	     repository[0] == '\0'))
		abort();
	free(owner);
	free(repository);
	free(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct json *(*const readers[])(const char *, size_t, struct err *) = {
		git_read_log,
		git_read_status,
		git_read_numstat,
	};
	const char *text = (const char *)data + 1;
	struct err err = { 0 };
	struct json *json;

	if (len == 0)
		return 0;
	if (data[0] % 4 == 3) {
		read_remote(text, len - 1);
		return 0;
	}
	json = readers[data[0] % 4](text, len - 1, &err);
	if ((json == NULL) != (err.kind != ERR_NONE))
		abort();
	json_unref(&json);
	return 0;
}
