/*
 * Files as answers: validators (ETag, Last-Modified), one range, and the bytes in
 * pieces as fast as the client reads them. What may be downloaded is decided by the
 * handler, which opened it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/etag_core.h"
#include "front/exchange.h"
#include "front/http_conn.h"
#include "front/range_core.h"

#define PIECE (64 * 1024)

struct file_reply {
	int fd;
	uint64_t at, left;
};

struct validators {
	char etag[80];
	char modified[64];
};

void
file_reply_free(struct file_reply **file_p)
{
	struct file_reply *file = *file_p;

	if (file == NULL)
		return;
	*file_p = NULL;
	close(file->fd);
	free(file);
}

/* ---- validators ---- */

static void
make_validators(const struct stat *st, struct validators *out)
{
	struct tm tm;

	snprintf(out->etag, sizeof out->etag, "\"%jx-%jx-%jx%08lx\"",
		 (uintmax_t)st->st_ino, (uintmax_t)st->st_size,
		 (uintmax_t)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec);
	gmtime_r(&st->st_mtim.tv_sec, &tm);
	strftime(out->modified, sizeof out->modified, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static bool
is_unchanged(const struct exchange *exchange, const struct validators *validators)
{
	const char *match = exchange_header(exchange, "If-None-Match");
	const char *since = exchange_header(exchange, "If-Modified-Since");

	if (match != NULL)
		return etag_is_listed(match, validators->etag);
	return since != NULL && strcmp(since, validators->modified) == 0;
}

/* If-Range: the range is of use only if the file is still the one known. */
static const char *
wanted_range(const struct exchange *exchange, const struct validators *validators)
{
	const char *condition = exchange_header(exchange, "If-Range");

	if (strcmp(exchange_method(exchange), "GET") != 0)
		return NULL;
	if (condition != NULL && strcmp(condition, validators->etag) != 0 &&
	    strcmp(condition, validators->modified) != 0)
		return NULL;
	return exchange_header(exchange, "Range");
}

/* ---- the head ---- */

/* A name for everybody, and the exact one for those who understand RFC 8187. */
static void
add_disposition(struct exchange *exchange, const char *name)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._";
	struct buf value = { 0 };

	buf_str(&value, "attachment; filename=\"");
	for (const char *c = name; *c != '\0'; c++)
		buf_char(&value, strchr(plain, *c) != NULL ? *c : '_');
	buf_str(&value, "\"; filename*=UTF-8''");
	for (const char *c = name; *c != '\0'; c++)
		if (strchr(plain, *c) != NULL)
			buf_char(&value, *c);
		else
			buf_printf(&value, "%%%02X", (unsigned char)*c);
	reply_header(exchange, "Content-Disposition", buf_text(&value));
	buf_fini(&value);
}

static void
add_file_headers(struct exchange *exchange, const struct validators *validators,
		 const char *download)
{
	reply_header(exchange, "ETag", validators->etag);
	reply_header(exchange, "Last-Modified", validators->modified);
	reply_header(exchange, "Accept-Ranges", "bytes");
	if (!exchange->cacheable)
		reply_header(exchange, "Cache-Control", "private, no-cache");
	/* what a step wrote is shown by nobody's browser with our rights */
	reply_header(exchange, "Content-Security-Policy",
		     "default-src 'none'; sandbox");
	if (download != NULL)
		add_disposition(exchange, download);
}

static void
add_content_range(struct exchange *exchange, const struct range *range, uint64_t size)
{
	char value[96];

	if (range != NULL)
		snprintf(value, sizeof value, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
			 range->first, range->first + range->len - 1, size);
	else
		snprintf(value, sizeof value, "bytes */%" PRIu64, size);
	reply_header(exchange, "Content-Range", value);
}

/* ---- the bytes ---- */

/* The length is promised: when the file got shorter meanwhile, only closing tells. */
static bool
send_piece(struct exchange *exchange)
{
	struct file_reply *file = exchange->file;
	size_t want = file->left < PIECE ? (size_t)file->left : PIECE;
	struct buf *out = http_conn_output(exchange->conn);
	ssize_t got = pread(file->fd, buf_reserve(out, want), want, (off_t)file->at);

	if (got <= 0) {
		log_warn(
		    "download.cut", F_STR("request", exchange->request_id),
		    F_STR("why", got < 0 ? "reading failed" : "the file got shorter"));
		http_conn_cut(exchange->conn);
		return false;
	}
	buf_grow(out, (size_t)got);
	file->at += (size_t)got;
	file->left -= (size_t)got;
	return true;
}

void
file_reply_go_on(struct exchange *exchange)
{
	if (exchange->file->left > 0 && !send_piece(exchange))
		return;
	if (exchange->file->left > 0) {
		http_conn_flush(exchange->conn);
		return;
	}
	exchange->answer = ANSWER_DONE;
	http_conn_answered(exchange->conn);
}

static void
send_file(struct exchange *exchange, int fd, int status, const char *content_type,
	  const struct range *range)
{
	struct file_reply *file = xcalloc(1, sizeof *file);

	*file = (struct file_reply){ .fd = fd, .at = range->first, .left = range->len };
	exchange->file = file;
	exchange->answer = ANSWER_STREAM;
	reply_head(exchange, status, content_type, (int64_t)range->len);
	if (exchange->bodiless)
		file->left = 0;
	exchange_let_go(exchange);
	file_reply_go_on(exchange);
}

void
reply_file(struct exchange *exchange, int fd, const char *content_type,
	   const char *download)
{
	struct validators validators;
	enum range_verdict verdict;
	struct range range;
	struct stat st;

	if (!reply_possible(exchange)) {
		close(fd);
		return;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		reply_problem(exchange, 404, NULL, "this is not a file");
		return;
	}
	make_validators(&st, &validators);
	verdict = range_read(wanted_range(exchange, &validators), (uint64_t)st.st_size,
			     &range);
	add_file_headers(exchange, &validators, download);
	if (verdict == RANGE_PART)
		add_content_range(exchange, &range, (uint64_t)st.st_size);
	if (is_unchanged(exchange, &validators)) {
		close(fd);
		reply_empty(exchange, 304);
	} else if (verdict == RANGE_NONE) {
		close(fd);
		add_content_range(exchange, NULL, (uint64_t)st.st_size);
		reply_problem(exchange, 416, NULL, "the file has %jd bytes",
			      (intmax_t)st.st_size);
	} else {
		send_file(exchange, fd, verdict == RANGE_PART ? 206 : 200, content_type,
			  &range);
	}
}
