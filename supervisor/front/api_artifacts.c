/*
 * Files kept with a run: list, download, upload. They lie in the run's project and are
 * opened beneath its path only. What lies on storage that this host cannot reach is a
 * 503.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "engine/tool_names.h"
#include "files/files.h"
#include "files/run_folder.h"
#include "front/api.h"
#include "front/change.h"
#include "front/upload.h"
#include "store/attach.h"

#define NAME_MOST 255 /* bytes */
#define TYPE_MOST 255

/* ---- list and download ---- */

static bool
is_type(const char *text)
{
	for (const char *const *type = artifact_types; *type != NULL; type++)
		if (strcmp(*type, text) == 0)
			return true;
	return false;
}

/* -1: it was refused, and that was said. */
static int
check_type(struct exchange *exchange, const char *type)
{
	if (type == NULL || is_type(type))
		return 0;
	reply_problem(exchange, 400, NULL,
		      "type: expected SCREENSHOT, LOG_FILE, SESSION_FILE, TEST_REPORT, "
		      "BUILD_OUTPUT, DOCUMENT or OTHER");
	return -1;
}

static void
on_list_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct pg_args args;
	struct uuid id;

	if (!api_found_step(exchange, exchange_query(exchange, "stepId"), rows, err))
		return;
	id = pg_uuid(rows, 0, 0);
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	if (pg_is_null(rows, 0, 2))
		pg_arg_null(&args, PG_INT4);
	else
		pg_arg_int4(&args, (int)pg_int(rows, 0, 2));
	pg_arg_text(&args, exchange_query(exchange, "type"));
	api_read(exchange, "artifacts_list", &args, api_on_json);
	pg_args_fini(&args);
}

static void
on_list(struct exchange *exchange)
{
	if (check_type(exchange, exchange_query(exchange, "type")) == 0)
		api_find_step(exchange, exchange_query(exchange, "stepId"),
			      on_list_found);
}

static void
on_download_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct err ignored = { 0 };
	const char *type;
	int fd;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	fd = files_open(pg_text(rows, 0, 0, NULL), pg_text(rows, 0, 1, NULL), O_RDONLY,
			&ignored);
	if (fd < 0) {
		reply_header(exchange, "Retry-After", "5");
		reply_problem(exchange, 503, NULL,
			      "the artifact's file cannot be reached from this host");
		return;
	}
	type = pg_is_null(rows, 0, 3) ? "application/octet-stream"
				      : pg_text(rows, 0, 3, NULL);
	reply_file(exchange, fd, type, pg_text(rows, 0, 2, NULL));
}

static void
on_download(struct exchange *exchange)
{
	const char *text = exchange_param(exchange, "id");
	struct pg_args args;
	struct uuid id;

	if (!uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 404, NULL, "there is no artifact \"%s\"", text);
		return;
	}
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	api_arg_confined(exchange, &args);
	api_read(exchange, "artifacts_find", &args, on_download_found);
	pg_args_fini(&args);
}

/* ---- upload: the row, once all has come ---- */

struct uploading {
	struct upload *upload;
	struct uuid run;
	int step; /* 0: of the run */
};

static void
uploading_free(void *state)
{
	struct uploading *uploading = state;

	upload_free(&uploading->upload);
	free(uploading);
}

static void
on_committed(struct front *front, void *context)
{
	(void)front;
	upload_keep(((struct uploading *)context)->upload);
}

static const char *
media_type(const struct exchange *exchange)
{
	const char *type = exchange_header(exchange, "Content-Type");

	return type != NULL && *type != '\0' ? type : "application/octet-stream";
}

static const char *
type_of(const struct exchange *exchange)
{
	const char *type = exchange_query(exchange, "type");

	return type != NULL ? type : "OTHER";
}

/* The file is the change's from now on, and goes with it unless it is committed. */
static void
store(struct exchange *exchange)
{
	struct uploading *uploading = exchange_state(exchange);
	const struct upload *upload = uploading->upload;
	struct new_artifact artifact = {
		.id = *upload_id(upload),
		.name = upload_name(upload),
		.type = type_of(exchange),
		.path = upload_path(upload),
		.mime_type = media_type(exchange),
		.sha256 = upload_sha256(upload),
		.size = upload_size(upload),
	};

	exchange_set_state(exchange, NULL, NULL);
	api_audit_run(exchange, &uploading->run);
	attach_artifact(exchange_pg(exchange), &uploading->run, uploading->step,
			&artifact, api_on_attached, exchange);
	change_after(exchange_change(exchange), on_committed, uploading,
		     uploading_free);
}

/* ---- upload: the bytes ---- */

static void
on_settled(void *context, const struct err *err)
{
	if (err->kind == ERR_NONE)
		exchange_go_on(context);
	else
		reply_err(context, err);
}

