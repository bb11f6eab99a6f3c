// Compares the driver with croner over random cases. Run by ./run.
//
// croner is asked with fixedTimeRule "no-wildcard", which is our rule for daylight saving
// but for what is named here. A difference without a reason fails the test.
import { spawnSync } from "node:child_process";
import { Cron } from "croner";
import { pattern, place, randomOf, spoiled } from "./patterns.mjs";

const [driver, cases = "6000", seed = "20240331"] = process.argv.slice(2);
const COUNT = 4;
const DAY = 86400;

function reference({ text, zone, second }) {
	let cron;
	try {
		cron = new Cron(text, { timezone: zone, fixedTimeRule: "no-wildcard", paused: true });
	} catch (error) {
		return { refused: error.message };
	}
	const seconds = (list) => list.map((date) => date.getTime() / 1000);
	const from = new Date(second * 1000);
	return { next: seconds(cron.nextRuns(COUNT, from)),
		previous: seconds(cron.previousRuns(COUNT, from)) };
}

function read(line) {
	if (line.startsWith("refused "))
		return { refused: line.slice(8) };
	const [next, previous] = line.split("|").map(
		(part) => part.trim().split(" ").filter((word) => word).map(Number));
	return { next, previous };
}

function fields(text) {
	const all = text.trim().split(/\s+/);
	return all.length === 5 ? ["0", ...all] : all;
}

function offset(zone, second) {
	const parts = Object.fromEntries(new Intl.DateTimeFormat("en-US", {
		timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
		hour: "numeric", minute: "numeric", second: "numeric",
	}).formatToParts(second * 1000).map(({ type, value }) => [type, Number(value)]));
	return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute,
		parts.second) / 1000 - second;
}

// Where they part, forwards and backwards: our instant and theirs, each may lack.
function partings(ours, theirs) {
	return [[ours.next, theirs.next], [ours.previous, theirs.previous]].flatMap(
		([a, b]) => {
			const at = Array.from({ length: COUNT }, (_, i) => i)
				.find((i) => a[i] !== b[i]);
			return at === undefined ? [] : [{ ours: a[at], theirs: b[at] }];
		});
}

function nearJump(zone, second) {
	return second !== undefined && offset(zone, second + DAY) !== offset(zone, second - DAY);
}

// The first instant after a gap that reaches midnight, or the next one.
function beginsDayAfterGap(zone, second) {
	return second !== undefined && (second + offset(zone, second)) % DAY === 0 &&
		offset(zone, second) > offset(zone, second - 1);
}

const wild = (field) => /[*\/?]/.test(field);

// Why ours may fire at other times.
const DIFFERENCES = [
	["a gap that reaches midnight: a fixed time in it fires when the next day begins; for croner it is lost",
		({ text, zone }, ours, theirs) => {
			const [, minute, hour] = fields(text);
			return (text.startsWith("@") || (!wild(minute) && !wild(hour))) &&
				partings(ours, theirs).every((it) => beginsDayAfterGap(zone, it.ours));
		}],
	["a wildcard in the second alone leaves the time of day fixed; for croner it is an interval",
		({ text, zone }, ours, theirs) => {
			const [second, minute, hour] = fields(text);
			return wild(second) && !wild(minute) && !wild(hour) &&
				partings(ours, theirs).every((it) => nearJump(zone, it.ours) ||
					nearJump(zone, it.theirs));
		}],
];

// Why ours may take or refuse other texts.
const TEXTS = [
	["? in another field than the days: an error by OCPS 1.4",
		({ text }, ours) => /\? stands for days only/.test(ours.refused)],
	["a schedule as people say it (\"daily\")",
		({ text }, ours) => !ours.refused && /^[a-z]/i.test(text)],
	["LW in a list, or beside W: taken", ({ text }, ours) => !ours.refused && /LW/i.test(text)],
];

function same(ours, theirs) {
	return JSON.stringify(ours) === JSON.stringify(theirs);
}

const random = randomOf(Number(seed));
const tests = Array.from({ length: Number(cases) }, (_, i) => ({
	text: (i % 4 === 3 ? spoiled : pattern)(random), ...place(random) }));
const done = spawnSync(driver, { encoding: "utf8", maxBuffer: 1 << 28,
	input: tests.map((test) => `${test.text}\t${test.zone}\t${test.second}\t${COUNT}\n`).join("") });
if (done.status !== 0) {
	console.error(done.stderr);
	process.exit(2);
}
const answers = done.stdout.trimEnd().split("\n").map(read);
const counts = new Map();
let agreed = 0, refused = 0, failed = 0;
for (const [i, test] of tests.entries()) {
	const ours = answers[i], theirs = reference(test);
	if (ours.refused && theirs.refused) {
		refused++;
		continue;
	}
	if (!ours.refused && !theirs.refused && same(ours, theirs)) {
		agreed++;
		continue;
	}
	const reasons = ours.refused || theirs.refused ? TEXTS : DIFFERENCES;
	const reason = reasons.find(([, holds]) => holds(test, ours, theirs));
	if (reason) {
		counts.set(reason[0], (counts.get(reason[0]) ?? 0) + 1);
	} else if (failed++ < 20) {
		console.log(`${test.text} | ${test.zone} | ${new Date(test.second * 1000).toISOString()}`);
		console.log(`  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`);
	}
}
console.log(`${tests.length} cases: ${agreed} fire alike, ${refused} are refused by both`);
for (const [reason, count] of counts)
	console.log(`  ${count} differ: ${reason}`);
if (failed > 0)
	console.log(`  ${failed} differ for no known reason`);
process.exit(failed > 0 ? 1 : 0);
