// test_sdk.py: what does not go straight, each a case of the input.
import { existsSync, writeFileSync } from "node:fs";

import { createWorkflow } from "stepmill";

const cases = {
	retry: ctx => ctx.retry("shaky", ({ attempt }) => {
		if (attempt < 3)
			throw Object.assign(new Error("not yet"), { code: "early" });
		return attempt;
	}, { maxAttempts: 3, delay: 10, jitter: false }),

	async diverge(ctx) { // decides by a file, which is not recorded
		await ctx.run(existsSync("flip-mjs") ? "other" : "first", () => 1);
		writeFileSync("flip-mjs", "");
		await ctx.sleep(20);
	},

	held: ctx => ctx.run("holds", ({ signal }) => new Promise(resolve =>
		signal.addEventListener("abort", () => {
			writeFileSync("aborted-mjs", String(ctx.cancelled));
			resolve();
		}))),

	async many(ctx) {
		const all = await Promise.all(Array.from({ length: 40 }, (_, i) =>
			ctx.run(`branch-${i}`, async () => {
				await ctx.set(`b${i}`, i);
				return ctx.shell(`echo ${i}`, { name: `echo-${i}` });
			})));
		await ctx.sleep(20);
		return all.map(({ stdout }) => Number(stdout));
	},

	async event(ctx) {
		const [event, none] = await Promise.all([
			ctx.waitForEvent("paid", { when: "event.data.n == 2", timeout: 20000, name: "paid" }),
			ctx.waitForEvent("never", { timeout: 100, name: "never" }).catch(error => error.code),
		]);
		return { data: event.data, none };
	},

	async caught(ctx) {
		try {
			await ctx.shell("echo words >&2; exit 3", { name: "fails" });
		} catch ({ name, code, error, step }) {
			await ctx.sleep(20);
			return { name, code, exitCode: error.exitCode, step };
		}
	},

	thrown() {
		throw Object.assign(new Error("of my own"), { code: "mine" });
	},
};

export default createWorkflow({ name: "odd-mjs" }, ctx => cases[ctx.input.case](ctx));