static void
on_piece(struct exchange *exchange, const void *data, size_t len)
{
	struct uploading *uploading = exchange_state(exchange);
	struct err err = { 0 };

	if (upload_write(uploading->upload, data, len, &err) < 0) {
		reply_err(exchange, &err);
		return;
	}
	if (!upload_is_full(uploading->upload))
		return;
	exchange_pause(exchange);
	upload_settle(uploading->upload, on_settled, exchange);
}

/* A repetition under the same Idempotency-Key is one with the same content. */
static void
on_finished(void *context, const struct err *err)
{
	struct exchange *exchange = context;
	struct uploading *uploading = exchange_state(exchange);
	struct buf words = { 0 };

	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	buf_printf(&words, "%d\n%s\n%s\n%s\n%s", uploading->step, type_of(exchange),
		   media_type(exchange), upload_sha256(uploading->upload),
		   upload_name(uploading->upload));
	exchange_change_later(exchange, buf_text(&words), store);
	buf_fini(&words);
}

static void
on_all(struct exchange *exchange)
{
	struct uploading *uploading = exchange_state(exchange);

	upload_finish(uploading->upload, on_finished, exchange);
}

static const struct body_taker taker = { on_piece, on_all };

/* ---- upload: the beginning ---- */

static struct upload *
open_upload(struct exchange *exchange, const struct pg_rows *rows, struct err *err)
{
	struct front *front = exchange_front(exchange);
	struct uuid run = pg_uuid(rows, 0, 0);
	struct uuid id = uuid7_new(loop_now(front->loop));
	struct buf folder = { 0 };
	struct upload *upload;
	char *run_folder = run_folder_path(&run);

	buf_printf(&folder, "%s/artifacts/", run_folder);
	free(run_folder);
	if (pg_is_null(rows, 0, 2))
		buf_str(&folder, "execution");
	else
		buf_printf(&folder, "%d", (int)pg_int(rows, 0, 2));
	upload = upload_new(front->loop, pg_text(rows, 0, 1, NULL), buf_text(&folder),
			    &id, exchange_query(exchange, "name"), err);
	buf_fini(&folder);
	return upload;
}

/* A project's folder that is not here may be on another host. */
static void
refuse_folder(struct exchange *exchange, const struct err *err)
{
	if (err->kind != ERR_NOT_FOUND) {
		reply_err(exchange, err);
		return;
	}
	reply_header(exchange, "Retry-After", "5");
	reply_problem(exchange, 503, NULL,
		      "the project's folder cannot be reached from this host");
}

static void
on_upload_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct uploading *uploading;
	struct err bad = { 0 };
	struct upload *upload;

	if (!api_found_step(exchange, exchange_query(exchange, "stepId"), rows, err))
		return;
	upload = open_upload(exchange, rows, &bad);
	if (upload == NULL) {
		refuse_folder(exchange, &bad);
		return;
	}
	uploading = xcalloc(1, sizeof *uploading);
	uploading->upload = upload;
	uploading->run = pg_uuid(rows, 0, 0);
	uploading->step = pg_is_null(rows, 0, 2) ? 0 : (int)pg_int(rows, 0, 2);
	api_unguard(exchange);
	exchange_set_state(exchange, uploading, uploading_free);
	exchange_take_body(exchange,
			   (size_t)exchange_front(exchange)->settings->http_upload_max,
			   &taker);
}

/* False: it was refused, and that was said. */
static bool
good_words(struct exchange *exchange)
{
	const char *name = exchange_query(exchange, "name");
	size_t len = name != NULL ? strlen(name) : 0;

	if (len == 0 || len > NAME_MOST || !utf8_valid(name, len)) {
		reply_problem(
		    exchange, 400, NULL,
		    "name: expected 1 to %d bytes of UTF-8, as in ?name=x.txt",
		    NAME_MOST);
		return false;
	}
	if (check_type(exchange, exchange_query(exchange, "type")) < 0)
		return false;
	if (strlen(media_type(exchange)) > TYPE_MOST ||
	    !utf8_valid(media_type(exchange), strlen(media_type(exchange)))) {
		reply_problem(exchange, 400, NULL, "Content-Type: at most %d bytes",
			      TYPE_MOST);
		return false;
	}
	if (strncasecmp(media_type(exchange), "multipart/", 10) != 0)
		return true;
	reply_problem(exchange, 415, NULL,
		      "the body must be the file itself, not a form: curl "
		      "--data-binary @FILE or -T FILE");
	return false;
}

static void
on_upload(struct exchange *exchange)
{
	if (good_words(exchange))
		api_find_step(exchange, exchange_query(exchange, "stepId"),
			      on_upload_found);
}

/* clang-format off */
const struct route routes_artifacts[] = {
	{ "GET",  "/api/executions/:id/artifacts", ROLE_VIEWER,   0,              false, on_list,     NULL },
	{ "POST", "/api/executions/:id/artifacts", ROLE_OPERATOR, BODY_IN_PIECES, false, on_upload,   "artifact.add" },
	{ "GET",  "/api/artifacts/:id/download",   ROLE_VIEWER,   0,              false, on_download, NULL },
	{ 0 },
};
/* clang-format on */
