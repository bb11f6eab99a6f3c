// The written rule of docs/schedules.md, computed by trying every wall time of a few days:
// patterns of the Open Cron Pattern Specification and "Time zones and daylight saving".
// Slow and plain on purpose, and apart from common/lang: it is what that is measured by.
//
// Spans are [{ start, end, offset }] in seconds, one after another: stretches of one offset.

export const DAY = 86400;
const NAMES = {
	month: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" "),
	weekday: "SUN MON TUE WED THU FRI SAT".split(" "),
};
const NICKNAMES = {
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
	"@weekly": "0 0 * * SUN", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
	"@hourly": "0 * * * *",
};

function value(text, names, first) {
	const at = names ? names.indexOf(text.toUpperCase()) : -1;
	return at >= 0 ? at + first : Number(text);
}

// "5", "1-9/2", "*/3" as the numbers it stands for.
function numbers(item, min, max, names) {
	const [range, step = "1"] = item.split("/");
	let low = min, high = max;
	if (!/^[*?]$/.test(range)) {
		const [from, to] = range.split("-");
		low = value(from, names, min);
		high = to === undefined ? low : value(to, names, min);
		if (high < low && /sun/i.test(to))
			high = 7;
	}
	const all = [];
	for (let n = low; n <= high; n += Number(step))
		all.push(n);
	return all;
}

const every = (text, ...rest) => new Set(text.split(",").flatMap((item) => numbers(item, ...rest)));
const sorted = (set) => [...set].sort((a, b) => a - b);
const given = (text) => text !== "*" && text !== "?";

const daysIn = (year, month) => new Date(Date.UTC(year, month, 0)).getUTCDate();
const weekdayOf = (year, month, day) => new Date(Date.UTC(year, month - 1, day)).getUTCDay();

// The weekday (Monday to Friday) nearest to this day, within its month.
function nearest(year, month, day) {
	const last = daysIn(year, month);
	if (day > last)
		return undefined;
	const works = (it) => it >= 1 && it <= last && weekdayOf(year, month, it) % 6 !== 0;
	return [0, -1, 1, -2, 2].map((away) => day + away).find(works);
}

function dayTest(item) {
	if (/^L$/i.test(item))
		return (year, month, day) => day === daysIn(year, month);
	if (/^LW$/i.test(item))
		return (year, month, day) => day === nearest(year, month, daysIn(year, month));
	if (/W$/i.test(item))
		return (year, month, day) => day === nearest(year, month, parseInt(item, 10));
	const days = new Set(numbers(item, 1, 31));
	return (year, month, day) => days.has(day);
}

function weekdayTest(item) {
	const [, range, nth] = /^(.+?)(?:#([1-5L])|(?<=\d)(L)|)$/i.exec(item)
		.filter((part, i) => i < 2 || part !== undefined);
	const days = new Set(numbers(range, 0, range.startsWith("*") ? 6 : 7, NAMES.weekday)
		.map((day) => day % 7));
	return (year, month, day) => days.has(weekdayOf(year, month, day)) &&
		(nth === undefined || (nth.toUpperCase() === "L"
			? day + 7 > daysIn(year, month) : Math.ceil(day / 7) === Number(nth)));
}

// Reads a good pattern; bad ones are not its business.
export function rule(text) {
	const fields = (NICKNAMES[text.toLowerCase()] ?? text).trim().split(/\s+/);
	if (fields.length === 5)
		fields.unshift("0");
	const [second, minute, hour, day, month, weekday, year = "*"] = fields;
	const both = weekday.startsWith("+");
	const days = day.split(",").map(dayTest);
	const weekdays = weekday.replace("+", "").split(",").map(weekdayTest);
	const months = every(month, 1, 12, NAMES.month);
	const years = given(year) ? every(year, 0, 9999) : null;
	const onDay = (...date) => days.some((test) => test(...date));
	const onWeekday = (...date) => weekdays.some((test) => test(...date));
	const dates = !given(day) ? onWeekday
		: !given(weekday.replace("+", "")) ? onDay
		: (...date) => both ? onDay(...date) && onWeekday(...date)
			: onDay(...date) || onWeekday(...date);

	return {
		elapsed: /[*?\/]/.test(minute + hour),
		times: [sorted(every(hour, 0, 23)), sorted(every(minute, 0, 59)), sorted(every(second, 0, 59))],
		// whether it fires on this day; days are counted from 1970-01-01
		holdsOn(count) {
			const date = new Date(count * DAY * 1000);
			const parts = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
			return months.has(parts[1]) && (years === null || years.has(parts[0])) &&
				dates(...parts);
		},
	};
}

// Every wall time that the rule names from low on and before high.
function* walls({ times: [hours, minutes, seconds], holdsOn }, low, high) {
	for (let day = Math.floor(low / DAY); day * DAY < high; day++) {
		if (!holdsOn(day))
			continue;
		for (const hour of hours)
			for (const minute of minutes)
				for (const second of seconds) {
					const wall = day * DAY + hour * 3600 + minute * 60 + second;
					if (wall >= low && wall < high)
						yield wall;
				}
	}
}

// A fixed wall time: the first instant that shows it; in a gap the first one after it.
function fixedInstant(spans, wall) {
	const shown = spans.find(({ start, end, offset }) => wall - offset >= start && wall - offset < end);
	if (shown)
		return { at: wall - shown.offset, gap: false };
	const after = spans.find(({ start, offset }) => start + offset > wall);
	return after && { at: after.start, gap: true };
}

// All firings from low on and before high, in their order: Map of instant -> whether it
// stands for a time that a gap has skipped. The spans reach two days further.
export function firings(rule, spans, low, high) {
	const found = new Map();
	const add = (at, gap) => at >= low && at < high && found.set(at, gap || found.get(at) === true);
	if (rule.elapsed) {
		for (const { start, end, offset } of spans) {
			const from = Math.max(start, low), to = Math.min(end, high);
			for (const wall of from < to ? walls(rule, from + offset, to + offset) : [])
				add(wall - offset, false);
		}
	} else {
		for (const wall of walls(rule, low - 2 * DAY, high + 2 * DAY)) {
			const instant = fixedInstant(spans, wall);
			if (instant)
				add(instant.at, instant.gap);
		}
	}
	return new Map([...found].sort(([a], [b]) => a - b));
}
