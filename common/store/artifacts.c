/* Artifacts of steps. */
#include "store/artifacts.h"

#include "store/added.h"
#include "store/held.h"

void
artifacts_insert(struct pg *pg, const struct held_ref *held,
		 const struct new_artifact *artifact, added_fn *done, void *context)
{
	struct pg_args args;

	held_args(&args, held);
	pg_arg_uuid(&args, &artifact->id);
	pg_arg_bool(&args, artifact->of_step);
	pg_arg_text(&args, artifact->name);
	pg_arg_text(&args, artifact->type);
	pg_arg_text(&args, artifact->path);
	pg_arg_text(&args, artifact->mime_type);
	pg_arg_int8(&args, artifact->size);
	pg_arg_text(&args, artifact->sha256);
	pg_arg_json(&args, artifact->metadata);
	pg_arg_uuid(&args, artifact->session);
	added_send(pg, held, "artifacts_insert", &args, done, context);
	pg_args_fini(&args);
}
