// Draws the cases in blocks, hands them to worker threads (block.mjs), adds up, and prints how
// many cases count and every difference with all answers. Run by ./run.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const BLOCK = 250;
const SHOWN = 20;
const TITLES = {
	texts: "good and spoiled texts, against croner",
	away: "anywhere and at any time, against croner and cron-parser",
	edges: "around the edges of zones, against the written rule over Temporal's zones",
};

const { values } = parseArgs({ options: {
	driver: { type: "string" },
	cases: { type: "string", default: "2000" },
	seed: { type: "string", default: "20240331" },
	jobs: { type: "string", default: String(availableParallelism()) },
	least: { type: "string", default: "0" },
	part: { type: "string" },
} });

// Of --cases drawn for the libraries, a third as many for each other part.
function blocks(cases) {
	const sizes = { texts: Math.ceil(cases / 3), away: cases, edges: Math.ceil(cases / 3) };
	return Object.entries(sizes).filter(([part]) => (values.part ?? part) === part).flatMap(([part, size]) =>
		Array.from({ length: Math.ceil(size / BLOCK) }, (_, block) => (
			{ part, block, size: Math.min(BLOCK, size - block * BLOCK) })));
}

function work(queue, onDone) {
	const worker = new Worker(new URL("block.mjs", import.meta.url),
		{ workerData: { driver: values.driver, seed: Number(values.seed) } });
	return new Promise((resolve, reject) => {
		const next = () => {
			const block = queue.shift();
			if (block !== undefined)
				return worker.postMessage(block);
			worker.terminate();
			resolve();
		};
		worker.on("error", reject);
		worker.on("message", (result) => {
			onDone(result);
			next();
		});
		next();
	});
}

const instant = (second) => new Date(second * 1000).toISOString().replace(".000Z", "Z");

function shown(answer) {
	if (answer.refused)
		return `refused: ${answer.refused}`;
	if (answer.next === undefined)
		return String(answer);
	const all = (list) => list.map((it) => instant(it) + (answer.gaps?.has(it) ? " after the gap" : ""))
		.join(", ") || "never";
	return `next ${all(answer.next)}; previous ${all(answer.previous)}`;
}

function showFailure({ text, meant, zone, second, answers }) {
	console.log(`  ${text}${meant !== undefined && meant !== text ? ` = ${meant}` : ""} | ${zone} | ${instant(second)}`);
	for (const [who, answer] of Object.entries(answers))
		console.log(`    ${who.padEnd(12)} ${shown(answer)}`);
}

function report(part, results) {
	const tally = {}, sum = (kind) => Object.entries(tally)
		.reduce((all, [key, count]) => all + (key.startsWith(kind) ? count : 0), 0);
	for (const result of results)
		for (const [key, count] of Object.entries(result.tally))
			tally[key] = (tally[key] ?? 0) + count;
	const failed = tally.failed ?? 0, counted = sum("counts") + failed;
	console.log(`${TITLES[part]}:\n  ${sum("")} cases, ${counted} count, ${failed} differences`);
	for (const [key, count] of Object.entries(tally).sort())
		if (key !== "failed")
			console.log(`  ${String(count).padStart(8)} ${key}`);
	results.flatMap(({ failures }) => failures).slice(0, SHOWN).forEach(showFailure);
	return { drawn: sum(""), counted, failed };
}

const queue = blocks(Number(values.cases)), results = [];
await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) },
	() => work(queue, (result) => results.push(result))));
results.sort((a, b) => a.block - b.block);
let status = 0;
if (results.length === 0) {
	console.log(`there is nothing to compare: parts are ${Object.keys(TITLES).join(", ")}`);
	status = 1;
}
for (const part of Object.keys(TITLES).filter((it) => results.some(({ part }) => part === it))) {
	const { drawn, counted, failed } = report(part, results.filter((it) => it.part === part));
	if (failed > 0)
		status = 1;
	if (counted * 2 < drawn || (part === "away" && counted < Number(values.least))) {
		console.log("  too few count for the test to mean anything");
		status = 1;
	}
}
console.log(`seed ${values.seed}, zones of Node ${process.versions.tz}`);
process.exit(status);
