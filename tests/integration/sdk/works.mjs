// test_sdk.py: state, duplicate names, files, git, waiting, comments, artifacts.
import { createWorkflow } from "stepmill";

export default createWorkflow({
	name: "works-mjs", description: "A bit of all.",
	input: { type: "object", required: ["text"], properties: { text: { type: "string" } } },
}, async ctx => {
	await ctx.set("n", 1);
	const twice = [await ctx.run("twice", () => 1), await ctx.run("twice", () => 2)];
	const inner = await ctx.run("outer", async () => {
		await ctx.comment("inside");
		return ctx.run("inner", () => "in");
	});
	await ctx.git.ensureBranch("feature/mjs");
	await ctx.files.write("mjs.txt", ctx.input.text);
	const { content } = await ctx.files.read("mjs.txt");
	await ctx.git.stageAll();
	const { sha } = await ctx.git.commit("of mjs", {}, { name: "save" });
	const { by } = await ctx.approval("Go on?");
	await ctx.sleep(20);
	await ctx.set("n", await ctx.get("n") + 1);
	await ctx.commentExecution("outside", { by });
	await ctx.artifact("mjs.txt", { name: "kept.txt", type: "DOCUMENT" });
	ctx.log.warn("said by mjs");
	return { twice, inner, content, sha, by, n: await ctx.get("n"), has: await ctx.has("none"),
		run: ctx.executionId, folder: ctx.projectPath };
});
