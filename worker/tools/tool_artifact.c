/*
 * artifact.add: a copy of a file is kept in the run's folder, hashed on the way, then
 * its row and event are stored. Copied in pieces, a few each turn: a large file does
 * not hold up the other steps. The row comes last: what it names is complete.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "files/files.h"
#include "files/path_core.h"
#include "step_log.h"
#include "store/artifacts.h"
#include "tools/holding.h"
#include "tools/media_core.h"
#include "tools/tools.h"

#define ARTIFACT_MAX   ((int64_t)1024 * 1024 * 1024)
#define PIECE          (256 * 1024)
#define PIECES_A_TURN  8
#define NAME_MOST      255
#define FILE_NAME_MOST 120

struct artifact {
	struct attempt *attempt;
	struct timer *timer;
	struct uuid id;
	char *name, *path; /* shown; kept at, relative to the project */
	int from;
	struct new_file to;
	struct sha256 *hash;
	char sha256[SHA256_TEXT];
	int64_t size;
	char *piece;
	bool stopped, storing;
};

static void
artifact_free(void *state)
{
	struct artifact *artifact = state;

	pg_forget(artifact->attempt->services->pg, artifact);
	timer_free(&artifact->timer);
	if (artifact->from >= 0)
		close(artifact->from);
	new_file_fini(&artifact->to);
	if (artifact->hash != NULL) {
		unsigned char unused[SHA256_BYTES];

		sha256_end(&artifact->hash, unused);
	}
	free(artifact->name);
	free(artifact->path);
	free(artifact->piece);
	free(artifact);
}

/* ---- the row ---- */

static struct json *
make_output(const struct artifact *artifact)
{
	struct json *output = json_new_object();
	char id[UUID_TEXT];

	json_set(output, "id", json_new_str(uuid_format(&artifact->id, id)));
	json_set(output, "name", json_new_str(artifact->name));
	json_set(output, "type",
		 json_new_str(field_text(artifact->attempt, "type", "OTHER")));
	json_set(output, "path", json_new_str(artifact->path));
	json_set(output, "size", json_new_int(artifact->size));
	json_set(output, "sha256", json_new_str(artifact->sha256));
	return output;
}

static void
on_added(void *context, int64_t seq, const struct err *err)
{
	struct artifact *artifact = context;

	if (err->kind != ERR_NONE) {
		answer_error(artifact->attempt, "artifact.add", err);
		return;
	}
	holding_ring(artifact->attempt, seq);
	step_log_printf(artifact->attempt->log, STEP_INFO,
			"artifact \"%s\", %lld bytes", artifact->name,
			(long long)artifact->size);
	attempt_succeed(artifact->attempt, make_output(artifact));
}

static void
store(struct artifact *artifact)
{
	const struct attempt *attempt = artifact->attempt;
	struct held_ref held = holding(attempt);
	struct json *metadata =
	    json_storable(json_ref(json_get(attempt->fields, "metadata")), NULL);

	artifact->storing = true;
	artifacts_insert(attempt->services->pg, &held,
			 &(struct new_artifact){
			     .id = artifact->id,
			     .of_step = field_flag(attempt, "step", true),
			     .name = artifact->name,
			     .type = field_text(attempt, "type", "OTHER"),
			     .path = artifact->path,
			     .mime_type = field_text(attempt, "mimeType",
						     media_type(artifact->name)),
			     .sha256 = artifact->sha256,
			     .size = artifact->size,
			     .metadata = metadata,
			 },
			 on_added, artifact);
	json_unref(&metadata);
}

/* ---- the copy ---- */

static int
end_copy(struct artifact *artifact, struct err *err)
{
	unsigned char sum[SHA256_BYTES];

	sha256_end(&artifact->hash, sum);
	digest_hex(sum, sizeof sum, artifact->sha256);
	return new_file_commit(&artifact->to, err);
}

/* How many bytes: 0 at the end, -1 with err. */
static ssize_t
copy_piece(struct artifact *artifact, struct err *err)
{
	ssize_t got = read(artifact->from, artifact->piece, PIECE);

	if (got < 0)
		return err_errno(err, "reading");
	artifact->size += got;
	if (artifact->size > ARTIFACT_MAX)
		return err_set(err, ERR_LIMIT, "the file is larger than %lld bytes",
			       (long long)ARTIFACT_MAX);
	sha256_add(artifact->hash, artifact->piece, (size_t)got);
	if (new_file_write(&artifact->to, artifact->piece, (size_t)got, err) < 0)
		return -1;
	return got;
}

