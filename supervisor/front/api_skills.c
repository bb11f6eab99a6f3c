/* GET /skills: what steps of a project can name, as this supervisor finds it. */
#include "front/api.h"
#include "front/skills.h"

static void
answer(struct exchange *exchange, const char *text, size_t len)
{
	const struct texts *folders = &exchange_front(exchange)->settings->skill_paths;
	struct json *project = NULL, *body;
	struct err err = { 0 };

	if (json_parse(text, len, &project, &err) < 0) {
		reply_err(exchange, &err);
		return;
	}
	body = json_new_object();
	json_set(body, "data",
		 skills_list(json_str(json_get(project, "path")), folders));
	json_unref(&project);
	reply_json(exchange, 200, body);
}

static void
on_project(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	const char *text;
	size_t len;

	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	text = pg_count(rows) > 0 ? pg_text(rows, 0, 0, &len) : NULL;
	if (text == NULL)
		reply_problem(exchange, 404, NULL, "there is no such project");
	else
		answer(exchange, text, len);
}

static void
on_skills(struct exchange *exchange)
{
	const struct uuid *own = exchange_project(exchange);
	const char *wanted = exchange_query(exchange, "projectId");
	char id[UUID_TEXT];
	struct pg_args args;

	if (wanted == NULL)
		wanted = own != NULL ? uuid_format(own, id) : "default";
	pg_args_init(&args);
	pg_arg_text(&args, wanted);
	api_arg_confined(exchange, &args);
	api_read(exchange, "projects_get", &args, on_project);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_skills[] = {
	{ "GET", "/api/skills", ROLE_VIEWER, 0, false, on_skills, NULL },
	{ 0 },
};
/* clang-format on */
