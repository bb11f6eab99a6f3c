/* What the bench reads of an answer lies within it; a part of an answer is never whole
 * where the whole is broken at the same place. */
#include <stdint.h>
#include <stdlib.h>

#include "bench/answer_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct answer_head head, shorter;
	enum answer_state state = answer_read((const char *)data, len, &head);

	if (state != ANSWER_WHOLE)
		return 0;
	if (head.status < 0 || head.status > 999 || head.body_len > ANSWER_BODY_MAX ||
	    head.head_len > len || head.body_len > len - head.head_len)
		abort();
	if (answer_read((const char *)data, head.head_len + head.body_len, &shorter) !=
		ANSWER_WHOLE ||
	    shorter.body_len != head.body_len)
		abort();
	return 0;
}
