/*
 * How each language is run. The source is the body of a function with input, steps,
 * state, run, step and trigger in scope; what it prints goes to the step's log, what it
 * returns is the output. Line numbers in messages are those of the source.
 */
#include "actions/code_runners.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
static const char javascript[] =
"\"use strict\";\n"
"const fs = require(\"fs\"), path = require(\"path\"), vm = require(\"vm\");\n"
"const { createRequire, isBuiltin } = require(\"module\");\n"
"const { pathToFileURL } = require(\"url\");\n"
"const read = (name) => fs.readFileSync(path.join(__dirname, name), \"utf8\");\n"
"const context = JSON.parse(read(\"context.json\"));\n"
"const file = path.join(process.cwd(), context.step.id + \".js\");\n"
"const near = createRequire(file);\n"
"const find = (name) => {\n"
"	if (isBuiltin(name) || /^[a-z]+:/.test(name))\n"
"		return name;\n"
"	return pathToFileURL(near.resolve(name)).href;\n"
"};\n"
"const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ??\n"
"	((name) => import(find(name)));\n"
"const send = (text) => {\n"
"	const data = Buffer.from(text), fd = Number(process.env.STEPMILL_FD);\n"
"	for (let at = 0; at < data.length;) {\n"
"		try {\n"
"			at += fs.writeSync(fd, data, at);\n"
"		} catch (error) {\n"
"			if (error.code !== \"EAGAIN\")\n"
"				throw error;\n"
"		}\n"
"	}\n"
"};\n"
"const opening = \"return (async () => {\";\n"
"const main = async () => {\n"
"	const values = { ...context, require: near };\n"
"	const body = vm.compileFunction(opening + read(\"source\") + \"\\n})()\",\n"
"		Object.keys(values), {\n"
"			filename: file,\n"
"			columnOffset: -opening.length,\n"
"			importModuleDynamically: loader,\n"
"		});\n"
"	const value = await body(...Object.values(values));\n"
"	const text = JSON.stringify(value === undefined ? null : value);\n"
"	if (text === undefined)\n"
"		throw new TypeError(\"a \" + typeof value + \" was returned, which JSON\" +\n"
"			\" has no form for\");\n"
"	send(text);\n"
"};\n"
"main().then(() => process.exit(), (error) => {\n"
"	const lines = String(error?.message).split(\"\\n\");\n"
"	console.error(error?.stack ?? error);\n"
"	if (lines.length > 1)\n"
"		console.error(error.name + \": \" + lines[0]);\n"
"	process.exit(1);\n"
"});\n";

static const char python[] =
"import ast, json, linecache, os, sys, traceback\n"
"here = os.path.dirname(os.path.abspath(__file__))\n"
"sys.path[0] = os.getcwd()\n"
"def read(name):\n"
"	with open(os.path.join(here, name), encoding='utf-8') as file:\n"
"		return file.read()\n"
"context = json.loads(read('context.json'))\n"
"source = read('source')\n"
"name = context['step']['id'] + '.py'\n"
"linecache.cache[name] = (len(source), None, source.splitlines(True), name)\n"
"waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)\n"
"def build():\n"
"	body = ast.parse(source, name)\n"
"	later = any(isinstance(node, waits) for node in ast.walk(body))\n"
"	text = ('async ' if later else '') + 'def source(%s): pass' % ', '.join(context)\n"
"	module = ast.parse(text)\n"
"	module.body[0].body = body.body or module.body[0].body\n"
"	values = {'__name__': '__main__', '__file__': name}\n"
"	exec(compile(module, name, 'exec'), values)\n"
"	return values['source'], later\n"
"def run():\n"
"	function, later = build()\n"
"	if not later:\n"
"		return function(**context)\n"
"	import asyncio\n"
"	return asyncio.run(function(**context))\n"
"def end(status):\n"
"	sys.stdout.flush()\n"
"	sys.stderr.flush()\n"
"	os._exit(status)\n"
"try:\n"
"	data = json.dumps(run(), allow_nan=False).encode()\n"
"	fd = int(os.environ['STEPMILL_FD'])\n"
"	while data:\n"
"		data = data[os.write(fd, data):]\n"
"	end(0)\n"
"except SystemExit:\n"
"	raise\n"
"except BaseException as error:\n"
"	trace = error.__traceback__\n"
"	while trace is not None and trace.tb_frame.f_code.co_filename != name:\n"
"		trace = trace.tb_next\n"
"	traceback.print_exception(type(error), error, trace)\n"
"	end(1)\n";
/* clang-format on */

static const struct code_runner runners[] = {
	{ "javascript", "node", "runner.cjs", javascript, "source" },
	{ "python", "python3", "runner.py", python, "source" },
	{ "shell", "/bin/sh", NULL, NULL, "source" },
};

const struct code_runner *
code_runner_find(const char *language)
{
	for (size_t i = 0; i < sizeof runners / sizeof runners[0]; i++)
		if (strcmp(runners[i].language, language) == 0)
			return &runners[i];
	return NULL;
}
