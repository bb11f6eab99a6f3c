// Random schedules as people say them, each with the cron pattern that it stands for by
// docs/schedules.md: [words, pattern], or [words, seconds] where it is elapsed time.
import { number, pick } from "./patterns.mjs";

const DAYS = "sunday monday tuesday wednesday thursday friday saturday".split(" ");

function intervals(random) {
	const [names, whole, pattern, seconds] = pick(random, [
		[["second", "seconds", "s"], 60, (n) => `*/${n} * * * * *`, 1],
		[["minute", "minutes", "min"], 60, (n) => `*/${n} * * * *`, 60],
		[["hour", "hours", "h"], 24, (n) => `0 */${n} * * *`, 3600],
		[["day", "days", "d"], 0, undefined, 86400],
		[["week", "weeks", "w"], 0, undefined, 604800],
	]);
	const n = number(random, 2, pick(random, [6, 30, 100]));
	const words = `every ${n} ${pick(random, names)}`;
	return [words, n < whole && whole % n === 0 ? pattern(n) : n * seconds];
}

const two = (n) => String(n).padStart(2, "0");

// One to three times of one minute: the words and the fields of minute and hour.
function times(random) {
	if (random(6) === 0)
		return ["", "0 0"];
	const minute = random(2) === 0 ? 0 : random(60);
	const hours = Array.from({ length: 1 + random(3) }, () => random(24));
	const say = (hour) => {
		const noon = minute === 0 && { 0: "midnight", 12: "noon" }[hour];
		const half = `${hour % 12 || 12}${minute ? `:${two(minute)}` : ""}${hour < 12 ? "am" : "pm"}`;
		return pick(random, [noon || half, half, `${hour}:${two(minute)}`, `${two(hour)}:${two(minute)}`]);
	};
	return [` at ${joined(hours.map(say))}`, `${minute} ${hours.join(",")}`];
}

function joined(list) {
	return list.length === 1 ? list[0] : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

function weekdays(random) {
	const days = Array.from({ length: 1 + random(3) }, () => random(7));
	const say = (day) => pick(random, [DAYS[day], DAYS[day].slice(0, 3), `${DAYS[day]}s`]);
	return [joined(days.map(say)), days.join(",")];
}

function monthDays(random) {
	const days = Array.from({ length: 1 + random(3) }, () => pick(random, [number(random, 1, 31), "L"]));
	const ending = (n) => n > 10 && n < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th";
	const say = (day) => day === "L" ? "last day" : `${day}${ending(day)}`;
	return [`the ${joined(days.map(say))}`, days.join(",")];
}

function calendars(random) {
	const [at, clock] = times(random), [days, weekday] = weekdays(random), [dates, day] = monthDays(random);
	return pick(random, [
		[`${pick(random, ["daily", "every day"])}${at}`, `${clock} * * *`],
		[`${pick(random, ["weekdays", "every weekday"])}${at}`, `${clock} * * 1-5`],
		[`weekends${at}`, `${clock} * * 0,6`],
		[`every ${days}${at}`, `${clock} * * ${weekday}`],
		[`weekly on ${days}${at}`, `${clock} * * ${weekday}`],
		[`weekly${at}`, `${clock} * * 0`],
		[`${pick(random, ["monthly", "every month"])} on ${dates}${at}`, `${clock} ${day} * *`],
		[`monthly${at}`, `${clock} 1 * *`],
		[`yearly${at}`, `${clock} 1 1 *`],
	]);
}

export function words(random) {
	const [text, meant] = pick(random, [intervals, calendars, calendars, () => ["hourly", "0 * * * *"],
		() => ["every minute", "* * * * *"]])(random);
	return [random(3) === 0 ? text[0].toUpperCase() + text.slice(1) : text, meant];
}
