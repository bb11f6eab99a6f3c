/* What the shell tool and code steps have in common. See script.h. */
#include "actions/script.h"

#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "files/files.h"
#include "files/path_core.h"

int
script_folder(const struct attempt *attempt, const char *cwd, struct err *err)
{
	struct buf path = { 0 };
	int fd = -1;

	if (cwd == NULL)
		cwd = ".";
	if (path_clean(attempt->project_path, cwd, strlen(cwd), &path, err) == 0)
		fd = files_open_folder(attempt->project_path, buf_text(&path), err);
	buf_fini(&path);
	return fd;
}

void
pairs_add(struct pairs *pairs, char *text)
{
	pairs->list = xrealloc(pairs->list, pairs->count + 2, sizeof *pairs->list);
	pairs->list[pairs->count++] = text;
	pairs->list[pairs->count] = NULL;
}

void
pairs_fini(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		free(pairs->list[i]);
	free(pairs->list);
	*pairs = (struct pairs){ 0 };
}

void
script_fail(struct attempt *attempt, const struct program_end *end, struct json *output)
{
	struct json *details = NULL;
	struct json *why = answer_part(attempt, end->why, strlen(end->why));

	if (end->started) {
		details = json_new_object();
		json_set(details, "exitCode", json_new_int(end->exit_status));
		if (end->signal != 0)
			json_set(details, "signal", json_new_int(end->signal));
	}
	attempt_fail_with(attempt, end->code, end->final, details, output, "%s",
			  json_str(why));
	json_unref(&why);
}

int
script_result(struct attempt *attempt, const struct program_end *end,
	      struct json **result)
{
	struct err err = { 0 };

	*result = NULL;
	if (end->channel_cut) {
		attempt_fail(attempt, "output_too_large", true,
			     "more than %ld bytes were written to the descriptor of "
			     "STEPMILL_FD; keep large data in a file",
			     attempt->services->settings->worker_output_max);
		return -1;
	}
	if (end->channel->len == 0)
		return 0;
	if (answer_json(attempt, end->channel->data, end->channel->len, result, &err) ==
	    0)
		return 0;
	attempt_fail(attempt, "bad_output", true,
		     "what was written to the descriptor of STEPMILL_FD is no JSON: %s",
		     err.text);
	return -1;
}
