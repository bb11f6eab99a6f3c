// Random cron patterns. The same seed gives the same ones.

export function randomOf(seed) {
	let state = seed >>> 0 || 1;
	return (below) => { // xorshift, good enough for choosing
		state ^= state << 13; state >>>= 0;
		state ^= state >>> 17;
		state ^= state << 5; state >>>= 0;
		return state % below;
	};
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const NICKNAMES = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually", "@midnight"];
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

export const pick = (random, list) => list[random(list.length)];

export function number(random, min, max) {
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

// Second, minute, hour: around the hours in which zones have edges, or around this one.
function clock(random, near = 2) {
	const at = (away) => (near + away + 24) % 24;
	const hour = pick(random, ["*", `${at(0)}`, `${at(-1)}`, "0", `${at(1)}`, "23", `${at(-1)},${at(0)}`,
		"0-3", "0,12", "*/2", "1-3/2", `${random(24)}`, field(random, 0, 23)]);
	const minute = pick(random, ["0", "30", "15", "*", "*/15", "0,30", "45", "0-59",
		`${random(60)}`, field(random, 0, 59)]);
	const second = pick(random, ["0", "0", "0", "30", "0,30", "*/20", "*"]);
	return [second, minute, hour];
}

const anyDays = (random) => [dayOfMonth(random), month(random), dayOfWeek(random)];

export function pattern(random) {
	return timed(random, clock(random), anyDays(random));
}

// A pattern that may well fire near this wall time (seconds from 1970-01-01).
export function patternNear(random, wall) {
	const date = new Date(wall * 1000), day = date.getUTCDate(), weekday = date.getUTCDay();
	const days = pick(random, [["*", "*", "*"], ["*", "*", "*"], anyDays(random),
		[`${day}`, "*", "*"], ["*", MONTHS[date.getUTCMonth()], DAYS[weekday]],
		[`${Math.max(1, day - 1)}-${day}`, "*", "?"], [`${day}`, "*", `+${weekday}`],
		["*", "*", `${weekday}#${Math.ceil(day / 7)}`]]);
	return timed(random, clock(random, date.getUTCHours()), days);
}

function timed(random, [second, minute, hour], days) {
	const shape = random(10);
	if (shape === 0)
		return pick(random, NICKNAMES);
	if (shape < 6) return [minute, hour, ...days].join(" ");
	if (shape < 9) return [second, minute, hour, ...days].join(" ");
	const from = 1990 + random(40);
	return [second, minute, hour, ...days,
		pick(random, [`${from}`, `${from}-${from + random(20)}`, "*/2", "*"])].join(" ");
}

// A pattern at any time of day; most of them without what only croner reads.
export function everyday(random) {
	const date = random(4) > 0 ? plainDays(random) : anyDays(random);
	const time = [random(3) === 0 ? "*" : field(random, 0, 59), random(3) === 0 ? "*" : field(random, 0, 23)];
	const shape = random(20);
	if (shape === 0)
		return pick(random, NICKNAMES);
	if (shape < 12)
		return [...time, ...date].join(" ");
	return [pick(random, ["0", "30", "*/15", field(random, 0, 59)]), ...time, ...date].join(" ");
}

// Days that cron-parser reads, too: without W, +, # in a list, or a last weekday by #.
function plainDays(random) {
	const day = pick(random, ["*", "*", "*", "?", "L", "L,15", field(random, 1, 31), field(random, 1, 31)]);
	const weekday = pick(random, ["*", "*", "*", "?", "MON-FRI", `${random(7)}L`,
		`${pick(random, DAYS)}#${1 + random(5)}`, `${pick(random, DAYS)},${pick(random, DAYS)}`,
		field(random, 0, 6), field(random, 0, 7)]);
	return [day, month(random), weekday];
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

