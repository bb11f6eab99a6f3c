// WorkflowContext: the calls of a workflow, each a message to the engine. Which step a call
// stands in is known from the asynchronous context it is made in.
import { AsyncLocalStorage } from "node:async_hooks";

import { Cancelled, describe, Divergence, StepFailed } from "./errors.js";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

// Tools as methods, and which of their arguments may be given as texts in front.
const FAMILIES = {
	git: {
		ensureBranch: ["name", "base"], getCurrentBranch: [], getCurrentCommit: [], status: [],
		stageAll: [], commit: ["message"], push: ["remote", "branch"],
		createPr: ["title", "body"], log: ["range"], diff: ["range"],
	},
	files: {
		read: ["path"], write: ["path", "content"], exists: ["path"], delete: ["path"],
		list: ["path"], copy: ["from", "to"],
	},
};
const STEP_OPTIONS = ["name", "timeout", "retry"];

const inStep = new AsyncLocalStorage(); // the number of the step whose function runs
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

function only(options, keys) {
	return Object.fromEntries(Object.entries(options).filter(([key]) => keys.includes(key)));
}

function without(options, keys) {
	return Object.fromEntries(Object.entries(options).filter(([key]) => !keys.includes(key)));
}

function expectText(what, value) {
	if (typeof value !== "string" || value === "")
		throw new TypeError(`${what}: expected a text, got ${JSON.stringify(value) ?? typeof value}`);
}

/** What a step gives is what its record gives: the value as JSON has it. */
function asRecorded(value) {
	return value === undefined ? null : JSON.parse(JSON.stringify(value) ?? "null");
}

export class WorkflowContext {
	#channel;
	#state;

	constructor(channel, told, state) {
		this.#channel = channel;
		this.#state = state;
		this.executionId = told.executionId;
		this.runId = told.runId;
		this.projectId = told.projectId;
		this.projectPath = told.projectPath;
		this.input = told.input ?? {};
		this.attempt = told.attempt;
		for (const [family, tools] of Object.entries(FAMILIES))
			this[family] = this.#family(family, tools);
		this.log = Object.fromEntries(LEVELS.map(level => [level,
			(message, fields) => this.#log(level, message, fields)]));
	}

	get cancelled() {
		return this.#state.cancelled;
	}

	get signal() {
		return this.#state.controller.signal;
	}

	// ---- steps ----

	async run(name, fn, options = {}) {
		expectText("run: name", name);
		if (typeof fn !== "function")
			throw new TypeError(`run "${name}": expected a function`);
		const begun = await this.#ask("step.begin", { name, retry: options.retry });
		if (!begun.done)
			return this.#carryOut(begun.step, begun.attempt, fn);
		if (begun.error)
			throw new StepFailed(begun.step, begun.error);
		return begun.output;
	}

	retry(name, fn, options = {}) {
		return this.run(name, fn, { retry: options });
	}

	async #carryOut(step, attempt, fn) {
		for (;;) {
			let failure;
			try {
				const signal = this.signal;
				const output = asRecorded(
					await inStep.run(step, fn, { step, attempt, signal }));
				await this.#channel.request("step.end", { step, output });
				return output;
			} catch (thrown) {
				if (thrown instanceof Divergence || thrown instanceof Cancelled)
					throw thrown; // says nothing about this step
				failure = thrown;
			}
			const { again } = await this.#channel.request("step.end", {
				step, error: describe(failure) });
			if (!again)
				throw Object.assign(new StepFailed(step, describe(failure)),
					{ cause: failure });
			attempt = again.attempt;
			await pause(again.delay);
		}
	}

	async call(action, fields, options = {}) {
		return (await this.#ask("call", {
			action, fields, ...only(options, STEP_OPTIONS) })).output;
	}

	runCli(name, agent, prompt, options = {}) {
		expectText("runCli: name", name);
		expectText("runCli: agent", agent);
		return this.call("agent", {
			...without(options, STEP_OPTIONS), cli: agent, prompt,
		}, { ...options, name });
	}

	tool(name, args = {}, options = {}) {
		expectText("tool: name", name);
		return this.call("tool", { tool: name, args }, options);
	}

	shell(command, options = {}) {
		return this.tool("shell", { command, ...without(options, STEP_OPTIONS) }, options);
	}

	#family(family, tools) {
		return Object.fromEntries(Object.entries(tools).map(([tool, places]) => [tool,
			(...given) => {
				const args = {};
				for (const place of places) {
					if (typeof given[0] !== "string")
						break;
					args[place] = given.shift();
				}
				const [more = {}, options = {}] = given;
				if (typeof more !== "object" || given.length > 2)
					throw new TypeError(`${family}.${tool}: expected `
						+ [...places, "{...}", "options"].join(", "));
				return this.tool(`${family}.${tool}`, { ...args, ...more }, options);
			}]));
	}

	// ---- waiting ----

	async #wait(action, fields, options) {
		return (await this.#ask("wait", {
			action, fields, ...only(options, ["name", "timeout"]) })).output;
	}

	async sleep(time, options = {}) {
		await this.#wait("wait", time instanceof Date ? { until: time.toISOString() }
			: { for: time }, options);
	}

	waitForEvent(type, options = {}) {
		expectText("waitForEvent: type", type);
		return this.#wait("wait", { event: type, when: options.when }, options);
	}

	approval(prompt, options = {}) {
		expectText("approval: prompt", prompt);
		return this.#wait("approval", { prompt, onTimeout: options.onTimeout }, options);
	}

	workflow(name, input = {}, options = {}) {
		expectText("workflow: name", name);
		return this.#wait("workflow", { workflow: name, input, wait: options.wait }, options);
	}

	// ---- what is kept ----

	async set(key, value) {
		await this.#ask("state.set", { key, value: value === undefined ? null : value });
	}

	async get(key, fallback) {
		const { value, found } = await this.#ask("state.get", { key });
		return found ? value : fallback;
	}

	async has(key) {
		return (await this.#ask("state.has", { key })).found;
	}

	async delete(key) {
		await this.#ask("state.delete", { key });
	}

	comment(message, metadata) {
		return this.#ask("comment", { message, metadata, scope: "step" });
	}

	commentExecution(message, metadata) {
		return this.#ask("comment", { message, metadata, scope: "execution" });
	}

	artifact(path, options = {}) {
		return this.#ask("artifact", { path, ...options });
	}

	#log(level, message, fields) {
		this.#channel.notify("log", { level, message: String(message), fields });
		if (process.stderr.isTTY)
			process.stderr.write(`${level} ${message}\n`);
	}

	#ask(method, params) {
		return this.#channel.request(method, { ...params, parent: inStep.getStore() });
	}
}
