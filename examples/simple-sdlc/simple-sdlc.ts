// simple-sdlc.yaml as a program: the same steps under the same names.
import { createWorkflow, type WorkflowContext } from "stepmill";

interface Input {
	featureName: string;
	specPath: string;
	base?: string;
}

interface Result {
	branch: string;
	commit: string;
	pullRequest: string;
}

const REPORT = ".agent/reports/tests.txt";

async function testReport(ctx: WorkflowContext<Input>): Promise<boolean> {
	const { stdout } = await ctx.shell(
		`mkdir -p .agent/reports
		python3 -m unittest discover -v -t . -s tests >${REPORT} 2>&1
		echo $?`, { name: "unittest" });
	await ctx.artifact(REPORT, {
		name: "test-report.txt", type: "TEST_REPORT", mimeType: "text/plain" });
	return stdout === "0\n";
}

export default createWorkflow<Input, Result>({
	name: "simple-sdlc-ts",
	description: "From a specification to a pull request, as a program",
	timeout: 2 * 60 * 60 * 1000,
	input: {
		type: "object",
		required: ["featureName", "specPath"],
		properties: {
			featureName: { type: "string", pattern: "^[a-z0-9][a-z0-9-]*$" },
			specPath: { type: "string" },
			base: { type: "string" },
		},
		additionalProperties: false,
	},
}, async ctx => {
	const { featureName, specPath, base = "main" } = ctx.input;

	const spec = await ctx.run("load-spec", async () =>
		(await ctx.files.read(specPath)).content);

	const { branch } = await ctx.git.ensureBranch(`feature/${featureName}`, base, {},
		{ name: "setup-branch" });

	if (!await ctx.has("plan")) {
		const plan = await ctx.runCli("generate-plan", "claude",
			`Plan the feature "${featureName}" of this repository, as a numbered list. `
			+ `Change nothing.\n\n${spec}`,
			{ permissions: "plan", timeout: "15m" });
		await ctx.set("plan", plan.text);
	}
	const plan = await ctx.get<string>("plan");
	await ctx.commentExecution(`The plan:\n${plan}`);

	const done = await ctx.runCli("implement", "codex",
		`Implement the feature "${featureName}", with tests, by this plan:\n\n${plan}\n\n`
		+ `The specification:\n\n${spec}`,
		{ permissions: "edit", timeout: "1h" });

	const passed = await ctx.run("run-tests", () => testReport(ctx));
	if (!passed)
		throw new Error(`the tests failed, see ${REPORT}`);

	await ctx.git.stageAll();
	const { sha } = await ctx.git.commit(`Add ${featureName}`);
	await ctx.git.push();
	const { url, number } = await ctx.git.createPr({
		title: `Add ${featureName}`,
		base,
		body: `The plan:\n\n${plan}\n\nThe tests passed; the report is an artifact of run `
			+ `${ctx.runId}.`,
	}, { name: "create-pr" });
	await ctx.commentExecution(`${done.text} Pull request ${number}: ${url}`);
	return { branch, commit: sha, pullRequest: url };
});
