// The kill test: 20 steps. Each function notes that it ran, and gives a number drawn then.
import { appendFileSync } from "node:fs";

import { createWorkflow } from "stepmill";

const draw = name => () => {
	appendFileSync("effects-mjs", `${name}\n`);
	return Math.floor(Math.random() * 1e9);
};

export default createWorkflow({ name: "twenty-mjs", input: { type: "object" } }, async ctx => {
	const drawn = [];
	for (let i = 0; i < 4; i++) {
		drawn.push(await ctx.run(`draw-${i}`, draw(`draw-${i}`)));
		await ctx.set(`k${i}`, drawn[i]);
		await ctx.shell(`sleep 0.1; echo shell-${i} >>effects-mjs; echo ${drawn[i]}`, { name: `shell-${i}` });
		await ctx.runCli(`agent-${i}`, "scripted", `Say ${i}.`);
		await ctx.sleep(50, { name: `nap-${i}` });
	}
	await ctx.approval("First?", { name: "first" });
	await ctx.comment("approved");
	await ctx.run("last", draw("last"));
	await ctx.approval("Second?", { name: "second" });
	const kept = [];
	for (let i = 0; i < 4; i++)
		kept.push(await ctx.get(`k${i}`));
	await ctx.shell("true", { name: "end" });
	return { drawn, kept };
});
