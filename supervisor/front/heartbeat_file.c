/* See heartbeat_file.h. */
#include "front/heartbeat_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/heartbeat_core.h"
#include "files/files.h"

static void
read_text(const struct buf *text, struct heartbeat_file *out)
{
	struct problems problems = { .file = out->path };
	struct heartbeat heartbeat;

	if (heartbeat_read(buf_text(text), text->len, yaml_parse, &heartbeat,
			   &problems)) {
		out->says = json_ref(heartbeat.says);
		heartbeat_fini(&heartbeat);
	} else {
		out->warning = problem_text(&problems, 0);
	}
	problems.file = NULL;
	problems_fini(&problems);
}

/* What a later look may find otherwise is no reason to refuse. */
static bool
may_pass(enum err_kind kind)
{
	return kind != ERR_DENIED && kind != ERR_INPUT;
}

int
heartbeat_file_read(const char *project_path, const struct texts *folders,
		    const char *path, struct heartbeat_file *out, struct err *err)
{
	struct buf clean = { 0 }, text = { 0 };
	const char *root;

	*out = (struct heartbeat_file){ 0 };
	if (files_place(project_path, folders->list, folders->count, path, strlen(path),
			&root, &clean, err) < 0) {
		buf_fini(&clean);
		return -1;
	}
	out->path = root == project_path ? xstrdup(buf_text(&clean))
					 : xprintf("%s/%s", root, buf_text(&clean));
	if (files_read(root, buf_text(&clean), HEARTBEAT_BYTES_MAX, &text, err) == 0) {
		read_text(&text, out);
	} else if (may_pass(err->kind)) {
		out->warning = xstrdup(err->text);
		err_clear(err);
	} else {
		free(out->path);
		*out = (struct heartbeat_file){ 0 };
	}
	buf_fini(&clean);
	buf_fini(&text);
	return err->kind == ERR_NONE ? 0 : -1;
}
