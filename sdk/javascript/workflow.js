// createWorkflow: checks what a workflow says of itself, and starts it when the file that
// defines it has been loaded.
import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { Channel, leave } from "./channel.js";
import { WorkflowContext } from "./context.js";
import { describe } from "./errors.js";

const TIMEOUT = 3600000;
const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;
const KEYS = ["name", "description", "timeout", "input", "trigger", "concurrency", "priority",
	"queue", "onInterrupt"];
const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);

function check(config) {
	const wrong = message => { throw new TypeError(`createWorkflow: ${message}`); };
	if (!isObject(config))
		wrong("expected an object with the workflow's name");
	for (const key of Object.keys(config))
		if (!KEYS.includes(key))
			wrong(`unknown key "${key}"; known are ${KEYS.join(", ")}`);
	if (config.name === undefined)
		wrong("name is required");
	if (typeof config.name !== "string" || !NAME.test(config.name))
		wrong(`name: ${JSON.stringify(config.name)} is none: small letters, digits, ".", "_", `
			+ `"-", at most 100, a letter or digit first`);
	if (config.description !== undefined && typeof config.description !== "string")
		wrong("description: expected a text");
	if (config.timeout !== undefined && !(Number.isInteger(config.timeout) && config.timeout > 0))
		wrong("timeout: expected a whole number of milliseconds above 0");
	if (config.input !== undefined && !isObject(config.input))
		wrong("input: expected a JSON Schema, an object");
}

let definitions = [];

/** A workflow: {config, main}. See index.d.ts. */
export function createWorkflow(config, main) {
	check(config);
	if (typeof main !== "function")
		throw new TypeError("createWorkflow: expected a function (ctx) => ... after the configuration");
	const definition = Object.freeze({
		config: Object.freeze({ timeout: TIMEOUT, ...config }), main });
	definitions.push(definition);
	if (definitions.length === 1)
		setImmediate(start);
	return definition;
}

/** Which one the program is: what the started file exports by default, or the only one. */
async function chosen(url) {
	const { default: exported } = await import(url);
	if (definitions.includes(exported))
		return exported;
	if (definitions.length === 1)
		return definitions[0];
	throw new TypeError(`${definitions.length} workflows are defined; export one by default`);
}

async function start() {
	const fd = process.env.STEPMILL_FD;
	const file = process.argv[1];
	if (!/^\d+$/.test(fd ?? "") || file === undefined)
		return; // loaded for something else, such as a test of its parts
	const definition = await chosen(pathToFileURL(realpathSync(file)).href);
	const state = { cancelled: false, controller: new AbortController() };
	const channel = new Channel(Number(fd), {
		suspend: () => leave(0),
		cancel: ({ reason }) => {
			state.cancelled = true;
			state.controller.abort(new Error(reason ?? "cancelled"));
		},
	});
	const told = await channel.request("hello", {
		protocol: 1, sdk: "javascript 1.0", workflow: definition.config });
	if (told.mode === "describe")
		leave(0);
	await finish(channel, definition, new WorkflowContext(channel, told, state));
	leave(0);
}

async function finish(channel, definition, context) {
	try {
		const output = await definition.main(context);
		await channel.request("done", { output: output === undefined ? null : output });
	} catch (thrown) {
		await channel.request("fail", { error: describe(thrown) });
	}
}
