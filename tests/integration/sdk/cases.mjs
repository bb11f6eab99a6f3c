// The cases of test_sdk_protocol.py in JavaScript: which one, the input says.
import { appendFileSync } from "node:fs";

import { Cancelled, createWorkflow, Divergence, StepFailed, WorkflowContext } from "stepmill";

const ran = what => appendFileSync(process.env.RAN, what + "\n");

const cases = {
	async everything(ctx) {
		await ctx.set("a", { n: 1 });
		const a = await ctx.get("a");
		const one = await ctx.run("one", () => { ran("one"); return { got: a.n }; });
		const outer = await ctx.run("outer", async () => {
			const inner = await ctx.run("inner", () => { ran("inner"); return 2; });
			await ctx.comment("inside", { n: inner });
			return inner;
		});
		const shell = await ctx.shell("echo hi", { env: { A: "b" }, timeout: 5000 });
		await ctx.git.commit("changed", { all: true }, { name: "save" });
		await ctx.files.write("a.txt", "text");
		await ctx.files.copy("a.txt", "b.txt");
		await ctx.tool("json.pick", { from: {}, keys: [] }, { retry: { maxAttempts: 2 } });
		const plan = await ctx.runCli("plan", "claude", "Plan it.", { model: "m" });
		await ctx.sleep(1000);
		const event = await ctx.waitForEvent("paid", { when: "event.data.n == 1", timeout: 60000 });
		const approval = await ctx.approval("Really?", { name: "gate" });
		const child = await ctx.workflow("other", { x: 1 });
		await ctx.commentExecution("outside");
		await ctx.artifact("a.txt", { type: "DOCUMENT" });
		const had = await ctx.has("a");
		await ctx.delete("a");
		const has = await ctx.has("a");
		const missing = await ctx.get("missing", "none");
		ctx.log.warn("said", { n: 1 });
		return { one, outer, shell, plan, event, approval, child, had, has, missing,
			ids: [ctx.executionId, ctx.projectId, ctx.projectPath],
			is: ctx instanceof WorkflowContext, cancelled: ctx.cancelled };
	},

	async tries(ctx) {
		return ctx.retry("shaky", ({ attempt = 0 } = {}) => {
			ran("shaky");
			if (attempt < 3)
				throw Object.assign(new Error("not yet"), { code: "early" });
			return "at last";
		}, { maxAttempts: 3, delay: 1 });
	},

	async failing(ctx) {
		try {
			await ctx.run("bad", () => { throw Object.assign(new Error("broken"), { code: "mine" }); });
		} catch (error) {
			if (!(error instanceof StepFailed))
				throw error;
			await ctx.set("caught", [error.code, error.message, error.step]);
		}
		await ctx.shell("exit 3");
	},

	async trouble(ctx) {
		try {
			await ctx.shell("true");
		} catch (error) {
			if (error instanceof Divergence || error instanceof Cancelled)
				ran(error.name);
			throw error;
		}
	},

	async stopped(ctx) {
		try {
			await ctx.run("before", () => 1);
			await ctx.sleep(1000);
			ran("woken");
		} finally {
			ran("after");
		}
		return "end";
	},

	async held(ctx) {
		await ctx.run("holds", ({ signal } = ctx) => new Promise(resolve => {
			const stop = () => { ran("aborted"); resolve(); };
			if (signal.aborted)
				stop();
			signal.addEventListener("abort", stop);
		}));
		return { cancelled: ctx.cancelled };
	},

	async many(ctx) {
		const all = await Promise.all(Array.from({ length: 500 }, (_, i) =>
			ctx.run(`step-${i}`, () => i)));
		return all.reduce((sum, n) => sum + n, 0);
	},

	async large(ctx) {
		await ctx.run("large", () => "x".repeat(5 << 20));
	},

	async nothing() {},
};

export default createWorkflow({ name: "cases", input: { type: "object" } },
	ctx => cases[ctx.input.case](ctx));
