// Random cron patterns, mostly good ones, and instants, mostly near an edge of a zone.
// The same seed gives the same cases.

export function randomOf(seed) {
	let state = seed >>> 0;
	return (below) => { // xorshift, good enough for choosing
		state ^= state << 13; state >>>= 0;
		state ^= state >>> 17;
		state ^= state << 5; state >>>= 0;
		return state % below;
	};
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

const pick = (random, list) => list[random(list.length)];

function number(random, min, max) {
	return min + random(max - min + 1);
}

function item(random, min, max) {
	const kind = random(6);
	const a = number(random, min, max), b = number(random, min, max);
	const low = Math.min(a, b), high = Math.max(a, b);
	if (kind < 3) return `${a}`;
	if (kind === 3) return `${low}-${high}`;
	if (kind === 4) return `${low}-${high}/${1 + random(max - min)}`;
	return `*/${1 + random(max - min)}`;
}

function field(random, min, max) {
	const count = 1 + (random(3) === 0 ? random(3) : 0);
	return Array.from({ length: count }, () => item(random, min, max)).join(",");
}

function dayOfMonth(random) {
	const kind = random(10);
	if (kind < 5) return random(8) === 0 ? "?" : "*";
	if (kind === 5) return pick(random, ["L", "LW", "L,15", "1,L"]);
	if (kind === 6) return `${number(random, 1, 31)}W`;
	return field(random, 1, 31);
}

function dayOfWeek(random) {
	const kind = random(12);
	if (kind < 6) return random(8) === 0 ? "?" : "*";
	if (kind === 6) return `${pick(random, DAYS)}#${pick(random, [1, 2, 3, 4, 5, "L"])}`;
	if (kind === 7) return `${random(8)}L`;
	if (kind === 8) return "+" + field(random, 0, 7);
	if (kind === 9) return "MON-FRI";
	return field(random, 0, 7);
}

function month(random) {
	const kind = random(8);
	if (kind < 5) return "*";
	if (kind === 5) return `${pick(random, MONTHS)},${pick(random, MONTHS)}`;
	return field(random, 1, 12);
}

function clock(random) { // second, minute, hour: around the hours in which zones have edges
	const hour = pick(random, ["*", "2", "1", "0", "3", "23", "1,2", "0-3", "0,12",
		"*/2", "1-3/2", `${random(24)}`, field(random, 0, 23)]);
	const minute = pick(random, ["0", "30", "15", "*", "*/15", "0,30", "45", "0-59",
		`${random(60)}`, field(random, 0, 59)]);
	const second = pick(random, ["0", "0", "0", "30", "0,30", "*/20", "*"]);
	return [second, minute, hour];
}

export function pattern(random) {
	const [second, minute, hour] = clock(random);
	const days = [dayOfMonth(random), month(random), dayOfWeek(random)];
	const shape = random(10);
	if (shape === 0)
		return pick(random, ["@hourly", "@daily", "@weekly", "@monthly", "@yearly",
			"@annually", "@midnight"]);
	if (shape < 6) return [minute, hour, ...days].join(" ");
	if (shape < 9) return [second, minute, hour, ...days].join(" ");
	const from = 1990 + random(40);
	return [second, minute, hour, ...days,
		pick(random, [`${from}`, `${from}-${from + random(20)}`, "*/2", "*"])].join(" ");
}

// A good pattern with one character changed, added or taken away.
export function spoiled(random) {
	const text = pattern(random), at = random(text.length);
	const sign = "0123456789*,-/#LW?+ xMON"[random(24)];
	return pick(random, [
		text.slice(0, at) + sign + text.slice(at + 1),
		text.slice(0, at) + sign + text.slice(at),
		text.slice(0, at) + text.slice(at + 1),
	]);
}

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

export function place(random) {
	const [zone, edge] = pick(random, EDGES);
	const around = random(3) > 0;
	const second = around
		? Date.parse(edge) / 1000 + random(4 * 86400) - 3 * 86400
		: Date.parse("1995-01-01T00:00:00Z") / 1000 + random(40 * 365 * 86400);
	return { zone, second };
}
