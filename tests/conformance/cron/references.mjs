// The two libraries that cron patterns are compared with: next and previous firings in
// seconds, or { refused } when one does not read the text, or gives up on the way.
import { createRequire } from "node:module";
import { Cron } from "croner";
import { CronExpressionParser } from "cron-parser";
import { END, START, spanAt, zoneOf } from "./zones.mjs";

export const COUNT = 4; // firings asked for, to each side

// cron-parser asks its date library for the offset at thousands of instants, and that asks
// Node with 20 microseconds each. Where zones.mjs found that Node and its table are one, the
// table answers.
const { IANAZone } = createRequire(import.meta.url)("luxon");
const askNode = IANAZone.prototype.offset;
IANAZone.prototype.offset = function (milliseconds) {
	const zone = zoneOf(this.name), second = Math.floor(milliseconds / 1000);
	return zone?.differs.size === 0 && second >= START && second < END
		? spanAt(zone.spans, second).offset / 60 : askNode.call(this, milliseconds);
};

const inSeconds = (list) => list.map((date) => date.getTime() / 1000);

// With "no-wildcard" its rule for daylight saving is ours but for what texts.mjs names.
export function askCroner(text, zone, second) {
	const from = new Date(second * 1000);
	try {
		const cron = new Cron(text, { timezone: zone, fixedTimeRule: "no-wildcard", paused: true });
		return { next: inSeconds(cron.nextRuns(COUNT, from)),
			previous: inSeconds(cron.previousRuns(COUNT, from)) };
	} catch (error) {
		return { refused: error.message };
	}
}

export function askCronParser(text, zone, second) {
	const options = { tz: zone, currentDate: new Date(second * 1000) };
	const take = (number) => inSeconds(CronExpressionParser.parse(text, options).take(number));
	try {
		return { next: take(COUNT), previous: take(-COUNT) };
	} catch (error) {
		return { refused: error.message };
	}
}
