// Zones: what the system's files say (read here, not by common/zone), and where Node's own
// data say the same. The references take their zones from Node, so only there do cases count.
import { existsSync, readFileSync } from "node:fs";

const FOLDER = process.env.TZDIR ?? "/usr/share/zoneinfo";
const DAY = 86400;
export const START = Date.UTC(1970, 0, 1) / 1000; // nothing outside of these is looked at
export const END = Date.UTC(2038, 0, 1) / 1000;
const SAMPLE = 100 * DAY; // how often the two are compared where nothing happens

// Zones and links of the IANA list, in its order.
export function zoneNames() {
	return readFileSync(`${FOLDER}/tzdata.zi`, "utf8").split("\n")
		.filter((line) => /^[ZL] /.test(line))
		.map((line) => line.split(" ")[line[0] === "Z" ? 1 : 2])
		.filter((name) => existsSync(`${FOLDER}/${name}`));
}

// RFC 8536, the block with 64 bits. What its footer says of later years is not read: a
// file must list its edges up to 2037.
function readSpans(name) {
	const bytes = readFileSync(`${FOLDER}/${name}`);
	const count = (at, i) => bytes.readUInt32BE(at + 20 + 4 * i); // isut isstd leap time type char
	const size = (at, wide) => 44 + count(at, 3) * (wide + 1) + count(at, 4) * 6 + count(at, 5) +
		count(at, 2) * (wide + 4) + count(at, 1) + count(at, 0);
	const at = size(0, 4), times = count(at, 3), footer = at + size(at, 8);
	const offset = (type) => bytes.readInt32BE(at + 44 + times * 9 + type * 6);
	const edges = Array.from({ length: times }, (_, i) => ({
		start: Number(bytes.readBigInt64BE(at + 44 + 8 * i)),
		offset: offset(bytes[at + 44 + times * 8 + i]) }));
	if (bytes.toString("latin1", footer).includes(",") && edges.at(-1)?.start < END - 366 * DAY)
		throw new Error(`${FOLDER}/${name} does not list its edges up to 2037`);
	return spansOf([{ start: -Infinity, offset: offset(0) }, ...edges]);
}

// Edges as spans; neighbours of one offset are one.
function spansOf(edges) {
	const spans = [];
	for (const { start, offset } of edges) {
		if (spans.at(-1)?.offset === offset)
			continue;
		if (spans.length > 0)
			spans.at(-1).end = start;
		spans.push({ start, end: Infinity, offset });
	}
	return spans;
}

export function intlOffset(name) {
	const format = new Intl.DateTimeFormat("en-US", { timeZone: name, hourCycle: "h23",
		year: "numeric", month: "numeric", day: "numeric",
		hour: "numeric", minute: "numeric", second: "numeric" });
	return (second) => {
		const [month, day, year, ...time] = format.format(second * 1000).match(/\d+/g).map(Number);
		return Date.UTC(year, month - 1, day, ...time) / 1000 - second;
	};
}

// Instants at which both must say the same: around each edge, and between them.
function* samples(spans) {
	for (const { start, end } of spans) {
		const low = Math.max(start, START), high = Math.min(end, END);
		for (let at = low; at < high; at += SAMPLE)
			yield at;
		if (low < high)
			yield high - 1;
	}
}

export function spanAt(spans, second) {
	let low = 0, high = spans.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (spans[middle].start <= second)
			low = middle;
		else
			high = middle - 1;
	}
	return spans[low];
}

function compare(name) {
	const spans = readSpans(name), theirs = intlOffset(name), years = new Set();
	for (const second of samples(spans))
		if (spanAt(spans, second).offset !== theirs(second))
			years.add(new Date(second * 1000).getUTCFullYear());
	return { name, spans, differs: years };
}

const known = new Map();

// The zone, or null when Node does not know it. differs: years in which the two part.
export function zoneOf(name) {
	if (!known.has(name)) {
		let zone = null;
		try {
			zone = compare(name);
		} catch (error) {
			if (!(error instanceof RangeError))
				throw error;
		}
		known.set(name, zone);
	}
	return known.get(name);
}

// Whether Node and the system agree from low to high, which must be within our years.
export function agree(zone, low, high) {
	const year = (second) => new Date(second * 1000).getUTCFullYear();
	for (let it = year(low) - 1; it <= year(high) + 1; it++)
		if (zone.differs.has(it))
			return false;
	return true;
}

// The edges between low and high: [{ at, before, after }].
export function edges(zone, low, high) {
	return zone.spans.flatMap(({ start, offset }, i) => start >= low && start < high
		? [{ at: start, before: zone.spans[i - 1].offset, after: offset }] : []);
}
