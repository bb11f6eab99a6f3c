/* Comments of steps. */
#include "store/comments.h"

#include "store/added.h"
#include "store/held.h"

void
comments_insert(struct pg *pg, const struct held_ref *held,
		const struct new_comment *comment, added_fn *done, void *context)
{
	struct pg_args args;

	held_args(&args, held);
	pg_arg_uuid(&args, &comment->id);
	pg_arg_bool(&args, comment->on_step);
	pg_arg_text(&args, comment->author);
	pg_arg_text(&args, comment->message);
	pg_arg_json(&args, comment->metadata);
	added_send(pg, held, "comments_insert", &args, done, context);
	pg_args_fini(&args);
}