static void
on_turn(void *context)
{
	struct artifact *artifact = context;
	struct err err = { 0 };
	ssize_t got = 1;

	if (artifact->stopped) {
		attempt_fail(artifact->attempt, "stopped", false, "told to stop");
		return;
	}
	for (int i = 0; i < PIECES_A_TURN && got > 0; i++)
		got = copy_piece(artifact, &err);
	if (got > 0)
		timer_set(artifact->timer, 0);
	else if (got < 0 || end_copy(artifact, &err) < 0)
		answer_error(artifact->attempt, "artifact.add", &err);
	else
		store(artifact);
}

/* artifacts/STEP/NAME in the run's folder. The name of the file is one that is harmless
 * everywhere; what is shown is what was given. */
static void
choose_names(struct artifact *artifact, const char *path)
{
	const struct attempt *attempt = artifact->attempt;
	struct buf kept = { 0 };

	artifact->name = xstrdup(field_text(attempt, "name", path_name(path)));
	buf_printf(&kept, "%s/artifacts/", attempt->run_folder);
	if (field_flag(attempt, "step", true))
		buf_printf(&kept, "%d/", attempt->number);
	else /* which many steps share */
		buf_printf(&kept, "execution/%d-", attempt->number);
	path_safe_name(artifact->name, FILE_NAME_MOST, &kept);
	artifact->path = buf_take(&kept);
}

static int
make_folder(const struct artifact *artifact, struct err *err)
{
	char *folder = xstrndup(
	    artifact->path, (size_t)(path_name(artifact->path) - artifact->path - 1));
	int fd = files_make_folder(artifact->attempt->project_path, folder,
				   FILES_RUN_MODE, err);

	free(folder);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

/* A file of the project, or of the folder that only the step's program has. */
static const char *
root_of(const struct attempt *attempt, const char *path)
{
	size_t len = attempt->own_folder != NULL ? strlen(attempt->own_folder) : 0;

	if (len > 0 && strncmp(path, attempt->own_folder, len) == 0 && path[len] == '/')
		return attempt->own_folder;
	return attempt->project_path;
}

static int
begin(struct artifact *artifact, struct err *err)
{
	const struct attempt *attempt = artifact->attempt;
	const struct json *path = json_get(attempt->fields, "path");
	const char *root = root_of(attempt, json_str(path));
	struct buf clean = { 0 };
	int result = -1;

	if (path_clean(root, json_str(path), json_str_len(path), &clean, err) < 0)
		goto out;
	choose_names(artifact, buf_text(&clean));
	if (artifact->name[0] == '\0' || strlen(artifact->name) > NAME_MOST) {
		err_set(err, ERR_INPUT, "name: 1 to %d bytes", NAME_MOST);
		goto out;
	}
	artifact->from = files_open(root, buf_text(&clean), O_RDONLY, err);
	if (artifact->from < 0)
		goto out;
	if (make_folder(artifact, err) < 0)
		goto out;
	result = new_file_open(&artifact->to, attempt->project_path, artifact->path,
			       0640, err);
out:
	buf_fini(&clean);
	return result;
}

static void *
artifact_start(struct attempt *attempt)
{
	struct artifact *artifact = xcalloc(1, sizeof *artifact);
	struct err err = { 0 };

	artifact->attempt = attempt;
	artifact->from = artifact->to.fd = artifact->to.folder = -1;
	artifact->timer = timer_new(attempt->services->loop, on_turn, artifact);
	artifact->id = holding_id(attempt, "artifact");
	if (begin(artifact, &err) < 0) {
		answer_error(attempt, "artifact.add", &err);
		artifact_free(artifact);
		return NULL;
	}
	artifact->hash = sha256_new();
	artifact->piece = xmalloc(PIECE);
	timer_set(artifact->timer, 0);
	return artifact;
}

/* Once the row is under way nothing can be taken back. */
static void
artifact_stop(void *state, enum stop how)
{
	struct artifact *artifact = state;

	(void)how;
	artifact->stopped = true;
	if (!artifact->storing)
		timer_set(artifact->timer, 0);
}

const struct action tool_artifact_add = {
	.name = "artifact.add",
	.start = artifact_start,
	.stop = artifact_stop,
	.free = artifact_free,
};
