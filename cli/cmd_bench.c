/* stepmill bench: measures the installation it is connected to. The work is in bench/.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "bench/bench.h"
#include "commands.h"
#include "install.h"
#include "print.h"

#define IN_FLIGHT_PRESET 64
#define IN_FLIGHT_MAX    1024
#define RUNS_MAX         10000000
#define TIMEOUT_PRESET   (600 * USEC_SECOND)

const struct arg bench_args[] = {
	{ "runs", 'n', "N",
	  "how many (seq10 5000, single 20000, latency 200, fan100 500)" },
	{ "in-flight", 0, "N", "requests at once (default 64)" },
	{ "timeout", 't', "DURATION", "at most so long (default 10m)" },
	SERVER_ARGS,
	DATABASE_ARGS,
	COMMAND_ARGS,
};

static const struct workload workloads[] = {
	{ .name = "seq10",
	  .workflow = "stepmill-bench-seq10",
	  .steps = 10,
	  .runs = 5000 },
	{ .name = "single",
	  .workflow = "stepmill-bench-single",
	  .steps = 1,
	  .runs = 20000 },
	{ .name = "latency",
	  .workflow = "stepmill-bench-seq10",
	  .steps = 10,
	  .runs = 200,
	  .one_by_one = true },
	{ .name = "fan100",
	  .workflow = "stepmill-bench-fan100",
	  .items = 100,
	  .steps = 101,
	  .runs = 500 },
	{ .name = "fan-latency",
	  .workflow = "stepmill-bench-fan100",
	  .items = 100,
	  .steps = 101,
	  .runs = 100,
	  .one_by_one = true },
};

struct bench {
	const struct command *command;
	const struct args *args;
	struct plan plan;
	struct install install;
	struct server *server;
	struct database *database;
	struct uuid definition;
	struct triggered triggered;
	struct figures figures;
	struct counters before, after;
	struct cpu cpu_before, cpu_after;
	bool over;
};

/* ---- what is run ---- */

/* One step that fans out; its items are rows, too. */
static void
add_fan(const struct workload *workload, struct buf *text)
{
	buf_str(text, "  - { id: fan, action: noop, foreach: \"[0");
	for (int i = 1; i < workload->items; i++)
		buf_printf(text, ",%d", i);
	buf_str(text, "]\" }\n");
}

static char *
workflow_text(const struct workload *workload)
{
	struct buf text = { 0 };

	buf_printf(&text, "name: %s\ndescription: made by stepmill bench\nsteps:\n",
		   workload->workflow);
	if (workload->items > 0)
		add_fan(workload, &text);
	for (int i = 1; workload->items == 0 && i <= workload->steps; i++)
		buf_printf(&text, "  - { id: s%d, action: noop }\n", i);
	return buf_take(&text);
}

static int
register_workflow(struct bench *bench)
{
	char *text = workflow_text(bench->plan.workload);
	struct question question = { .method = "POST",
				     .path = "/api/workflows",
				     .content_type = "application/yaml",
				     .body = text,
				     .len = strlen(text) };
	struct answer answer;
	const char *id;
	int status = server_ask(bench->server, &question, &answer);

	if (status != CLI_OK) {
		status = server_refusal(bench->server, &answer);
	} else {
		id = json_str(json_get(answer.json, "definitionId"));
		if (id == NULL || !uuid_parse(id, strlen(id), &bench->definition))
			status = command_fail(bench->command, CLI_FAILED,
					      "%s does not answer as stepmill does",
					      server_url(bench->server));
	}
	answer_fini(&answer);
	free(text);
	return status;
}

/* ---- order ---- */

static int
fail(const struct bench *bench, const struct err *err)
{
	return command_fail(bench->command, CLI_FAILED, "%s", err->text);
}

static int
measure(struct bench *bench)
{
	struct err err = { 0 };
	bool same = false;

	if (bench_has_definition(bench->database, &bench->definition, &same, &err) < 0)
		return fail(bench, &err);
	if (!same)
		return command_fail(bench->command, CLI_USAGE,
				    "the database is not the one of %s: give "
				    "--database-url",
				    server_url(bench->server));
	bench_cpu(bench->install.dev, &bench->cpu_before);
	if (bench_counters(bench->database, &bench->before, &err) < 0 ||
	    bench_trigger(bench->server, &bench->plan, &bench->triggered, &err) < 0 ||
	    bench_wait(bench->database, &bench->triggered, bench->plan.timeout,
		       &bench->over, &err) < 0 ||
	    bench_counters(bench->database, &bench->after, &err) < 0)
		return fail(bench, &err);
	bench_cpu(bench->install.dev, &bench->cpu_after);
	if (bench_figures(bench->database, &bench->definition, &bench->triggered,
			  &bench->figures, &err) < 0)
		return fail(bench, &err);
	return CLI_OK;
}

