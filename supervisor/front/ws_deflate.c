/* See ws_deflate.h. Memory of zlib's is taken once; a failing zlib is a broken
 * invariant, bad data is not. */
#include "front/ws_deflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "base/xalloc.h"

#define CHUNK 16384

struct ws_deflate {
	z_stream out, in;
};

struct ws_deflate *
ws_deflate_new(void)
{
	struct ws_deflate *packer = xcalloc(1, sizeof *packer);

	if (deflateInit2(&packer->out, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&packer->in, -MAX_WBITS) != Z_OK)
		bug("zlib does not begin");
	return packer;
}

void
ws_deflate_free(struct ws_deflate **deflate_p)
{
	struct ws_deflate *packer = *deflate_p;

	if (packer == NULL)
		return;
	*deflate_p = NULL;
	deflateEnd(&packer->out);
	inflateEnd(&packer->in);
	free(packer);
}

void
ws_deflate_pack(struct ws_deflate *packer, const void *data, size_t len,
		struct buf *out)
{
	z_stream *stream = &packer->out;

	if (deflateReset(stream) != Z_OK)
		bug("zlib does not begin anew");
	stream->next_in = (unsigned char *)data;
	stream->avail_in = (unsigned)len;
	do {
		stream->next_out = (unsigned char *)buf_reserve(out, CHUNK);
		stream->avail_out = CHUNK;
		if (deflate(stream, Z_SYNC_FLUSH) == Z_STREAM_ERROR)
			bug("zlib does not compress");
		buf_grow(out, CHUNK - stream->avail_out);
	} while (stream->avail_out == 0);
	out->len -= 4; /* 00 00 ff ff, which the other side puts there again */
}

/* Reads on until the data is at its end, or past max. A final block (RFC 7692 section
 * 7.2.3.4) ends the deflate stream and not the message: another stream begins. */
static enum ws_inflated
read_all(z_stream *stream, size_t begin, size_t max, struct buf *out)
{
	int status;

	do {
		stream->next_out = (unsigned char *)buf_reserve(out, CHUNK);
		stream->avail_out = CHUNK;
		status = inflate(stream, Z_SYNC_FLUSH);
		if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
			return WS_INFLATED_BAD;
		buf_grow(out, CHUNK - stream->avail_out);
		if (out->len - begin > max)
			return WS_INFLATED_TOO_BIG;
		if (status == Z_STREAM_END && inflateReset(stream) != Z_OK)
			bug("zlib does not begin anew");
	} while (stream->avail_in > 0 || stream->avail_out == 0);
	return WS_INFLATED;
}

enum ws_inflated
ws_deflate_unpack(struct ws_deflate *packer, const void *data, size_t len, size_t max,
		  struct buf *out)
{
	static const unsigned char tail[] = { 0, 0, 0xff, 0xff };
	z_stream *stream = &packer->in;
	size_t begin = out->len;
	enum ws_inflated result;

	if (inflateReset(stream) != Z_OK)
		bug("zlib does not begin anew");
	stream->next_in = (unsigned char *)data;
	stream->avail_in = (unsigned)len;
	result = read_all(stream, begin, max, out);
	if (result != WS_INFLATED)
		return result;
	stream->next_in = (unsigned char *)tail;
	stream->avail_in = sizeof tail;
	return read_all(stream, begin, max, out);
}
