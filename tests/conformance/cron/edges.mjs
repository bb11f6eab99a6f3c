// Patterns around the edges of any zone, daylight saving or law, from 1990 to 2037, against the
// written rule: rule.mjs over the spans that Temporal names. A case counts when the rule fires
// within a day and a half of the edge.
import { Temporal } from "@js-temporal/polyfill";
import { patternNear, pick } from "./patterns.mjs";
import { COUNT } from "./references.mjs";
import { DAY, firings, rule } from "./rule.mjs";
import { END, agree, edges, zoneNames, zoneOf } from "./zones.mjs";

const FROM = Date.UTC(1990, 0, 1) / 1000;
const WINDOW = 5 * DAY; // to both sides of the edge; compared is what lies inside
const NEAR = 1.5 * DAY;
const names = zoneNames();

// Not by an hour, or touching midnight: rare, so they are drawn more often than they come.
function isOdd({ at, before, after }) {
	const low = at + Math.min(before, after), high = at + Math.max(before, after);
	return high - low !== 3600 || Math.floor(low / DAY) !== Math.floor(high / DAY) || low % DAY === 0;
}

function drawEdge(random) {
	for (let tries = random(3) > 0 ? 0 : 20;; tries--) {
		const zone = zoneOf(pick(random, names));
		const all = zone === null ? [] : edges(zone, FROM, END - 30 * DAY);
		const odd = all.filter(isOdd);
		if (odd.length > 0 || (all.length > 0 && tries <= 0))
			return { zone: zone.name, ...pick(random, tries > 0 ? odd : all) };
	}
}

export function draw(random) {
	const { zone, at, before, after } = drawEdge(random);
	const text = patternNear(random, at + Math.min(before, after) - random(2) * 1800);
	const second = random(3) > 0 ? at + random(6 * DAY) - 3 * DAY : at + random(4 * 3600) - 2 * 3600;
	return { text, zone, at, second, odd: isOdd({ at, before, after }) };
}

const spans = new Map(); // by zone and edge

function spansOfTemporal(zone, at) {
	const key = `${zone} ${at}`, end = at + WINDOW + 4 * DAY;
	if (!spans.has(key)) {
		const found = [];
		let time = Temporal.Instant.fromEpochMilliseconds((at - WINDOW - 4 * DAY) * 1000)
			.toZonedDateTimeISO(zone);
		while (time !== null && time.epochMilliseconds / 1000 < end) {
			const next = time.getTimeZoneTransition("next");
			found.push({ start: time.epochMilliseconds / 1000, offset: time.offsetNanoseconds / 1e9,
				end: next === null ? end : Math.min(end, next.epochMilliseconds / 1000) });
			time = next;
		}
		spans.set(key, found);
	}
	return spans.get(key);
}

// What is said of an instant: itself, and whether it stands for a time in a gap.
const said = (at, gap) => `${at}${gap ? "g" : ""}`;

export function judge({ text, zone, at, second, odd }, ours) {
	const low = at - WINDOW, high = at + WINDOW;
	const ofTemporal = spansOfTemporal(zone, at);
	if (!agree(zoneOf(zone), low, high) || !ofTemporal.some(({ start }) => start === at))
		return { skipped: "zone data of Node and of the system differ in these years" };
	const all = [...firings(rule(text), ofTemporal, low, high)];
	if (!all.some(([it]) => Math.abs(it - at) < NEAR))
		return { skipped: "does not fire near the edge" };
	const expected = {
		next: all.filter(([it]) => it > second).slice(0, COUNT),
		previous: all.filter(([it]) => it < second).reverse().slice(0, COUNT),
	};
	const within = (list) => (list ?? []).filter((it) => it >= low && it < high)
		.map((it) => said(it, ours.gaps.has(it)));
	for (const way of ["next", "previous"])
		if (String(within(ours[way])) !== String(expected[way].map((it) => said(...it))))
			return { failed: { edge: new Date(at * 1000).toISOString(),
				"the rule": { next: expected.next.map(([it]) => it), previous: expected.previous.map(([it]) => it),
					gaps: new Set([...expected.next, ...expected.previous].filter(([, gap]) => gap).map(([it]) => it)) } } };
	return { counts: `${rule(text).elapsed ? "of elapsed time" : all.some(([, gap]) => gap)
		? "of fixed times, with one after a gap" : "of fixed times"}${odd ? ", at an odd edge" : ""}` };
}