/* ---- saying it ---- */

static bool
is_complete(const struct bench *bench)
{
	const struct figures *figures = &bench->figures;

	return bench->over && figures->runs == bench->plan.runs &&
	       figures->completed == bench->plan.runs && figures->gaps == 0 &&
	       figures->steps == bench->plan.runs * bench->plan.workload->steps &&
	       figures->events ==
		   bench->plan.runs * (2 * bench->plan.workload->steps + 2 +
				       (bench->plan.workload->items > 0));
}

static double
per_step(const struct bench *bench, int64_t value)
{
	return bench->figures.steps > 0 ? (double)value / (double)bench->figures.steps
					: 0;
}

static double
per_second(const struct bench *bench, int64_t value)
{
	return bench->figures.seconds > 0 ? (double)value / bench->figures.seconds : 0;
}

/* Microseconds a step; NAN: not known. */
static double
cpu_per_step(const struct bench *bench, enum consumer consumer)
{
	int64_t before = bench->cpu_before.used[consumer];
	int64_t after = bench->cpu_after.used[consumer];

	return before < 0 || after < 0 ? NAN : per_step(bench, after - before);
}

static void
set_double(struct json *json, const char *key, double value)
{
	json_set(json, key, json_new_double(round(value * 1000) / 1000));
}

static struct json *
latency_json(const struct figures *figures)
{
	struct json *json = json_new_object();

	set_double(json, "p50", figures->p50);
	set_double(json, "p99", figures->p99);
	set_double(json, "min", figures->low);
	set_double(json, "max", figures->high);
	return json;
}

static void
print_for_programs(const struct bench *bench)
{
	const struct figures *figures = &bench->figures;
	struct json *json = json_new_object(), *cpu = json_new_object();

	json_set(json, "workload", json_new_str(bench->plan.workload->name));
	json_set(json, "runs", json_new_int(bench->plan.runs));
	json_set(json, "stepsPerRun", json_new_int(bench->plan.workload->steps));
	json_set(json, "inFlight", json_new_int(bench->plan.in_flight));
	json_set(json, "complete", json_new_bool(is_complete(bench)));
	json_set(json, "completed", json_new_int(figures->completed));
	json_set(json, "steps", json_new_int(figures->steps));
	json_set(json, "events", json_new_int(figures->events));
	json_set(json, "runsWithGaps", json_new_int(figures->gaps));
	json_set(json, "askedAgain", json_new_int(bench->triggered.refused));
	set_double(json, "seconds", figures->seconds);
	set_double(json, "triggerSeconds", (double)bench->triggered.time / 1e6);
	set_double(json, "stepsPerSecond", per_second(bench, figures->steps));
	set_double(json, "runsPerSecond", per_second(bench, figures->completed));
	json_set(json, "latencyMs", latency_json(figures));
	set_double(json, "commitsPerStep",
		   per_step(bench, bench->after.commits - bench->before.commits));
	set_double(json, "walBytesPerStep",
		   per_step(bench, bench->after.wal_bytes - bench->before.wal_bytes));
	for (enum consumer i = 0; i < CONSUMERS; i++)
		if (!isnan(cpu_per_step(bench, i)))
			set_double(cpu, bench_consumer_name(i), cpu_per_step(bench, i));
	json_set(json, "cpuMicrosecondsPerStep", cpu);
	print_json(json);
	json_unref(&json);
}

static void
print_cpu(const struct bench *bench)
{
	double total = 0;

	printf("cpu per step ");
	for (enum consumer i = 0; i < CONSUMERS; i++) {
		double used = cpu_per_step(bench, i);

		if (isnan(used))
			continue;
		printf("  %s %.1f", bench_consumer_name(i), used);
		total += used;
	}
	printf("  together %.1f us\n", total);
}

