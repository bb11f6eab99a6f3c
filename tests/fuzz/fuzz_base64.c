/* What can be read is written back the same, but for line breaks and missing padding.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf plain = { 0 }, coded = { 0 }, again = { 0 };
	struct err err = { 0 };

	if (base64_read((const char *)data, len, &plain, &err) == 0) {
		base64_write(plain.data, plain.len, &coded);
		if (base64_read(buf_text(&coded), coded.len, &again, &err) < 0 ||
		    again.len != plain.len ||
		    memcmp(buf_text(&again), buf_text(&plain), plain.len) != 0)
			abort();
	} else if (err.kind != ERR_INPUT) {
		abort();
	}
	buf_fini(&plain);
	buf_fini(&coded);
	buf_fini(&again);
	return 0;
}
