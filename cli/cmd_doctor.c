/* stepmill doctor: looks at everything that stepmill needs; each line says whether it
 * is good, and a way out where it is not. The checks are in doctor/. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "doctor/doctor.h"
#include "print.h"
#include "text.h"

const struct arg doctor_args[] = { SERVER_ARGS, DATABASE_ARGS, COMMAND_ARGS };

static const struct {
	const char *name, *color;
} findings[FINDINGS] = {
	[FINDING_OK] = { "ok", "32" },
	[FINDING_WARN] = { "warn", "33" },
	[FINDING_FAIL] = { "fail", "31" },
};

const char *
doctor_finding_name(enum finding finding)
{
	return findings[finding].name;
}

static void
print_finding(const char *check, enum finding finding, const char *text,
	      const char *fix)
{
	bool color = isatty(STDOUT_FILENO);
	struct buf clean = { 0 };

	text_clean(text, &clean);
	printf("%s%s%s%-4s%s  %-11s  %s\n", color ? "\033[" : "",
	       color ? findings[finding].color : "", color ? "m" : "",
	       findings[finding].name, color ? "\033[0m" : "", check, buf_text(&clean));
	if (fix != NULL)
		printf("      %-11s  -> %s\n", "", fix);
	fflush(stdout);
	buf_fini(&clean);
}

void
doctor_add(struct doctor *doctor, const char *check, enum finding finding,
	   const char *fix, const char *format, ...)
{
	struct json *item = json_new_object();
	struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	doctor->counts[finding]++;
	if (!args_has(doctor->args, "json"))
		print_finding(check, finding, buf_text(&text), fix);
	json_set(item, "check", json_new_str(check));
	json_set(item, "state", json_new_str(findings[finding].name));
	json_set(item, "text", json_new_str(buf_text(&text)));
	json_set(item, "fix", json_new_str(fix));
	json_append(doctor->found, item);
	buf_fini(&text);
}

static void
say_result(const struct doctor *doctor)
{
	struct json *all;

	if (!args_has(doctor->args, "json")) {
		printf("\n%d good, %d to look at, %d wrong\n",
		       doctor->counts[FINDING_OK], doctor->counts[FINDING_WARN],
		       doctor->counts[FINDING_FAIL]);
		return;
	}
	all = json_new_object();
	json_set(all, "healthy", json_new_bool(doctor->counts[FINDING_FAIL] == 0));
	json_set(all, "checks", json_ref(doctor->found));
	print_json(all);
	json_unref(&all);
}

int
cmd_doctor(const struct command *command, const struct args *args)
{
	static void (*const checks[])(struct doctor * doctor) = {
		doctor_programs, doctor_agents, doctor_isolation, doctor_machine,
		doctor_postgres, doctor_redis,  doctor_server,
	};
	struct doctor doctor = { .command = command, .args = args };
	struct install install;
	int status;

	if (args->words_count > 0)
		return command_usage(command, "\"%s\": not understood", args->words[0]);
	status = install_find(&install, command, args);
	if (status != CLI_OK)
		return status;
	doctor.install = &install;
	doctor.found = json_new_array();
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		checks[i](&doctor);
	say_result(&doctor);
	json_unref(&doctor.found);
	install_fini(&install);
	return doctor.counts[FINDING_FAIL] > 0 ? CLI_FAILED : CLI_OK;
}