static void
print_for_people(const struct bench *bench)
{
	const struct figures *figures = &bench->figures;

	printf("%s: %ld runs of %d step%s, %ld request%s in flight\n\n",
	       bench->plan.workload->name, bench->plan.runs,
	       bench->plan.workload->steps, bench->plan.workload->steps == 1 ? "" : "s",
	       bench->plan.in_flight, bench->plan.in_flight == 1 ? "" : "s");
	printf(
	    "rate           %.0f steps/s  %.0f runs/s  (%.2f s; triggered in %.2f s)\n",
	    per_second(bench, figures->steps), per_second(bench, figures->completed),
	    figures->seconds, (double)bench->triggered.time / 1e6);
	printf("a run          p50 %.2f ms  p99 %.2f ms  min %.2f ms  max %.2f ms\n",
	       figures->p50, figures->p99, figures->low, figures->high);
	printf("postgresql     %.3f commits and %.0f bytes of WAL per step\n",
	       per_step(bench, bench->after.commits - bench->before.commits),
	       per_step(bench, bench->after.wal_bytes - bench->before.wal_bytes));
	print_cpu(bench);
	printf(
	    "%s       %lld of %ld runs completed, %lld steps, %lld events, %lld runs "
	    "with gaps\n",
	    is_complete(bench) ? "complete" : "NOT COMPLETE",
	    (long long)figures->completed, bench->plan.runs, (long long)figures->steps,
	    (long long)figures->events, (long long)figures->gaps);
}

static int
run_bench(struct bench *bench)
{
	int status = register_workflow(bench);

	if (status == CLI_OK)
		status = measure(bench);
	if (status != CLI_OK)
		return status;
	if (args_has(bench->args, "json"))
		print_for_programs(bench);
	else
		print_for_people(bench);
	if (!bench->over)
		return command_fail(bench->command, CLI_TIMEOUT,
				    "not all runs were over in time");
	return is_complete(bench) ? CLI_OK : CLI_FAILED;
}

/* ---- options ---- */

static const struct workload *
find_workload(const struct args *args)
{
	for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
		if (args->words_count == 1 &&
		    strcmp(workloads[i].name, args->words[0]) == 0)
			return &workloads[i];
	return NULL;
}

static int
read_options(struct bench *bench, struct err *err)
{
	const char *timeout = args_value(bench->args, "timeout");

	bench->plan.runs = bench->plan.workload->runs;
	bench->plan.in_flight = bench->plan.workload->one_by_one ? 1 : IN_FLIGHT_PRESET;
	bench->plan.timeout = TIMEOUT_PRESET;
	if (args_count(bench->args, "runs", 1, RUNS_MAX, &bench->plan.runs, err) < 0 ||
	    args_count(bench->args, "in-flight", 1, IN_FLIGHT_MAX,
		       &bench->plan.in_flight, err) < 0)
		return -1;
	if (bench->plan.workload->one_by_one && bench->plan.in_flight != 1)
		return err_set(err, ERR_INPUT,
			       "latency is one run at a time: no --in-flight");
	if (timeout != NULL &&
	    duration_parse(timeout, strlen(timeout), &bench->plan.timeout, err) < 0)
		return err_in(err, "--timeout");
	return 0;
}

static int
open_doors(struct bench *bench)
{
	struct err err = { 0 };
	int status = install_find(&bench->install, bench->command, bench->args);

	if (status != CLI_OK)
		return status;
	bench->server = server_open(bench->command, bench->args, &status);
	if (bench->server == NULL)
		return status;
	if (bench->install.database_url == NULL)
		return command_usage(bench->command,
				     "figures are read from the database: give "
				     "--database-url, or set DATABASE_URL");
	bench->database = database_open(bench->install.database_url, &err);
	if (bench->database == NULL)
		return command_fail(bench->command, CLI_UNREACHABLE, "%s", err.text);
	return CLI_OK;
}

int
cmd_bench(const struct command *command, const struct args *args)
{
	struct bench bench = { .command = command, .args = args };
	struct err err = { 0 };
	int status;

	bench.plan.workload = find_workload(args);
	if (bench.plan.workload == NULL)
		return command_usage(command,
				     "name a workload: seq10, single or latency");
	if (read_options(&bench, &err) < 0)
		return command_usage(command, "%s", err.text);
	status = open_doors(&bench);
	if (status == CLI_OK)
		status = run_bench(&bench);
	database_close(&bench.database);
	server_close(&bench.server);
	install_fini(&bench.install);
	return status;
}
