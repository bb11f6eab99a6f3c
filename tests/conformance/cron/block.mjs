// One block of cases: drawn from the seed and the block's number, answered by the driver,
// judged. Runs as a worker thread; what comes out does not depend on which one.
import { spawnSync } from "node:child_process";
import { parentPort, workerData } from "node:worker_threads";
import * as away from "./away.mjs";
import * as edges from "./edges.mjs";
import { randomOf } from "./patterns.mjs";
import { COUNT } from "./references.mjs";
import * as texts from "./texts.mjs";

const PARTS = { texts, away, edges };

function read(line) {
	if (line.startsWith("refused "))
		return { refused: line.slice(8) };
	const gaps = new Set();
	const [next, previous] = line.split("|").map((part) => part.split(" ").filter((word) => word)
		.map((word) => {
			if (word.endsWith("g"))
				gaps.add(parseInt(word, 10));
			return parseInt(word, 10);
		}));
	return { next, previous, gaps };
}

function answers(cases) {
	const done = spawnSync(workerData.driver, { encoding: "utf8", maxBuffer: 1 << 28, input: cases
		.map(({ text, zone, second }) => `${text}\t${zone}\t${second}\t${COUNT}\n`).join("") });
	if (done.status !== 0)
		throw new Error(`the driver ended with ${done.status}: ${done.stderr}`);
	return done.stdout.trimEnd().split("\n").map(read);
}

// A number that has the seed, the part and the block in all its bits.
function mixed(seed, part, block) {
	let mix = seed >>> 0;
	for (const value of [Object.keys(PARTS).indexOf(part) + 1, block + 1])
		mix = Math.imul(mix ^ value ^ (mix >>> 15), 0x9e3779b1) >>> 0;
	return mix;
}

function run({ part, block, size }) {
	const random = randomOf(mixed(workerData.seed, part, block));
	const cases = Array.from({ length: size }, (_, i) => PARTS[part].draw(random, i));
	const tally = {}, failures = [];
	for (const [i, ours] of answers(cases).entries()) {
		const verdict = PARTS[part].judge(cases[i], ours);
		const [kind, words = "differences"] = Object.entries(verdict)[0];
		const key = kind === "failed" ? "failed" : `${kind}: ${words}`;
		tally[key] = (tally[key] ?? 0) + 1;
		if (kind === "failed")
			failures.push({ ...cases[i], answers: { ours, ...verdict.failed } });
	}
	return { part, block, tally, failures };
}

parentPort.on("message", (block) => parentPort.postMessage(run(block)));
