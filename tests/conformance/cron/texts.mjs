// Good and spoiled texts against croner alone: what is refused, and what happens around known
// edges. croner is asked with fixedTimeRule "no-wildcard", which is our rule for daylight
// saving but for what is named here. A difference without a reason is a failure.
import { pattern, pick, spoiled } from "./patterns.mjs";
import { COUNT, askCroner } from "./references.mjs";
import { DAY } from "./rule.mjs";
import { intlOffset } from "./zones.mjs";

// Zones with an instant near which the wall jumps: an hour, half an hour, midnight, a
// day, and by law.
const EDGES = [
	["UTC", "2024-02-28T12:00:00Z"],
	["Europe/Berlin", "2024-03-31T01:00:00Z"], ["Europe/Berlin", "2024-10-27T01:00:00Z"],
	["Europe/London", "2025-03-30T01:00:00Z"], ["Europe/London", "2025-10-26T01:00:00Z"],
	["America/New_York", "2024-03-10T07:00:00Z"], ["America/New_York", "2024-11-03T06:00:00Z"],
	["America/St_Johns", "2010-03-14T03:31:00Z"], ["America/St_Johns", "2010-11-07T02:31:00Z"],
	["Australia/Lord_Howe", "2024-10-05T15:30:00Z"], ["Australia/Lord_Howe", "2024-04-06T15:00:00Z"],
	["Asia/Beirut", "2022-03-26T22:00:00Z"], ["Asia/Beirut", "2022-10-29T21:00:00Z"],
	["America/Havana", "2022-03-13T05:00:00Z"], ["America/Havana", "2022-11-06T05:00:00Z"],
	["America/Sao_Paulo", "2018-11-04T03:00:00Z"], ["America/Sao_Paulo", "2018-02-18T02:00:00Z"],
	["Asia/Pyongyang", "2015-08-14T15:00:00Z"], ["Asia/Pyongyang", "2018-05-04T15:00:00Z"],
	["America/Caracas", "2016-05-01T07:00:00Z"], ["Asia/Kathmandu", "2024-01-01T00:00:00Z"],
	["Pacific/Apia", "2011-12-30T10:00:00Z"], ["Pacific/Kwajalein", "1993-08-21T12:00:00Z"],
	["Asia/Tokyo", "2030-01-01T00:00:00Z"], ["Pacific/Chatham", "2024-09-28T14:00:00Z"],
];

function place(random) {
	const [zone, edge] = pick(random, EDGES);
	const around = random(3) > 0;
	const second = around
		? Date.parse(edge) / 1000 + random(4 * 86400) - 3 * 86400
		: Date.parse("1995-01-01T00:00:00Z") / 1000 + random(40 * 365 * 86400);
	return { zone, second };
}

const ofZone = new Map();

function offset(zone, second) {
	if (!ofZone.has(zone))
		ofZone.set(zone, intlOffset(zone));
	return ofZone.get(zone)(second);
}

function fields(text) {
	const all = text.trim().split(/\s+/);
	return all.length === 5 ? ["0", ...all] : all;
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
		({ text }, ours) => !ours.refused && /^\s*[a-z]/i.test(text)],
	["the end of a range is beyond its field: refused also where a step follows (30-38/29)",
		({ text }, ours) => /is more than/.test(ours.refused) && /-\d+\//.test(text)],
	["LW in a list, or beside W: taken", ({ text }, ours) => !ours.refused && /LW/i.test(text)],
];

export function draw(random, i) {
	return { text: (i % 4 === 3 ? spoiled : pattern)(random), ...place(random) };
}

export function judge(test, ours) {
	const theirs = askCroner(test.text, test.zone, test.second);
	if (ours.refused && theirs.refused)
		return { counts: "refused by both" };
	if (!ours.refused && !theirs.refused && String(ours.next) === String(theirs.next) &&
	    String(ours.previous) === String(theirs.previous))
		return { counts: "fire alike" };
	const reasons = ours.refused || theirs.refused ? TEXTS : DIFFERENCES;
	const reason = reasons.find(([, holds]) => holds(test, ours, theirs));
	return reason ? { aside: `differ: ${reason[0]}` } : { failed: { croner: theirs } };
}
