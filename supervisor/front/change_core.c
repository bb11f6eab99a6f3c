/* See change_core.h. A row is only seen once its transaction is over, so who is not
 * alone with the key cannot know yet. */
#include "front/change_core.h"

enum change_verdict
change_judge(const struct change_known *known)
{
	if (known->found)
		return known->same ? CHANGE_REPEAT : CHANGE_REFUSE;
	return known->locked ? CHANGE_GO : CHANGE_WAIT;
}
